"""--json: every command prints one document to stdout, also on failure, and progress to stderr."""

from collections import deque
from pathlib import Path

from scripts.deploy.system import System
from tests.scripts.deploy.app_platform.account import NEW, OLD, Account, write_env_file
from tests.simulators.app_platform.runner import Outcome, ScriptedRunner

KEYS = {"command", "environment", "platform", "ok", "exit_code", "message", "phases"}


def test_success_prints_one_document(account: Account) -> None:
    new = account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))
    ended = account.run("staging", "--tag", NEW, "--json")
    document = ended.document
    assert document.keys() >= KEYS
    assert document["command"] == "staging"
    assert document["environment"] == "staging"
    assert document["platform"] == "do"
    assert document["ok"] is True
    assert document["exit_code"] == 0
    assert ended.code == 0
    assert document["release"] == {"git_sha": NEW, "images": new}
    assert document["deployment"] == app.deployments[-1].id
    assert document["url"] == app.live_url
    names = [phase["name"] for phase in document["phases"]]
    assert names == ["check", "build", "plan", "deploy", "smoke", "tag"]
    assert {phase["status"] for phase in document["phases"]} == {"ok"}
    # By the command's clock: the deployment is polled every five seconds.
    assert next(phase["seconds"] for phase in document["phases"] if phase["name"] == "deploy") == 20
    assert "deploying 1/3" in ended.err


def test_failure_prints_one_document(account: Account, runner: ScriptedRunner) -> None:
    account.release(NEW, "sha")
    account.add_app("staging", account.release(OLD, "sha"))
    runner.jobs = deque([Outcome(False, "duplicate column")])
    ended = account.run("staging", "--tag", NEW, "--json")
    document = ended.document
    assert document["ok"] is False
    assert document["exit_code"] == 1
    assert ended.code == 1
    assert "migrate: duplicate column" in document["message"]
    assert document["phases"][-1]["name"] == "deploy"
    assert document["phases"][-1]["status"] == "failed"


def test_a_failed_smoke_test_is_reported_by_phase(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.git_shas[new["slipway-app"]] = OLD
    document = account.run("staging", "--tag", NEW, "--json").document
    ends = [(phase["name"], phase["status"]) for phase in document["phases"]]
    assert ends[3:] == [("deploy", "ok"), ("smoke", "failed"), ("rollback", "ok"), ("smoke", "ok")]
    assert document["exit_code"] == 1
    assert document["deployment"] == app.deployments[-1].id


def test_refusals_interruptions_and_read_only_commands_print_a_document(account: Account, tmp_path: Path) -> None:
    refused = account.run("promote", "--tag", "latest", "--json")
    assert refused.document["exit_code"] == 2
    assert refused.code == 2
    account.release(NEW, "sha")

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    account.platform.faults.fail("GET", "/v2/apps", 503)
    command = ["staging", "--tag", NEW, "--json"]
    interrupted = account.run(*command, system=System(interrupt, account.clock))
    assert interrupted.document["exit_code"] == 130
    assert interrupted.code == 130
    command = ["staging", "--tag", NEW, "--env-file", write_env_file(tmp_path / "env")]
    assert account.run(*command).code == 0
    for name in ("status", "logs", "smoke"):
        result = account.run(name, "--env", "staging", "--json")
        assert result.document["command"] == name
        assert result.document["exit_code"] == result.code


def test_an_unreadable_file_prints_a_document(account: Account) -> None:
    ended = account.run("staging", "--tag", NEW, "--json", "--env-file", "/no/such/file")
    assert ended.code == 2
    assert ended.document["exit_code"] == 2
