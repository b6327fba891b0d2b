"""`python -m scripts.deploy staging|promote|rollback|status|logs|smoke|sync-env`: the deploy tool's command line."""

import argparse
import fcntl
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from scripts.deploy.app_platform.platform import AppPlatform
from scripts.deploy.command import Command
from scripts.deploy.commands import deploy_staging, promote, rollback
from scripts.deploy.environments import ENVIRONMENTS, Environment
from scripts.deploy.errors import DeployError, ExternalError, Refused
from scripts.deploy.fly.platform import Fly
from scripts.deploy.inspect import logs, smoke_test, status
from scripts.deploy.platform import Platform
from scripts.deploy.releases import VERSION
from scripts.deploy.report import Report
from scripts.deploy.smoke import VARIABLES
from scripts.deploy.sync import read_values, sync_env
from scripts.deploy.system import ROOT, System

PLATFORMS: dict[str, Callable[[System, Report, Environment], Platform]] = {"do": AppPlatform, "fly": Fly}
READ_ONLY = ("status", "logs", "smoke")
INTERRUPTED = 130
LOCKS = ROOT / ".deploy"


def main(arguments: list[str] | None = None, system: System | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 failed, and the last good release is live; 2 refused, nothing was changed; 3 check the deployment by hand;
    130 interrupted.
    """
    options = _parser().parse_args(arguments)
    system = system or System()
    environment = ENVIRONMENTS[options.env]
    report = Report(options.command, options.env, options.platform, as_json=options.json, clock=system.clock)
    command: Command | None = None
    try:
        unlocked = options.command in READ_ONLY or options.dry_run
        with nullcontext() if unlocked else _lock(environment, options.platform):
            platform = PLATFORMS[options.platform](system, report, environment)
            values = read_values(options.env_file) if options.env_file else {}
            command = Command(system, report, environment, platform, values, options.dry_run, options.yes)
            return report.end(0, _run(command, options))
    except KeyboardInterrupt:
        hint = "A deployment in progress on the platform continues; run the same command again to follow it"
        return report.end(INTERRUPTED, f"interrupted. {hint}")
    except DeployError as error:
        report.quote(error.log)
        return report.end(_exit_code(error, command), str(error))
    except Exception as error:
        traceback.print_exc()
        message = f"unexpected error in the deploy tool: {type(error).__name__}"
        return report.end(_exit_code(ExternalError(""), command), message)


def _run(command: Command, options: argparse.Namespace) -> str:
    if options.command == "staging":
        return deploy_staging(command, options.tag)
    if options.command == "promote":
        version = options.release or (options.tag if VERSION.fullmatch(options.tag) else "")
        return promote(command, options.tag, version)
    if options.command == "rollback":
        return rollback(command, options.to)
    if options.command == "sync-env":
        return sync_env(command, options.file or f".env.{options.env}", prune=options.prune)
    if options.command == "logs":
        return logs(command, options.component)
    return status(command) if options.command == "status" else smoke_test(command)


def _exit_code(error: DeployError, command: Command | None) -> int:
    changed = command is not None and command.delivery.changed
    if isinstance(error, ExternalError | Refused):
        return 3 if changed else Refused.exit_code
    return error.exit_code


@contextmanager
def _lock(environment: Environment, platform: str) -> Iterator[None]:
    """Let only one command of this folder change an environment at a time. Raises Refused.

    Commands on other machines are detected as a deployment in progress on the platform.
    """
    LOCKS.mkdir(exist_ok=True)
    with (LOCKS / f"{platform}-{environment.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            name = environment.name
            raise Refused(f"Another command is changing {name} from this folder; wait until it ends") from None
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__, epilog=VARIABLES)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, env in {"staging": "staging", "promote": "production"}.items():
        one = _command(commands, name, {"env": env})
        one.add_argument("--tag", default="", required=name == "promote", help="a commit, tested-<commit>, or v1.2.3")
        one.add_argument("--env-file", default="", help="for a new app: a file of the variables without a value")
    commands.choices["promote"].add_argument("--release", default="", help="v1.2.3, an additional tag for the images")
    for name in ("rollback", "status", "logs", "smoke", "sync-env"):
        one = _command(commands, name, {})
        one.add_argument("--env", choices=tuple(ENVIRONMENTS), required=True)
    commands.choices["rollback"].add_argument("--to", default="", help="a commit, a tag, or a deployment id")
    commands.choices["logs"].add_argument("--component", default="", help="for example api, worker or migrate")
    commands.choices["sync-env"].add_argument(
        "--file", default="", help="the file of variables; default: .env.<environment>"
    )
    prune_help = "remove variables that only the platform has"
    commands.choices["sync-env"].add_argument("--prune", action="store_true", help=prune_help)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, fixed: dict[str, str]
) -> argparse.ArgumentParser:
    one = commands.add_parser(name)
    one.set_defaults(env_file="", **fixed)
    one.add_argument("--platform", choices=tuple(PLATFORMS), default="do")
    one.add_argument("--dry-run", action="store_true", help="show the changes without making them")
    one.add_argument("--json", action="store_true", help="print one JSON document to stdout, and progress to stderr")
    one.add_argument("--yes", action="store_true", help="skip the confirmation")
    return one


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # A cancelled CI job gets SIGTERM: handle it like Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
