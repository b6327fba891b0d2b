"""The database schema's revisions, read from the names of the migration files.

Standard library only: scripts read them without the application's packages.
"""

from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def migration_names() -> list[str]:
    """Return the names of the migrations, oldest first, such as `0001_first_schema`."""
    return sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def known_revisions() -> list[str]:
    """Return this code's schema revisions, oldest first: the number that each migration's name starts with."""
    return [name.split("_")[0] for name in migration_names()]
