"""The command line of scripts/smoke: valid and invalid arguments."""

import subprocess
import sys

import pytest

from scripts.smoke import main
from scripts.valkey import free_port
from tests.scripts.smoke.site import PASSWORD, Smoke
from tests.servers import ROOT
from tests.time_limits import scaled


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ftp://studio.example.com"],
        ["https://studio.example.com/app"],
        [f"https://smoke:{PASSWORD}@studio.example.com"],
        ["http://studio.example.com"],
        ["https://studio.example.com", "--expect-sha", "v1"],
        ["https://studio.example.com", "--expect-sha", ""],
        ["https://studio.example.com", "--timeout", "inf"],
        ["https://studio.example.com", "--ca-file", "/no/such/file"],
    ],
)
def test_invalid_arguments_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert PASSWORD not in capsys.readouterr().err


@pytest.mark.parametrize(
    "environment",
    [{"SMOKE_EMAIL": "s@example.com"}, {"SMOKE_PASSWORD": PASSWORD}, {"SMOKE_PASSWORD_FILE": "/no/such/file"}],
    ids=lambda environment: next(iter(environment)),
)
def test_an_email_without_a_password_or_the_reverse_exits_with_2(
    environment: dict[str, str], smoke: Smoke, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        smoke("https://studio.example.com", **environment)
    error = capsys.readouterr().err
    assert "SMOKE_PASSWORD" in error
    assert PASSWORD not in error


def test_it_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "scripts.smoke", f"http://127.0.0.1:{free_port()}", "--settle", "0"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=scaled(30))
    assert result.returncode == 1
    assert result.stderr == ""
    assert result.stdout.startswith("FAIL version ")
