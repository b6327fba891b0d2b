"""scripts/smoke: well against a real web and a real worker, and a sentence that teaches for whatever is wrong."""

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import trustme
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import scripts.smoke
from backend.accounts.models import User
from backend.infra.queue import WORKERS_KEY
from backend.jobs.models import Job
from backend.settings import Settings
from scripts.smoke import main
from scripts.valkey import free_port
from tests.backend.conftest import BUCKET, S3_SECRET, moto_port
from tests.conftest import MakeSettings, make_database
from tests.servers import ROOT, LiveServer, WorkerProcess

__all__ = ["moto_port"]

SHA = "abcd" * 10
PARTNER = "https://pages.example.org"
PASSWORD = "-".join(["c4n4ry", "that", "no", "line", "may", "hold"])
ALL = ["version", "health", "page", "headers", "cors"]
ALL += ["sign-up", "sign-in", "upload", "job", "event", "download", "delete"]

Smoke = Callable[..., "Result"]


class Result:
    """What one run returned and printed."""

    def __init__(self, status: int, out: str) -> None:
        # The servers of these tests log to the same output, one JSON object a line.
        self.out = "\n".join(line for line in out.splitlines() if not line.startswith('{"'))
        self.status = status
        words = [line.split(maxsplit=4) for line in self.out.splitlines() if not line.startswith("smoke: ")]
        self.steps = {line[1]: line[0] for line in words if len(line) > 1}

    def line(self, name: str) -> str:
        return next(line for line in self.out.splitlines() if line.split()[1] == name)


@pytest.fixture
def smoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Smoke:
    """Run the smoke test in this process, impatiently."""
    for name in ("SMOKE_EMAIL", "SMOKE_PASSWORD", "SMOKE_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(url: str, *arguments: str, **environment: str) -> Result:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        status = main([url, "--settle", "0", *arguments])
        captured = capsys.readouterr()
        assert PASSWORD not in captured.out + captured.err
        result = Result(status, captured.out)
        assert "signature" not in result.out.lower()
        return result

    return run


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One kind of database: what is tried here is the way there."""
    return make_database(request, "sqlite", tmp_path)


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Settings of a release with a page, that lets one other origin in."""
    page = tmp_path / "dist"
    page.mkdir()
    (page / "index.html").write_text('<!doctype html><script src="/assets/index-1.js"></script>')
    (page / "assets").mkdir()
    (page / "assets" / "index-1.js").write_text("")
    return make_settings(GIT_SHA=SHA, FRONTEND_DIR=page, ALLOWED_ORIGINS=[PARTNER])


@pytest.fixture
def no_worker(server: LiveServer) -> None:
    server.app.state.queue.redis.delete(WORKERS_KEY)


@pytest.fixture
def account(client: httpx.Client) -> dict[str, str]:
    """The environment that names an account."""
    email = f"smoke-{uuid4().hex}@example.com"
    assert client.post("/api/accounts", json={"email": email, "password": PASSWORD, "name": "S"}).status_code == 201
    return {"SMOKE_EMAIL": email, "SMOKE_PASSWORD": PASSWORD}


@pytest.mark.usefixtures("worker")
def test_a_new_account_goes_all_the_way_and_leaves_nothing(
    server: LiveServer, smoke: Smoke, sessions: sessionmaker[Session]
) -> None:
    result = smoke(server.url, "--expect-sha", SHA[:12], "--origin", PARTNER)
    assert result.status == 0, result.out
    assert result.steps == dict.fromkeys([*ALL, "close"], "ok")
    assert SHA in result.line("version")
    assert "completed, 2 files" in result.line("event")
    assert result.out.splitlines()[-1].startswith(f"smoke: {server.url} is well, ")
    with sessions() as session:
        users = session.scalars(select(User)).all()
        assert all(user.deleted_at is not None for user in users)
        assert all(job.deleted_at is not None for job in session.scalars(select(Job)))


@pytest.mark.usefixtures("worker")
def test_a_smoke_account_keeps_all_but_the_job_that_was_made(
    server: LiveServer, smoke: Smoke, account: dict[str, str], client: httpx.Client, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    result = smoke(server.url, SMOKE_EMAIL=account["SMOKE_EMAIL"], SMOKE_PASSWORD_FILE=str(secret))
    assert result.status == 0, result.out
    assert result.steps == dict.fromkeys([*[name for name in ALL if name != "sign-up"], "sign-out"], "ok")
    credentials = {"email": account["SMOKE_EMAIL"], "password": PASSWORD}
    assert client.post("/api/session", json=credentials).status_code == 200
    assert client.get("/api/jobs").json()["items"] == []


def test_photos_go_through_a_bucket_as_a_browser_sends_them(
    make_settings: MakeSettings, settings: Settings, smoke: Smoke, moto_port: int, tmp_path: Path
) -> None:
    bucket = {"S3_ENDPOINT_URL": f"http://127.0.0.1:{moto_port}", "S3_BUCKET": BUCKET, "S3_ADDRESSING_STYLE": "path"}
    keys = {"S3_ACCESS_KEY_ID": "AKIAKEY", "S3_SECRET_ACCESS_KEY": S3_SECRET}
    outside = make_settings(FRONTEND_DIR=settings.FRONTEND_DIR, **bucket, **keys)
    with LiveServer(outside) as server, WorkerProcess(outside, tmp_path) as worker:
        result = smoke(server.url)
        # A result that comes while the pool stops is never read, and its process waits 30 s for that (billiard).
        worker.kill()
    assert result.status == 0, result.out
    assert f"bytes to http://127.0.0.1:{moto_port}" in result.line("upload")
    assert S3_SECRET not in result.out


@pytest.mark.usefixtures("no_worker")
def test_json_is_one_document(server: LiveServer, smoke: Smoke) -> None:
    result = smoke(server.url, "--json", "--timeout", "1")
    document = json.loads(result.out)
    assert (document["url"], document["ok"], result.status) == (server.url, False, 1)
    assert [step["name"] for step in document["steps"]] == [*ALL, "clean-up", "close"]
    assert {step["status"] for step in document["steps"]} == {"ok", "failed", "skipped"}
    assert all(set(step) == {"name", "status", "ms", "message"} for step in document["steps"])
    event = next(step for step in document["steps"] if step["name"] == "event")
    assert 1000 <= event["ms"] < 5000


@pytest.mark.usefixtures("no_worker")
def test_without_a_worker_it_ends_in_time_and_names_the_worker(
    server: LiveServer, smoke: Smoke, sessions: sessionmaker[Session]
) -> None:
    result = smoke(server.url, "--timeout", "1")
    assert result.status == 1
    failed = {name: word for name, word in result.steps.items() if word != "ok"}
    assert failed == {"health": "FAIL", "event": "FAIL", "download": "skip", "delete": "skip"}
    assert "worker is unavailable, look at the worker process" in result.line("health")
    assert "still waits after 1 s: no worker took it; look at the worker process" in result.line("event")
    assert result.out.splitlines()[-1].startswith(f"smoke: {server.url} FAILED: health, event, ")
    with sessions() as session:
        assert all(user.deleted_at is not None for user in session.scalars(select(User)))


def test_another_release_is_waited_for_and_then_refused(server: LiveServer, smoke: Smoke) -> None:
    started = time.monotonic()
    result = smoke(server.url, "--expect-sha", "fedcba9876543210", "--settle", "1.5")
    assert 1 <= time.monotonic() - started < 5
    assert result.status == 1
    assert result.steps == {"version": "FAIL"} | dict.fromkeys(ALL[1:], "skip")
    assert f"Expected release fedcba9876543210, also after 1.5 s {SHA} answers" in result.line("version")


def test_a_release_that_is_late_is_well(smoke: Smoke) -> None:
    answers = iter(["fedcba9876", SHA, SHA, "fedcba9876"])
    with fake_site({"/api/version": lambda: {"git_sha": next(answers, SHA)}}) as url:
        result = smoke(url, "--expect-sha", SHA, "--settle", "5")
    assert result.steps["version"] == "ok"


def test_headers_that_a_proxy_dropped_or_changed_are_named(smoke: Smoke) -> None:
    headers = {"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN", "referrer-policy": "unsafe-url"}
    with fake_site({"/api/version": lambda: {"git_sha": SHA}}, headers) as url:
        line = smoke(url, "--api-only").line("headers")
    assert line.startswith("FAIL headers ")
    assert "/api/version lacks content-security-policy" in line
    assert "/api/version has x-frame-options: SAMEORIGIN" in line
    assert "x-content-type-options" not in line
    assert "look at the proxy" in line


def test_a_page_that_is_missing_fails_unless_it_is_elsewhere(make_settings: MakeSettings, smoke: Smoke) -> None:
    with LiveServer(make_settings(ENABLE_REGISTRATION=False)) as server:
        assert "answered 404 not_found: Not Found" in smoke(server.url).line("page")
        elsewhere = smoke(server.url, "--api-only").steps
    assert "page" not in elsewhere
    assert elsewhere["headers"] == "ok"


def test_a_page_of_another_build_than_its_scripts_fails(server: LiveServer, settings: Settings, smoke: Smoke) -> None:
    (settings.FRONTEND_DIR / "assets" / "index-1.js").unlink()
    line = smoke(server.url, "--timeout", "0").line("page")
    assert "/assets/index-1.js was to answer 200 and answered 404" in line


def test_closed_registration_asks_for_an_account(make_settings: MakeSettings, smoke: Smoke) -> None:
    with LiveServer(make_settings(ENABLE_REGISTRATION=False)) as server:
        result = smoke(server.url)
    assert result.status == 1
    assert "registration_closed" in result.line("sign-up")
    assert "SMOKE_EMAIL and SMOKE_PASSWORD_FILE" in result.line("sign-up")
    assert result.steps["upload"] == "skip"
    assert "close" not in result.steps


def test_a_wrong_password_is_told_without_it(server: LiveServer, smoke: Smoke, account: dict[str, str]) -> None:
    result = smoke(server.url, **account | {"SMOKE_PASSWORD": f"{PASSWORD}-no-more"})
    assert result.status == 1
    assert "wrong_credentials" in result.line("sign-in")
    assert "Are SMOKE_EMAIL and SMOKE_PASSWORD those of an account" in result.line("sign-in")
    assert "sign-out" not in result.steps


def test_a_password_that_an_answer_repeats_is_not_printed(smoke: Smoke) -> None:
    problem = {"code": "odd", "detail": f"What is {PASSWORD}?\x1b[31m"}
    with fake_site({"/api/version": lambda: {"git_sha": SHA}, "/api/session": lambda: (400, problem)}) as url:
        line = smoke(url, SMOKE_EMAIL="s@example.com", SMOKE_PASSWORD=PASSWORD).line("sign-in")
    assert "odd: What is ***? [31m" in line


def test_an_origin_is_let_in_or_refused_as_expected(server: LiveServer, smoke: Smoke, account: dict[str, str]) -> None:
    wrong = account | {"SMOKE_PASSWORD": PASSWORD[::-1]}
    assert smoke(server.url, "--origin", PARTNER, **wrong).steps["cors"] == "ok"
    line = smoke(server.url, "--origin", PARTNER, "--origin", "https://other.example", **wrong).line("cors")
    assert "FAIL" in line
    assert "Pages of https://other.example were to be let in" in line
    assert "ALLOWED_ORIGINS" in line


def test_a_site_that_lets_every_origin_in_fails(smoke: Smoke) -> None:
    with fake_site({"/api/version": lambda: {"git_sha": SHA}}, {"access-control-allow-origin": "*"}) as url:
        assert "Pages of any origin are let in (*)" in smoke(url).line("cors")


def test_an_unreachable_site_is_said_at_once_and_nothing_else_is_tried(smoke: Smoke) -> None:
    result = smoke(f"http://127.0.0.1:{free_port()}")
    assert result.status == 1
    assert "127.0.0.1 can't be reached" in result.line("version")
    assert result.steps == {"version": "FAIL"} | dict.fromkeys(ALL[1:], "skip")


def test_a_site_that_hangs_ends_in_a_sentence(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts.smoke, "REQUEST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = smoke(f"http://127.0.0.1:{silent.getsockname()[1]}").line("version")
    assert "did not answer within 0.5 s" in line


def test_a_site_that_drips_bytes_ends_too(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts.smoke, "REQUEST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=drip, args=(slow,), daemon=True).start()
        line = smoke(f"http://127.0.0.1:{slow.getsockname()[1]}", "--timeout", "0").line("version")
    assert "No end after 1 s" in line


def drip(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(40):
            time.sleep(0.1)
            try:
                connection.sendall(b".")
            except OSError:
                return


def test_something_else_at_the_address_is_said(smoke: Smoke) -> None:
    with fake_site({"/api/version": lambda: "<html>"}) as url:
        assert "is this the site's address?" in smoke(url).line("version")


def test_tls_is_verified_and_a_private_ca_can_be_named(smoke: Smoke, tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    with fake_site({"/api/version": lambda: {"git_sha": SHA}}, tls=context) as url:
        refused = smoke(url).line("version")
        trusted = smoke(url, "--ca-file", str(tmp_path / "ca.pem"))
    assert "CERTIFICATE_VERIFY_FAILED" in refused
    assert "--ca-file" in refused
    assert trusted.steps["version"] == "ok"
    assert "lacks strict-transport-security" in trusted.line("headers")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ftp://studio.example.com"],
        ["https://studio.example.com/app"],
        [f"https://smoke:{PASSWORD}@studio.example.com"],
        ["http://studio.example.com"],
        ["https://studio.example.com", "--expect-sha", "v1"],
        ["https://studio.example.com", "--expect-sha", ""],
        ["https://studio.example.com", "--timeout", "inf"],
        ["https://studio.example.com", "--ca-file", "/no/such/file"],
    ],
)
def test_wrong_use_ends_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert PASSWORD not in capsys.readouterr().err


@pytest.mark.parametrize(
    "environment",
    [{"SMOKE_EMAIL": "s@example.com"}, {"SMOKE_PASSWORD": PASSWORD}, {"SMOKE_PASSWORD_FILE": "/no/such/file"}],
    ids=lambda environment: next(iter(environment)),
)
def test_half_an_account_is_wrong_use(
    environment: dict[str, str], smoke: Smoke, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        smoke("https://studio.example.com", **environment)
    told = capsys.readouterr().err
    assert "SMOKE_PASSWORD" in told
    assert PASSWORD not in told


def test_it_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "scripts.smoke", f"http://127.0.0.1:{free_port()}", "--settle", "0"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("FAIL version ")


@contextmanager
def fake_site(
    answers: dict[str, Callable[[], Any]], headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve a few documents as JSON, with headers of a proxy's choice; everything else is 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            answer = answers.get(self.path, lambda: (404, {}))()
            status, document = answer if isinstance(answer, tuple) else (200, answer)
            body = (document if isinstance(document, str) else json.dumps(document)).encode()
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    for method in ("POST", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.do_GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"https://localhost:{server.server_port}" if tls else f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
