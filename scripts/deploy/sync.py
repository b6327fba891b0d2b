"""`sync-env`: sends the variables of a file to the platform."""

import os
from pathlib import Path

from scripts.deploy import env_file
from scripts.deploy.command import Command, find_deployable_state, require_app
from scripts.deploy.errors import Refused
from scripts.deploy.releases import commit_of_images
from scripts.deploy.variables import Line, compare, is_secret


def read_values(path: str) -> dict[str, str]:
    """Raise Refused for an unreadable or invalid file."""
    try:
        # Read bytes: text mode would turn carriage returns into line feeds.
        text = Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise Refused(f"{path} can't be read ({type(error).__name__}): name the file with FILE=…") from None
    if os.name == "posix" and Path(path).stat().st_mode & 0o077:
        raise Refused(f"{path} can be read by other users of this machine: chmod 600 {path}")
    return env_file.parse(text, path)


def sync_env(command: Command, path: str, *, prune: bool) -> str:
    with command.report.phase("check"):
        file = read_values(path)
        state = require_app(command, find_deployable_state(command))
        if state.in_progress:
            raise Refused(f"{command.platform.app} is deploying, {state.in_progress.id}: wait for it")
        if state.active is None:
            hint = "pass the file to its first deployment with ENV_FILE=…"
            raise Refused(f"{command.platform.app} has no live deployment yet: {hint}")
        declared = command.platform.declared_variables()
        current = command.platform.current_values()
        lines = compare(file, current, declared, prune=prune)
    _show(command, lines, file, current)
    given = {line.key: file[line.key] for line in lines if line.action in ("add", "set")}
    pruned = [line.key for line in lines if line.action == "remove"]
    if not given and not pruned:
        return f"{command.environment.name} already has the variables of {path}"
    if command.dry_run:
        return f"would send {len(given)} and remove {len(pruned)} variables"
    command.confirm(f"Send {len(given)} and remove {len(pruned)} variables in {command.environment.name}")
    secret = [key for key in given if is_secret(key, declared.secret)]
    with command.report.phase("plan"):
        plan = command.platform.plan_variables(given, secret, pruned)
    command.delivery.deploy(plan, commit_of_images(command.registry, plan.images))
    return f"{command.environment.name} runs with the variables of {path}"


def _show(command: Command, lines: list[Line], file: dict[str, str], current: dict[str, str | None]) -> None:
    width = max((len(line.key) for line in lines), default=0)
    command.report.say(f"  {'variable':<{width}}  file  platform  kind     action")
    for line in lines:
        present = ["yes" if line.key in values else "no" for values in (file, current)]
        kind = "secret" if line.secret else "general"
        action = f"{line.action} ({line.note})" if line.note else line.action
        command.report.say(f"  {line.key:<{width}}  {present[0]:<4}  {present[1]:<8}  {kind:<7}  {action}")
