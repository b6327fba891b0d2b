"""/health, /health/live, /health/ready and /api/version while external systems work, are unavailable, or hang."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from backend import __version__
from backend.infra import schema
from backend.infra.queue import WORKERS_KEY
from backend.infra.schema import known_revisions
from backend.settings import Settings
from backend.web import health
from scripts.valkey import free_port
from tests.backend.conftest import s3_settings
from tests.backend.infra.proxy import Proxy
from tests.conftest import MakeSettings, make_database, settings_for
from tests.servers import LiveServer
from tests.time_limits import scaled


@pytest.fixture
def no_worker(server: LiveServer) -> Iterator[None]:
    """Remove the heartbeats of workers from other tests."""
    server.app.state.queue.redis.delete(WORKERS_KEY)
    yield
    server.app.state.queue.redis.delete(WORKERS_KEY)


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return make_database(request, "sqlite", tmp_path)


def health_of(settings: Settings) -> tuple[int, dict[str, str]]:
    """Return /health's status code, and its status and checks in one dict."""
    with LiveServer(settings) as server, server.client() as client:
        response = client.get("/health")
        document = response.json()
        assert document["status"] in ("ok", "degraded", "unavailable")
        return response.status_code, {"status": document["status"], **document["checks"]}


@pytest.mark.usefixtures("no_worker")
def test_health_is_ok_when_all_systems_are_available(server: LiveServer, client: httpx.Client) -> None:
    server.app.state.queue.announce_worker("a-worker")
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "version": __version__,
        "git_sha": "development",
        "checks": {"database": "ok", "valkey": "ok", "storage": "ok", "worker": "ok", "rate_limit": "ok"},
    }


@pytest.mark.usefixtures("no_worker")
def test_without_a_worker_health_is_degraded(client: httpx.Client) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["worker"] == "unavailable"
    assert response.json()["checks"]["valkey"] == "ok"


def test_without_valkey_health_is_degraded_and_requests_are_served(make_settings: MakeSettings) -> None:
    with (
        LiveServer(make_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")) as server,
        server.client() as client,
    ):
        response = client.get("/health")
        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
        assert response.json()["checks"] == {
            "database": "ok",
            "valkey": "unavailable",
            "storage": "ok",
            "worker": "unavailable",
            "rate_limit": "fallback",
        }
        assert client.get("/health/ready").status_code == 200


def test_without_storage_health_is_degraded(sqlite_url: str, valkey_url: str, tmp_path: Path) -> None:
    unreachable = s3_settings(free_port())
    options = {name: getattr(unreachable, name) for name in unreachable.model_fields_set if name.startswith("S3_")}
    status, values = health_of(settings_for(sqlite_url, valkey_url, tmp_path, **options))
    assert status == 200
    assert values["status"] == "degraded"
    assert values["storage"] == "unavailable"


@pytest.mark.parametrize("url", ["postgresql://u@127.0.0.1:{port}/x", "sqlite:////no/such/folder/x.db"])
def test_without_the_database_health_is_unavailable(url: str, valkey_url: str, tmp_path: Path) -> None:
    settings = settings_for(url.format(port=free_port()), valkey_url, tmp_path)
    with LiveServer(settings) as server, server.client() as client:
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json()["status"] == "unavailable"
        assert response.json()["checks"]["database"] == "unavailable"
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["code"] == "not_ready"
        assert ready.headers["retry-after"] == "5"
        assert client.get("/health/live").json() == {"status": "ok"}


def test_health_responds_within_seconds_while_all_systems_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.CHECK_SECONDS <= 3
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.5)
    with Proxy(None) as blackhole:
        unreachable = s3_settings(blackhole.port)
        options = {name: getattr(unreachable, name) for name in unreachable.model_fields_set if name.startswith("S3_")}
        settings = settings_for(
            f"postgresql://u@127.0.0.1:{blackhole.port}/x", f"redis://127.0.0.1:{blackhole.port}/0", tmp_path, **options
        )
        with LiveServer(settings) as server, server.client() as client:
            for _ in range(2):
                started = time.monotonic()
                response = client.get("/health")
                assert time.monotonic() - started < scaled(2)
                assert response.status_code == 503
                checks = response.json()["checks"]
                assert checks.pop("rate_limit") != "ok"
                assert set(checks.values()) == {"unavailable"}
            # With the checks it would take 5 s, the time limit of a connection to the database.
            monkeypatch.setattr(health, "CHECK_SECONDS", 60)
            started = time.monotonic()
            assert client.get("/health/live").status_code == 200
            assert time.monotonic() - started < scaled(2)


def test_storage_is_not_checked_on_every_request(
    sqlite_url: str, valkey_url: str, tmp_path: Path, moto_port: int
) -> None:
    with Proxy(("127.0.0.1", moto_port)) as counted:
        unreachable = s3_settings(counted.port)
        options = {name: getattr(unreachable, name) for name in unreachable.model_fields_set if name.startswith("S3_")}
        with LiveServer(settings_for(sqlite_url, valkey_url, tmp_path, **options)) as server, server.client() as client:
            for _ in range(3):
                assert client.get("/health").json()["checks"]["storage"] == "ok"
                counted.cut()
        assert counted.connections == 1


def test_ready_when_the_schema_matches_the_code(client: httpx.Client) -> None:
    assert client.get("/health/ready").json() == {"status": "ok"}


def test_ready_when_the_schema_is_newer_than_the_code(client: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize("statement", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"])
def test_not_ready_without_a_schema(statement: str, client: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert "python -m backend migrate" in response.json()["detail"]
    assert client.get("/health").status_code == 200


def test_not_ready_when_the_schema_is_older_than_the_code(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "versions").mkdir()
    for name in (f"{known_revisions()[-1]}_newest.py", "9999_next.py"):
        (tmp_path / "versions" / name).write_text("")
    monkeypatch.setattr(schema, "MIGRATIONS", tmp_path)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert "older than this code" in response.json()["detail"]


def test_health_needs_no_lock_on_the_database(client: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
        started = time.monotonic()
        assert client.get("/health").json()["checks"]["database"] == "ok"
        assert client.get("/health/ready").status_code == 200
        assert time.monotonic() - started < scaled(2)


def test_the_version_contains_the_commit(make_settings: MakeSettings) -> None:
    with LiveServer(make_settings(GIT_SHA="abc123")) as server, server.client() as client:
        assert client.get("/api/version").json() == {"version": __version__, "git_sha": "abc123"}
        assert client.get("/health").json()["git_sha"] == "abc123"
