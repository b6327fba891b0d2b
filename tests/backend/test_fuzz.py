"""Runs Schemathesis on the OpenAPI document for a short time. `make fuzz` runs it for longer."""

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
# The stream never ends, and the others would sign out the fuzzer. All have their own tests.
EXCLUDED = ("/api/jobs/events", "/api/sessions/{session_id}", "/api/admin/users/{user_id}/end-sessions")


def fuzz(server: LiveServer, folder: Path, *headers: str) -> None:
    """Run Schemathesis against a server. Fails with its report if it finds an error."""
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{server.url}/openapi.json").content)
    options = [option for header in headers for option in ("--header", header)]
    options += [option for path in EXCLUDED for option in ("--exclude-path", path)]
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
def test_responses_to_signed_out_callers_match_the_document(documented: LiveServer, tmp_path: Path) -> None:
    with documented as server:
        fuzz(server, tmp_path)


@pytest.mark.timeout(int(float(SECONDS)) * 4 + 180)
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_responses_to_an_admin_match_the_document(
    documented: LiveServer, tmp_path: Path, photo: bytes, sessions: sessionmaker[Session]
) -> None:
    with documented as server, server.client() as user:
        sign_up_and_in(user)
        with transaction(sessions) as session:
            session.execute(update(User).values(is_admin=True))
        create_job(user, send_photo(user, photo))
        fuzz(server, tmp_path, f"Authorization: Bearer {user.cookies['access']}")
