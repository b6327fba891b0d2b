"""Production on Fly.io: exactly staging's image, and rollbacks to tested releases."""

from collections.abc import Callable

import pytest

from tests.scripts.deploy.fly.organisation import NEW, OLDER, PRODUCTION, STAGING, Organisation
from tests.scripts.deploy.tool import assert_ended

Show = Callable[[str], str]


@pytest.fixture(autouse=True)
def shown(live: Show) -> None:
    live(PRODUCTION)


def test_promotion_deploys_the_tested_digest_from_the_repository_of_staging(
    organisation: Organisation, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = organisation.release(head, "sha", "tested", "production"), organisation.release(NEW, "sha", "tested")
    organisation.add_app(STAGING, NEW, new)
    organisation.add_app(PRODUCTION, head, old)
    monkeypatch.setenv("SMOKE_API_ONLY", "1")
    ended = organisation.run("promote", "--tag", f"tested-{NEW[:12]}", "--release", "v1.2.3", "--yes")
    assert_ended(ended, 0)
    deploy = ["deploy", "--app", PRODUCTION, "--config", "fly.toml", "--image", organisation.image(NEW), "--yes"]
    assert organisation.changes() == [deploy]
    assert f"/{STAGING}:sha-" in deploy[6]
    assert organisation.digests(PRODUCTION) == [new] * 4
    assert organisation.tags(new) >= {f"production-{NEW[:12]}", "v1.2.3"}
    assert "ok      headers" in ended.out
    assert " page " not in ended.out


@pytest.mark.parametrize("moved", [False, True])
def test_a_release_that_did_not_pass_staging_is_not_promoted(
    organisation: Organisation, head: str, moved: bool
) -> None:
    organisation.add_app(PRODUCTION, head, organisation.release(head, "sha"))
    organisation.release(NEW, "sha")
    if moved:
        organisation.release(NEW, "tested", schema="0005")
    ended = organisation.run("promote", "--tag", NEW[:12], "--yes")
    assert_ended(ended, 2)
    assert ("a tag was moved" if moved else f"make deploy-staging TAG={NEW[:12]}") in ended.err
    assert organisation.changes() == []


@pytest.fixture
def releases(organisation: Organisation, head: str) -> dict[str, str]:
    """Three releases that were live one after the other; the first two passed their smoke test."""
    digests = {
        OLDER: organisation.release(OLDER, "sha", "production"),
        head: organisation.release(head, "sha", "production"),
        NEW: organisation.release(NEW, "sha"),
    }
    organisation.add_app(PRODUCTION, OLDER, digests[OLDER])
    organisation.let_run(PRODUCTION, head)
    organisation.let_run(PRODUCTION, NEW)
    (organisation.fly.folder / "calls.jsonl").unlink()
    return digests


def test_rollback_restores_the_last_tested_release(
    organisation: Organisation, head: str, releases: dict[str, str]
) -> None:
    ended = organisation.run("rollback", "--env", "production", "--yes")
    assert_ended(ended, 0, out=f"{head[:12]} is live again in production")
    (rollback,) = organisation.changes()
    assert rollback[rollback.index("--image") + 1 :] == [
        *[organisation.image(head), "--yes", "--skip-release-command"],
        *["--strategy", "immediate", "--wait-timeout", "300s"],
    ]
    assert organisation.digests(PRODUCTION) == [releases[head]] * 4


def test_rollback_to_a_commit_missing_in_git_uses_this_folders_configuration(
    organisation: Organisation, releases: dict[str, str]
) -> None:
    ended = organisation.run("rollback", "--env", "production", "--to", OLDER[:12], "--yes")
    assert_ended(ended, 0, out=f"git has no commit {OLDER[:12]}: using this folder's fly.toml")
    assert organisation.digests(PRODUCTION) == [releases[OLDER]] * 4


@pytest.mark.usefixtures("releases")
def test_a_rollback_target_is_a_release_number_or_a_tag(organisation: Organisation) -> None:
    for to, commit in {"v1": OLDER, f"production-{OLDER[:12]}": OLDER, "v3": NEW}.items():
        ended = organisation.run("rollback", "--env", "production", "--to", to, "--dry-run")
        assert_ended(ended, 0, out=f"would roll back to {commit[:12]}")
    assert organisation.changes() == []


@pytest.mark.usefixtures("releases")
def test_rollback_to_a_release_that_never_ran_is_refused(organisation: Organisation) -> None:
    ended = organisation.run("rollback", "--env", "production", "--to", "d4" * 6, "--yes")
    assert_ended(ended, 2, err="never passed its smoke test in production")
    assert organisation.changes() == []


@pytest.mark.usefixtures("releases")
def test_status_shows_the_live_release_earlier_releases_and_the_health(organisation: Organisation, head: str) -> None:
    with organisation.fly.changing() as state:
        app = state["apps"][PRODUCTION]
        app["releases"].append(app["releases"][0] | {"version": 4, "status": "failed"})
    ended = organisation.run("status", "--env", "production")
    assert_ended(ended, 0)
    lines = [line.split() for line in ended.out.splitlines() if line.startswith("  ")]
    assert [line[:2] + line[-1:] for line in lines if line[0] in ("active", "earlier")] == [
        ["active", NEW[:12], "verified"],
        ["earlier", head[:12], "production"],
        ["earlier", OLDER[:12], "production"],
    ]
    assert "health     ok" in ended.out
    assert organisation.changes() == []


@pytest.mark.usefixtures("releases")
def test_logs_show_every_machine_of_a_group(organisation: Organisation) -> None:
    with organisation.fly.changing() as state:
        state["apps"][PRODUCTION]["logs"] = ["booted"]
    ended = organisation.run("logs", "--env", "production", "--component", "web")
    assert_ended(ended, 0)
    calls = [argv for argv in organisation.fly.argvs if argv[0] == "logs"]
    logs = ["logs", "--app", PRODUCTION, "--no-tail", "--machine"]
    assert calls == [[*logs, f"{PRODUCTION}-0"], [*logs, f"{PRODUCTION}-1"]]
    assert ended.out.count("booted") == 2
    assert organisation.run("logs", "--env", "production", "--component", "api").code == 2
