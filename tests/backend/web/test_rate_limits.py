"""Limits as callers meet them: who is counted together, what counts, and what a refusal says."""

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
# These need no limit of attempts: a stolen cookie is what they end or renew.
OPEN = {"POST /api/session/refresh", "POST /api/session/token/refresh", "DELETE /api/session"}


@pytest.fixture(scope="module")
def limited(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server with low limits."""
    folder = tmp_path_factory.mktemp("limited")
    database = make_database(request, "sqlite", folder)
    limits = {"RATE_LIMIT_PER_MINUTE": LIMIT, "AUTH_RATE_LIMIT_PER_MINUTE": ATTEMPTS, "ALLOWED_ORIGINS": [ALLOWED]}
    with LiveServer(settings_for(database, valkey_url, folder, **limits)) as server:
        yield server


@pytest.fixture(autouse=True)
def _early_in_a_minute() -> None:
    """Requests are counted by the clock's minutes, and no test shall see one end."""
    left = 60 - time.time() % 60
    if left < 4:
        time.sleep(left)


@pytest.fixture
def caller(limited: LiveServer) -> Iterator[httpx.Client]:
    """A client nobody is signed in with, at an address of its own."""
    with limited.client() as client:
        move(client)
        yield client


@pytest.fixture
def member(caller: httpx.Client) -> httpx.Client:
    """A client a new user is signed in with, at an address not used before."""
    caller.email = sign_up_and_in(caller)["email"]  # type: ignore[attr-defined]
    move(caller)
    return caller


def move(client: httpx.Client) -> None:
    """Call from another address from now on, as a trusted proxy tells it."""
    client.headers["X-Forwarded-For"] = str(IPv6Address(secrets.randbits(128)))


def log_in(client: httpx.Client, email: str, password: str = "a wrong password") -> httpx.Response:
    return client.post("/api/session", json={"email": email, "password": password})


def numbers(answer: httpx.Response) -> tuple[int, int, int]:
    return tuple(int(answer.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))  # type: ignore


def test_every_answer_of_the_api_tells_what_is_left(caller: httpx.Client) -> None:
    for used, path in enumerate(("/api/version", "/api/jobs", "/api/nowhere"), start=1):
        limit, remaining, reset = numbers(caller.get(path))
        assert (limit, remaining) == (LIMIT, LIMIT - used)
        assert 1 <= reset <= 60
    assert "ratelimit-limit" not in caller.get("/health/live").headers


def test_over_the_limit_the_answer_is_a_problem_that_says_when_to_come_back(caller: httpx.Client) -> None:
    answers = [caller.get("/api/version") for _ in range(LIMIT + 1)]
    assert [answer.status_code for answer in answers] == [200] * LIMIT + [429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-frame-options"] == "DENY"
    assert caller.get("/health/live").status_code == 200


def test_pages_and_files_are_not_counted(caller: httpx.Client) -> None:
    assert {caller.get("/nowhere").status_code for _ in range(LIMIT + 5)} == {404}


def test_an_account_has_one_limit_wherever_it_is_used_from(member: httpx.Client) -> None:
    used = LIMIT - numbers(member.get("/api/accounts/me"))[1]
    for _ in range(LIMIT - used):
        move(member)
        assert member.get("/api/accounts/me").status_code == 200
    move(member)
    assert member.get("/api/accounts/me").status_code == 429


def test_accounts_behind_one_address_do_not_share_a_limit(member: httpx.Client, limited: LiveServer) -> None:
    with limited.client() as other:
        move(other)
        sign_up_and_in(other)
        other.headers["X-Forwarded-For"] = member.headers["X-Forwarded-For"]
        while member.get("/api/accounts/me").status_code == 200:
            pass
        assert other.get("/api/accounts/me").status_code == 200


@pytest.mark.parametrize("token", ["x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."])
def test_an_invented_token_is_no_account_of_its_own(token: str, caller: httpx.Client) -> None:
    caller.headers["Authorization"] = f"Bearer {token}"
    first = numbers(caller.get("/api/accounts/me"))[1]
    caller.headers["Authorization"] = f"Bearer {token}y"
    assert numbers(caller.get("/api/accounts/me"))[1] == first - 1


def test_one_network_of_ipv6_is_one_address(caller: httpx.Client) -> None:
    network = secrets.token_hex(2)
    left = []
    for host in ("::1", "::2", ":ffff:ffff:ffff:ffff"):
        caller.headers["X-Forwarded-For"] = f"2001:db8:{network}:1{host}"
        left.append(numbers(caller.get("/api/version"))[1])
    assert left == [LIMIT - 1, LIMIT - 2, LIMIT - 3]
    caller.headers["X-Forwarded-For"] = f"2001:db8:{network}:2::1"
    assert numbers(caller.get("/api/version"))[1] == LIMIT - 1


def test_ten_pictures_count_as_one_request(member: httpx.Client) -> None:
    before = numbers(member.get("/api/jobs"))[1]
    for _ in range(10):
        assert member.get(f"/api/jobs/{'0' * 32}/results/web-320.webp").status_code == 404
    assert numbers(member.get("/api/jobs"))[1] == before - 2


def test_one_address_can_not_try_many_accounts(caller: httpx.Client, member: httpx.Client) -> None:
    answers = [log_in(caller, f"{n}@example.com") for n in range(ATTEMPTS + 1)]
    assert [answer.status_code for answer in answers] == [401] * ATTEMPTS + [429]
    assert numbers(answers[0])[:2] == (ATTEMPTS, ATTEMPTS - 1)
    assert answers[-1].json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_many_addresses_can_not_try_one_account(member: httpx.Client, limited: LiveServer) -> None:
    email = member.email  # type: ignore[attr-defined]
    spellings = [email, email.upper(), f"  {email} ", f"\t{email.title()}"]
    with limited.client() as thief:
        # Signing up and in took two of the four.
        for spelling in spellings[:2]:
            move(thief)
            assert log_in(thief, spelling).status_code == 401
        for spelling in spellings:
            move(thief)
            assert log_in(thief, spelling, PASSWORD).status_code == 429


@pytest.mark.parametrize(
    "spelling", ["Somebody <{email}>", "{email}", "{name}@ｅxample.com", "{name}@EXAMPLE.com"], ids=range(4)
)
def test_mail_to_one_address_is_limited_however_it_is_spelled(spelling: str, caller: httpx.Client) -> None:
    name = secrets.token_hex(8)
    for _ in range(ATTEMPTS):
        move(caller)
        answer = caller.post("/api/accounts/password-reset", json={"email": f"{name}@example.com"})
        assert answer.status_code == 202
    move(caller)
    given = spelling.format(name=name, email=f"{name}@example.com")
    assert caller.post("/api/accounts/password-reset", json={"email": given}).status_code in (422, 429)


def test_another_media_type_or_the_form_of_api_clients_gives_no_more_attempts(
    member: httpx.Client, limited: LiveServer
) -> None:
    email = member.email  # type: ignore[attr-defined]
    body = f'{{"email": "{email}", "password": "wrong"}}'
    form = {"grant_type": "password", "username": email, "password": "wrong"}
    with limited.client() as thief:
        for kind in ("application/json", "Application/X+Json"):
            move(thief)
            answer = thief.post("/api/session", content=body, headers={"Content-Type": kind})
            assert answer.status_code in (401, 422)
        move(thief)
        assert thief.post("/api/session/token", data=form).status_code == 429
        assert thief.post("/api/session/token", data=form, files={"x": b""}).status_code == 429


def test_whoever_is_signed_in_can_not_try_other_accounts_freely(member: httpx.Client, limited: LiveServer) -> None:
    victim = f"{secrets.token_hex(8)}@example.com"
    with limited.client() as other:
        for _ in range(ATTEMPTS):
            move(other)
            assert log_in(other, victim).status_code == 401
    assert log_in(member, victim).status_code == 429


def test_reading_the_account_and_refreshing_the_session_are_no_attempts(member: httpx.Client) -> None:
    for _ in range(ATTEMPTS + 2):
        assert member.get("/api/accounts/me").status_code == 200
        assert member.post("/api/session/refresh").status_code == 204


def test_a_body_that_is_no_document_is_refused_as_such(caller: httpx.Client) -> None:
    for body in (b"", b"[1]", b'{"email": 5}', b"\xff", b"[" * 100_000):
        move(caller)
        answer = caller.post("/api/session", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body[:10]


def test_preflights_are_not_counted_and_a_refusal_can_be_read_by_an_allowed_page(caller: httpx.Client) -> None:
    asked = {"Origin": ALLOWED, "Access-Control-Request-Method": "POST"}
    for _ in range(LIMIT + 5):
        answer = caller.options("/api/session", headers=asked)
        assert answer.status_code == 200
    assert answer.headers["x-frame-options"] == "DENY"
    while (answer := caller.get("/api/version", headers={"Origin": ALLOWED})).status_code == 200:
        pass
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert "RateLimit-Reset" in answer.headers["access-control-expose-headers"]
    assert caller.options("/api/session", headers=asked).status_code == 200


def test_every_route_that_changes_something_for_a_stranger_limits_attempts(limited: LiveServer) -> None:
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


def test_without_valkey_limits_hold_and_health_says_how(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("alone")
    database = make_database(request, "sqlite", folder)
    limits = {"RATE_LIMIT_PER_MINUTE": LIMIT, "AUTH_RATE_LIMIT_PER_MINUTE": ATTEMPTS}
    settings = settings_for(database, f"redis://127.0.0.1:{free_port()}/0", folder, **limits)
    with LiveServer(settings) as server, server.client() as client:
        assert [log_in(client, "a@example.com").status_code for _ in range(5)] == [401] * ATTEMPTS + [429]
        health = client.get("/health").json()
        assert (health["status"], health["checks"]["rate_limit"]) == ("degraded", "fallback")
        assert [client.get("/api/version").status_code for _ in range(LIMIT)][-6:] == [200] + [429] * 5
