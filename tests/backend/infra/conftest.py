"""Storage fixtures: disk storage behind a live web server, and S3 from moto."""

import shutil
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.infra.storage import Storage
from backend.infra.storage.create import create_storage
from backend.infra.storage.disk import DiskStorage
from backend.infra.storage.s3 import S3Storage
from tests.backend.conftest import s3_settings
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer


@pytest.fixture
def local_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve names such as photos.localhost to 127.0.0.1, as browsers do and the C library does not."""
    resolve = socket.getaddrinfo

    def resolve_localhost(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if str(name).endswith(".localhost") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_localhost)


@pytest.fixture(scope="module")
def disk_server(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run the web application with disk storage."""
    folder = tmp_path_factory.mktemp("disk")
    with LiveServer(settings_for(make_database(request, "sqlite", folder), valkey_url, folder)) as server:
        yield server


@pytest.fixture
def disk(disk_server: LiveServer) -> DiskStorage:
    """Return the empty disk storage of the live web server."""
    storage = disk_server.app.state.storage
    assert isinstance(storage, DiskStorage)
    shutil.rmtree(storage._root, ignore_errors=True)
    storage._root.unlink(missing_ok=True)
    return storage


@pytest.fixture
def s3(moto_port: int) -> S3Storage:
    """Return S3 storage with the bucket in the URL's path."""
    storage = create_storage(s3_settings(moto_port))
    assert isinstance(storage, S3Storage)
    return storage


@pytest.fixture
def virtual_s3(moto_port: int, local_buckets: None) -> Storage:
    """Return S3 storage with the bucket in the URL's host name."""
    return create_storage(
        s3_settings(moto_port, S3_ENDPOINT_URL=f"http://localhost:{moto_port}", S3_ADDRESSING_STYLE="virtual")
    )


@pytest.fixture(params=["disk", "s3", "virtual_s3"])
def any_storage(request: pytest.FixtureRequest) -> Storage:
    """Return each storage in turn, because all must behave the same."""
    storage: Storage = request.getfixturevalue(str(request.param))
    return storage


@pytest.fixture
def browser(request: pytest.FixtureRequest, any_storage: Storage) -> Iterator[httpx.Client]:
    """Yield a client for signed URLs. Those of disk storage are relative to the page."""
    on_disk = isinstance(any_storage, DiskStorage)
    page = request.getfixturevalue("disk_server").url if on_disk else ""
    with httpx.Client(base_url=page) as client:
        yield client
