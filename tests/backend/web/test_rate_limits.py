"""Rate limits in HTTP: keys of callers, counted requests, and the responses of refusals."""

import secrets
import time
from collections.abc import Iterator
from ipaddress import IPv6Address

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from backend.accounts.attempts import count_attempt
from backend.accounts.dependencies import get_current_user
from scripts.valkey import free_port
from tests.actions import PASSWORD, sign_up_and_in
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer

LIMIT, ATTEMPTS = 20, 4
ALLOWED = "https://pages.example.org"
# These need no attempt limit: they require a valid cookie or token, and only end or renew it.
OPEN = {"POST /api/session/refresh", "POST /api/session/token/refresh", "DELETE /api/session"}


@pytest.fixture(scope="module")
def limited(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run a server with low limits."""
    folder = tmp_path_factory.mktemp("limited")
    database = make_database(request, "sqlite", folder)
    limits = {"RATE_LIMIT_PER_MINUTE": LIMIT, "AUTH_RATE_LIMIT_PER_MINUTE": ATTEMPTS, "ALLOWED_ORIGINS": [ALLOWED]}
    with LiveServer(settings_for(database, valkey_url, folder, **limits)) as server:
        yield server


@pytest.fixture(autouse=True)
def _avoid_the_end_of_a_minute() -> None:
    """Wait for a new minute if the current one is about to end, because the counters reset then."""
    left = 60 - time.time() % 60
    if left < 4:
        time.sleep(left)


@pytest.fixture
def caller(limited: LiveServer) -> Iterator[httpx.Client]:
    """Yield a signed-out client with a new address."""
    with limited.client() as client:
        change_address(client)
        yield client


@pytest.fixture
def member(caller: httpx.Client) -> httpx.Client:
    """Return a client signed in as a new user, with a new address."""
    caller.email = sign_up_and_in(caller)["email"]  # type: ignore[attr-defined]
    change_address(caller)
    return caller


def change_address(client: httpx.Client) -> None:
    """Change the client's address, as a trusted proxy would report it."""
    client.headers["X-Forwarded-For"] = str(IPv6Address(secrets.randbits(128)))


def log_in(client: httpx.Client, email: str, password: str = "a wrong password") -> httpx.Response:
    return client.post("/api/session", json={"email": email, "password": password})


def numbers(response: httpx.Response) -> tuple[int, int, int]:
    return tuple(int(response.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))  # type: ignore


def test_every_response_of_the_api_contains_the_remaining_requests(caller: httpx.Client) -> None:
    for used, path in enumerate(("/api/version", "/api/jobs", "/api/nowhere"), start=1):
        limit, remaining, reset = numbers(caller.get(path))
        assert limit == LIMIT
        assert remaining == LIMIT - used
        assert 1 <= reset <= 60
    assert "ratelimit-limit" not in caller.get("/health/live").headers


def test_requests_over_the_limit_get_a_problem_with_retry_after(caller: httpx.Client) -> None:
    responses = [caller.get("/api/version") for _ in range(LIMIT + 1)]
    assert [response.status_code for response in responses] == [200] * LIMIT + [429]
    refused = responses[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-frame-options"] == "DENY"
    assert caller.get("/health/live").status_code == 200


def test_pages_and_files_are_not_counted(caller: httpx.Client) -> None:
    assert {caller.get("/nowhere").status_code for _ in range(LIMIT + 5)} == {404}


def test_an_account_has_one_limit_for_all_its_addresses(member: httpx.Client) -> None:
    used = LIMIT - numbers(member.get("/api/accounts/me"))[1]
    for _ in range(LIMIT - used):
        change_address(member)
        assert member.get("/api/accounts/me").status_code == 200
    change_address(member)
    assert member.get("/api/accounts/me").status_code == 429


def test_accounts_behind_one_address_do_not_share_a_limit(member: httpx.Client, limited: LiveServer) -> None:
    with limited.client() as other:
        change_address(other)
        sign_up_and_in(other)
        other.headers["X-Forwarded-For"] = member.headers["X-Forwarded-For"]
        while member.get("/api/accounts/me").status_code == 200:
            pass
        assert other.get("/api/accounts/me").status_code == 200


@pytest.mark.parametrize("token", ["x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."])
def test_invalid_tokens_are_counted_by_address(token: str, caller: httpx.Client) -> None:
    caller.headers["Authorization"] = f"Bearer {token}"
    first = numbers(caller.get("/api/accounts/me"))[1]
    caller.headers["Authorization"] = f"Bearer {token}y"
    assert numbers(caller.get("/api/accounts/me"))[1] == first - 1


def test_an_ipv6_network_counts_as_one_address(caller: httpx.Client) -> None:
    network = secrets.token_hex(2)
    left = []
    for host in ("::1", "::2", ":ffff:ffff:ffff:ffff"):
        caller.headers["X-Forwarded-For"] = f"2001:db8:{network}:1{host}"
        left.append(numbers(caller.get("/api/version"))[1])
    assert left == [LIMIT - 1, LIMIT - 2, LIMIT - 3]
    caller.headers["X-Forwarded-For"] = f"2001:db8:{network}:2::1"
    assert numbers(caller.get("/api/version"))[1] == LIMIT - 1


def test_ten_result_redirects_count_as_one_request(member: httpx.Client) -> None:
    before = numbers(member.get("/api/jobs"))[1]
    for _ in range(10):
        assert member.get(f"/api/jobs/{'0' * 32}/results/web-320.webp").status_code == 404
    assert numbers(member.get("/api/jobs"))[1] == before - 2


def test_one_address_can_not_try_many_accounts(caller: httpx.Client, member: httpx.Client) -> None:
    responses = [log_in(caller, f"{n}@example.com") for n in range(ATTEMPTS + 1)]
    assert [response.status_code for response in responses] == [401] * ATTEMPTS + [429]
    limit, remaining, _reset = numbers(responses[0])
    assert limit == ATTEMPTS
    assert remaining == ATTEMPTS - 1
    assert responses[-1].json()["code"] == "rate_limited"
    assert 1 <= int(responses[-1].headers["retry-after"]) <= 60


def test_many_addresses_can_not_try_one_account(member: httpx.Client, limited: LiveServer) -> None:
    email = member.email  # type: ignore[attr-defined]
    spellings = [email, email.upper(), f"  {email} ", f"\t{email.title()}"]
    with limited.client() as attacker:
        # Sign-up and login used two of the four attempts.
        for spelling in spellings[:2]:
            change_address(attacker)
            assert log_in(attacker, spelling).status_code == 401
        for spelling in spellings:
            change_address(attacker)
            assert log_in(attacker, spelling, PASSWORD).status_code == 429


@pytest.mark.parametrize(
    "spelling", ["Name <{email}>", "{email}", "{name}@ｅxample.com", "{name}@EXAMPLE.com"], ids=range(4)
)
def test_mails_to_one_address_are_limited_for_all_its_spellings(spelling: str, caller: httpx.Client) -> None:
    name = secrets.token_hex(8)
    for _ in range(ATTEMPTS):
        change_address(caller)
        response = caller.post("/api/accounts/password-reset", json={"email": f"{name}@example.com"})
        assert response.status_code == 202
    change_address(caller)
    given = spelling.format(name=name, email=f"{name}@example.com")
    assert caller.post("/api/accounts/password-reset", json={"email": given}).status_code in (422, 429)


def test_other_media_types_and_the_token_form_share_the_limit(member: httpx.Client, limited: LiveServer) -> None:
    email = member.email  # type: ignore[attr-defined]
    body = f'{{"email": "{email}", "password": "wrong"}}'
    form = {"grant_type": "password", "username": email, "password": "wrong"}
    with limited.client() as attacker:
        for kind in ("application/json", "Application/X+Json"):
            change_address(attacker)
            response = attacker.post("/api/session", content=body, headers={"Content-Type": kind})
            assert response.status_code in (401, 422)
        change_address(attacker)
        assert attacker.post("/api/session/token", data=form).status_code == 429
        assert attacker.post("/api/session/token", data=form, files={"x": b""}).status_code == 429


def test_a_signed_in_user_can_not_try_other_accounts_without_limit(member: httpx.Client, limited: LiveServer) -> None:
    victim = f"{secrets.token_hex(8)}@example.com"
    with limited.client() as other:
        for _ in range(ATTEMPTS):
            change_address(other)
            assert log_in(other, victim).status_code == 401
    assert log_in(member, victim).status_code == 429


def test_reading_the_account_and_refreshing_the_session_are_not_attempts(member: httpx.Client) -> None:
    for _ in range(ATTEMPTS + 2):
        assert member.get("/api/accounts/me").status_code == 200
        assert member.post("/api/session/refresh").status_code == 204


def test_an_invalid_body_is_refused_as_invalid(caller: httpx.Client) -> None:
    for body in (b"", b"[1]", b'{"email": 5}', b"\xff", b"[" * 100_000):
        change_address(caller)
        response = caller.post("/api/session", content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 422, body[:10]


def test_preflights_are_not_counted_and_allowed_origins_can_read_a_refusal(caller: httpx.Client) -> None:
    preflight = {"Origin": ALLOWED, "Access-Control-Request-Method": "POST"}
    for _ in range(LIMIT + 5):
        response = caller.options("/api/session", headers=preflight)
        assert response.status_code == 200
    assert response.headers["x-frame-options"] == "DENY"
    while (response := caller.get("/api/version", headers={"Origin": ALLOWED})).status_code == 200:
        pass
    assert response.headers["access-control-allow-origin"] == ALLOWED
    assert "RateLimit-Reset" in response.headers["access-control-expose-headers"]
    assert caller.options("/api/session", headers=preflight).status_code == 200


def test_every_unsafe_route_without_sign_in_limits_attempts(limited: LiveServer) -> None:
    unlimited = set()
    for context in iter_route_contexts(limited.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and str(context.path).startswith("/api/"):
            called = set(calls_of(route.dependant))
            if count_attempt not in called and get_current_user not in called:
                unlimited |= {f"{method} {context.path}" for method in route.methods - {"GET", "HEAD"}}
    assert unlimited == OPEN, "give the route dependencies=[AttemptLimit]"


def calls_of(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls_of(dependency)


def test_without_valkey_limits_work_and_health_reports_the_fallback(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("alone")
    database = make_database(request, "sqlite", folder)
    limits = {"RATE_LIMIT_PER_MINUTE": LIMIT, "AUTH_RATE_LIMIT_PER_MINUTE": ATTEMPTS}
    settings = settings_for(database, f"redis://127.0.0.1:{free_port()}/0", folder, **limits)
    with LiveServer(settings) as server, server.client() as client:
        assert [log_in(client, "a@example.com").status_code for _ in range(5)] == [401] * ATTEMPTS + [429]
        health = client.get("/health").json()
        assert health["status"] == "degraded"
        assert health["checks"]["rate_limit"] == "fallback"
        assert [client.get("/api/version").status_code for _ in range(LIMIT)][-6:] == [200] + [429] * 5
