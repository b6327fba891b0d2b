"""Ctrl-C and SIGTERM: the platform continues, and the same command follows the deployment."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scripts.deploy.system import System
from tests.scripts.deploy.app_platform.account import NEW, OLD, Account, runs
from tests.scripts.deploy.tool import assert_ended
from tests.servers import ROOT
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.time_limits import scaled

HINT = "A deployment in progress on the platform continues; run the same command again to follow it"


def test_a_deployment_continues_after_ctrl_c_and_the_same_command_follows_it(account: Account) -> None:
    new = account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    ended = account.run("staging", "--tag", NEW, system=System(interrupt, account.clock))
    assert_ended(ended, 130, err=HINT)
    assert account.changes() == ["PUT /apps"]
    assert app.deployments[-1].under_way
    again = account.run("staging", "--tag", NEW)
    assert_ended(again, 0)
    assert account.changes() == ["PUT /apps"]
    assert runs(app, new)
    assert f"tested-{NEW[:12]}" in account.tags(new["slipway-app"])


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the tool: a running deployment may hold the lock of this folder."""
    shutil.copytree(ROOT / "scripts", tmp_path / "clone" / "scripts")
    for name in (".do", "backend"):
        (tmp_path / "clone" / name).symlink_to(ROOT / name)
    return tmp_path / "clone"


def start(clone: Path, *argv: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.deploy", *argv], cwd=clone, stdout=pipe, stderr=pipe, text=True
    )


def wait_until(reached: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + scaled(20)
    while not reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sigterm_interrupts_like_ctrl_c(account: Account, runner: ScriptedRunner, clone: Path) -> None:
    account.release(NEW, "sha", "tested")
    app = account.add_app("production", account.release(OLD, "sha", "production"))
    runner.rolls = deque([None] * 99)
    process = start(clone, "promote", "--tag", NEW, "--yes")
    wait_until(lambda: account.platform.seen("GET", app.deployments[-1].id), process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=scaled(10))
    assert process.returncode == 130, out + err
    assert HINT in err
    assert "Traceback" not in out + err
    assert os.environ["DIGITALOCEAN_ACCESS_TOKEN"] not in out + err
    assert app.deployments[-1].under_way
    assert account.changes() == ["PUT /apps"]


def test_sigterm_stops_the_smoke_test_too(account: Account, runner: ScriptedRunner, clone: Path) -> None:
    new = account.release(NEW, "sha", "tested")
    account.add_app("production", new)
    # The smoke test waits for a release that never becomes live.
    runner.git_shas[new["slipway-app"]] = OLD
    process = start(clone, "promote", "--tag", NEW, "--yes")
    tool = psutil.Process(process.pid)
    smokes: list[psutil.Process] = []

    def smoking() -> bool:
        smokes[:] = [child for child in tool.children() if "scripts.smoke" in child.cmdline()]
        return bool(smokes)

    wait_until(smoking, process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=scaled(20))
    assert process.returncode == 130, out + err
    assert HINT in err
    assert psutil.wait_procs(smokes, timeout=15)[1] == []
    assert account.changes() == []
    assert account.tags(new["slipway-web"]) == {f"sha-{NEW[:12]}", f"tested-{NEW[:12]}"}
