"""The flyctl simulator records its calls, and refuses commands and flags that flyctl does not have."""

import json

import pytest

from tests.simulators.flyctl.caller import deploy, run
from tests.simulators.flyctl.install import Flyctl


def test_call_is_recorded_exactly_and_without_the_token(fly: Flyctl) -> None:
    run(fly, "secrets", "import", "-a", "slipway", "--stage", stdin='PW="a b#c"\nÜ="é"\n')
    (call,) = fly.calls
    assert call["argv"] == ["secrets", "import", "-a", "slipway", "--stage"]
    assert call["stdin"] == 'PW="a b#c"\nÜ="é"\n'
    assert call["env"]["FLY_API_TOKEN"] == "<set>"
    assert fly.token not in (fly.folder / "calls.jsonl").read_text()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("releases rollback", 'unknown command "rollback" for "flyctl releases"'),
        ("releases list", 'unknown command "list" for "flyctl releases"'),
        ("rollback", 'unknown command "rollback" for "flyctl"'),
        ("secrets sync-all", 'unknown command "sync-all" for "flyctl secrets"'),
        ("deploy --region ams --image x", "unknown flag: --region"),
        ("deploy --rollback", "unknown flag: --rollback"),
        ("deploy --image", "flag needs an argument: --image"),
        ("releases --limit 5", "unknown flag: --limit"),
    ],
)
def test_unknown_commands_and_flags_are_refused_with_flyctls_message(fly: Flyctl, argv: str, message: str) -> None:
    ended = run(fly, *argv.split())
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"Error: {message}"
    assert fly.argvs == [argv.split()]


def test_a_command_that_is_not_simulated_fails(fly: Flyctl) -> None:
    assert run(fly, "mpg", "backup", "create", "cluster").returncode == 97


def test_token_is_needed_and_may_expire(fly: Flyctl) -> None:
    fly.expire_token()
    assert "authenticated" in run(fly, "status", "-a", "slipway").stderr
    fly.token = ""
    assert "no access token" in deploy(fly).stderr
    assert run(fly, "version").returncode == 0


def test_app_comes_from_the_flag_or_the_file_and_must_exist(fly: Flyctl) -> None:
    assert "missing an app name" in run(fly, "status").stderr
    assert "does not exist" in run(fly, "deploy", "--config", "fly.none.toml", "--image", "x").stderr
    assert 'Could not find App "other"' in run(fly, "status", "-a", "other").stderr
    assert run(fly, "status", "--config", "fly.production.toml").returncode == 0


def test_config_and_logs_are_shown(fly: Flyctl) -> None:
    deploy(fly)
    assert json.loads(run(fly, "config", "show", "-a", "slipway").stdout)["app"] == "slipway"
    assert run(fly, "config", "validate", "--strict", "-c", "fly.production.toml").returncode == 0
    assert run(fly, "config", "validate", "-a", "slipway").returncode == 1
    with fly.changing() as state:
        state["apps"]["slipway"]["logs"] = ["started"]
    assert run(fly, "logs", "-a", "slipway", "--no-tail").stdout == "started\n"
