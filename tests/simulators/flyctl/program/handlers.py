"""The commands: their output and their changes of the state."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.simulators.flyctl.program import secrets_handlers
from tests.simulators.flyctl.program.commands import Refused
from tests.simulators.flyctl.program.machines import deploy
from tests.simulators.flyctl.program.output import say
from tests.simulators.flyctl.program.show import Flags, app_of, chosen, machine_shown, shown


def version(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    return shown(flags, {"Version": "0.3.200-simulator"}, "flyctl v0.3.200-simulator linux/amd64")


def deploy_image(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    name, config = chosen(folder, flags)
    deploy(folder, name, flags, config)
    say(f"\nVisit your newly deployed app at https://{name}.fly.dev/")
    return 0


def releases(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Print the newest 25."""
    found = sorted(app_of(folder, flags)["releases"], key=lambda release: -release["version"])[:25]
    lines = [f"v{release['version']}\t{release['status']}\t{release['image_ref']}" for release in found]
    return shown(flags, found, "\n".join(lines))


def status(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """The keys are those of internal/command/status/machines.go."""
    app = app_of(folder, flags)
    latest = max((release["version"] for release in app["releases"]), default=0)
    body = {
        "ID": app["name"],
        "Name": app["name"],
        "Deployed": bool(app["releases"]),
        "Status": "deployed",
        "Hostname": f"{app['name']}.fly.dev",
        "Version": latest,
        "PlatformVersion": "machines",
        "Machines": [machine_shown(machine) for machine in app["machines"]],
    }
    return shown(flags, body, f"App\n  Name = {app['name']}")


def machine_list(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    found = [machine_shown(machine) for machine in app_of(folder, flags)["machines"]]
    return shown(flags, found, "\n".join(machine["id"] for machine in found))


def logs(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Without --no-tail, the real command never ends."""
    say("\n".join(app_of(folder, flags)["logs"]))
    return 0


def config_show(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Print the deployed configuration, or with --local the file."""
    config = chosen(folder, flags)[1] if flags.get("local") == "true" else app_of(folder, flags)["config"]
    say(json.dumps(config, indent=2))
    return 0


def config_validate(folder: Path, flags: Flags, args: list[str], stdin: str) -> int:
    """Check only that the file exists and is valid TOML; other tests check the schema."""
    _, config = chosen(folder, flags)
    if not config:
        raise Refused("App config file not found")
    say(f"✓ Configuration is valid: {flags.get('config', 'fly.toml')}")
    return 0


HANDLERS: dict[str, Callable[[Path, Flags, list[str], str], int]] = {
    "version": version,
    "deploy": deploy_image,
    "releases": releases,
    "status": status,
    "logs": logs,
    "machine list": machine_list,
    "config show": config_show,
    "config validate": config_validate,
    "secrets list": secrets_handlers.secrets_list,
    "secrets set": secrets_handlers.secrets_set,
    "secrets import": secrets_handlers.secrets_import,
    "secrets unset": secrets_handlers.secrets_unset,
    "secrets deploy": secrets_handlers.secrets_deploy,
}
