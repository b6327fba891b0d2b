"""Settings that staging and production refuse, one by one and all in one message."""

import pytest

from backend.settings import load_settings
from backend.settings.fields import DEVELOPMENT_JWT_SECRET
from backend.settings.sources import SettingsError
from tests.backend.conftest import SetEnvironment

GOOD = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://shop.acme.org",
    "DATABASE_URL": "postgres://slipway:pw@db.acme.org:5432/slipway?sslmode=require",
    "REDIS_URL": "rediss://default:pw@valkey.acme.org:6380/0",
    "JWT_SECRET": "kT3vJ0q8Zb1yW5uXc7Rr9nPd2LmAaE6f",
    "S3_BUCKET": "photos",
    "S3_ACCESS_KEY_ID": "AKIA0",
    "S3_SECRET_ACCESS_KEY": "nothing-to-see",
    "SMTP_HOST": "mail.acme.org",
}
REFUSED = [
    ({"DATABASE_URL": "sqlite:///x.db"}, "DATABASE_URL: SQLite"),
    ({"DATABASE_URL": ""}, "DATABASE_URL: SQLite"),
    ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL: must start with"),
    ({"DEBUG": "true"}, "DEBUG: must be off"),
    ({"JWT_SECRET": ""}, "JWT_SECRET: missing"),
    ({"JWT_SECRET": DEVELOPMENT_JWT_SECRET}, "JWT_SECRET: missing"),
    ({"JWT_SECRET": "change-me-change-me-change-me-change-me"}, "JWT_SECRET: is a placeholder"),
    ({"JWT_SECRET": "YOUR-SECRET-GOES-HERE-YOUR-SECRET-GOES-HERE"}, "JWT_SECRET: is a placeholder"),
    ({"JWT_SECRET": "k" * 31}, "JWT_SECRET: shorter than 32 bytes"),
    ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS: *"),
    ({"ALLOWED_ORIGINS": "https://*.acme.org"}, "ALLOWED_ORIGINS: *"),
    ({"ALLOWED_ORIGINS": "https://a.acme.org,http://b.acme.org"}, "ALLOWED_ORIGINS: has an http:// origin"),
    ({"PUBLIC_URL": ""}, "PUBLIC_URL: must be the public https:// URL"),
    ({"PUBLIC_URL": "http://shop.acme.org"}, "PUBLIC_URL: must be the public https:// URL"),
    ({"PUBLIC_URL": "shop.acme.org"}, "PUBLIC_URL: must start with http:// or https://"),
    ({"GOOGLE_DISCOVERY_URL": "http://accounts.acme.org/x"}, "GOOGLE_DISCOVERY_URL: must be https://"),
    ({"GOOGLE_CLIENT_ID": "id"}, "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET: set both"),
    ({"GOOGLE_CLIENT_SECRET": "s"}, "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET: set both"),
    ({"REDIS_URL": ""}, "REDIS_URL: missing"),
    ({"REDIS_URL": "redis://valkey.acme.org"}, "REDIS_URL: sends the password unencrypted"),
    ({"REDIS_URL": "rediss://valkey.acme.org?ssl_cert_reqs=none"}, "REDIS_URL: disables certificate checks"),
    ({"S3_BUCKET": ""}, "S3_BUCKET: missing"),
    ({"S3_ACCESS_KEY_ID": ""}, "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: missing"),
    ({"S3_SECRET_ACCESS_KEY": ""}, "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: missing"),
    ({"S3_ENDPOINT_URL": "s3.acme.org"}, "S3_ENDPOINT_URL: must start with http:// or https://"),
    ({"SMTP_HOST": ""}, "SMTP_HOST: missing"),
    ({"SENTRY_DSN": "https://sentry.acme.org/1"}, "SENTRY_DSN: is not a DSN"),
    ({"JOB_TIME_LIMIT_SECONDS": "3601"}, "JOB_TIME_LIMIT_SECONDS: longer than BROKER_VISIBILITY_TIMEOUT_SECONDS"),
    ({"BROKER_VISIBILITY_TIMEOUT_SECONDS": "269"}, "JOB_TIME_LIMIT_SECONDS: longer than"),
    ({"JOB_SOFT_TIME_LIMIT_SECONDS": "270"}, "JOB_SOFT_TIME_LIMIT_SECONDS: must be shorter"),
    ({"PORT": "http"}, "PORT: Input should be a valid integer"),
    ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY: Input should be greater than or equal to 1"),
    ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_good_settings_are_accepted(environment: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment})
    settings = load_settings()
    assert settings.deployed
    assert settings.secure_cookies
    assert settings.json_logs


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize(("change", "problem"), REFUSED, ids=[f"{change}" for change, _ in REFUSED])
def test_each_unsafe_setting_is_refused_with_one_problem(
    change: dict[str, str], problem: str, environment: str, set_environment: SetEnvironment
) -> None:
    set_environment(**GOOD | change | {"ENVIRONMENT": environment})
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)


def test_unsafe_settings_are_accepted_in_development(set_environment: SetEnvironment) -> None:
    everywhere = ("must start", "Input", "is not a DSN")
    for change in [change for change, problem in REFUSED if not any(word in problem for word in everywhere)]:
        set_environment(**GOOD | change | {"ENVIRONMENT": "development"})
        assert not load_settings().deployed


def test_all_problems_are_reported_in_one_message(set_environment: SetEnvironment) -> None:
    set_environment(
        ENVIRONMENT="production",
        DEBUG="true",
        PORT="http",
        LOG_LEVEL="LOUD",
        ALLOWED_ORIGINS="*,http://a.org",
        S3_REGION_FILE="/absent",
    )
    with pytest.raises(SettingsError) as caught:
        load_settings()
    names = [problem.split(":")[0] for problem in caught.value.problems]
    assert sorted(names) == [
        "ALLOWED_ORIGINS",
        "ALLOWED_ORIGINS",
        "DATABASE_URL",
        "DEBUG",
        "JWT_SECRET",
        "LOG_LEVEL",
        "PORT",
        "PUBLIC_URL",
        "REDIS_URL",
        "S3_BUCKET",
        "S3_REGION",
        "SMTP_HOST",
    ]
    for problem in caught.value.problems:
        assert f"  - {problem}" in str(caught.value)
    assert "python -m backend check" in str(caught.value)


def test_the_length_of_a_secret_is_counted_in_bytes(set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {"JWT_SECRET": "ü" * 16})
    assert load_settings().deployed


def test_a_wrong_environment_is_refused(set_environment: SetEnvironment) -> None:
    set_environment(ENVIRONMENT="prod")
    with pytest.raises(SettingsError, match="ENVIRONMENT: Input should be 'development', 'test'"):
        load_settings()
