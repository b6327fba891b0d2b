"""Runs the scripts of the workflows' steps as GitHub does; fakes of `make` and `gh` record their arguments."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflows.files import job

COMMIT = "0123456789abcdef0123456789abcdef01234567"  # pragma: allowlist secret
HOSTILE = [
    "x; touch stolen",
    "$(touch stolen)",
    "`touch stolen`",
    "$(shell touch stolen)",
    "v1.2.3\nstolen=1",
    "--help",
]


def run_script(script: str, folder: Path, program: str = "", **env: str) -> tuple[int, str]:
    """Run a step's script as GitHub does, with fake programs; return its exit code and outputs."""
    commands, checkout = folder / "commands", folder / "checkout"
    commands.mkdir(exist_ok=True)
    checkout.mkdir(exist_ok=True)
    for name in ("make", "gh", "docker"):
        file = commands / name
        file.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{folder}/{name}.argv"\n{program}\n')
        file.chmod(0o755)
    outputs = folder / "outputs"
    outputs.write_text("")
    paths = {"PATH": f"{commands}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(outputs), "RUNNER_TEMP": str(folder)}
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    result = subprocess.run(bash, cwd=checkout, env=os.environ | paths | env, capture_output=True, check=False)
    return result.returncode, outputs.read_text()


def argv(folder: Path, name: str = "make") -> list[str]:
    path = folder / f"{name}.argv"
    return path.read_text().splitlines() if path.exists() else []


def test_staging_by_hand_refuses_a_commit_that_did_not_pass_ci(tmp_path: Path) -> None:
    script = job("staging", "deploy").step("Check that CI passed for this commit")["run"]
    assert run_script(script, tmp_path, COMMIT=COMMIT)[0] == 1
    assert run_script(script, tmp_path, "echo https://github.com/we/ours/actions/runs/1", COMMIT=COMMIT)[0] == 0
    assert argv(tmp_path, "gh")[argv(tmp_path, "gh").index("--commit") + 1] == COMMIT


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is missing; GitHub's runners have it")
def test_staging_outputs_the_digests_it_deployed(tmp_path: Path) -> None:
    document = {
        "release": {"git_sha": COMMIT, "images": {"slipway-app": "sha256:aa", "slipway-web": "sha256:bb"}},
        "built": True,
        "registry": "registry.example.com/ours/",
    }
    deploy = job("staging", "deploy").step("Build, push, deploy, test and tag")["run"]
    images = '[{"key":"slipway-app","value":"sha256:aa"},{"key":"slipway-web","value":"sha256:bb"}]'
    code, outputs = run_script(deploy, tmp_path, f"echo '{json.dumps(document)}'")
    assert code == 0
    assert outputs == f"commit={COMMIT}\nbuilt=true\nregistry=registry.example.com/ours/\nimages={images}\n"
    assert argv(tmp_path) == ["--silent", "deploy-staging", "JSON=1"]
    assert list((tmp_path / "checkout").iterdir()) == [], "the tool refuses uncommitted files"
    del document["built"]
    assert "built=false\n" in run_script(deploy, tmp_path, f"echo '{json.dumps(document)}'")[1]
    assert run_script(deploy, tmp_path, f"echo '{json.dumps(document)}'; exit 2") == (2, "")


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is missing; GitHub's runners have it")
def test_staging_saves_the_images_it_pushed(tmp_path: Path) -> None:
    save = job("staging", "deploy").step("Save the images")["run"]
    images = '[{"key":"slipway-app","value":"sha256:aa"},{"key":"slipway-web","value":"sha256:bb"}]'
    names = {"COMMIT": COMMIT, "REGISTRY": "registry.example.com/ours/", "IMAGES": images, "RUNNER_TEMP": str(tmp_path)}
    assert run_script(save, tmp_path, **names)[0] == 0
    assert argv(tmp_path, "docker")[:2] == ["save", f"registry.example.com/ours/slipway-web:sha-{COMMIT[:12]}"]


@pytest.mark.parametrize("tag", ["tested-0123456789ab", "0123456789ab", COMMIT, "v1.20.3"])
@pytest.mark.parametrize("release", ["", "v1.20.3"])
def test_production_promotes_the_given_release(tag: str, release: str, tmp_path: Path) -> None:
    promote = job("production", "promote")
    code, outputs = run_script(promote.step("Validate the inputs")["run"], tmp_path, TAG=tag, RELEASE=release)
    assert code == 0
    assert outputs == f"tag={tag}\nrelease={release}\n"
    run_script(promote.step("Promote")["run"], tmp_path, TAG=tag, RELEASE=release)
    assert argv(tmp_path) == ["promote", f"TAG={tag}", f"RELEASE={release}", "YES=1"]


def test_a_version_tag_promotes_the_commit_it_points_to(tmp_path: Path) -> None:
    checkout = str(tmp_path / "checkout")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", checkout]
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "x"], check=True)
    subprocess.run([*git, "tag", "--annotate", "--message", "x", "v1.2.3"], check=True)
    subprocess.run([*git, "checkout", "--quiet", "v1.2.3"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    script = job("production", "promote").step("Validate the inputs")["run"]
    assert run_script(script, tmp_path, TAG="", RELEASE="v1.2.3") == (0, f"tag={head}\nrelease=v1.2.3\n")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_invalid_input_never_reaches_make(hostile: str, tmp_path: Path) -> None:
    check = job("production", "promote").step("Validate the inputs")["run"]
    assert run_script(check, tmp_path, TAG=hostile, RELEASE="") == (2, "")
    assert run_script(check, tmp_path, TAG=COMMIT, RELEASE=hostile) == (2, "")
    check = job("rollback", "rollback").step("Validate the input")["run"]
    assert run_script(check, tmp_path, TO=hostile)[0] == 2
    assert list((tmp_path / "checkout").iterdir()) == []


@pytest.mark.parametrize("to", ["", "production-0123456789ab", "v1.2.3", "3aa4d20e-5527-4c00-b496-601fbd22520a"])
def test_a_rollback_uses_the_given_target(to: str, tmp_path: Path) -> None:
    rollback = job("rollback", "rollback")
    assert run_script(rollback.step("Validate the input")["run"], tmp_path, TO=to)[0] == 0
    run_script(rollback.step("Roll back")["run"], tmp_path, TARGET="production", TO=to)
    assert argv(tmp_path) == ["rollback", "ENV=production", f"TO={to}", "YES=1"]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository; the scripts run in a clone of it."""
    for command in (
        ["init", "--quiet", "--bare", "--initial-branch", "main", "origin.git"],
        ["clone", "--quiet", "origin.git", "checkout"],
        ["-C", "checkout", "switch", "--quiet", "--create", "main"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "checkout" / "requirements.lock").write_text("old\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    git(tmp_path, "push", "--quiet", "origin", "main")
    return tmp_path / "origin.git"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    return subprocess.run(command, cwd=folder / "checkout", check=True, capture_output=True, text=True).stdout.strip()


def test_pages_are_published_as_one_commit_of_the_built_files(origin: Path, tmp_path: Path) -> None:
    script = job("pages", "publish").step("Push the site to gh-pages")["run"]
    for text in ("first", "second"):
        shutil.rmtree(tmp_path / "checkout", ignore_errors=True)
        (tmp_path / "checkout").mkdir()
        (tmp_path / "checkout" / "index.html").write_text(text)
        (tmp_path / "checkout" / ".nojekyll").write_text("")
        assert run_script(script, tmp_path, REPOSITORY=str(origin), COMMIT=COMMIT)[0] == 0
    subprocess.run(["git", "clone", "--quiet", "--branch", "gh-pages", str(origin), str(tmp_path / "seen")], check=True)
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {".git", ".nojekyll", "index.html"}
    assert (tmp_path / "seen" / "index.html").read_text() == "second"
    count = ["git", "-C", str(tmp_path / "seen"), "rev-list", "--count", "HEAD"]
    assert subprocess.run(count, check=True, capture_output=True, text=True).stdout == "1\n"


@pytest.mark.parametrize(("already_open", "command"), [("", "create"), ("https://github.com/we/ours/pull/1", "list")])
def test_one_pull_request_is_opened_for_newer_packages(
    already_open: str, command: str, origin: Path, tmp_path: Path
) -> None:
    script = job("dependencies", "propose").step("Push a branch and open a pull request")["run"]
    (tmp_path / "checkout" / "requirements.lock").write_text("new\n")
    program = f'[ "$2" != list ] || echo "{already_open}"'
    assert run_script(script, tmp_path, program, BRANCH="dependencies/python", ADDRESS="")[0] == 0
    assert argv(tmp_path, "gh")[:2] == ["pr", command]
    assert git(tmp_path, "show", "origin/dependencies/python:requirements.lock") == "new"


def test_no_pull_request_is_opened_when_nothing_is_newer(origin: Path, tmp_path: Path) -> None:
    script = job("dependencies", "propose").step("Push a branch and open a pull request")["run"]
    assert run_script(script, tmp_path, BRANCH="dependencies/python", ADDRESS="")[0] == 0
    assert argv(tmp_path, "gh") == []
    assert "dependencies" not in git(tmp_path, "ls-remote", str(origin))


def test_the_branch_is_pushed_when_actions_may_not_open_pull_requests(origin: Path, tmp_path: Path) -> None:
    script = job("dependencies", "propose").step("Push a branch and open a pull request")["run"]
    (tmp_path / "checkout" / "requirements.lock").write_text("new\n")
    code, _ = run_script(script, tmp_path, '[ "$2" != create ]', BRANCH="dependencies/python", ADDRESS="")
    assert code == 0
    assert "dependencies/python" in git(tmp_path, "ls-remote", str(origin))
