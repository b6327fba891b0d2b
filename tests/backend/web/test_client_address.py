"""CLIENT_ADDRESS_HEADER is only used if a trusted proxy sends it and it is one address."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.settings import load_settings
from backend.settings.sources import SettingsError
from scripts.valkey import free_port
from tests.backend.conftest import SetEnvironment
from tests.backend.settings.test_production import GOOD
from tests.backend.web.test_proxies import CLIENT, FAKE, TRUSTED, UNTRUSTED, peer, who_am_i
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer, web_process

HEADER = "Do-Connecting-IP"
INGRESS = "192.0.2.9"
FORWARDED = {"X-Forwarded-For": f"{FAKE}, {INGRESS}", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def behind_ingress(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run a server that reads the client's address from a header of one trusted address and one trusted network."""
    folder = tmp_path_factory.mktemp("ingress")
    settings = settings_for(
        make_database(request, "sqlite", folder),
        valkey_url,
        folder,
        FORWARDED_ALLOW_IPS=f"{TRUSTED},10.0.0.0/8",
        CLIENT_ADDRESS_HEADER=HEADER,
        RATE_LIMIT_PER_MINUTE=5,
    )
    server = LiveServer(settings)
    server.app.add_api_route("/who-am-i", who_am_i)
    with server:
        yield server


def seen(server: LiveServer, address: str, headers: list[tuple[str, str]]) -> dict[str, str]:
    """Return the client address that the application uses for a connection from `address`."""
    with peer(address, server.url) as client:
        response: dict[str, str] = client.get("/who-am-i", headers=[*FORWARDED.items(), *headers]).json()
    return response


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (CLIENT, CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:0DB8:0:0:0:0:0:7", "2001:db8::7"),
        ("::", "::"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("::ffff:cb00:7107", CLIENT),
        # An address in the trusted network.
        ("10.1.2.3", "10.1.2.3"),
    ],
)
@pytest.mark.parametrize("name", [HEADER, HEADER.lower(), HEADER.upper()])
def test_a_trusted_proxy_sets_the_client_address(
    name: str, value: str, address: str, behind_ingress: LiveServer
) -> None:
    assert seen(behind_ingress, TRUSTED, [(name, value)]) == {"address": address, "scheme": "https"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"{FAKE}, {CLIENT}",
        f"{CLIENT},",
        f"{CLIENT}:4711",
        f"{CLIENT}/32",
        "[2001:db8::7]",
        "fe80::1%eth0",
        "fe80::1%<script>",
        "2001:db8::7::",
        "203.0.113.256",
        "203.0.113.07",
        "203.0.113",
        "3405803783",
        "0xcb.0.113.7",
        "unknown",
        "localhost",
        "null",
        "1" * 5000,
        "\xb2\xb9.0.113.7",
        "1234",
    ],
)
def test_an_invalid_address_falls_back_to_x_forwarded_for(value: str, behind_ingress: LiveServer) -> None:
    with peer(TRUSTED, behind_ingress.url) as client:
        headers = httpx.Headers([*FORWARDED.items(), (HEADER, value)], encoding="latin-1")
        assert client.get("/who-am-i", headers=headers).json() == {"address": INGRESS, "scheme": "https"}


@pytest.mark.parametrize("second", [CLIENT, FAKE, "", "unknown"])
def test_a_repeated_header_is_ignored(second: str, behind_ingress: LiveServer) -> None:
    for values in ([CLIENT, second], [second, CLIENT]):
        assert seen(behind_ingress, TRUSTED, [(HEADER, value) for value in values])["address"] == INGRESS


@pytest.mark.parametrize("name", ["Do_Connecting_IP", "X-Do-Connecting-IP", "Fly-Client-IP", "X-Real-IP"])
def test_other_headers_are_ignored(name: str, behind_ingress: LiveServer) -> None:
    assert seen(behind_ingress, TRUSTED, [(name, FAKE)])["address"] == INGRESS


def test_without_either_header_the_proxy_is_the_client(behind_ingress: LiveServer) -> None:
    with peer(TRUSTED, behind_ingress.url) as client:
        assert client.get("/who-am-i").json() == {"address": TRUSTED, "scheme": "http"}


@pytest.mark.parametrize("value", [FAKE, TRUSTED, "10.1.2.3", "::1", "unknown", f"{FAKE}, {TRUSTED}"])
def test_headers_of_an_untrusted_client_are_ignored(value: str, behind_ingress: LiveServer) -> None:
    expected = {"address": UNTRUSTED, "scheme": "http"}
    assert seen(behind_ingress, UNTRUSTED, [(HEADER, value)]) == expected
    assert seen(behind_ingress, UNTRUSTED, [(HEADER, value), (HEADER, TRUSTED)]) == expected


def test_clients_behind_one_ingress_are_counted_separately(behind_ingress: LiveServer) -> None:
    with peer(TRUSTED, behind_ingress.url) as proxy:
        headers = [FORWARDED | {HEADER: f"203.0.113.{n}"} for n in range(100, 112)]
        responses = [proxy.get("/api/version", headers=header) for header in headers]
    assert {response.status_code for response in responses} == {200}


def test_a_fake_address_does_not_raise_the_limit(behind_ingress: LiveServer) -> None:
    with peer("127.0.0.3", behind_ingress.url) as untrusted:
        headers = [FORWARDED | {HEADER: f"203.0.113.{n}"} for n in range(200, 212)]
        responses = [untrusted.get("/api/version", headers=header) for header in headers]
    # A new minute may start between two of them.
    assert sum(response.status_code == 429 for response in responses) >= 2


def test_gunicorn_reads_the_address_from_the_header(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path
) -> None:
    # Without the default 127.0.0.1, so that only the setting can make the test pass.
    overrides = {"FORWARDED_ALLOW_IPS": "127.0.0.4", "CLIENT_ADDRESS_HEADER": HEADER}
    database = make_database(request, "sqlite", tmp_path)
    settings = settings_for(database, valkey_url, tmp_path, PORT=free_port(), WEB_CONCURRENCY=1, **overrides)
    path = tmp_path / "web.log"
    with web_process(settings, path):
        for address in ("127.0.0.4", TRUSTED):
            with peer(address, f"http://127.0.0.1:{settings.PORT}") as client:
                client.get(f"/from-{address}", headers=FORWARDED | {HEADER: CLIENT})
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    clients = {line["path"]: line["client"] for line in lines if line.get("event") == "request"}
    assert clients == {"/from-127.0.0.4": CLIENT, f"/from-{TRUSTED}": TRUSTED}


@pytest.mark.parametrize("name", ["Fly Client IP", "Fly-Client-IP:", "a,b", "ü-address", "a\nb", '"a"', " a"])
def test_an_invalid_header_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="CLIENT_ADDRESS_HEADER: is not a header name"):
        load_settings(CLIENT_ADDRESS_HEADER=name)


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("proxies", ["", " , "])
def test_a_header_without_trusted_proxies_is_refused(
    proxies: str, environment: str, set_environment: SetEnvironment
) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment, "CLIENT_ADDRESS_HEADER": HEADER})
    set_environment(FORWARDED_ALLOW_IPS=proxies)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    (problem,) = caught.value.problems
    assert problem.startswith(f"CLIENT_ADDRESS_HEADER: {HEADER} is only trusted from proxies")
    assert "FORWARDED_ALLOW_IPS is not set; set it" in problem
    set_environment(FORWARDED_ALLOW_IPS="10.0.0.0/8")
    assert load_settings().CLIENT_ADDRESS_HEADER == HEADER
