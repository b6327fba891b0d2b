"""Whose word about a client's address is believed: that of the proxies in FORWARDED_ALLOW_IPS, and nobody's else."""

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
CLIENT, LIE = "203.0.113.7", "198.51.100.66"


async def who_am_i(request: Request) -> dict[str, str]:
    assert request.client is not None
    return {"address": request.client.host, "scheme": request.url.scheme}


@pytest.fixture(scope="module")
def behind_proxies(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server that trusts one address and one network."""
    folder = tmp_path_factory.mktemp("proxies")
    database = make_database(request, "sqlite", folder)
    settings = settings_for(database, valkey_url, folder, FORWARDED_ALLOW_IPS=f"{TRUSTED}, 10.0.0.0/8 ")
    server = LiveServer(settings)
    server.app.add_api_route("/who-am-i", who_am_i)
    with server:
        yield server


@contextmanager
def peer(address: str, url: str) -> Iterator[httpx.Client]:
    """A client whose connections come from an address of this machine."""
    with httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=address)) as client:
        yield client


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        (CLIENT, CLIENT),
        (f"{LIE}, {CLIENT}", CLIENT),
        (f"{LIE}, {CLIENT}, 10.1.2.3", CLIENT),
        (f"{LIE},{CLIENT},10.1.2.3,10.200.0.1", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        (f"10.1.2.3, {CLIENT}, {TRUSTED}", CLIENT),
        ("", TRUSTED),
    ],
)
def test_behind_trusted_proxies_the_last_address_that_is_none_of_theirs_counts(
    forwarded: str, seen: str, behind_proxies: LiveServer
) -> None:
    with peer(TRUSTED, behind_proxies.url) as proxy:
        answer = proxy.get("/who-am-i", headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"})
    assert answer.json() == {"address": seen, "scheme": "https"}


def test_several_lines_of_the_header_are_read_as_one(behind_proxies: LiveServer) -> None:
    with peer(TRUSTED, behind_proxies.url) as proxy:
        lines = [("X-Forwarded-For", LIE), ("X-Forwarded-For", CLIENT), ("X-Forwarded-For", "10.0.0.1")]
        assert proxy.get("/who-am-i", headers=lines).json()["address"] == CLIENT


@pytest.mark.parametrize("forwarded", [LIE, TRUSTED, f"{LIE}, {TRUSTED}", f"{LIE}, 10.0.0.1"])
def test_anybody_else_is_who_he_is(forwarded: str, behind_proxies: LiveServer) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", "Forwarded": f"for={LIE}"}
    with peer(UNTRUSTED, behind_proxies.url) as stranger:
        answer = stranger.get("/who-am-i", headers=headers | {"X-Real-IP": LIE, "CF-Connecting-IP": LIE})
    assert answer.json() == {"address": UNTRUSTED, "scheme": "http"}


def test_lying_about_the_address_gives_no_more_requests(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path
) -> None:
    database = make_database(request, "sqlite", tmp_path)
    with (
        LiveServer(settings_for(database, valkey_url, tmp_path, RATE_LIMIT_PER_MINUTE=5)) as server,
        peer("127.0.0.3", server.url) as stranger,
    ):
        answers = [stranger.get("/api/version", headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(12)]
    # A minute may end between two of them.
    assert sum(answer.status_code == 429 for answer in answers) >= 2


def test_the_processes_of_production_trust_whom_the_setting_names(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path
) -> None:
    database = make_database(request, "sqlite", tmp_path)
    # The default, 127.0.0.1, is not among them: what holds is the setting.
    overrides = {"PORT": free_port(), "WEB_CONCURRENCY": 1, "FORWARDED_ALLOW_IPS": "127.0.0.4,10.0.0.0/8"}
    settings = settings_for(database, valkey_url, tmp_path, **overrides)
    path = tmp_path / "web.log"
    url = f"http://127.0.0.1:{settings.PORT}"
    with web_process(settings, path):
        for address in ("127.0.0.4", TRUSTED):
            with peer(address, url) as client:
                headers = {"X-Forwarded-For": f"{LIE}, {CLIENT}, 10.0.0.9"}
                assert client.get(f"/from-{address}", headers=headers).status_code == 404
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    seen = {line["path"]: line["client"] for line in lines if line.get("event") == "request"}
    assert seen["/from-127.0.0.4"] == CLIENT
    assert seen[f"/from-{TRUSTED}"] == TRUSTED


@pytest.mark.parametrize("value", ["*", "10.0.0.1/8", "my-proxy", "127.0.0.1;10.0.0.1", "127.0.0.1,*"])
def test_what_is_no_list_of_addresses_and_networks_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="FORWARDED_ALLOW_IPS"):
        load_settings(FORWARDED_ALLOW_IPS=value)


@pytest.mark.parametrize("everybody", ["*", "0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0"])
def test_the_whole_world_is_no_proxy(everybody: str) -> None:
    with pytest.raises(SettingsError, match="lets clients choose their address; name the proxies' networks"):
        load_settings(FORWARDED_ALLOW_IPS=everybody)
