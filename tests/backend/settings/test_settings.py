"""Sources of settings: secret files, variables, .env, defaults, in this order."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import SecretStr

from backend.settings import Settings, load_settings
from backend.settings.sources import SettingsError
from tests.backend.conftest import SetEnvironment

# Two valid values per setting that `two_values` can't derive from its type. The first differs from the default.
SPECIAL = {
    "ENVIRONMENT": ("test", "development"),
    "PUBLIC_URL": ("https://one.example.org", "https://two.example.org"),
    "DATABASE_URL": ("sqlite:///one.db", "sqlite:///two.db"),
    "REDIS_URL": ("redis://one.example.org/0", "redis://two.example.org/0"),
    "S3_ENDPOINT_URL": ("https://one.example.org", "https://two.example.org"),
    "ALLOWED_ORIGINS": ("https://one.example.org", "https://two.example.org"),
    "FORWARDED_ALLOW_IPS": ("10.0.0.1", "10.0.0.0/8"),
    "SENTRY_DSN": ("https://one@example.org/1", "https://two@example.org/2"),
    "SENTRY_TRACES_SAMPLE_RATE": ("0.25", "0.5"),
}
NAMES = list(Settings.model_fields)


def two_values(name: str) -> tuple[str, str]:
    field = Settings.model_fields[name]
    if name in SPECIAL:
        return SPECIAL[name]
    if field.annotation is bool:
        return str(not field.default), str(field.default)
    if get_origin(field.annotation) is Literal:
        others = [choice for choice in get_args(field.annotation) if choice not in (field.default, "")]
        return others[0], others[1]
    if field.annotation in (int, float):
        return ("3", "4") if field.annotation is int else ("3.5", "4.5")
    return "one", "two"


def text_of(settings: Settings, name: str) -> str:
    value: Any = getattr(settings, name)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_wins_over_the_variable_and_dotenv(name: str, set_environment: SetEnvironment) -> None:
    first, second = two_values(name)
    Path("secret").write_text(f"{first}\n")
    Path(".env").write_text(f"{name}={second}\n")
    set_environment(**{f"{name}_FILE": "secret", name: second})
    assert text_of(load_settings(), name) == first


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_wins_over_dotenv(name: str, set_environment: SetEnvironment) -> None:
    first, second = two_values(name)
    Path(".env").write_text(f"{name}={second}\n")
    set_environment(**{name: first})
    assert text_of(load_settings(), name) == first


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ENVIRONMENT"])
def test_dotenv_wins_over_the_default(name: str, bare_environment: Path) -> None:
    first, _ = two_values(name)
    default = text_of(load_settings(), name)
    (bare_environment / ".env").write_text(f"{name}={first}\n")
    assert text_of(load_settings(), name) == first != default


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_variable_counts_as_unset(name: str, set_environment: SetEnvironment) -> None:
    default = load_settings()
    set_environment(**{name: "", f"{name}_FILE": ""})
    assert load_settings() == default
    assert name not in load_settings().model_fields_set


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"secret\n\n", "secret\n"),
        (b" secret \n", " secret "),
        ("gehëim\n".encode(), "gehëim"),
    ],
)
def test_one_final_newline_of_a_file_is_removed(written: bytes, read: str, set_environment: SetEnvironment) -> None:
    Path("secret").write_bytes(written)
    set_environment(SMTP_PASSWORD_FILE="secret")
    assert load_settings().SMTP_PASSWORD.get_secret_value() == read


def test_an_unreadable_file_is_reported_with_its_path(set_environment: SetEnvironment) -> None:
    Path("folder").mkdir()
    Path("binary").write_bytes(b"\xff\xfe secret \x80")
    Path("looping").symlink_to("looping")
    set_environment(
        JWT_SECRET_FILE="absent/jwt", SMTP_PASSWORD_FILE="folder", S3_BUCKET_FILE="binary", S3_REGION_FILE="looping"
    )
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert set(caught.value.problems) == {
        "JWT_SECRET: can't read absent/jwt from JWT_SECRET_FILE: No such file or directory",
        "SMTP_PASSWORD: can't read folder from SMTP_PASSWORD_FILE: Is a directory",
        "S3_BUCKET: can't read binary from S3_BUCKET_FILE: it is not UTF-8 text",
        "S3_REGION: can't read looping from S3_REGION_FILE: Too many levels of symbolic links",
    }


def test_an_unreadable_file_does_not_fall_back_to_the_variable(set_environment: SetEnvironment) -> None:
    set_environment(JWT_SECRET_FILE="absent", JWT_SECRET="the-variable-" * 4)
    with pytest.raises(SettingsError, match="JWT_SECRET_FILE"):
        load_settings()


@pytest.mark.parametrize("environment", ["test", "staging", "production"])
@pytest.mark.parametrize("by_file", [False, True])
def test_dotenv_is_only_read_in_development(environment: str, by_file: bool, set_environment: SetEnvironment) -> None:
    Path(".env").write_text("APP_NAME=Leaked\nDEBUG=not-a-bool\n")
    Path("environment").write_text(f"{environment}\n")
    set_environment(**({"ENVIRONMENT_FILE": "environment"} if by_file else {"ENVIRONMENT": environment}))
    if environment == "test":
        assert load_settings().APP_NAME == "Slipway"
        return
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "DEBUG" not in str(caught.value)


@pytest.mark.parametrize("environment", ["test", "staging", "production"])
@pytest.mark.parametrize("variables", [{}, {"ENVIRONMENT": ""}], ids=["unset", "empty"])
def test_dotenv_can_not_set_another_environment(
    environment: str, variables: dict[str, str], set_environment: SetEnvironment
) -> None:
    Path(".env").write_text(f"ENVIRONMENT={environment}\n")
    set_environment(**variables)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "ENVIRONMENT: set any value except development in the environment, not in .env" in caught.value.problems


def test_names_are_case_sensitive(set_environment: SetEnvironment) -> None:
    set_environment(debug="no-bool-at-all", port="no-number")
    assert load_settings().DEBUG is False


def test_settings_can_not_be_changed(bare_environment: Path) -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.DEBUG = True  # type: ignore[misc]


def test_origins_are_separated_by_commas(set_environment: SetEnvironment) -> None:
    set_environment(ALLOWED_ORIGINS=" https://a.example.org/ ,, https://b.example.org:8443 ")
    assert load_settings().ALLOWED_ORIGINS == ["https://a.example.org", "https://b.example.org:8443"]


def test_a_final_slash_is_removed_from_urls(set_environment: SetEnvironment) -> None:
    set_environment(PUBLIC_URL="https://shop.example.org/", S3_ENDPOINT_URL="https://s3.example.org/")
    settings = load_settings()
    assert settings.PUBLIC_URL == "https://shop.example.org"
    assert settings.S3_ENDPOINT_URL == "https://s3.example.org"


def test_no_other_file_reads_the_environment() -> None:
    root = Path(__file__).parents[3] / "backend"
    readers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    }
    # prometheus_client only reads its directory from the environment.
    assert readers == {"settings/sources.py", "infra/metrics.py"}
