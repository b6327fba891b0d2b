"""sync-env on Fly.io: secrets are staged exactly, then the Machines restart. Secrets can't be rolled back."""

from pathlib import Path
from typing import Any

import pytest

from tests.scripts.deploy.fly.organisation import SECRETS, STAGING, Organisation
from tests.scripts.deploy.tool import assert_ended, write_variables

pytestmark = pytest.mark.usefixtures("live")

# Values as they are written in a file, and what they mean.
QUOTED = [(r"'hidden # $X \n'", r"hidden # $X \n"), ('"hidden\\n\\"ü\\""', 'hidden\n"ü"'), ("hidden\"'#", "hidden\"'#")]
NAMES = ("SMTP_PASSWORD", "S3_BUCKET", "JWT_SECRET")
WRITTEN, MEANT = ({name: pair[side] for name, pair in zip(NAMES, QUOTED, strict=True)} for side in (0, 1))


@pytest.fixture
def digest(organisation: Organisation, head: str) -> str:
    """The live image of staging, which also has a secret that is in no file."""
    digest = organisation.release(head, "sha", "tested")
    organisation.add_app(STAGING, head, digest, **SECRETS, GOOGLE_CLIENT_ID="hidden-id")
    return digest


def sync(organisation: Organisation, tmp_path: Path, written: dict[str, str], *more: str) -> Any:
    path = write_variables(tmp_path / "env", written)
    ended = organisation.run("sync-env", "--env", "staging", "--file", path, *more)
    assert "hidden" not in ended.text
    return ended


def secrets(organisation: Organisation) -> dict[str, str]:
    return {name: secret["value"] for name, secret in organisation.fly.app(STAGING)["secrets"].items()}


def test_secrets_are_staged_exactly_before_one_restart(organisation: Organisation, digest: str, tmp_path: Path) -> None:
    ended = sync(organisation, tmp_path, WRITTEN, "--prune")
    assert_ended(ended, 0)
    assert organisation.changes() == [
        ["secrets", "import", "--app", STAGING, "--stage"],
        ["secrets", "unset", "--app", STAGING, "--stage", "GOOGLE_CLIENT_ID"],
        ["secrets", "deploy", "--app", STAGING],
    ]
    assert secrets(organisation) == SECRETS | MEANT
    assert organisation.fly.app(STAGING)["restarts"] == 1
    assert organisation.digests(STAGING) == [digest] * 4


@pytest.mark.usefixtures("digest")
def test_a_dry_run_only_reads(organisation: Organisation, tmp_path: Path) -> None:
    ended = sync(organisation, tmp_path, {"SMTP_HOST": "hidden"}, "--dry-run")
    assert_ended(ended, 0, out="would send 1 and remove 0 variables")
    actions = {cells[0]: cells[1:5] for cells in map(str.split, ended.out.splitlines()) if cells[0].isupper()}
    assert actions["SMTP_HOST"] == ["yes", "yes", "secret", "set"]
    assert actions["GOOGLE_CLIENT_ID"] == ["no", "yes", "general", "keep"]
    assert organisation.changes() == []


def test_an_unhealthy_site_needs_attention_because_fly_keeps_no_previous_secrets(
    organisation: Organisation, digest: str, tmp_path: Path
) -> None:
    organisation.break_site(digest)
    ended = sync(organisation, tmp_path, {"SMTP_HOST": "hidden"})
    assert_ended(ended, 3, err="Fly.io keeps no previous secrets")
    assert [argv[:2] for argv in organisation.changes()] == [["secrets", "import"], ["secrets", "deploy"]]


@pytest.mark.usefixtures("digest")
def test_a_failed_restart_needs_attention(
    organisation: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = organisation.fly.folder / "bin" / "flyctl"
    failing = tmp_path / "failing" / "flyctl"
    failing.parent.mkdir()
    failing.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "secrets deploy" ] && echo "Error: no restart" && exit 1\nexec {real} "$@"\n'
    )
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{failing.parent}:{organisation.fly.environment['PATH']}")
    ended = sync(organisation, tmp_path, {"SMTP_HOST": "hidden"})
    assert_ended(ended, 3, err="Error: no restart. Fly.io keeps no previous secrets")


@pytest.mark.usefixtures("digest")
@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"JWT_SECRET": '\'""hidden"\''}, "JWT_SECRET has double quotes"),
        ({"WEB_CONCURRENCY": "hidden"}, "fly.staging.toml sets WEB_CONCURRENCY"),
        ({"SMTP_PASWORD": "hidden"}, "did you mean SMTP_PASSWORD?"),
    ],
)
def test_values_that_flyctl_or_the_application_rejects_are_refused(
    organisation: Organisation, tmp_path: Path, written: dict[str, str], message: str
) -> None:
    ended = sync(organisation, tmp_path, written)
    assert_ended(ended, 2, err=message)
    assert organisation.changes() == []
