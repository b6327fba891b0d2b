"""A real site, an account, and the smoke test run in this process."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from backend.infra.queue import WORKERS_KEY
from backend.settings import Settings
from scripts.smoke import main
from tests.backend.conftest import moto_port
from tests.conftest import MakeSettings, make_database
from tests.scripts.smoke.site import PARTNER, PASSWORD, SHA, Result, Smoke
from tests.servers import LiveServer

__all__ = ["moto_port"]


@pytest.fixture
def smoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Smoke:
    """Run the smoke test in this process with short waits."""
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
    """Use one database: these tests cover the requests, not the database."""
    return make_database(request, "sqlite", tmp_path)


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Settings of a release with a page that allows one other origin."""
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
    """Return environment variables with an account's email and password."""
    email = f"smoke-{uuid4().hex}@example.com"
    assert client.post("/api/accounts", json={"email": email, "password": PASSWORD, "name": "S"}).status_code == 201
    return {"SMOKE_EMAIL": email, "SMOKE_PASSWORD": PASSWORD}
