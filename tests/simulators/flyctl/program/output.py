"""Writes lines unbuffered, so that a reader sees a command's progress."""

import sys


def say(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write to standard error."""
    sys.stderr.write(text + "\n")
