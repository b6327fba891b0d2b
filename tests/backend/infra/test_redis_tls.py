"""Valkey over TLS with a private CA: every client refuses a wrong certificate.

The embedded Valkey has no TLS, so a proxy terminates TLS in front of it.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from backend.infra.queue import Queue, create_celery
from backend.infra.redis import connect, connect_async
from backend.settings import Settings, load_settings
from backend.tasks import Task
from tests.backend.infra.proxy import Proxy, target_of

# OpenSSL's X509_V_ERR_… codes
EXPIRED, UNKNOWN_ISSUER, OTHER_HOST = 10, 20, 62
REFUSED = {"wrong_ca": UNKNOWN_ISSUER, "system_ca": UNKNOWN_ISSUER, "wrong_host": OTHER_HOST, "expired": EXPIRED}
Serve = Callable[[str], Settings]


def ping(settings: Settings) -> None:
    connect(settings).ping()


def ping_async(settings: Settings) -> None:
    async def run() -> None:
        client = connect_async(settings)
        try:
            await client.ping()
        finally:
            await client.aclose()

    asyncio.run(run())


def ping_broker(settings: Settings) -> None:
    with create_celery(settings).connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.01, timeout=3)
        connection.default_channel.client.ping()


CLIENTS = [ping, ping_async, ping_broker]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve(ca: trustme.CA, valkey_url: str) -> Iterator[Serve]:
    """Yield a function that serves Valkey with one kind of certificate and returns settings for it."""
    proxies: list[Proxy] = []

    def start(kind: str) -> Settings:
        issuer = trustme.CA() if kind == "wrong_ca" else ca
        expires = datetime.now(UTC) + timedelta(days=-1 if kind == "expired" else 1)
        host = "other.example.org" if kind == "wrong_host" else "localhost"
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        issuer.issue_cert(host, not_after=expires).configure_cert(context)
        proxy = Proxy(target_of(valkey_url), context)
        proxies.append(proxy)
        proxy.__enter__()
        trusted = "" if kind == "system_ca" else pem_of(ca)
        return load_settings(REDIS_URL=f"rediss://localhost:{proxy.port}/0", REDIS_CA_CERT=trusted)

    yield start
    for proxy in proxies:
        proxy.__exit__()


def pem_of(ca: trustme.CA) -> str:
    return ca.cert_pem.bytes().decode()


def verification_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


@pytest.mark.parametrize("client", CLIENTS)
def test_a_valid_certificate_is_accepted(client: Callable[[Settings], None], serve: Serve) -> None:
    client(serve("good"))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", REFUSED)
def test_a_wrong_certificate_is_refused(kind: str, client: Callable[[Settings], None], serve: Serve) -> None:
    settings = serve(kind)
    with pytest.raises((RedisError, KombuError)) as caught:
        client(settings)
    error = verification_error(caught.value)
    assert error is not None, repr(caught.value)
    assert error.verify_code == REFUSED[kind]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["wrong_host", "wrong_ca"])
def test_checks_can_be_disabled_in_development(kind: str, client: Callable[[Settings], None], serve: Serve) -> None:
    checked = serve(kind)
    query = {"wrong_host": "ssl_check_hostname=false", "wrong_ca": "ssl_cert_reqs=none"}[kind]
    url = checked.REDIS_URL.get_secret_value().partition("?")[0]
    client(load_settings(REDIS_URL=f"{url}?{query}", REDIS_CA_CERT=checked.REDIS_CA_CERT))


@pytest.mark.parametrize("client", CLIENTS)
def test_the_ca_can_be_read_from_a_file(
    client: Callable[[Settings], None], ca: trustme.CA, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve("good").REDIS_URL.get_secret_value()
    (tmp_path / "ca.pem").write_text(f"# CA für alle\n{pem_of(ca)}")
    monkeypatch.setenv("REDIS_CA_CERT_FILE", str(tmp_path / "ca.pem"))
    client(load_settings(REDIS_URL=url))


@pytest.mark.parametrize("client", CLIENTS)
def test_the_ca_can_be_set_in_the_url(
    client: Callable[[Settings], None], ca: trustme.CA, serve: Serve, tmp_path: Path
) -> None:
    url = serve("good").REDIS_URL.get_secret_value().partition("?")[0]
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    client(load_settings(REDIS_URL=f"{url}?ssl_ca_certs={tmp_path}/ca.pem"))


@pytest.mark.parametrize("kind", ["good", *REFUSED])
def test_a_task_is_sent_only_to_a_server_with_a_valid_certificate(kind: str, serve: Serve, valkey_url: str) -> None:
    real = Queue(load_settings(REDIS_URL=valkey_url))
    before = real.depth()
    sent = Queue(serve(kind)).send(Task.PROCESS_JOB, "an-id")
    assert sent is (kind == "good")
    assert real.depth() - before == int(sent)
