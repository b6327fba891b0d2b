"""The `secrets` commands."""

import hashlib
from pathlib import Path
from typing import Any

from tests.simulators.flyctl.program.commands import Refused
from tests.simulators.flyctl.program.machines import Failed
from tests.simulators.flyctl.program.output import say
from tests.simulators.flyctl.program.secrets_input import parse_secrets
from tests.simulators.flyctl.program.show import Flags, app_of, chosen, shown
from tests.simulators.flyctl.program.state import changing

STAGED = (
    "Secrets have been staged, but not set on VMs. "
    "Deploy or update machines in this app for the secrets to take effect."
)


def secrets_list(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Print digests, never values."""
    found = [
        {"name": name, "digest": secret["digest"], "status": "Staged" if secret["staged"] else "Deployed"}
        for name, secret in sorted(app_of(folder, flags)["secrets"].items())
    ]
    return shown(flags, found, "\n".join(f"{one['name']}\t{one['digest']}\t{one['status']}" for one in found))


def secrets_set(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    return keep(folder, flags, dict(arg.split("=", 1) for arg in args if "=" in arg))


def secrets_import(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Merge secrets; none is deleted."""
    try:
        return keep(folder, flags, parse_secrets(stdin))
    except ValueError as error:
        raise Refused(f"Failed to parse secrets from stdin: {error}") from None


def secrets_unset(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    name, _ = chosen(folder, flags)
    with changing(folder) as state:
        for secret in args:
            state["apps"][name]["secrets"].pop(secret, None)
    return 0


def secrets_deploy(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Restart the Machines with the staged secrets."""
    name, _ = chosen(folder, flags)
    with changing(folder) as state:
        app = state["apps"][name]
        if not app["machines"]:
            raise Failed("no machines available to deploy")
        deploy_staged(app)
    return 0


def keep(folder: Path, flags: Flags, values: dict[str, str]) -> int:
    """Merge secrets into the app's. Without --stage they are deployed at once, and the Machines restart."""
    name, _ = chosen(folder, flags)
    if not values:
        raise Refused("requires at least one SECRET=VALUE pair")
    with changing(folder) as state:
        app = state["apps"][name]
        for key, value in values.items():
            # The digest is salted, so it can't be computed from the value alone.
            digest = hashlib.sha256(f"{state['salt']}{value}".encode(errors="surrogateescape")).hexdigest()[:16]
            app["secrets"][key] = {"value": value, "digest": digest, "staged": True}
        if flags.get("stage") == "true":
            say(STAGED)
        else:
            deploy_staged(app)
    return 0


def deploy_staged(app: dict[str, Any]) -> None:
    """Restart the Machines with all secrets."""
    app["restarts"] += 1
    for secret in app["secrets"].values():
        secret["staged"] = False
