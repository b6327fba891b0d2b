"""Reads a Procfile, which defines how each process is started."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def read_procfile(name: str = "Procfile") -> dict[str, str]:
    """Return each process's command by name."""
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line)
