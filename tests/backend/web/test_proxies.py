"""X-Forwarded-For is only trusted from the proxies in FORWARDED_ALLOW_IPS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import Request

from backend.settings import load_settings
from backend.settings.sources import SettingsError
from scripts.valkey import free_port
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer, web_process

TRUSTED, UNTRUSTED = "127.0.0.1", "127.0.0.2"
CLIENT, FAKE = "203.0.113.7", "198.51.100.66"


async def who_am_i(request: Request) -> dict[str, str]:
    assert request.client is not None
    return {"address": request.client.host, "scheme": request.url.scheme}


@pytest.fixture(scope="module")
def behind_proxies(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run a server that trusts one address and one network."""
    folder = tmp_path_factory.mktemp("proxies")
    database = make_database(request, "sqlite", folder)
    settings = settings_for(database, valkey_url, folder, FORWARDED_ALLOW_IPS=f"{TRUSTED}, 10.0.0.0/8 ")
    server = LiveServer(settings)
    server.app.add_api_route("/who-am-i", who_am_i)
    with server:
        yield server


@contextmanager
def peer(address: str, url: str) -> Iterator[httpx.Client]:
    """Yield a client that connects from the given local address."""
    with httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=address)) as client:
        yield client


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        (CLIENT, CLIENT),
        (f"{FAKE}, {CLIENT}", CLIENT),
        (f"{FAKE}, {CLIENT}, 10.1.2.3", CLIENT),
        (f"{FAKE},{CLIENT},10.1.2.3,10.200.0.1", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        (f"10.1.2.3, {CLIENT}, {TRUSTED}", CLIENT),
        ("", TRUSTED),
    ],
)
def test_the_last_address_that_is_not_a_trusted_proxy_is_the_client(
    forwarded: str, seen: str, behind_proxies: LiveServer
) -> None:
    with peer(TRUSTED, behind_proxies.url) as proxy:
        response = proxy.get("/who-am-i", headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"})
    assert response.json() == {"address": seen, "scheme": "https"}


def test_repeated_headers_are_combined(behind_proxies: LiveServer) -> None:
    with peer(TRUSTED, behind_proxies.url) as proxy:
        lines = [("X-Forwarded-For", FAKE), ("X-Forwarded-For", CLIENT), ("X-Forwarded-For", "10.0.0.1")]
        assert proxy.get("/who-am-i", headers=lines).json()["address"] == CLIENT


@pytest.mark.parametrize("forwarded", [FAKE, TRUSTED, f"{FAKE}, {TRUSTED}", f"{FAKE}, 10.0.0.1"])
def test_headers_of_an_untrusted_client_are_ignored(forwarded: str, behind_proxies: LiveServer) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", "Forwarded": f"for={FAKE}"}
    with peer(UNTRUSTED, behind_proxies.url) as untrusted:
        response = untrusted.get("/who-am-i", headers=headers | {"X-Real-IP": FAKE, "CF-Connecting-IP": FAKE})
    assert response.json() == {"address": UNTRUSTED, "scheme": "http"}


def test_a_fake_address_does_not_raise_the_limit(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path
) -> None:
    database = make_database(request, "sqlite", tmp_path)
    with (
        LiveServer(settings_for(database, valkey_url, tmp_path, RATE_LIMIT_PER_MINUTE=5)) as server,
        peer("127.0.0.3", server.url) as untrusted,
    ):
        responses = [untrusted.get("/api/version", headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(12)]
    # A new minute may start between two of them.
    assert sum(response.status_code == 429 for response in responses) >= 2


def test_gunicorn_trusts_the_proxies_in_the_setting(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path
) -> None:
    database = make_database(request, "sqlite", tmp_path)
    # Without the default 127.0.0.1, so that only the setting can make the test pass.
    overrides = {"PORT": free_port(), "WEB_CONCURRENCY": 1, "FORWARDED_ALLOW_IPS": "127.0.0.4,10.0.0.0/8"}
    settings = settings_for(database, valkey_url, tmp_path, **overrides)
    path = tmp_path / "web.log"
    url = f"http://127.0.0.1:{settings.PORT}"
    with web_process(settings, path):
        for address in ("127.0.0.4", TRUSTED):
            with peer(address, url) as client:
                headers = {"X-Forwarded-For": f"{FAKE}, {CLIENT}, 10.0.0.9"}
                assert client.get(f"/from-{address}", headers=headers).status_code == 404
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    seen = {line["path"]: line["client"] for line in lines if line.get("event") == "request"}
    assert seen["/from-127.0.0.4"] == CLIENT
    assert seen[f"/from-{TRUSTED}"] == TRUSTED


@pytest.mark.parametrize("value", ["*", "10.0.0.1/8", "my-proxy", "127.0.0.1;10.0.0.1", "127.0.0.1,*"])
def test_an_invalid_list_of_addresses_and_networks_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="FORWARDED_ALLOW_IPS"):
        load_settings(FORWARDED_ALLOW_IPS=value)


@pytest.mark.parametrize("everyone", ["*", "0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0"])
def test_a_network_of_all_addresses_is_refused(everyone: str) -> None:
    with pytest.raises(SettingsError, match="lets clients fake their address; set the proxies' networks"):
        load_settings(FORWARDED_ALLOW_IPS=everyone)
