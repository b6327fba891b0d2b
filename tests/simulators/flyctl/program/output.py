"""Writes lines unbuffered, so that a command's progress is visible."""

import sys


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_error(text: str) -> None:
    sys.stderr.write(text + "\n")
