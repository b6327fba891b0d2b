"""Staging on App Platform: the checked-out commit, or the images of a tag, are deployed, tested and tagged."""

from pathlib import Path

from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    STAGING,
    VALUES,
    Account,
    env_values,
    runs,
    write_env_file,
)
from tests.scripts.deploy.tool import assert_ended


def test_staging_deploys_by_digest_tests_the_site_and_tags_both_images(account: Account) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    ended = account.run("staging", "--tag", NEW[:12])
    assert_ended(ended, 0)
    assert runs(app, new)
    assert account.changes() == ["PUT /apps"]
    for digest in new.values():
        assert account.tags(digest) == {f"sha-{NEW[:12]}", f"tested-{NEW[:12]}"}
    (put,) = account.platform.seen("PUT")
    assert put.body["update_all_source_versions"] is True
    sent = [c["image"] for kind in ("services", "workers", "jobs") for c in put.body["spec"][kind]]
    assert len(sent) == 5
    assert all(image["digest"] == new[image["repository"]] and "tag" not in image for image in sent)
    assert "ok      event" in ended.out
    assert f"{NEW[:12]} runs in staging, tagged tested-{NEW[:12]}" in ended.out
    assert ended.err == ""


def test_a_first_deployment_creates_the_app_with_the_values_of_a_file(account: Account, tmp_path: Path) -> None:
    new = account.release(NEW, "sha")
    ended = account.run("staging", "--tag", NEW, "--env-file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 0)
    app = account.app("staging")
    assert runs(app, new)
    assert account.changes() == ["POST /apps"]
    clear = env_values(account.platform.cloud.vault.decrypt(app.spec))
    assert {name: clear[name] for name in VALUES} == VALUES
    assert account.tags(new["slipway-app"]) >= {f"tested-{NEW[:12]}"}


def test_a_first_deployment_without_values_is_refused_with_all_their_names(account: Account, tmp_path: Path) -> None:
    account.release(NEW, "sha")
    path = write_env_file(tmp_path / "env", leaving_out=["S3_BUCKET", "STORAGE_ORIGINS"])
    ended = account.run("staging", "--tag", NEW, "--env-file", path)
    assert_ended(ended, 2, err=f"{STAGING} has no value for S3_BUCKET, STORAGE_ORIGINS.")
    assert "ENV_FILE=" in ended.err
    assert account.platform.cloud.apps == {}


def test_a_file_of_values_that_others_can_read_is_refused(account: Account, tmp_path: Path) -> None:
    path = write_env_file(tmp_path / "env")
    Path(path).chmod(0o644)
    ended = account.run("staging", "--tag", NEW, "--env-file", path)
    assert_ended(ended, 2, err=f"chmod 600 {path}")
    assert account.platform.http.seen == []


def test_a_second_run_only_tests_the_site(account: Account) -> None:
    new = account.release(NEW, "sha")
    account.add_app("staging", new)
    assert account.run("staging", "--tag", NEW).code == 0
    again = account.run("staging", "--tag", NEW)
    assert_ended(again, 0, out="only its smoke test is run")
    assert account.changes() == []
    assert account.tags(new["slipway-web"]) == {f"sha-{NEW[:12]}", f"tested-{NEW[:12]}"}


def test_missing_images_are_refused(account: Account) -> None:
    app = account.add_app("staging", account.release(OLD, "sha"))
    ended = account.run("staging", "--tag", NEW[:12])
    assert_ended(ended, 2, err=f"git checkout {NEW[:12]}")
    assert len(app.deployments) == 1


def test_the_migrations_and_other_changes_are_shown(account: Account) -> None:
    old = account.release(OLD, "sha", schema="0003")
    new = account.release(NEW, "sha")
    app = account.add_app("staging", old)
    app.spec["services"][0]["instance_count"] = 3
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 0, out=f"image slipway-app: {old['slipway-app'][:19]} → {new['slipway-app'][:19]}")
    assert "migrations: 0004_" in ended.out
    assert "migrations: 0003_" not in ended.out
    assert "spec ~ services.api.instance_count: 3 → 1" in ended.out
