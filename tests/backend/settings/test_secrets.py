"""Secrets and refused values are never shown: not in errors, not in repr, not by `check`."""

import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.settings import Settings, load_settings
from backend.settings.sources import SettingsError
from tests.backend.conftest import SetEnvironment
from tests.backend.settings.test_production import GOOD
from tests.servers import ROOT
from tests.time_limits import scaled

CANARY = "c4n4ry"
SECRETS = {
    "DATABASE_URL": f"postgres://slipway:{CANARY}@db.acme.org/slipway",
    "REDIS_URL": f"rediss://default:{CANARY}@valkey.acme.org/0",
    "JWT_SECRET": CANARY * 8,
    "JWT_SECRET_PREVIOUS": CANARY * 8,
    "GOOGLE_CLIENT_SECRET": CANARY,
    "S3_SECRET_ACCESS_KEY": CANARY,
    "SMTP_PASSWORD": CANARY,
    "SENTRY_DSN": f"https://{CANARY}@sentry.acme.org/1",
}
# Google needs both the id and the secret.
COMPLETE = GOOD | SECRETS | {"GOOGLE_CLIENT_ID": "an-id"}
UNREADABLE = {
    "DATABASE_URL": [
        f"mysql://u:{CANARY}@db/x",
        f"{CANARY}",
        f"postgres://u:x@{CANARY}:{CANARY}/x",
        f"postgres://u:pa:{CANARY}@ss:{CANARY}@db/x",
        f"sqlite://u:p@h:{CANARY}/x",
    ],
    "REDIS_URL": [
        f"{CANARY}",
        f"http://u:{CANARY}@valkey",
        f"redis://:{CANARY}@",
        f"rediss://u:p[{CANARY}]w@valkey/0",
        f"rediss://u:{CANARY}\u2100@valkey/0",
        f"rediss://u:p@valkey:{CANARY}/0",
        f"rediss://u:{CANARY}@valkey?ssl_cert_reqs=none",
    ],
    "SENTRY_DSN": [CANARY, f"https://{CANARY}@sentry", f"ftp://{CANARY}@sentry/1"],
    "JWT_SECRET": [f"{CANARY}", f"change-me-{CANARY}"],
    "PORT": [CANARY],
    "ENVIRONMENT": [CANARY],
    "DEBUG": [CANARY],
    "LOG_LEVEL": [CANARY],
    "SENTRY_TRACES_SAMPLE_RATE": [CANARY],
    "PUBLIC_URL": [f"ftp://{CANARY}"],
    "S3_ENDPOINT_URL": [CANARY],
    "ALLOWED_ORIGINS": [f"http://{CANARY}", f"*{CANARY}"],
}
CASES = [(name, value) for name, values in UNREADABLE.items() for value in values]


def run_check(folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m backend check` with only these settings."""
    return subprocess.run(
        [sys.executable, "-m", "backend", "check"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **values},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(30),
    )


def test_every_secret_setting_has_a_canary() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    assert secrets == SECRETS.keys()


def test_secrets_are_not_in_the_settings_text(set_environment: SetEnvironment) -> None:
    set_environment(**COMPLETE)
    settings = load_settings()
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_refused_value_is_not_shown(name: str, value: str, set_environment: SetEnvironment) -> None:
    set_environment(**GOOD | {name: value})
    with pytest.raises(SettingsError, match=f"{name}: ") as caught:
        load_settings()
    everything = "".join(traceback.format_exception(caught.value, chain=True))
    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.problems} {everything}"


def test_a_refused_value_from_a_file_is_not_shown(set_environment: SetEnvironment) -> None:
    Path("port").write_text(CANARY)
    Path("binary").write_bytes(CANARY.encode() + b"\xff")
    set_environment(PORT_FILE="port", JWT_SECRET_FILE="binary")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(caught.value.problems) == 2
    assert CANARY not in "".join(traceback.format_exception(caught.value, chain=True))


def test_check_shows_good_settings_without_secrets(tmp_path: Path) -> None:
    shown = run_check(tmp_path, **COMPLETE)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "The application would start." in shown.stdout
    assert "https://shop.acme.org" in shown.stdout
    assert CANARY not in shown.stdout + shown.stderr
    for name in Settings.model_fields:
        assert name in shown.stdout


def test_check_shows_bad_settings_without_values(tmp_path: Path) -> None:
    values = {name: cases[0] for name, cases in UNREADABLE.items() if name != "ENVIRONMENT"}
    shown = run_check(tmp_path, **GOOD | values)
    assert shown.returncode == 1
    assert f"{len(values)} problem(s): the application would not start." in shown.stdout
    for name in values:
        assert f"✗ {name}: " in shown.stdout
    assert CANARY not in shown.stdout + shown.stderr


def test_check_prints_brackets_unchanged(tmp_path: Path) -> None:
    shown = run_check(tmp_path, APP_NAME="[/red] [bold]Shop", S3_REGION="[/]")
    assert shown.returncode == 0, shown.stderr
    assert "[/red] [bold]Shop" in shown.stdout
    bad = run_check(tmp_path, JWT_SECRET_FILE="/run/[/red]/jwt")
    assert bad.returncode == 1
    assert "/run/[/red]/jwt" in bad.stdout


def test_check_does_not_show_the_text_of_a_certificate(tmp_path: Path) -> None:
    shown = run_check(tmp_path, REDIS_CA_CERT=f"-----BEGIN CERTIFICATE-----\n{CANARY}\n-----END CERTIFICATE-----\n")
    assert "(PEM text)" in shown.stdout
    assert CANARY not in shown.stdout


@pytest.mark.parametrize("command", ["migrate", "requeue", "openapi", "create-demo"])
def test_every_command_reports_the_problems_and_exits_with_1(command: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "backend", command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": CANARY, "DEBUG": CANARY},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(30),
    )
    assert result.returncode == 1
    assert "PORT: " in result.stderr
    assert "DEBUG: " in result.stderr
    assert "Traceback" not in result.stderr
    assert CANARY not in result.stdout + result.stderr
