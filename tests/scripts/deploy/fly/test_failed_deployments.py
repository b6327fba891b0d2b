"""Failed deployments on Fly.io: changed Machines are restored to the earlier image and configuration."""

import subprocess
import tomllib

import pytest

from tests.scripts.deploy.fly.organisation import NEW, STAGING, Organisation
from tests.scripts.deploy.tool import assert_ended
from tests.servers import ROOT

pytestmark = pytest.mark.usefixtures("live")


@pytest.fixture
def old(organisation: Organisation, head: str) -> str:
    """The live release, which passed its smoke test; git has its commit."""
    digest = organisation.release(head, "sha", "tested")
    organisation.add_app(STAGING, head, digest)
    organisation.release(NEW, "sha")
    return digest


def new_digest(organisation: Organisation) -> str:
    return organisation.registry.tags(STAGING)[f"sha-{NEW[:12]}"]


def assert_restored(organisation: Organisation, head: str, old: str) -> None:
    """Check that the second deployment restored the old image with its commit's configuration."""
    _, restore = organisation.changes()
    config = restore.pop(restore.index("--config") + 1)
    assert restore == [
        *["deploy", "--app", STAGING, "--config", "--image", organisation.image(head), "--yes"],
        *["--skip-release-command", "--strategy", "immediate", "--wait-timeout", "300s"],
    ]
    assert config not in ("fly.staging.toml", str(ROOT / "fly.staging.toml"))
    in_git = ["git", "show", f"{head}:fly.staging.toml"]
    shown = subprocess.run(in_git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert organisation.fly.app(STAGING)["config"] == tomllib.loads(shown)
    assert organisation.digests(STAGING) == [old] * 4


def test_a_failing_migration_changes_no_machine_and_shows_its_log(
    organisation: Organisation, head: str, old: str
) -> None:
    organisation.fly.outcome("release_command_fails", log="::error::relation already exists")
    ended = organisation.run("staging", "--tag", NEW, "--json")
    assert ended.code == 1
    assert ended.document["exit_code"] == 1
    assert ended.document["ok"] is False
    assert len(organisation.changes()) == 1
    assert organisation.digests(STAGING) == [old] * 4
    assert "relation already exists" in ended.err
    # GitHub executes lines that start with `::` as workflow commands.
    assert not any(line.lstrip().startswith("::") for line in ended.err.splitlines())
    assert "release_command failed" in ended.document["message"]
    assert f"{head[:12]} (v1) is still live" in ended.document["message"]
    assert [phase["name"] for phase in ended.document["phases"]] == ["check", "build", "plan", "deploy"]
    assert f"tested-{NEW[:12]}" not in organisation.registry.tags(STAGING)


@pytest.mark.parametrize("kind", ["never_healthy", "half_done"])
def test_changed_machines_are_restored_at_once(organisation: Organisation, head: str, old: str, kind: str) -> None:
    organisation.fly.outcome(kind)
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err="timeout reached waiting for health checks")
    assert f"{head[:12]} (v1) is live again and healthy" in ended.err
    assert_restored(organisation, head, old)
    assert organisation.tags(new_digest(organisation)) == {f"sha-{NEW[:12]}"}


def test_an_unhealthy_site_is_restored(organisation: Organisation, head: str, old: str) -> None:
    organisation.break_site(new_digest(organisation))
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err="The smoke test failed")
    assert_restored(organisation, head, old)


def test_a_tag_moved_during_the_deployment_is_detected(organisation: Organisation, head: str, old: str) -> None:
    organisation.fly.push(organisation.image(NEW), "sha256:foreign")
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err=f"run another image than {new_digest(organisation)}")
    assert_restored(organisation, head, old)


def test_the_rollback_fails_when_fly_no_longer_has_the_image(organisation: Organisation, head: str, old: str) -> None:
    organisation.break_site(new_digest(organisation))
    with organisation.fly.changing() as state:
        del state["images"][organisation.image(head)]
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="The rollback failed")
    assert "could not find image" in ended.err


def test_a_restored_site_that_is_unhealthy_needs_attention(organisation: Organisation, head: str, old: str) -> None:
    organisation.break_site(new_digest(organisation))
    organisation.break_site(old)
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err=f"{head[:12]} (v1) is unhealthy too")


@pytest.mark.usefixtures("old")
def test_a_token_that_expires_before_the_rollback_needs_attention(organisation: Organisation) -> None:
    organisation.break_site(new_digest(organisation))
    organisation.on_request = organisation.fly.expire_token
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="FLY_API_TOKEN is invalid or expired")


@pytest.mark.usefixtures("old")
def test_a_failed_deployment_over_different_images_needs_attention(organisation: Organisation) -> None:
    with organisation.fly.changing() as state:
        state["apps"][STAGING]["machines"][0]["digest"] = "sha256:changed-by-hand"
    organisation.fly.outcome("release_command_fails")
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="run images of different releases")
