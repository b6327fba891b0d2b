"""Fixtures of backend tests: environment variables, an S3 server, a web server with extra routes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.settings import Settings, load_settings
from tests.backend.web.odd_routes import add_routes
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer

SetEnvironment = Callable[..., None]
BUCKET = "photos"
S3_SECRET = "c4n4ry-of-the-bucket"


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Run the test in an empty folder without settings in the environment. Returns the folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def set_environment(bare_environment: Path, monkeypatch: pytest.MonkeyPatch) -> SetEnvironment:
    """Return a function that sets environment variables. The environment has no other settings."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    """Run a moto server with one S3 bucket, and yield its port."""
    import boto3
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=BUCKET)
    yield port
    server.stop()


def s3_settings(port: int, **overrides: Any) -> Settings:
    """Return settings for an S3 server on a local port."""
    values = {
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "S3_BUCKET": BUCKET,
        "S3_ACCESS_KEY_ID": "AKIAKEY",
        "S3_SECRET_ACCESS_KEY": S3_SECRET,
        "S3_ADDRESSING_STYLE": "path",
    }
    return load_settings(**values | overrides)


@pytest.fixture(scope="module")
def module_server(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run one server with extra routes for all tests of a file. They must not change its state."""
    folder = tmp_path_factory.mktemp("middleware")
    server = LiveServer(settings_for(make_database(request, "sqlite", folder), valkey_url, folder))
    add_routes(server)
    with server:
        yield server


@pytest.fixture
def caller(module_server: LiveServer) -> Iterator[httpx.Client]:
    with module_server.client() as client:
        yield client
