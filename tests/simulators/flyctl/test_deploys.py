"""Deploys of the flyctl simulator change releases and Machines as flyctl does."""

import json
import signal
import subprocess

import pytest

from tests.simulators.flyctl.caller import NEW, OLD, deploy, digests, run
from tests.simulators.flyctl.install import Flyctl
from tests.time_limits import scaled


def test_deploy_runs_the_release_command_and_updates_every_machine(fly: Flyctl) -> None:
    ended = deploy(fly, NEW, "--strategy", "rolling", "--wait-timeout", "5m")
    assert ended.returncode == 0, ended.stderr
    assert digests(fly) == ["sha256:new"] * 4
    assert [ran["image"] for ran in fly.app("slipway")["release_commands"]] == [NEW]
    releases = json.loads(run(fly, "releases", "-a", "slipway", "--image", "--json").stdout)
    assert [(one["version"], one["status"], one["image_ref"]) for one in releases] == [
        (2, "complete", NEW),
        (1, "complete", OLD),
    ]


def test_failing_release_command_changes_no_machine(fly: Flyctl) -> None:
    fly.outcome("release_command_fails", log="relation already exists")
    ended = deploy(fly)
    assert ended.returncode == 1
    assert "release_command" in ended.stderr
    assert "relation already exists" in ended.stdout
    assert digests(fly) == ["sha256:old"] * 4
    assert fly.app("slipway")["releases"][-1]["status"] == "failed"


@pytest.mark.parametrize(("kind", "updated"), [("never_healthy", 1), ("half_done", 2)])
def test_failure_in_rolling_leaves_the_updated_machines(fly: Flyctl, kind: str, updated: int) -> None:
    fly.outcome(kind)
    ended = deploy(fly)
    assert ended.returncode == 1
    assert "health checks" in ended.stderr
    assert digests(fly) == ["sha256:new"] * updated + ["sha256:old"] * (4 - updated)
    shown = json.loads(run(fly, "status", "-a", "slipway", "--json").stdout)
    health = [machine["checks"][0]["status"] for machine in shown["Machines"]]
    assert health.index("critical") == updated - 1
    assert health.count("passing") == 3


def test_failure_in_bluegreen_updates_no_machine(fly: Flyctl) -> None:
    fly.outcome("never_healthy")
    assert deploy(fly, NEW, "--strategy", "bluegreen").returncode == 1
    assert digests(fly) == ["sha256:old"] * 4


def test_rollback_is_a_deploy_of_the_old_image_without_the_release_command(fly: Flyctl) -> None:
    deploy(fly)
    ended = deploy(fly, OLD, "--skip-release-command", "--strategy", "immediate")
    assert ended.returncode == 0
    assert digests(fly) == ["sha256:old"] * 4
    assert len(fly.app("slipway")["release_commands"]) == 1


def test_immediate_skips_health_checks(fly: Flyctl) -> None:
    fly.outcome("never_healthy")
    assert deploy(fly, NEW, "--strategy", "immediate").returncode == 0
    assert digests(fly) == ["sha256:new"] * 4


def test_a_missing_image_is_an_error(fly: Flyctl) -> None:
    ended = deploy(fly, "registry.fly.io/slipway:none")
    assert ended.returncode == 1
    assert "could not find image" in ended.stderr
    assert len(fly.app("slipway")["releases"]) == 1


def test_an_interrupted_deploy_is_recorded_in_its_release(fly: Flyctl) -> None:
    fly.outcome("hangs")
    argv = ["flyctl", "deploy", "-a", "slipway", "--image", NEW]
    with subprocess.Popen(argv, env=fly.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        fly.wait_for_release("slipway", "running")
        process.send_signal(signal.SIGINT)
        assert process.wait(scaled(10)) == 1
    assert fly.app("slipway")["releases"][-1]["status"] == "interrupted"
    assert digests(fly) == ["sha256:old"] * 4
