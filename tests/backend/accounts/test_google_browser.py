"""A sign-in with Google belongs to the browser that began it, works once, and ends on this site."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from backend.accounts.google_transaction import local_path
from tests.backend.accounts.google_flow import CALLBACK, OddProvider, call_back, refused, start
from tests.conftest import TEST_SECRET, MakeSettings
from tests.servers import LiveServer

OUTSIDE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https://evil.example",
    "HTTPS:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/@evil.example",
    ".evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/jobs/..//evil.example",
    "/jobs//evil.example",
    "/%2f%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/%252fevil.example",
    "%2f%2fevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%09/evil.example",
    "/jobs\r\nSet-Cookie: access=evil",
    "/jobs%0d%0aSet-Cookie: access=evil",
    "/jobs?next=//evil.example",
    "/jobs\n",
    "/jobs#//evil",
    "/\x00",
    "/\u2028/evil.example",
    "/\uff0fevil.example",
    " //evil.example",
    "/ /evil.example",
    "",
    "?x",
    "/api/session",
    "/" + "x" * 500,
]


@pytest.fixture
def provider() -> Iterator[OddProvider]:
    with OddProvider() as provider:
        yield provider


@pytest.fixture
def server(make_settings: MakeSettings, provider: OddProvider) -> Iterator[LiveServer]:
    with LiveServer(make_settings(**provider.settings())) as server:
        yield server


def consent(client: httpx.Client, provider: OddProvider) -> dict[str, str]:
    """Begin a sign-in and agree at the provider; return what the browser brings back."""
    sent = start(client)
    return {"state": sent["state"], "code": provider.consent(sent, provider.sign(provider.claims(sent)))}


@pytest.mark.parametrize("next", OUTSIDE, ids=repr)
def test_a_sign_in_never_ends_on_another_site(next: str) -> None:
    assert local_path(next) == "/"


@pytest.mark.parametrize("next", ["/", "/jobs", "/jobs/", "/jobs/0199-a_b~c.d", "/jobs?status=failed&x=1", "/?a=b"])
def test_a_sign_in_ends_on_the_page_that_was_asked_for(next: str) -> None:
    assert local_path(next) == next


def test_outside_pages_are_refused_over_the_wire_too(server: LiveServer, provider: OddProvider) -> None:
    for outside in ("//evil.example", "/\\evil.example", "/jobs\r\nSet-Cookie: a=b", "/%2f%2fevil.example"):
        with server.client() as client:
            sent = start(client, outside)
            code = provider.consent(sent, provider.sign(provider.claims(sent)))
            answer = call_back(client, state=sent["state"], code=code)
            assert answer.headers["location"] == "/"
            assert "evil" not in str(answer.headers)


def test_a_forged_host_header_does_not_move_the_way_back(client: httpx.Client) -> None:
    answer = client.get("/api/oauth/google/start", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fapi" in answer.headers["location"]
    assert "evil" not in answer.headers["location"]


def test_a_wrong_or_missing_state_is_refused(client: httpx.Client, provider: OddProvider) -> None:
    for state in ("x", "", "ü", "\x00"):
        refused(call_back(client, **consent(client, provider) | {"state": state}), "google_failed")
    consent(client, provider)
    refused(client.get(CALLBACK), "google_failed")
    assert provider.forms == []


def test_a_callback_without_a_code_is_refused(client: httpx.Client, provider: OddProvider) -> None:
    for code in ("", "x" * 3000):
        refused(call_back(client, **consent(client, provider) | {"code": code}), "google_failed")
    assert provider.forms == []


def test_another_browser_can_not_end_a_sign_in(server: LiveServer, provider: OddProvider) -> None:
    with server.client() as attacker, server.client() as victim:
        back = consent(attacker, provider)
        refused(call_back(victim, **back), "google_failed")
        start(victim)
        refused(call_back(victim, **back), "google_failed")
        assert provider.forms == []
        assert call_back(attacker, **back).headers["location"] == "/"


def test_a_callback_works_once(server: LiveServer, client: httpx.Client, provider: OddProvider) -> None:
    back = consent(client, provider)
    kept = client.cookies["google"]
    assert call_back(client, **back).headers["location"] == "/"
    assert "google" not in client.cookies
    refused(call_back(client, **back), "google_failed")
    assert len(provider.forms) == 1
    # Whoever kept the cookie gets no further: the code is used up.
    refused(httpx.get(f"{server.url}{CALLBACK}", params=back, cookies={"google": kept}), "google_failed")


def test_a_failed_callback_ends_the_transaction(client: httpx.Client, provider: OddProvider) -> None:
    back = consent(client, provider)
    refused(call_back(client, state="wrong"), "google_failed")
    refused(call_back(client, **back), "google_failed")


def claims_of(client: httpx.Client) -> dict[str, Any]:
    return dict(jwt.decode(client.cookies["google"], TEST_SECRET, algorithms=["HS256"], audience="google-sign-in"))


@pytest.mark.parametrize("how", ["altered", "expired", "secret", "audience", "endless", "access", "garbage"])
def test_a_cookie_that_is_not_ours_or_too_old_is_refused(
    client: httpx.Client, user: httpx.Client, provider: OddProvider, how: str
) -> None:
    back = consent(client, provider)
    claims, cookie = claims_of(client), client.cookies["google"]
    assert abs(claims["exp"] - time.time() - 600) < 5
    endless = {name: value for name, value in claims.items() if name != "exp"}
    bad = {
        "altered": cookie[:-3] + ("AAA" if cookie[-3:] != "AAA" else "BBB"),
        "expired": jwt.encode(claims | {"exp": int(time.time()) - 1}, TEST_SECRET),
        "secret": jwt.encode(claims, "another secret of at least 32 bytes length"),
        "audience": jwt.encode(claims | {"aud": "other"}, TEST_SECRET),
        "endless": jwt.encode(endless, TEST_SECRET),
        "access": user.cookies["access"],
        "garbage": "garbage",
    }[how]
    client.cookies.clear()
    refused(client.get(CALLBACK, params=back, headers={"Cookie": f"google={bad}"}), "google_failed")
    assert provider.forms == []


def test_the_cookie_is_no_access_token(server: LiveServer, client: httpx.Client) -> None:
    start(client)
    headers = {"Authorization": f"Bearer {client.cookies['google']}"}
    assert httpx.get(f"{server.url}/api/accounts/me", headers=headers).status_code == 401


def test_the_cookie_tells_nothing_of_state_nonce_or_verifier(client: httpx.Client, provider: OddProvider) -> None:
    sent = start(client)
    told = str(claims_of(client))
    assert sent["state"] not in told
    assert sent["nonce"] not in told
    assert set(claims_of(client)) == {"aud", "exp", "jti", "next"}


def test_a_sign_in_begun_before_the_secret_changed_ends_well(
    make_settings: MakeSettings, client: httpx.Client, provider: OddProvider
) -> None:
    back = consent(client, provider)
    changed = make_settings(
        **provider.settings(), JWT_SECRET="a new secret of at least 32 bytes", JWT_SECRET_PREVIOUS=TEST_SECRET
    )
    with LiveServer(changed) as later:
        answer = httpx.get(f"{later.url}{CALLBACK}", params=back, cookies={"google": client.cookies["google"]})
    assert answer.headers["location"] == "/"


def test_cookies_are_bound_to_the_host_on_https(make_settings: MakeSettings, provider: OddProvider) -> None:
    settings = make_settings(**provider.settings(), PUBLIC_URL="https://studio.example")
    with LiveServer(settings) as server:
        answer = httpx.get(f"{server.url}/api/oauth/google/start")
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-google=")
        assert {"HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
        assert (
            "redirect_uri=https%3A%2F%2Fstudio.example%2Fapi%2Foauth%2Fgoogle%2Fcallback" in answer.headers["location"]
        )
        assert answer.headers["cache-control"] == "no-store"
