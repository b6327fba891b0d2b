"""What flyctl is asked: its argument lists, and the input of `secrets import`. Pure functions."""

from collections.abc import Mapping, Sequence

from scripts.deploy.errors import Refused

# Neither in fly.toml nor with a default: without one of them the application refuses to start.
NEEDED_SECRETS = (
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "S3_BUCKET",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "SMTP_HOST",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "MAIL_FROM",
)
# The scanner that reads the input stops at a longer line, and drops what follows, without a word.
LONGEST_LINE = 64 * 1024 - 1


def deploy(app: str, config: str, image: str) -> list[str]:
    """Return the deployment of an image as the configuration says: release command, then Machine after Machine."""
    return ["flyctl", "deploy", "--app", app, "--config", config, "--image", image, "--yes"]


def deploy_back(app: str, config: str, image: str, seconds: float) -> list[str]:
    """Return the way back: on all Machines at once, and without migrations, which the old image need not know."""
    there = deploy(app, config, image)
    return [*there, "--skip-release-command", "--strategy", "immediate", "--wait-timeout", f"{seconds:.0f}s"]


def validate(app: str, config: str) -> list[str]:
    """Return the check of a configuration; without `--strict` a misspelt key passes."""
    return ["flyctl", "config", "validate", "--app", app, "--config", config, "--strict"]


def show(what: str, app: str) -> list[str]:
    """Return a question that is answered in JSON: `releases`, `machine list`, `secrets list`."""
    images = ["--image"] if what == "releases" else []
    return ["flyctl", *what.split(), "--app", app, *images, "--json"]


def show_config(app: str, local: str = "") -> list[str]:
    """Return the question for the configuration that is deployed, or for a local one, as flyctl understands it."""
    return ["flyctl", "config", "show", "--app", app, *(["--config", local, "--local"] if local else [])]


def logs(app: str, machine: str) -> list[str]:
    """Return the last lines of a Machine, or of all for ""."""
    return ["flyctl", "logs", "--app", app, "--no-tail", *(["--machine", machine] if machine else [])]


def import_secrets(app: str) -> list[str]:
    """Return the import of secrets from standard input; staged, or every Machine restarts at once."""
    return ["flyctl", "secrets", "import", "--app", app, "--stage"]


def unset_secrets(app: str, names: Sequence[str]) -> list[str]:
    """Return the removal of secrets."""
    return ["flyctl", "secrets", "unset", "--app", app, "--stage", *names]


def deploy_secrets(app: str) -> list[str]:
    """Return the restart of the Machines with what was staged."""
    return ["flyctl", "secrets", "deploy", "--app", app]


def secrets_input(values: Mapping[str, str]) -> str:
    """Return the input of `secrets import`, so that each value arrives as it is.

    flyctl knows no escapes: it takes one pair of quotes away, and cuts a line at the first `#` before which there is
    an even number of double quotes. Between three double quotes lines may break; that three may also stand around one
    line is known to newer versions alone. Source: flyctl's internal/command/secrets/parser.go.
    Raises Refused for a value that can't be said so that every version reads it.
    """
    return "".join(f"{key}={_encoded(key, value)}\n" for key, value in values.items())


def _encoded(key: str, value: str) -> str:
    problem = "a CR or NUL character" if "\r" in value or "\0" in value else ""
    first, *others = value.split("\n")
    ways = _multi_line_encodings(first, others) if others else _single_line_encodings(value)
    written = next((way for way, arrives in ways.items() if arrives), "")
    if any(len(f"{key}={line}".encode()) > LONGEST_LINE for line in written.split("\n")):
        problem = "a line of 64 KB or more"
    elif not written:
        problem = 'double quotes where flyctl takes them for its own, such as before a # or at a line\'s end """'
    if problem:
        raise Refused(f"{key} has {problem}, which flyctl can't read: choose another value")
    return written


def _single_line_encodings(value: str) -> dict[str, bool]:
    """Return how a value of one line can be written, and whether it arrives."""
    takes_quotes = value[:1] == value[-1:] and value[:1] in ("'", '"')
    bare = not takes_quotes and not value.startswith((" ", '"""')) and not _is_truncated(value)
    return {f'"{value}"': not value.startswith('""') and value != '"' and not _is_truncated(f'"{value}'), value: bare}


def _multi_line_encodings(first: str, others: Sequence[str]) -> dict[str, bool]:
    """Return how a value of several lines can be written, and whether it arrives."""
    ends = any(line.endswith('"""') for line in (first, *others[:-1]))
    return {"\n".join([f'"""{first}', *others]) + '"""': not ends and not _is_truncated(f'"""{first}')}


def _is_truncated(line: str) -> bool:
    before, sign, _ = line.partition("#")
    return bool(sign) and before.count('"') % 2 == 0
