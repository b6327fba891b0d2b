"""Error reports, as a recording server receives them."""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.valkey import free_port
from tests.backend.infra.recorder import Recorded, Recorder
from tests.servers import ROOT
from tests.time_limits import scaled

CANARY = "c4n4ry"
APP = """
import sys
import uvicorn
from fastapi import Request
from backend.main import create_app
from backend.settings import get_settings
app = create_app(get_settings())

@app.post("/api/fail")
async def fail(request: Request) -> None:
    local_secret = (await request.body()).decode()
    raise RuntimeError("it failed")

print("sentry_sdk" in sys.modules, flush=True)
uvicorn.run(app, host="127.0.0.1", port=get_settings().PORT, log_config=None)
"""


@contextmanager
def running_app(folder: Path, **settings: str) -> Iterator[str]:
    """Run the application with a route that fails, and yield its URL."""
    port = free_port()
    log = (folder / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-c", APP],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ENVIRONMENT": "test", "PORT": str(port), **settings},
        cwd=ROOT,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + scaled(20)
        while "Uvicorn running on" not in (folder / "log").read_text():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(scaled(10))
        log.close()


def items_of(request: Recorded) -> list[tuple[str, dict[str, Any]]]:
    """Return the type and document of each item in an envelope."""
    packed = request.headers.get("content-encoding") == "gzip"
    lines = (gzip.decompress(request.body) if packed else request.body).split(b"\n")
    found = []
    while len(lines) > 2:
        head = json.loads(lines[1])
        found.append((head["type"], json.loads(lines[2])))
        lines = lines[2:]
    return found


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return the reports of a failed request from a signed-in user: the event and the transaction."""
    folder = tmp_path_factory.mktemp("sentry")
    with Recorder() as ingest:
        dsn = f"http://key@127.0.0.1:{ingest.port}/1"
        settings = {"SENTRY_DSN": dsn, "GIT_SHA": "abc123", "SENTRY_TRACES_SAMPLE_RATE": "1"}
        with running_app(folder, **settings) as address:
            response = httpx.post(
                f"{address}/api/fail?query={CANARY}",
                content=f"body-{CANARY}",
                headers={
                    "X-Request-ID": "the-request",
                    "Authorization": f"Bearer {CANARY}",
                    "Cookie": f"access={CANARY}",
                    "User-Agent": f"agent-{CANARY}",
                },
            )
            assert response.status_code == 500
            ingest.wait_for(2)
    return {kind: document for request in ingest.requests for kind, document in items_of(request)}


def test_an_unhandled_error_is_reported_with_its_release_and_request(reported: dict[str, dict[str, Any]]) -> None:
    event = reported["event"]
    assert event["release"] == "abc123"
    assert event["environment"] == "test"
    assert event["tags"] == {"process": "web", "request_id": "the-request", "method": "POST"}
    (error,) = [value for value in event["exception"]["values"] if value["type"] == "RuntimeError"]
    assert error["value"] == "it failed"
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"


def test_a_share_of_the_requests_is_traced(reported: dict[str, dict[str, Any]]) -> None:
    assert reported["transaction"]["transaction"] == "/api/fail"
    assert reported["transaction"]["release"] == "abc123"


@pytest.mark.parametrize("kind", ["event", "transaction"])
def test_reports_contain_no_personal_data(kind: str, reported: dict[str, dict[str, Any]]) -> None:
    document = reported[kind]
    assert CANARY not in json.dumps(document)
    assert not {"user", "request", "server_name", "extra"} & document.keys()
    assert document.get("breadcrumbs", {}).get("values", []) == []
    frames = [
        frame for value in document.get("exception", {}).get("values", []) for frame in value["stacktrace"]["frames"]
    ]
    assert not [frame for frame in frames if frame.get("vars")]


def test_without_a_dsn_the_library_is_not_imported(tmp_path: Path) -> None:
    with running_app(tmp_path) as address:
        assert httpx.post(f"{address}/api/fail").status_code == 500
        assert httpx.get(f"{address}/health/live").status_code == 200
    assert (tmp_path / "log").read_text().splitlines()[0] == "False"


def test_an_unavailable_sentry_affects_no_request(tmp_path: Path) -> None:
    with running_app(tmp_path, SENTRY_DSN=f"http://key@127.0.0.1:{free_port()}/1") as address:
        for _ in range(3):
            assert httpx.post(f"{address}/api/fail", timeout=scaled(2)).status_code == 500
