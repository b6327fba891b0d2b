"""Simulates deploys: the release, its command, and the update of Machines one by one or all at once."""

import signal
import time
import tomllib
from pathlib import Path
from typing import Any

from tests.simulators.flyctl.program.output import say
from tests.simulators.flyctl.program.state import changing, load

HANG_SECONDS = 60


class Failed(Exception):
    """A failed deploy."""


def deploy(folder: Path, app: str, flags: dict[str, str], config: dict[str, Any]) -> None:
    """Simulate `fly deploy --image` with the state's next outcome."""
    # A parent process may ignore SIGINT, as a shell does for background jobs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        image, digest, outcome = start(folder, app, flags, config)
        if outcome["outcome"] == "hangs":
            time.sleep(HANG_SECONDS)
            raise Failed("the simulator hung and was not interrupted")
        with changing(folder) as state:
            carry_out(state["apps"][app], image, digest, flags, config, outcome)
    except KeyboardInterrupt:
        with changing(folder) as state:
            end_release(state["apps"][app], "interrupted")
        raise Failed("context canceled") from None


def start(folder: Path, app: str, flags: dict[str, str], config: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Find the image, add a release, and return the next outcome."""
    image = flags.get("image") or config.get("build", {}).get("image", "")
    with changing(folder) as state:
        digest = state["images"].get(image)
        if digest is None:
            raise Failed(f'failed to fetch an image or build from source: could not find image "{image}"')
        add_release(state["apps"][app], image, flags.get("strategy", "rolling"))
        say(f"==> Verifying app config\n--> Verified app config\nimage: {image}")
        return image, digest, state["outcomes"].pop(0) if state["outcomes"] else {"outcome": "ok"}


def carry_out(
    app: dict[str, Any],
    image: str,
    digest: str,
    flags: dict[str, str],
    config: dict[str, Any],
    outcome: dict[str, Any],
) -> None:
    """Run the release command, update the Machines, and end the release."""
    try:
        run_release_command(app, image, flags, config, outcome)
        update_machines(app, image, digest, flags, outcome)
    except Failed:
        end_release(app, "failed")
        raise
    app["config"] = config
    for secret in app["secrets"].values():
        secret["staged"] = False
    end_release(app, "complete")


def add_release(app: dict[str, Any], image: str, strategy: str) -> None:
    version = max((release["version"] for release in app["releases"]), default=0) + 1
    release = {
        "id": f"rel_{version}",
        "version": version,
        "stable": False,
        "in_progress": True,
        "status": "running",
        "strategy": strategy.upper(),
        "user": "deploy-token",
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "image_ref": image,
    }
    app["releases"].append(release)


def end_release(app: dict[str, Any], status: str) -> None:
    app["releases"][-1].update(status=status, in_progress=False, stable=status == "complete")


def run_release_command(
    app: dict[str, Any], image: str, flags: dict[str, str], config: dict[str, Any], outcome: dict[str, Any]
) -> None:
    """Run the release command before any Machine changes; a failure ends the deploy."""
    command = config.get("deploy", {}).get("release_command")
    if not command or flags.get("skip-release-command") == "true":
        return
    app["release_commands"].append({"image": image, "command": command})
    say(f"Running {app['name']} release_command: {command}")
    if outcome["outcome"] == "release_command_fails":
        say(f"Check its logs: here's the last 100 lines below:\n  {outcome.get('log', '')}")
        raise Failed("release_command failed: machine e82d exited with non-zero status of 1")


def update_machines(
    app: dict[str, Any], image: str, digest: str, flags: dict[str, str], outcome: dict[str, Any]
) -> None:
    """Update the Machines. After a failed rolling update, the updated ones stay updated."""
    machines, kind = app["machines"], outcome["outcome"]
    strategy = flags.get("strategy", "rolling")
    # Rolling stops at the first unhealthy Machine; immediate skips the checks; bluegreen destroys the green Machines.
    limit = {"never_healthy": 1, "half_done": max(1, len(machines) // 2)}.get(kind, len(machines))
    if kind in ("never_healthy", "half_done") and strategy == "bluegreen":
        raise Failed("bluegreen deployment failed: wait timeout; the green machines were destroyed")
    if strategy == "immediate":
        limit = len(machines)
    for machine in machines[:limit]:
        machine.update(image=image, digest=digest, version=app["releases"][-1]["version"], healthy=True)
        say(f"Updating machine {machine['id']} [{machine['group']}]")
    if kind in ("never_healthy", "half_done"):
        machines[limit - 1]["healthy"] = False
        if strategy != "immediate":
            raise Failed(
                f"failed to update machine {machines[limit - 1]['id']}: timeout reached waiting for health checks"
            )


def app_name(folder: Path, flags: dict[str, str], environment: str) -> tuple[str, dict[str, Any]]:
    """Return the selected app and its configuration file."""
    path = Path(flags.get("config", "fly.toml"))
    if "config" in flags and not path.exists():
        raise Failed(f"failed loading app config from {path}: the file does not exist")
    config = tomllib.loads(path.read_text()) if path.exists() else {}
    name = flags.get("app") or environment or config.get("app", "")
    if not name:
        raise Failed("the config for your app is missing an app name, add an app field to the fly.toml file")
    if name not in load(folder)["apps"]:
        raise Failed(f'Could not find App "{name}"')
    return name, config
