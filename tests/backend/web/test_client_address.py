"""CLIENT_ADDRESS_HEADER: believed of trusted proxies alone, and only when it is one address."""

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
from tests.backend.web.test_proxies import CLIENT, LIE, TRUSTED, UNTRUSTED, peer, who_am_i
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer, web_process

HEADER = "Do-Connecting-IP"
INGRESS = "192.0.2.9"
FORWARDED = {"X-Forwarded-For": f"{LIE}, {INGRESS}", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def behind_ingress(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server that trusts one address and one network to name the client in a header of their own."""
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
    """Return what the application takes for the client of a request that connects from an address."""
    with peer(address, server.url) as client:
        answer: dict[str, str] = client.get("/who-am-i", headers=[*FORWARDED.items(), *headers]).json()
    return answer


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (CLIENT, CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:0DB8:0:0:0:0:0:7", "2001:db8::7"),
        ("::", "::"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("::ffff:cb00:7107", CLIENT),
        # One of the platform's own, who needs nothing of ours to be believed.
        ("10.1.2.3", "10.1.2.3"),
    ],
)
@pytest.mark.parametrize("name", [HEADER, HEADER.lower(), HEADER.upper()])
def test_a_trusted_proxy_names_the_client(name: str, value: str, address: str, behind_ingress: LiveServer) -> None:
    assert seen(behind_ingress, TRUSTED, [(name, value)]) == {"address": address, "scheme": "https"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"{LIE}, {CLIENT}",
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
def test_what_is_not_one_address_leaves_the_decision_to_x_forwarded_for(value: str, behind_ingress: LiveServer) -> None:
    with peer(TRUSTED, behind_ingress.url) as client:
        headers = httpx.Headers([*FORWARDED.items(), (HEADER, value)], encoding="latin-1")
        assert client.get("/who-am-i", headers=headers).json() == {"address": INGRESS, "scheme": "https"}


@pytest.mark.parametrize("second", [CLIENT, LIE, "", "unknown"])
def test_a_header_that_comes_twice_is_not_believed(second: str, behind_ingress: LiveServer) -> None:
    for values in ([CLIENT, second], [second, CLIENT]):
        assert seen(behind_ingress, TRUSTED, [(HEADER, value) for value in values])["address"] == INGRESS


@pytest.mark.parametrize("name", ["Do_Connecting_IP", "X-Do-Connecting-IP", "Fly-Client-IP", "X-Real-IP"])
def test_another_header_is_not_believed(name: str, behind_ingress: LiveServer) -> None:
    assert seen(behind_ingress, TRUSTED, [(name, LIE)])["address"] == INGRESS


def test_without_either_header_the_proxy_is_the_client(behind_ingress: LiveServer) -> None:
    with peer(TRUSTED, behind_ingress.url) as client:
        assert client.get("/who-am-i").json() == {"address": TRUSTED, "scheme": "http"}


@pytest.mark.parametrize("value", [LIE, TRUSTED, "10.1.2.3", "::1", "unknown", f"{LIE}, {TRUSTED}"])
def test_anybody_else_is_who_he_is(value: str, behind_ingress: LiveServer) -> None:
    mine = {"address": UNTRUSTED, "scheme": "http"}
    assert seen(behind_ingress, UNTRUSTED, [(HEADER, value)]) == mine
    assert seen(behind_ingress, UNTRUSTED, [(HEADER, value), (HEADER, TRUSTED)]) == mine


def test_clients_behind_one_ingress_are_counted_apart(behind_ingress: LiveServer) -> None:
    with peer(TRUSTED, behind_ingress.url) as proxy:
        headers = [FORWARDED | {HEADER: f"203.0.113.{n}"} for n in range(100, 112)]
        answers = [proxy.get("/api/version", headers=header) for header in headers]
    assert {answer.status_code for answer in answers} == {200}


def test_lying_about_the_address_gives_no_more_requests(behind_ingress: LiveServer) -> None:
    with peer("127.0.0.3", behind_ingress.url) as stranger:
        headers = [FORWARDED | {HEADER: f"203.0.113.{n}"} for n in range(200, 212)]
        answers = [stranger.get("/api/version", headers=header) for header in headers]
    # A minute may end between two of them.
    assert sum(answer.status_code == 429 for answer in answers) >= 2


def test_the_processes_of_production_take_the_address_from_the_header(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path
) -> None:
    # The default, 127.0.0.1, is not among them: what holds is the setting.
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
def test_what_is_no_name_of_a_header_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="CLIENT_ADDRESS_HEADER: is not the name of one header"):
        load_settings(CLIENT_ADDRESS_HEADER=name)


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("proxies", ["", " , "])
def test_a_header_that_nobody_is_trusted_to_send_is_refused(
    proxies: str, environment: str, set_environment: SetEnvironment
) -> None:
    set_environment(**GOOD | {"ENVIRONMENT": environment, "CLIENT_ADDRESS_HEADER": HEADER})
    set_environment(FORWARDED_ALLOW_IPS=proxies)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    (problem,) = caught.value.problems
    assert problem.startswith(f"CLIENT_ADDRESS_HEADER: {HEADER} is believed from trusted proxies alone")
    assert "FORWARDED_ALLOW_IPS names none; set it" in problem
    set_environment(FORWARDED_ALLOW_IPS="10.0.0.0/8")
    assert load_settings().CLIENT_ADDRESS_HEADER == HEADER
