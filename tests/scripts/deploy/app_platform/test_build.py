"""Builds and pushes the checked-out commit, with a login that no process list shows."""

import json
import os
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.deploy.app_platform.account import OLD, Account, runs
from tests.scripts.deploy.tool import assert_ended
from tests.servers import ROOT

Calls = list[dict[str, Any]]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one commit, used as the tool's folder."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "app.py").write_text("")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "-m", "one")
    monkeypatch.setattr("scripts.deploy.system.ROOT", folder)
    return folder


@pytest.fixture
def images(account: Account, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The images that the fake docker builds."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(ROOT / "tests/scripts/deploy/app_platform/fake_docker.py")
    built = account.release(git(clone, "rev-parse", "HEAD"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("DOCKER_IMAGES", json.dumps(built))
    # The tests check the login in docker's configuration; the fake docker does not log in.
    account.registry.guard.credentials = None
    return built


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def calls(tmp_path: Path, name: str) -> Calls:
    every = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    return [call for call in every if call["argv"][0] == name]


def test_the_checked_out_commit_is_built_pushed_deployed_and_tagged(
    account: Account, clone: Path, images: dict[str, str], tmp_path: Path
) -> None:
    app = account.add_app("staging", account.release(OLD, "sha"))
    ended = account.run("staging", "--json")
    assert_ended(ended, 0)
    assert runs(app, images)
    commit = git(clone, "rev-parse", "HEAD")[:12]
    names = [f"{account.registry.prefix}slipway-{image}:sha-{commit}" for image in ("app", "web")]
    builds = calls(tmp_path, "build")
    assert [call["argv"][call["argv"].index("--tag") + 1] for call in builds] == names
    assert all("linux/amd64" in call["argv"] and "--provenance=false" in call["argv"] for call in builds)
    assert [call["argv"][-1] for call in calls(tmp_path, "push")] == names
    assert all({f"sha-{commit}", f"tested-{commit}"} == account.tags(digest) for digest in images.values())
    assert ended.document["built"] is True
    assert account.run("staging").code == 0
    assert len(calls(tmp_path, "build")) == 2


def test_the_docker_login_is_deleted_after_the_push(account: Account, images: dict[str, str], tmp_path: Path) -> None:
    account.add_app("staging", images)
    assert account.run("staging").code == 0
    for call in calls(tmp_path, "push"):
        (host, login), *others = call["login"]["auths"].items()
        assert host == account.registry.prefix.partition("/")[0]
        assert others == []
        assert b64decode(login["auth"]).decode() == f"{account.platform.token}:{account.platform.token}"
        assert call["engine"] == "unix:///run/user.sock"
        assert not Path(call["folder"]).exists()
        assert account.platform.token not in str(call["argv"])
        assert login["auth"] not in str(call["argv"])


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("failing", "message"), [("build", "The images could not be built"), ("push", "could not be pushed")]
)
def test_a_failed_build_or_push_deploys_nothing(
    account: Account, monkeypatch: pytest.MonkeyPatch, failing: str, message: str
) -> None:
    app = account.add_app("staging", account.release(OLD, "sha"))
    monkeypatch.setenv("DOCKER_FAILS", failing)
    ended = account.run("staging")
    assert_ended(ended, 2, err=message)
    assert "no space left on device" in ended.out
    assert account.changes() == []
    assert len(app.deployments) == 1


def test_uncommitted_changes_are_refused(account: Account, clone: Path) -> None:
    (clone / "app.py").write_text("changed")
    (clone / "new.py").write_text("")
    ended = account.run("staging")
    assert_ended(ended, 2, err="not committed: app.py, new.py.")
    assert account.registry.http.seen == []


def test_a_folder_that_is_not_a_git_repository_is_refused(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.deploy.system.ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    ended = account.run("staging")
    assert_ended(ended, 2, err="not a git repository")


def test_a_dry_run_does_not_build(account: Account, clone: Path, images: dict[str, str], tmp_path: Path) -> None:
    ended = account.run("staging", "--dry-run")
    commit = git(clone, "rev-parse", "HEAD")[:12]
    assert_ended(ended, 0, out=f"would build sha-{commit}")
    assert not (tmp_path / "calls").exists()


@pytest.mark.usefixtures("clone")
def test_missing_docker_is_reported(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    found = next(Path(folder) / "git" for folder in os.get_exec_path() if (Path(folder) / "git").exists())
    (tmp_path / "bin" / "git").symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    ended = account.run("staging")
    assert_ended(ended, 2, err="docker is not installed")
