"""Cross-origin requests: which origins may send unsafe requests, and which may read responses."""

from collections.abc import Iterator

import httpx
import pytest

from tests.backend.web.odd_routes import add_routes
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer

ALLOWED = "https://pages.example.org"
PUBLIC = "https://shop.example.org"
EVIL = "https://evil.example.org"
OWN = "http://{host}"
COOKIE = {"Cookie": "access=x"}


@pytest.fixture(scope="module")
def origin_server(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run a server that allows one other origin."""
    folder = tmp_path_factory.mktemp("origins")
    database = make_database(request, "sqlite", folder)
    server = LiveServer(settings_for(database, valkey_url, folder, ALLOWED_ORIGINS=[ALLOWED], PUBLIC_URL=PUBLIC))
    add_routes(server)
    with server:
        yield server


@pytest.fixture
def caller(origin_server: LiveServer) -> Iterator[httpx.Client]:
    with origin_server.client() as client:
        yield client


REFUSED = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
    {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.shop.example.org"},
    {"Sec-Fetch-Site": "something-new"},
    {"Sec-Fetch-Site": ""},
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": f"{ALLOWED}.evil.example.org"},
    {"Origin": "http://pages.example.org"},
    {"Origin": f"{OWN}.evil.example.org"},
    {"Origin": "http://["},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site", "Authorization": "Basic dTpw"},
]
ACCEPTED = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": OWN},
    {"Sec-Fetch-Site": "cross-site", "Origin": ALLOWED},
    {"Origin": ALLOWED},
    {"Origin": PUBLIC},
    {"Origin": OWN},
    {},
    {"Sec-Fetch-Site": "cross-site", "Origin": EVIL, "Authorization": "Bearer x"},
]


def resolved(headers: dict[str, str], client: httpx.Client) -> dict[str, str]:
    host = f"{client.base_url.host}:{client.base_url.port}"
    return {name: value.format(host=host) for name, value in headers.items()}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_another_origin_may_not_send_unsafe_requests_with_cookies(
    headers: dict[str, str], method: str, caller: httpx.Client
) -> None:
    response = caller.request(method, "/api/take", headers=resolved(headers, caller) | COOKIE)
    assert response.status_code == 403
    assert response.json()["code"] == "cross_origin"


@pytest.mark.parametrize("headers", ACCEPTED, ids=str)
def test_own_and_allowed_origins_may_send_unsafe_requests(headers: dict[str, str], caller: httpx.Client) -> None:
    assert caller.post("/api/take", json={}, headers=resolved(headers, caller) | COOKIE).status_code == 200


@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_safe_requests_are_allowed_from_every_origin(headers: dict[str, str], caller: httpx.Client) -> None:
    assert caller.get("/page", headers=resolved(headers, caller) | COOKIE).status_code == 200


@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_another_origin_needs_no_cookies_to_be_refused(headers: dict[str, str], caller: httpx.Client) -> None:
    """Login CSRF needs no cookie."""
    assert caller.post("/api/take", json={}, headers=resolved(headers, caller)).status_code == 403


def preflight(caller: httpx.Client, origin: str, method: str = "POST") -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return caller.options(
        "/api/take", headers=headers | {"Access-Control-Request-Headers": "content-type,idempotency-key"}
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_preflight_of_an_allowed_origin_is_accepted(method: str, caller: httpx.Client) -> None:
    response = preflight(caller, ALLOWED, method)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ALLOWED
    assert response.headers["access-control-allow-credentials"] == "true"
    assert method in response.headers["access-control-allow-methods"]
    assert "Idempotency-Key" in response.headers["access-control-allow-headers"]
    assert response.headers["x-request-id"]
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("origin", [EVIL, "null", PUBLIC.replace("https", "http"), f"{ALLOWED}:8443"])
def test_a_preflight_of_another_origin_is_refused(origin: str, caller: httpx.Client) -> None:
    response = preflight(caller, origin)
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/api/version", "/api/nowhere", "/api/fail", "/api/jobs"])
def test_an_allowed_origin_can_read_every_response_including_errors(path: str, caller: httpx.Client) -> None:
    response = caller.get(path, headers={"Origin": ALLOWED})
    assert response.headers["access-control-allow-origin"] == ALLOWED
    assert response.headers["access-control-expose-headers"].startswith("X-Request-ID, Retry-After, RateLimit-Limit, ")
    assert "Origin" in response.headers["vary"]
    assert "access-control-allow-origin" not in caller.get(path, headers={"Origin": EVIL}).headers


def test_without_allowed_origins_cors_is_disabled(client: httpx.Client) -> None:
    assert client.options("/api/version", headers={"Origin": ALLOWED}).status_code == 405
    assert "access-control-allow-origin" not in client.get("/api/version", headers={"Origin": ALLOWED}).headers
