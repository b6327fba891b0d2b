"""The database schema's revisions, read from the names of the migration files.

Standard library only: scripts read the newest revision without the application's packages.
"""

from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def known_revisions() -> list[str]:
    """Return this code's schema revisions, oldest first: the number each migration's file name starts with."""
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
