"""Promotion: exactly the digests that passed staging's smoke test reach production."""

import subprocess
from pathlib import Path

import pytest

from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    OLDER,
    REPOSITORIES,
    Account,
    Images,
    running,
    runs,
    write_env_file,
)
from tests.scripts.deploy.tool import Ended, assert_ended
from tests.simulators.app_platform.model import App


def promote(account: Account, tag: str, *more: str) -> Ended:
    return account.run("promote", "--tag", tag, "--yes", *more)


@pytest.fixture
def old(account: Account) -> Images:
    return account.release(OLD, "sha", "tested", "production")


@pytest.fixture
def app(account: Account, old: Images) -> App:
    return account.add_app("production", old)


def retag(account: Account, name: str, tag: str, digest: str) -> None:
    account.platform.cloud.registry.push(name, digest, tag)


def test_production_runs_exactly_the_digests_tested_in_staging(account: Account, app: App, tmp_path: Path) -> None:
    new = account.release(NEW, "sha")
    assert account.run("staging", "--tag", NEW, "--env-file", write_env_file(tmp_path / "env")).code == 0
    ended = promote(account, f"tested-{NEW[:12]}")
    assert_ended(ended, 0)
    assert running(app) == running(account.app("staging"))
    assert runs(app, new)
    # Only tags were pushed, and each names the digest of the build.
    assert set(account.platform.cloud.registry.repositories["slipway-app"]) >= {new["slipway-app"]}
    for digest in new.values():
        assert account.tags(digest) == {f"{kind}-{NEW[:12]}" for kind in ("sha", "tested", "production")}


@pytest.mark.parametrize("tag", [NEW, NEW[:12], f"sha-{NEW[:12]}", f"tested-{NEW[:12]}", f"production-{NEW[:12]}"])
@pytest.mark.usefixtures("app")
def test_a_release_can_be_named_by_commit_or_tag(account: Account, tag: str) -> None:
    account.release(NEW, "sha", "tested")
    ended = promote(account, tag, "--dry-run")
    assert_ended(ended, 0, out=f"would promote {NEW[:12]}")


@pytest.mark.usefixtures("app")
def test_an_untested_release_is_refused(account: Account) -> None:
    account.release(NEW, "sha")
    ended = promote(account, NEW)
    assert_ended(ended, 2, err=f"{NEW[:12]} is not tested")
    assert f"make deploy-staging TAG={NEW[:12]}" in ended.err
    assert account.changes() == []


@pytest.mark.usefixtures("app")
def test_a_release_with_only_one_tested_image_is_refused(account: Account) -> None:
    new = account.release(NEW, "sha")
    retag(account, "slipway-app", f"tested-{NEW[:12]}", new["slipway-app"])
    ended = promote(account, NEW)
    assert_ended(ended, 2, err="is not tested")


@pytest.mark.parametrize("tag", [f"sha-{NEW[:12]}-dirty", "latest", "abc123", "v1.2", "../etc", f"tested-{NEW[:11]}"])
@pytest.mark.usefixtures("app")
def test_a_tag_that_names_no_release_is_refused(account: Account, tag: str) -> None:
    ended = promote(account, tag)
    assert_ended(ended, 2, err=f"TAG={tag} is not a release")
    assert ("uncommitted changes" in ended.err) == tag.endswith("-dirty"), ended.err


@pytest.mark.usefixtures("app")
def test_a_tested_tag_that_was_moved_is_refused(account: Account, old: Images) -> None:
    account.release(NEW, "sha", "tested")
    # Another build of the same commit: the label is correct, the digest is not the tested one.
    other = account.registry.push_image("slipway-web", git_sha=NEW, version="another build")
    retag(account, "slipway-web", f"tested-{NEW[:12]}", other)
    ended = promote(account, NEW)
    assert_ended(ended, 2, err="a tag was moved")
    assert account.changes() == []


@pytest.mark.usefixtures("app")
def test_a_tag_on_an_image_of_another_commit_is_refused(account: Account, old: Images) -> None:
    account.release(NEW, "sha")
    for name in REPOSITORIES:
        retag(account, name, f"tested-{NEW[:12]}", old[name])
    ended = promote(account, NEW)
    assert_ended(ended, 2, err=f"was built from {OLD[:12]}: its tag is wrong")


@pytest.mark.usefixtures("app")
def test_an_index_of_several_images_is_refused(account: Account) -> None:
    for name in REPOSITORIES:
        tags = (f"sha-{NEW[:12]}", f"tested-{NEW[:12]}")
        account.registry.push_image(name, git_sha=NEW, index=True, tags=tags)
    ended = promote(account, NEW)
    assert_ended(ended, 2, err="it is an index of several images")


def test_a_version_becomes_a_tag_of_both_images(account: Account, app: App) -> None:
    new = account.release(NEW, "sha", "tested")
    ended = promote(account, NEW, "--release", "v1.2.3")
    assert_ended(ended, 0)
    assert all("v1.2.3" in account.tags(digest) for digest in new.values())
    assert f"tagged production-{NEW[:12]}, v1.2.3" in ended.text
    assert runs(app, new)


@pytest.mark.usefixtures("app")
def test_a_version_that_names_another_release_is_refused_before_anything_is_sent(account: Account, old: Images) -> None:
    account.release(NEW, "sha", "tested")
    retag(account, "slipway-web", "v1.2.3", old["slipway-web"])
    ended = promote(account, NEW, "--release", "v1.2.3")
    assert_ended(ended, 2, err="slipway-web:v1.2.3 is already another release")
    assert account.changes() == []


@pytest.mark.parametrize("version", ["1.2.3", "v1.2", "v1.2.3-rc1", "latest"])
@pytest.mark.usefixtures("app")
def test_an_invalid_version_is_refused(account: Account, version: str) -> None:
    account.release(NEW, "sha", "tested")
    ended = promote(account, NEW, "--release", version)
    assert_ended(ended, 2, err=f"RELEASE={version} is not a version")


def test_a_git_version_tag_promotes_its_commit_and_tags_the_images(
    account: Account, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_sha = repository(tmp_path / "clone")
    monkeypatch.setattr("scripts.deploy.system.ROOT", tmp_path / "clone")
    new = account.release(git_sha, "sha", "tested")
    ended = promote(account, "v2.0.0")
    assert_ended(ended, 0)
    assert runs(app, new)
    assert {f"production-{git_sha[:12]}", "v2.0.0"} <= account.tags(new["slipway-web"])
    ended = promote(account, "v2.0.1")
    assert_ended(ended, 2, err="There is no git tag v2.0.1 here: git fetch --tags")


def repository(folder: Path) -> str:
    """Create a git repository with one commit and the annotated tag v2.0.0; return the commit."""
    folder.mkdir()
    author = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"], ["tag", "-a", "v2.0.0", "-m", "n"]):
        subprocess.run(["git", *author, *command], cwd=folder, check=True)
    head = ["git", "rev-parse", "HEAD"]
    return subprocess.run(head, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_release_that_is_already_live_is_only_tested_and_tagged(account: Account) -> None:
    new = account.release(NEW, "sha", "tested")
    account.add_app("production", account.release(OLDER, "sha"), new)
    ended = promote(account, NEW)
    assert_ended(ended, 0, out="only its smoke test is run")
    assert account.changes() == []
    assert f"production-{NEW[:12]}" in account.tags(new["slipway-app"])


def test_a_first_promotion_creates_the_app(account: Account, tmp_path: Path) -> None:
    new = account.release(NEW, "sha", "tested")
    ended = promote(account, NEW, "--env-file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 0)
    assert runs(account.app("production"), new)
    assert account.changes() == ["POST /apps"]


def test_a_release_without_a_schema_label_can_be_promoted(account: Account, app: App) -> None:
    tags = (f"sha-{NEW[:12]}", f"tested-{NEW[:12]}")
    for name in REPOSITORIES:
        digest = account.registry.push_image(name, git_sha=NEW, schema=None, tags=tags, docker=True)
        account.runner.git_shas[digest] = NEW
    ended = promote(account, NEW)
    assert_ended(ended, 0, out="migrations: none")
    assert len(app.deployments) == 2
