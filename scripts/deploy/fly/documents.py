"""Reads flyctl's documents about Machines and releases. Pure functions."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Document = Mapping[str, Any]
# The status of a successful release; the others are running, failed and interrupted.
COMPLETE = "complete"


def machines_of_app(machines: Iterable[Document]) -> list[Document]:
    """Return the Machines of process groups, without those started for one command or by hand."""
    return [
        machine
        for machine in machines
        if _metadata(machine, "fly_platform_version") == "v2"
        and not group_of(machine).startswith("fly_app_")
        and machine.get("state") not in ("destroying", "destroyed")
    ]


def group_of(machine: Document) -> str:
    return _metadata(machine, "fly_process_group")


def digest_of(machine: Document) -> str:
    return str((machine.get("image_ref") or {}).get("digest", ""))


def newest_of(machines: Iterable[Document]) -> str:
    """Return the newest release of some Machines, such as v3."""
    return f"v{max(int(_metadata(machine, 'fly_release_version') or 0) for machine in machines)}"


def image_of(release: Document) -> tuple[str, str]:
    """Return the tag and the digest of a release's image; "" when the reference does not contain it."""
    named, _, digest = str(release["image_ref"]).partition("@")
    return named.rpartition("/")[2].partition(":")[2], digest


def is_in_progress(release: Document, seconds: float) -> bool:
    """Return whether a release is being deployed; one older than `seconds` was left by a killed flyctl."""
    if not release.get("in_progress"):
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(release["created_at"])).total_seconds() < seconds


def _metadata(machine: Document, name: str) -> str:
    # A Machine whose host is unavailable has only an incomplete configuration.
    config = machine.get("config") or machine.get("incomplete_config") or {}
    return str((config.get("metadata") or {}).get(name, ""))
