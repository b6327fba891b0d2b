"""An interrupted deployment on Fly.io: flyctl stops cleanly, and the same command works again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.deploy.fly.organisation import NEW, STAGING, Organisation
from tests.servers import ROOT
from tests.time_limits import scaled


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the tool: a running deployment may hold the lock of this folder."""
    shutil.copytree(ROOT / "scripts", tmp_path / "clone" / "scripts")
    for name in ("backend", "fly.staging.toml"):
        (tmp_path / "clone" / name).symlink_to(ROOT / name)
    return tmp_path / "clone"


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_flyctl_is_interrupted_and_the_same_command_works_again(
    organisation: Organisation, head: str, clone: Path, sent: signal.Signals
) -> None:
    old, new = organisation.release(head, "sha", "tested"), organisation.release(NEW, "sha")
    organisation.add_app(STAGING, head, old)
    organisation.fly.outcome("hangs")
    command = [sys.executable, "-m", "scripts.deploy", "staging", "--tag", NEW, "--platform", "fly"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=clone, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as tool:
        organisation.fly.wait_for_release(STAGING, "running", seconds=20)
        if sent is signal.SIGINT:
            # A terminal sends it to the whole process group.
            os.killpg(tool.pid, sent)
        else:
            tool.send_signal(sent)
        out, err = tool.communicate(timeout=scaled(20))
    assert tool.returncode == 130, err
    assert organisation.fly.app(STAGING)["releases"][-1]["status"] == "interrupted"
    assert "run the same command again to follow it" in err
    organisation.assert_no_secrets(out + err)
    assert organisation.digests(STAGING) == [old] * 4
    if sent is signal.SIGINT:
        assert organisation.run("staging", "--tag", NEW).code == 0
        assert organisation.digests(STAGING) == [new] * 4
