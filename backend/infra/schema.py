"""Schema revisions, read from the names of the migration files.

Uses only the standard library, because scripts import it without the application's packages.
"""

from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def migration_names() -> list[str]:
    """Return migration names such as `0001_first_schema`, oldest first."""
    return sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def known_revisions() -> list[str]:
    """Return the revisions of this code, oldest first: the number at the start of each migration's name."""
    return [name.split("_")[0] for name in migration_names()]
