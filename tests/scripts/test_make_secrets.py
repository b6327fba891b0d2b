"""scripts/make-secrets: creates missing secrets, keeps existing ones, and lists those the operator must add."""

import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.time_limits import scaled

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "make-secrets"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "production"


def test_the_first_run_creates_secrets_and_lists_the_missing_ones(folder: Path) -> None:
    result = _run(folder)
    assert result.returncode == 1
    missing = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("missing")]
    assert missing == [f"{folder}/secrets/s3_secret_access_key", f"{folder}/secrets/smtp_password"]
    assert (folder / "settings.env").read_text() == (ROOT / "docker/production.env.example").read_text()
    assert len(_read(folder)["jwt_secret"]) >= 64


def test_other_users_of_the_host_cannot_read_secrets(folder: Path) -> None:
    _run(folder)
    assert folder.stat().st_mode & 0o077 == 0
    # Containers run as other users, and mount each file separately.
    assert all(path.stat().st_mode & 0o777 == 0o444 for path in (folder / "secrets").iterdir())


def test_a_second_run_changes_nothing(folder: Path) -> None:
    _run(folder)
    before = _read(folder)
    (folder / "settings.env").write_text("MINE=1\n")
    for name in ("s3_secret_access_key", "smtp_password"):
        (folder / "secrets" / name).write_text("from an operator")
    result = _run(folder)
    assert result.returncode == 0
    assert "made" not in result.stdout
    assert _read(folder) == before | {"s3_secret_access_key": "from an operator", "smtp_password": "from an operator"}
    assert (folder / "settings.env").read_text() == "MINE=1\n"


def test_related_secrets_match(folder: Path) -> None:
    _run(folder)
    secrets = _read(folder)
    assert secrets["postgres_password"].strip() in secrets["database_url"]
    password = secrets["valkey_password"].strip()
    assert f":{password}@valkey:6379" in secrets["redis_url"]
    assert f"#{hashlib.sha256(password.encode()).hexdigest()} " in secrets["valkey_users"]
    context = ssl.create_default_context(cadata=secrets["valkey_ca"])
    context.load_cert_chain(folder / "secrets/valkey_certificate", folder / "secrets/valkey_key")
    certificate = folder / "secrets/valkey_certificate"
    verified = ["openssl", "verify", "-verify_hostname", "valkey", "-CAfile", folder / "secrets/valkey_ca", certificate]
    assert subprocess.run(verified, check=False, capture_output=True).returncode == 0


def test_two_hosts_share_no_secret(folder: Path, tmp_path: Path) -> None:
    _run(folder)
    _run(tmp_path / "other")
    other = _read(tmp_path / "other")
    assert [name for name, value in _read(folder).items() if value and value == other[name]] == []


def test_an_incomplete_valkey_certificate_is_refused(folder: Path) -> None:
    _run(folder)
    (folder / "secrets/valkey_key").unlink()
    result = _run(folder)
    assert result.returncode == 1
    assert "belong together" in result.stderr
    assert (folder / "secrets/valkey_ca").exists()


def _run(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SCRIPT, folder], capture_output=True, text=True, check=False, timeout=scaled(30))


def _read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
