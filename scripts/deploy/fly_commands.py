"""What flyctl is asked: its argument lists, and the input of `secrets import`. Pure functions."""

from collections.abc import Mapping

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


def deploy_back(app: str, config: str, image: str) -> list[str]:
    """Return the way back: at once, and without migrations, which the old image need not know."""
    return [*deploy(app, config, image), "--skip-release-command", "--strategy", "immediate"]


def validate(app: str, config: str) -> list[str]:
    """Return the check of a configuration; without `--strict` a misspelt key passes."""
    return ["flyctl", "config", "validate", "--app", app, "--config", config, "--strict"]


def show(what: str, app: str) -> list[str]:
    """Return a question that is answered in JSON: `status`, `releases`, `machine list`, `secrets list`."""
    images = ["--image"] if what == "releases" else []
    return ["flyctl", *what.split(), "--app", app, *images, "--json"]


def logs(app: str, machine: str) -> list[str]:
    """Return the last lines of a Machine, or of all for ""."""
    return ["flyctl", "logs", "--app", app, "--no-tail", *(["--machine", machine] if machine else [])]


def import_secrets(app: str) -> list[str]:
    """Return the import of secrets from standard input; staged, or every Machine restarts at once."""
    return ["flyctl", "secrets", "import", "--app", app, "--stage"]


def unset_secrets(app: str, names: list[str]) -> list[str]:
    """Return the removal of secrets."""
    return ["flyctl", "secrets", "unset", "--app", app, "--stage", *names]


def deploy_secrets(app: str) -> list[str]:
    """Return the restart of the Machines with what was staged."""
    return ["flyctl", "secrets", "deploy", "--app", app]


def secrets_input(values: Mapping[str, str]) -> str:
    """Return the input of `secrets import`, so that each value arrives as it is.

    flyctl cuts a bare value at `#`, keeps single quotes, and knows no escape: between double quotes everything counts
    but a line break, between three also that. Source: flyctl's internal/command/secrets/parser.go.
    Raises Refused for a value that can't be said so.
    """
    return "".join(f"{key}={_quoted(key, value)}\n" for key, value in values.items())


def _quoted(key: str, value: str) -> str:
    lines = value.split("\n")
    trouble = ""
    if "\r" in value or "\0" in value:
        trouble = "a CR or NUL character"
    elif any(len(f'{key}="""{line}"""'.encode()) > LONGEST_LINE for line in lines):
        trouble = "a line of 64 KB or more"
    elif len(lines) == 1 and (value == '"' or value.startswith('""')):
        trouble = "double quotes at its beginning"
    elif any(line.endswith('"""') for line in lines[1:-1]):
        trouble = 'a line that ends with """'
    if trouble:
        raise Refused(f"{key} has {trouble}, which flyctl can't read: choose another value")
    return f'"{value}"' if len(lines) == 1 else f'"""{value}"""'
