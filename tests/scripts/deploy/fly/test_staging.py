"""Staging on Fly.io: the image is deployed by its immutable tag, checked on every Machine, tested and tagged."""

import tomllib
from pathlib import Path

import pytest

from tests.scripts.deploy.fly.organisation import NEW, READ_ONLY, SECRETS, STAGING, Organisation
from tests.scripts.deploy.tool import assert_ended, write_variables
from tests.servers import ROOT

pytestmark = pytest.mark.usefixtures("live")


def test_staging_deploys_by_an_immutable_tag_checks_every_machine_and_tags_the_image(
    organisation: Organisation, head: str
) -> None:
    old, new = organisation.release(head, "sha", "tested"), organisation.release(NEW, "sha")
    organisation.add_app(STAGING, head, old)
    ended = organisation.run("staging", "--tag", NEW[:12])
    assert_ended(ended, 0)
    image = organisation.image(NEW)
    deploy = ["deploy", "--app", STAGING, "--config", "fly.staging.toml", "--image", image, "--yes"]
    assert organisation.changes() == [deploy]
    assert ["machine", "list", "--app", STAGING, "--json"] in organisation.argvs_after(deploy)
    assert organisation.digests(STAGING) == [new] * 4
    assert organisation.tags(new) == {f"sha-{NEW[:12]}", f"tested-{NEW[:12]}"}
    assert {seen.authorised for seen in organisation.registry.seen("PUT")} == {True}
    assert "ok      event" in ended.out
    assert ended.err == ""


def test_a_release_that_is_already_live_is_only_tested(organisation: Organisation, head: str) -> None:
    running = organisation.release(head, "sha")
    organisation.add_app(STAGING, head, running)
    with organisation.fly.changing() as state:
        state["apps"][STAGING]["config"] = tomllib.loads((ROOT / "fly.staging.toml").read_text())
    ended = organisation.run("staging", "--tag", head)
    assert_ended(ended, 0, out="only its smoke test is run")
    assert organisation.changes() == []


def test_a_changed_configuration_is_listed_by_names_and_deployed(organisation: Organisation, head: str) -> None:
    organisation.add_app(STAGING, head, organisation.release(head, "sha"))
    config = tomllib.loads((ROOT / "fly.staging.toml").read_text())
    with organisation.fly.changing() as state:
        live = config | {"vm": [], "env": config["env"] | {"S3_REGION": "elsewhere", "REMOVED": "x"}}
        state["apps"][STAGING]["config"] = live
    ended = organisation.run("staging", "--tag", head, "--dry-run")
    changes = [line.strip() for line in ended.out.splitlines() if line.strip().startswith("spec ")]
    names = ["~ fly.staging.toml vm", "~ fly.staging.toml env.S3_REGION", "- fly.staging.toml env.REMOVED"]
    assert changes == [f"spec {name}" for name in names]
    organisation.fly.outcome("release_command_fails")
    assert organisation.run("staging", "--tag", head).code == 1
    assert [argv[0] for argv in organisation.changes()] == ["deploy"]


def test_a_dry_run_only_reads(organisation: Organisation, head: str) -> None:
    old = organisation.release(head, "sha")
    new = organisation.release(NEW, "sha")
    organisation.add_app(STAGING, head, old)
    ended = organisation.run("staging", "--tag", NEW[:12], "--dry-run")
    assert ended.code == 0
    assert organisation.changes() == []
    assert {next(name for name in READ_ONLY if " ".join(argv).startswith(name)) for argv in organisation.fly.argvs} >= {
        "config validate",
        "secrets list",
    }
    assert f"image {STAGING}: {old[:19]} → {new[:19]}" in ended.out
    assert organisation.registry.seen("PUT") == []


def test_missing_secrets_are_staged_from_the_file_before_the_deployment(
    organisation: Organisation, head: str, tmp_path: Path
) -> None:
    present = {name: value for name, value in SECRETS.items() if name not in ("MAIL_FROM", "JWT_SECRET")}
    organisation.add_app(STAGING, head, organisation.release(head, "sha"), **present)
    organisation.fly.outcome("release_command_fails")
    path = write_variables(tmp_path / "env", SECRETS)
    assert organisation.run("staging", "--tag", head, "--env-file", path).code == 1
    imported, deployed = organisation.changes()
    assert imported == ["secrets", "import", "--app", STAGING, "--stage"]
    assert deployed[0] == "deploy"
    (stdin,) = [call["stdin"] for call in organisation.fly.calls if call["argv"] == imported]
    assert stdin == "".join(f'{name}="{SECRETS[name]}"\n' for name in ("JWT_SECRET", "MAIL_FROM"))
    secrets = organisation.fly.app(STAGING)["secrets"]
    assert {name: secret["value"] for name, secret in secrets.items()} == SECRETS
    assert organisation.fly.app(STAGING)["restarts"] == 0
