"""Refusals on Fly.io: nothing is changed, and the message says what to do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.scripts.deploy.fly.organisation import NEW, SECRETS, STAGING, Organisation
from tests.scripts.deploy.tool import assert_ended, write_variables

pytestmark = pytest.mark.usefixtures("live")


def refusal(organisation: Organisation, *argv: str) -> str:
    """Run a command that is refused; return its message."""
    ended = organisation.run(*argv)
    assert_ended(ended, 2)
    assert organisation.changes() == []
    assert organisation.registry.seen("PUT") == []
    return ended.err


def test_flyctl_must_be_installed(organisation: Organisation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "flyctl can't be started" in refusal(organisation, "staging", "--tag", NEW)


def test_a_token_must_be_set(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLY_API_TOKEN")
    assert "FLY_API_TOKEN is not set" in refusal(organisation, "staging", "--tag", NEW)
    assert organisation.fly.calls == []


def test_an_expired_token_is_reported(organisation: Organisation) -> None:
    organisation.fly.expire_token()
    message = refusal(organisation, "staging", "--tag", NEW)
    assert "FLY_API_TOKEN is invalid or expired" in message
    assert "fly tokens create org" in message


def test_a_missing_app_must_be_created_by_hand(organisation: Organisation) -> None:
    organisation.release(NEW, "sha")
    assert f"fly apps create {STAGING}" in refusal(organisation, "staging", "--tag", NEW)


def test_missing_secrets_are_named(organisation: Organisation, head: str) -> None:
    present = {name: value for name, value in SECRETS.items() if name not in ("REDIS_URL", "SMTP_HOST")}
    organisation.add_app(STAGING, head, organisation.release(head, "sha"), **present)
    assert f"{STAGING} has no secret REDIS_URL, SMTP_HOST:" in refusal(organisation, "staging", "--tag", head)


@pytest.mark.parametrize(
    ("name", "message"),
    [("SMTP_PASWORD", "did you mean SMTP_PASSWORD?"), ("S3_REGION", "fly.staging.toml sets S3_REGION")],
)
def test_the_file_of_a_first_deployment_is_checked_as_strictly_as_later_ones(
    organisation: Organisation, head: str, tmp_path: Path, name: str, message: str
) -> None:
    organisation.add_app(STAGING, head, organisation.release(head, "sha"))
    path = write_variables(tmp_path / "env", {name: "hidden"})
    assert message in refusal(organisation, "staging", "--tag", head, "--env-file", path)


def add_release_in_progress(organisation: Organisation, git_sha: str, created_at: datetime) -> None:
    """Add a release that another flyctl is deploying."""
    release = {"id": "rel_2", "version": 2, "in_progress": True, "stable": False, "status": "running"}
    more = {"image_ref": organisation.image(git_sha), "created_at": created_at.isoformat().replace("+00:00", "Z")}
    with organisation.fly.changing() as state:
        state["apps"][STAGING]["releases"].append(release | more)


def test_commands_are_refused_while_another_release_is_deployed(organisation: Organisation, head: str) -> None:
    organisation.add_app(STAGING, head, organisation.release(head, "sha", "tested"))
    organisation.release(NEW, "sha")
    add_release_in_progress(organisation, NEW, datetime.now(UTC))
    assert "deploying another release, v2" in refusal(organisation, "staging", "--tag", head)
    message = refusal(organisation, "rollback", "--env", "staging")
    assert "Release v2 is being deployed by another flyctl" in message


def test_a_release_left_by_a_killed_flyctl_does_not_block_a_deployment(organisation: Organisation, head: str) -> None:
    organisation.add_app(STAGING, head, organisation.release(head, "sha"))
    organisation.release(NEW, "sha")
    add_release_in_progress(organisation, NEW, datetime(2026, 1, 1, tzinfo=UTC))
    assert organisation.run("staging", "--tag", head, "--dry-run").code == 0


def test_a_release_that_another_flyctl_deploys_is_followed(
    organisation: Organisation, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = organisation.release(head, "sha", "tested"), organisation.release(NEW, "sha")
    organisation.add_app(STAGING, head, old)
    add_release_in_progress(organisation, NEW, datetime.now(UTC))

    def end(_seconds: float) -> None:
        with organisation.fly.changing() as state:
            app = state["apps"][STAGING]
            app["releases"][-1] |= {"in_progress": False, "status": "complete"}
            app["machines"] = [machine | {"digest": new} for machine in app["machines"]]

    monkeypatch.setattr(organisation.clock, "sleep", end)
    ended = organisation.run("staging", "--tag", NEW)
    assert_ended(ended, 0, out="following deployment v2")
    assert organisation.changes() == []
    assert f"tested-{NEW[:12]}" in organisation.tags(new)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMOKE_URL", "http://photos.example.com"),
        ("SMOKE_URL", "photos.example.com"),
        ("SMOKE_URL", "https://photos.example.com/app"),
        ("SMOKE_URL", "https://somebody@photos.example.com"),
        ("SMOKE_EMAIL", "smoke@example.com"),
        ("SMOKE_PASSWORD", "not-without-its-account"),
    ],
)
def test_invalid_smoke_variables_are_refused_before_anything_is_deployed(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    message = refusal(organisation, "staging", "--tag", NEW)
    assert name in message
    assert value not in message
    assert organisation.fly.calls == []
