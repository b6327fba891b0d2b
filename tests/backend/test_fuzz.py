"""Schemathesis tries what our OpenAPI document allows, and what it does not; `make fuzz` does so for longer."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import transaction
from tests.actions import create_job, send_photo, sign_up_and_in
from tests.conftest import MakeSettings
from tests.servers import ROOT, LiveServer

SECONDS = os.environ.get("FUZZ_SECONDS", "15")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
# The stream stays open by design, and the others sign the fuzzer itself out; each has tests of its own.
LEFT_OUT = ("/api/jobs/events", "/api/sessions/{session_id}", "/api/admin/users/{user_id}/end-sessions")


def fuzz(server: LiveServer, folder: Path, *headers: str) -> None:
    """Run Schemathesis against a server for a while, and fail with its report when it finds something."""
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{server.url}/openapi.json").content)
    options = [option for header in headers for option in ("--header", header)]
    options += [option for path in LEFT_OUT for option in ("--exclude-path", path)]
    result = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", server.url),
            *("--max-time", SECONDS, "--checks", ",".join(CHECKS), "--no-color"),
            *("--request-timeout", "10", "--seed", os.environ.get("FUZZ_SEED", "1"), *options),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=float(SECONDS) * 4 + 120,
    )
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]


@pytest.fixture
def documented(make_settings: MakeSettings) -> LiveServer:
    return LiveServer(make_settings(ENABLE_DOCS=True))


@pytest.mark.timeout(int(float(SECONDS)) * 4 + 180)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nobody_finds_an_answer_the_document_does_not_tell(documented: LiveServer, tmp_path: Path) -> None:
    with documented as server:
        fuzz(server, tmp_path)


@pytest.mark.timeout(int(float(SECONDS)) * 4 + 180)
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_an_admin_finds_none_either(
    documented: LiveServer, tmp_path: Path, photo: bytes, sessions: sessionmaker[Session]
) -> None:
    with documented as server, server.client() as user:
        sign_up_and_in(user)
        with transaction(sessions) as session:
            session.execute(update(User).values(is_admin=True))
        create_job(user, send_photo(user, photo))
        fuzz(server, tmp_path, f"Authorization: Bearer {user.cookies['access']}")
