"""flyctl's argument lists, and the input of `secrets import`. Pure functions."""

from collections.abc import Mapping, Sequence

from scripts.deploy.errors import Refused

# Not in fly.toml and without a default: the application does not start without them.
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
# flyctl stops reading at a longer line and silently drops the rest.
LONGEST_LINE = 64 * 1024 - 1


def deploy(app: str, config: str, image: str) -> list[str]:
    """Run the release command, then update one Machine after the other."""
    return ["flyctl", "deploy", "--app", app, "--config", config, "--image", image, "--yes"]


def roll_back(app: str, config: str, image: str, seconds: float) -> list[str]:
    """Deploy an earlier image on all Machines at once. It may not have the newest migrations, so they are not run."""
    argv = deploy(app, config, image)
    return [*argv, "--skip-release-command", "--strategy", "immediate", "--wait-timeout", f"{seconds:.0f}s"]


def validate(app: str, config: str) -> list[str]:
    """Validate a configuration; without `--strict` a misspelt key passes."""
    return ["flyctl", "config", "validate", "--app", app, "--config", config, "--strict"]


def show(what: str, app: str) -> list[str]:
    images = ["--image"] if what == "releases" else []
    return ["flyctl", *what.split(), "--app", app, *images, "--json"]


def show_config(app: str, local: str = "") -> list[str]:
    return ["flyctl", "config", "show", "--app", app, *(["--config", local, "--local"] if local else [])]


def logs(app: str, machine: str) -> list[str]:
    """Print the last lines of one Machine; "" means all."""
    return ["flyctl", "logs", "--app", app, "--no-tail", *(["--machine", machine] if machine else [])]


def import_secrets(app: str) -> list[str]:
    """Import secrets from standard input. Without --stage every Machine would restart at once."""
    return ["flyctl", "secrets", "import", "--app", app, "--stage"]


def unset_secrets(app: str, names: Sequence[str]) -> list[str]:
    return ["flyctl", "secrets", "unset", "--app", app, "--stage", *names]


def deploy_secrets(app: str) -> list[str]:
    return ["flyctl", "secrets", "deploy", "--app", app]


def secrets_input(values: Mapping[str, str]) -> str:
    """Return the input of `secrets import` that sets each value exactly.

    flyctl has no escapes: it removes one pair of quotes, and truncates a line at the first `#` that follows an even
    number of double quotes. Three double quotes enclose several lines; only newer versions accept them around one
    line. Source: flyctl's internal/command/secrets/parser.go.
    Raises Refused for a value that not every version would read correctly.
    """
    return "".join(f"{key}={_encode(key, value)}\n" for key, value in values.items())


def _encode(key: str, value: str) -> str:
    problem = "a CR or NUL character" if "\r" in value or "\0" in value else ""
    first, *others = value.split("\n")
    encodings = _multi_line_encodings(first, others) if others else _single_line_encodings(value)
    written = next((encoding for encoding, works in encodings.items() if works), "")
    if any(len(f"{key}={line}".encode()) > LONGEST_LINE for line in written.split("\n")):
        problem = "a line of 64 KB or more"
    elif not written:
        problem = 'double quotes where flyctl would remove them, such as before a # or at a line\'s end """'
    if problem:
        raise Refused(f"{key} has {problem}, which flyctl can't read: choose another value")
    return written


def _single_line_encodings(value: str) -> dict[str, bool]:
    """Return the encodings of a value of one line, and whether flyctl reads them correctly."""
    loses_quotes = value[:1] == value[-1:] and value[:1] in ("'", '"')
    bare = not loses_quotes and not value.startswith((" ", '"""')) and not _is_truncated(value)
    return {f'"{value}"': not value.startswith('""') and value != '"' and not _is_truncated(f'"{value}'), value: bare}


def _multi_line_encodings(first: str, others: Sequence[str]) -> dict[str, bool]:
    ends = any(line.endswith('"""') for line in (first, *others[:-1]))
    return {"\n".join([f'"""{first}', *others]) + '"""': not ends and not _is_truncated(f'"""{first}')}


def _is_truncated(line: str) -> bool:
    before, sign, _ = line.partition("#")
    return bool(sign) and before.count('"') % 2 == 0
