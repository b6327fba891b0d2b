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

    0 done, 1 failed and the last good release serves, 2 refused and nothing changed, 3 a person must look,
    130 interrupted.
    """
    given = _parser().parse_args(arguments)
    system = system or System()
    environment = ENVIRONMENTS[given.env]
    report = Report(given.command, given.env, given.platform, as_json=given.json, clock=system.clock)
    command: Command | None = None
    try:
        with nullcontext() if given.command in READ_ONLY or given.dry_run else _lock(environment, given.platform):
            platform = PLATFORMS[given.platform](system, report, environment)
            values = read_values(given.env_file) if given.env_file else {}
            command = Command(system, report, environment, platform, values, given.dry_run, given.yes)
            return report.end(0, _run(command, given))
    except KeyboardInterrupt:
        hint = "What is under way on the platform goes on; the same command takes it up again"
        return report.end(INTERRUPTED, f"interrupted. {hint}")
    except DeployError as error:
        report.quote(error.log)
        return report.end(_exit_code(error, command), str(error))
    except Exception as error:
        traceback.print_exc()
        return report.end(_exit_code(ExternalError(""), command), f"the tool itself failed: {type(error).__name__}")


def _run(command: Command, given: argparse.Namespace) -> str:
    """Run the command that was asked for, and return what to say at the end."""
    if given.command == "staging":
        return deploy_staging(command, given.tag)
    if given.command == "promote":
        return promote(command, given.tag, given.release or (given.tag if VERSION.fullmatch(given.tag) else ""))
    if given.command == "rollback":
        return rollback(command, given.to)
    if given.command == "sync-env":
        return sync_env(command, given.file or f".env.{given.env}", prune=given.prune)
    if given.command == "logs":
        return logs(command, given.component)
    return status(command) if given.command == "status" else smoke_test(command)


def _exit_code(error: DeployError, command: Command | None) -> int:
    changed = command is not None and command.delivery.changed
    if isinstance(error, ExternalError | Refused):
        return 3 if changed else Refused.exit_code
    return error.exit_code


@contextmanager
def _lock(environment: Environment, platform: str) -> Iterator[None]:
    """Let one command of this folder change an environment at a time. Raises Refused.

    Other machines are seen on the platform: as a deployment that is under way.
    """
    LOCKS.mkdir(exist_ok=True)
    with (LOCKS / f"{platform}-{environment.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another command changes {environment.name} from this folder; wait until it ended") from None
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__, epilog=VARIABLES)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, env in {"staging": "staging", "promote": "production"}.items():
        one = _command(commands, name, {"env": env})
        one.add_argument("--tag", default="", required=name == "promote", help="a commit, tested-<commit>, or v1.2.3")
        one.add_argument("--env-file", default="", help="values for variables the spec leaves open, for a new app")
    commands.choices["promote"].add_argument("--release", default="", help="v1.2.3, one more tag for the images")
    for name in ("rollback", "status", "logs", "smoke", "sync-env"):
        one = _command(commands, name, {})
        one.add_argument("--env", choices=tuple(ENVIRONMENTS), required=True)
    commands.choices["rollback"].add_argument("--to", default="", help="a commit, a tag, or a deployment's id")
    commands.choices["logs"].add_argument("--component", default="", help="such as api, worker, migrate")
    commands.choices["sync-env"].add_argument("--file", default="", help="instead of .env.<environment>")
    commands.choices["sync-env"].add_argument("--prune", action="store_true", help="remove what only the platform has")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, fixed: dict[str, str]
) -> argparse.ArgumentParser:
    one = commands.add_parser(name)
    one.set_defaults(env_file="", **fixed)
    one.add_argument("--platform", choices=tuple(PLATFORMS), default="do")
    one.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    one.add_argument("--json", action="store_true", help="one document on stdout, progress on stderr")
    one.add_argument("--yes", action="store_true", help="do not ask")
    return one


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # A cancelled CI job gets SIGTERM; both end the same way.
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
