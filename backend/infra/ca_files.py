"""Writes CA certificates from settings to files, which the database and Valkey drivers require."""

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path


@cache
def ca_file(pem: str) -> str:
    """Return the path of a private temporary file with `pem`. The file is deleted when this process exits."""
    descriptor, path = tempfile.mkstemp(prefix="ca-", suffix=".pem")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(pem)
    atexit.register(_remove, path, os.getpid())
    return path


def _remove(path: str, owner: int) -> None:
    # A forked child inherits the hook but not the file.
    if os.getpid() == owner:
        Path(path).unlink(missing_ok=True)
