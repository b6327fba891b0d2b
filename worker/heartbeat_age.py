"""How old a heartbeat file may grow. Standard library alone: Docker's health check starts a Python for it each time."""

import time
from pathlib import Path

# The loops touch it every five seconds; a machine short of CPU may delay some of them.
SILENT_SECONDS = 30


def heartbeat_age(file: Path) -> float:
    """Return the seconds since the file was touched. Raises OSError when there is none."""
    return time.time() - file.stat().st_mtime
