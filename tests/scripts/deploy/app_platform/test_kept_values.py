"""A spec replaces the live one, so it contains the settings that only the platform has, and secrets as ciphertexts."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.deploy.environments import Environment
from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    STAGING,
    VALUES,
    Account,
    env_values,
    file_spec,
    with_images,
    write_env_file,
)
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.spec import Spec

NEW_SECRET = "-".join(["hidden", "anew"])
SECRETS = ("JWT_SECRET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "SMTP_USERNAME", "SMTP_PASSWORD")


def sent(account: Account) -> Spec:
    (put,) = account.platform.seen("PUT")
    spec: Spec = put.body["spec"]
    return spec


def test_secrets_are_sent_as_this_apps_ciphertexts(account: Account) -> None:
    account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))
    before = env_values(app.spec)
    assert account.run("staging", "--tag", NEW).code == 0
    envs = {env["key"]: env for env in sent(account)["envs"]}
    for name in SECRETS:
        assert before[name].startswith("EV[1:")
        assert envs[name] == {"key": name, "scope": "RUN_TIME", "type": "SECRET", "value": before[name]}
    assert env_values(account.platform.cloud.vault.decrypt(app.spec)).items() >= VALUES.items()


@pytest.mark.parametrize("missing", ["JWT_SECRET", "S3_BUCKET"])
def test_a_value_missing_on_the_platform_is_refused_by_name(account: Account, missing: str) -> None:
    account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))
    env = next(env for env in app.spec["envs"] if env["key"] == missing)
    del env["value"]
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err=f"{STAGING} has no value for {missing}.")
    assert "make sync-env" in ended.err
    assert [seen.path for seen in account.platform.http.seen if seen.method != "GET"] == []


def test_ciphertexts_in_the_spec_file_are_refused(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "app.staging.yaml"
    spec.write_text("name: any\nenvs: [{key: JWT_SECRET, type: SECRET, value: 'EV[1:x:y]'}]\n")
    monkeypatch.setattr(Environment, "spec", spec)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="app.staging.yaml contains an encrypted value")
    assert account.platform.http.seen == []


def live_only(spec: Spec) -> Spec:
    """Return the spec with settings that its owner added in the control panel."""
    spec = json.loads(json.dumps(spec))
    spec["envs"] += [
        {"key": "GOOGLE_CLIENT_ID", "value": "an-id", "scope": "RUN_TIME"},
        {"key": "GOOGLE_CLIENT_SECRET", "value": NEW_SECRET, "scope": "RUN_TIME", "type": "SECRET"},
    ]
    spec["workers"][0]["envs"].append({"key": "LOG_LEVEL", "value": "DEBUG", "scope": "RUN_TIME"})
    spec["domains"] = [{"domain": "studio.example.org", "type": "PRIMARY"}]
    spec["vpc"] = {"id": "c22d8f48-4bc4-49f5-8ca0-58e7164427ac"}
    spec["services"][0]["log_destinations"] = [
        {"name": "logs", "datadog": {"endpoint": "https://logs.example.org", "api_key": NEW_SECRET}}
    ]
    return spec


def test_settings_that_only_the_platform_has_are_kept(account: Account) -> None:
    old = account.release(OLD, "sha")
    account.release(NEW, "sha")
    app = account.platform.add_app(with_images(live_only(file_spec("staging", **VALUES)), old))
    before = json.loads(json.dumps(app.spec))
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 0)
    after = app.spec
    for name in ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "LOG_LEVEL"):
        assert env_values(after)[name] == env_values(before)[name]
    secret = {env["key"] for env in after["envs"] if env.get("type") == "SECRET"}
    assert "GOOGLE_CLIENT_SECRET" in secret
    assert after["domains"] == before["domains"]
    assert after["vpc"] == before["vpc"]
    assert after["services"][0]["log_destinations"] == before["services"][0]["log_destinations"]
    assert "log_destinations" not in after["services"][1]
    assert NEW_SECRET not in ended.text
    assert not [line for line in ended.out.splitlines() if line.startswith("  spec - ")]


def test_a_secret_stays_secret_when_the_file_declares_it_general(account: Account) -> None:
    old = account.release(OLD, "sha")
    account.release(NEW, "sha")
    spec: dict[str, Any] = file_spec("staging", **VALUES)
    next(env for env in spec["envs"] if env["key"] == "SMTP_HOST")["type"] = "SECRET"
    app = account.platform.add_app(with_images(spec, old))
    assert account.run("staging", "--tag", NEW).code == 0
    (env,) = [env for env in app.spec["envs"] if env["key"] == "SMTP_HOST"]
    assert env["type"] == "SECRET"
    assert env_values(account.platform.cloud.vault.decrypt(app.spec))["SMTP_HOST"] == VALUES["SMTP_HOST"]


def test_sync_env_changes_only_the_values_of_the_file(account: Account, tmp_path: Path) -> None:
    old = account.release(OLD, "sha", "tested")
    app = account.add_app("staging", old)
    before = env_values(app.spec)
    changed = {"SMTP_PASSWORD": NEW_SECRET, "RETENTION_DAYS": "5"}
    ended = account.run("sync-env", "--env", "staging", "--file", write_env_file(tmp_path / "env", changed))
    assert_ended(ended, 0)
    assert NEW_SECRET not in ended.text
    after = env_values(app.spec)
    assert after.pop("RETENTION_DAYS") == "5"
    assert {name for name in after if after[name] != before[name]} == {"SMTP_PASSWORD"}
    assert env_values(account.platform.cloud.vault.decrypt(app.spec))["SMTP_PASSWORD"] == NEW_SECRET
    assert with_images(app.spec, old) == app.spec
    assert f"--expect-sha {OLD}" in account.programs[-1]


def test_sync_env_is_refused_when_nothing_is_live(account: Account, tmp_path: Path) -> None:
    new = account.release(NEW, "sha")
    app = account.add_app("staging", new)
    app.active = None
    ended = account.run("sync-env", "--env", "staging", "--file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 2, err="ENV_FILE=")
