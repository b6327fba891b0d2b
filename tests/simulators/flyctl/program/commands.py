"""flyctl's commands and flags, and its errors for unknown ones."""

GLOBAL = {"access-token": "t", "verbose": "", "debug": "", "help": "h"}
APP = {"app": "a", "config": "c"}
JSON = {"json": "j"}
DEPLOY_VALUES = """strategy wait-timeout release-command-timeout regions exclude-regions process-groups lease-timeout
    max-unavailable max-concurrent deploy-retries image-label vm-size vm-memory vm-cpus vm-cpu-kind dockerfile
    build-arg build-secret build-target"""
DEPLOY_SWITCHES = """skip-release-command ha detach now dns-checks smoke-checks update-only no-public-ips remote-only
    local-only build-only push no-cache"""
# Flags without a value, of all commands; --image has one only with deploy.
SWITCHES = {*DEPLOY_SWITCHES.split(), *GLOBAL, "json", "image", "stage", "yes", "strict", "quiet", "no-tail", "local"}
SWITCHES -= {"access-token"}
DEPLOY = {"image": "i", "env": "e", "yes": "y", **dict.fromkeys(f"{DEPLOY_VALUES} {DEPLOY_SWITCHES}".split(), "")}
SECRETS = {"stage": "", "detach": "", "dns-checks": ""}
# Every command with its flags.
COMMANDS: dict[str, dict[str, str]] = {
    "version": JSON,
    "deploy": APP | DEPLOY,
    "releases": APP | JSON | {"image": ""},
    "status": APP | JSON,
    "logs": APP | JSON | {"machine": "", "region": "r", "no-tail": "n"},
    "machine list": APP | JSON | {"quiet": "q"},
    "config show": APP | {"local": ""},
    "config validate": APP | {"strict": ""},
    "secrets list": APP | JSON,
    "secrets set": APP | SECRETS,
    "secrets import": APP | SECRETS,
    "secrets unset": APP | SECRETS,
    "secrets deploy": APP | {"detach": "", "dns-checks": ""},
    "scale count": APP | {"yes": "y"},
    "mpg list": JSON,
    "mpg backup create": {"type": ""},
    "mpg backup list": JSON,
    "mpg restore": {"backup-id": "", "pitr-time": ""},
    "postgres backup create": APP,
    "storage create": APP,
    "tokens create deploy": APP,
}
ALIASES = {"machines": "machine", "pg": "postgres", "ls": "list"}
WITH_ARGUMENTS = (
    "deploy",
    "secrets set",
    "secrets unset",
    "scale count",
    "mpg backup create",
    "mpg backup list",
    "mpg restore",
)


class Refused(Exception):
    """flyctl's error for an invalid command line."""


def parse(argv: list[str]) -> tuple[str, dict[str, str], list[str]]:
    """Return the command, its flags by their long names, and its arguments."""
    names = [ALIASES.get(name, name) for name in argv[: first_flag(argv)]]
    command = next((" ".join(names[:n]) for n in (3, 2, 1) if " ".join(names[:n]) in COMMANDS), None)
    if command is None:
        raise unknown_command(names)
    length = len(command.split())
    flags, args = read_flags(command, argv[length:])
    if args and command not in WITH_ARGUMENTS:
        # `releases rollback` and `releases list` do not exist; this is the message of cobra.NoArgs.
        raise Refused(f'unknown command "{args[0]}" for "flyctl {command}"')
    return command, flags, args


def first_flag(argv: list[str]) -> int:
    return next((index for index, argument in enumerate(argv) if argument.startswith("-")), len(argv))


def read_flags(command: str, arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """Separate flags and arguments, as pflag does."""
    known = COMMANDS[command] | GLOBAL
    shorts = {short: name for name, short in known.items() if short}
    flags: dict[str, str] = {}
    args: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if not argument.startswith("-") or argument == "-":
            args.append(argument)
            continue
        spelled, has_value, value = argument.lstrip("-").partition("=")
        name = spelled if argument.startswith("--") else shorts.get(spelled, "")
        if name not in known:
            raise Refused(
                f"unknown flag: {argument}" if argument.startswith("--") else f"unknown shorthand flag in {argument}"
            )
        if not has_value:
            value = flag_value(command, name, waiting)
        flags[name] = value
    return flags, args


def flag_value(command: str, name: str, waiting: list[str]) -> str:
    """Return the value of a flag that has no `=`."""
    if name in SWITCHES and (command, name) != ("deploy", "image"):
        return "true"
    if not waiting:
        raise Refused(f"flag needs an argument: --{name}")
    return waiting.pop(0)


def unknown_command(names: list[str]) -> Refused:
    """Return cobra's error for a command that doesn't exist."""
    groups = {name.rsplit(" ", 1)[0] for name in COMMANDS if " " in name}
    if names and names[0] in groups and len(names) > 1:
        return Refused(f'unknown command "{names[1]}" for "flyctl {names[0]}"')
    return Refused(f'unknown command "{names[0] if names else ""}" for "flyctl"')
