"""Request ids, the access log, the body limit, and responses when the code or the database fails."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.infra.db import transaction
from backend.web.middleware import MAX_BODY_BYTES
from scripts.valkey import free_port
from tests.backend.web.odd_routes import CANARY
from tests.conftest import MakeSettings, settings_for
from tests.servers import LiveServer
from tests.time_limits import scaled


def lines_of(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    """Wait for log lines of an event and return them. They are written after the response."""
    output = ""
    deadline = time.monotonic() + scaled(5)
    while f'"event":"{event}"' not in output:
        assert time.monotonic() < deadline, output
        time.sleep(0.01)
        output += capsys.readouterr().out
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


@pytest.mark.parametrize("given", ["a", "0af7651916cd43dd8448eb211c80319c", "A-b-9", "x" * 64])
def test_a_valid_request_id_is_used_in_the_response_and_logs(
    given: str, caller: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    response = caller.get("/api/nowhere", headers={"X-Request-ID": given})
    assert response.headers.get_list("x-request-id") == [given]
    assert response.json()["request_id"] == given
    assert [line["request_id"] for line in lines_of(capsys, "request")] == [given]


@pytest.mark.parametrize("given", ["", "-", "x" * 65, "a b", 'a"b', "<script>", "a\tb", "ü", "a;b", "../x", "a_b=c"])
def test_an_invalid_request_id_is_replaced(given: str, caller: httpx.Client) -> None:
    response = caller.get("/api/nowhere", headers={"X-Request-ID": given.encode()})
    created = response.headers["x-request-id"]
    assert created != given
    assert len(created) == 32
    assert response.json()["request_id"] == created


def test_each_request_gets_its_own_id(caller: httpx.Client) -> None:
    assert len({caller.get("/health/live").headers["x-request-id"] for _ in range(5)}) == 5


def test_the_access_log_contains_the_path_without_the_query(
    caller: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    caller.get(f"/api/nowhere?token={CANARY}")
    (line,) = lines_of(capsys, "request")
    assert line["path"] == "/api/nowhere"
    assert CANARY not in str(line)


def test_quiet_paths_are_only_logged_when_they_fail(caller: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    caller.get("/health/live")
    caller.get("/health/nowhere")
    assert [line["path"] for line in lines_of(capsys, "request")] == ["/health/nowhere"]


def test_an_unhandled_error_is_a_problem_without_details(
    caller: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    response = caller.get("/api/fail", headers={"X-Request-ID": "an-id"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side.",
        "code": "internal_error",
        "request_id": "an-id",
    }
    (line,) = lines_of(capsys, "unhandled_error")
    assert line["request_id"] == "an-id"
    assert f"RuntimeError: {CANARY}" in line["exception"]


def test_an_error_after_the_response_started_closes_the_connection(
    caller: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        caller.get("/api/fail-while-streaming")
    assert lines_of(capsys, "unhandled_error")


def test_a_body_within_the_limit_is_accepted(caller: httpx.Client) -> None:
    body = json.dumps({"x": "y" * (MAX_BODY_BYTES - 100)}).encode()
    response = caller.post("/api/take", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200


@pytest.mark.parametrize("length", ["1000001", "10000000", "9999999999999"])
def test_a_content_length_over_the_limit_is_refused_before_the_body_is_sent(length: str, caller: httpx.Client) -> None:
    head = f"POST /api/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    response = raw(caller, head.encode())
    assert response.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body_too_large"' in response


def raw(caller: httpx.Client, data: bytes) -> bytes:
    """Send raw bytes, and return the headers and the first part of the body."""
    with socket.create_connection((caller.base_url.host, caller.base_url.port or 80), timeout=5) as connection:
        connection.sendall(data)
        response = connection.recv(65536)
        while b"\r\n\r\n" not in response or not response.split(b"\r\n\r\n", 1)[1]:
            response += connection.recv(65536)
        return response


@pytest.mark.parametrize("path", ["/api/take", "/api/session", "/api/accounts"])
def test_a_streamed_body_over_the_limit_is_refused(path: str, caller: httpx.Client) -> None:
    chunks = (b" " * 100_000 for _ in range(11))
    response = caller.post(path, content=chunks, headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


def test_bytes_after_the_content_length_are_not_part_of_the_body(caller: httpx.Client) -> None:
    head = b"POST /api/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    assert raw(caller, head + b"{}" + b"x" * (2 * MAX_BODY_BYTES)).startswith(b"HTTP/1.1 400 ")


def test_an_invalid_content_length_is_refused(caller: httpx.Client) -> None:
    for length in (b"1e3", b"-1", b"0x10"):
        head = b"POST /api/take HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
        assert raw(caller, head)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413")


def test_the_api_documentation_is_only_served_in_development(caller: httpx.Client) -> None:
    assert [caller.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]


def test_an_unavailable_database_is_a_problem_to_retry(valkey_url: str, tmp_path: Path) -> None:
    settings = settings_for(f"postgresql://u@127.0.0.1:{free_port()}/x", valkey_url, tmp_path)
    with LiveServer(settings) as server, server.client() as client:
        body = {"email": "a@example.org", "password": f"{CANARY}-password"}
        response = client.post("/api/session", json=body)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "unavailable"
    assert "127.0.0.1" not in response.text


def test_an_exhausted_pool_is_a_problem_to_retry(make_settings: MakeSettings) -> None:
    settings = make_settings(
        DATABASE_POOL_SIZE=1, DATABASE_MAX_OVERFLOW=0, DATABASE_POOL_TIMEOUT_SECONDS=0.1, DATABASE_POOL_PRE_PING=False
    )
    with LiveServer(settings) as server, server.client() as client, transaction(server.app.state.sessions) as session:
        session.connection()
        response = client.post("/api/session", json={"email": "a@example.org", "password": "some-password"})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
