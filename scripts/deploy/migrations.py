"""Lists the migrations between two releases for the confirmation, by the names of this folder's migrations."""

from backend.infra.schema import migration_names


def between(before: str, after: str) -> list[str]:
    """Return the migrations that a release runs, or one message about a release older than the database."""
    if before == after or not after:
        return []
    if before > after:
        return [f"none: the database is at {before}, and the release's newest is {after}; the schema is not downgraded"]
    names = [name for name in migration_names() if before < name.split("_")[0] <= after]
    return names or [f"up to {after}, which is not in this folder: git fetch, and check out the release to read it"]
