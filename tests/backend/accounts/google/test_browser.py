"""A Google sign-in works once, and only in the browser that started it."""

import time

import httpx
import jwt
import pytest

from tests.backend.accounts.google.flow import CALLBACK, call_back, claims_of, refused, start
from tests.backend.accounts.google.provider import OddProvider
from tests.conftest import TEST_SECRET, MakeSettings
from tests.servers import LiveServer


def test_a_wrong_or_missing_state_is_refused(browser: httpx.Client, provider: OddProvider) -> None:
    for state in ("x", "", "ü", "\x00"):
        refused(call_back(browser, **provider.callback_query(browser) | {"state": state}), "google_failed")
    provider.callback_query(browser)
    refused(browser.get(CALLBACK), "google_failed")
    assert provider.forms == []


def test_a_callback_without_a_code_is_refused(browser: httpx.Client, provider: OddProvider) -> None:
    for code in ("", "x" * 3000):
        refused(call_back(browser, **provider.callback_query(browser) | {"code": code}), "google_failed")
    assert provider.forms == []


def test_a_callback_with_an_error_is_refused_even_with_a_code(browser: httpx.Client, provider: OddProvider) -> None:
    refused(call_back(browser, **provider.callback_query(browser), error="server_error"), "google_failed")
    assert provider.forms == []


def test_another_browser_cannot_finish_a_sign_in(google_server: LiveServer, provider: OddProvider) -> None:
    with google_server.client() as attacker, google_server.client() as victim:
        back = provider.callback_query(attacker)
        refused(call_back(victim, **back), "google_failed")
        start(victim)
        refused(call_back(victim, **back), "google_failed")
        assert provider.forms == []
        assert call_back(attacker, **back).headers["location"] == "/"


def test_a_callback_works_once(google_server: LiveServer, browser: httpx.Client, provider: OddProvider) -> None:
    back = provider.callback_query(browser)
    kept = browser.cookies["google"]
    assert call_back(browser, **back).headers["location"] == "/"
    assert "google" not in browser.cookies
    refused(call_back(browser, **back), "google_failed")
    assert len(provider.forms) == 1
    # The old cookie does not help either: the code is used up.
    refused(httpx.get(f"{google_server.url}{CALLBACK}", params=back, cookies={"google": kept}), "google_failed")


def test_a_failed_callback_ends_the_transaction(browser: httpx.Client, provider: OddProvider) -> None:
    back = provider.callback_query(browser)
    refused(call_back(browser, state="wrong"), "google_failed")
    refused(call_back(browser, **back), "google_failed")


@pytest.mark.parametrize("how", ["altered", "expired", "secret", "audience", "endless", "access", "garbage"])
def test_a_forged_or_expired_cookie_is_refused(
    browser: httpx.Client, user: httpx.Client, provider: OddProvider, how: str
) -> None:
    back = provider.callback_query(browser)
    claims, cookie = claims_of(browser), browser.cookies["google"]
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
    browser.cookies.clear()
    refused(browser.get(CALLBACK, params=back, headers={"Cookie": f"google={bad}"}), "google_failed")
    assert provider.forms == []


def test_the_cookie_is_not_accepted_as_an_access_token(google_server: LiveServer, browser: httpx.Client) -> None:
    start(browser)
    headers = {"Authorization": f"Bearer {browser.cookies['google']}"}
    assert httpx.get(f"{google_server.url}/api/accounts/me", headers=headers).status_code == 401


def test_the_cookie_does_not_contain_state_nonce_or_verifier(browser: httpx.Client, provider: OddProvider) -> None:
    sent = start(browser)
    sent_text = str(claims_of(browser))
    assert sent["state"] not in sent_text
    assert sent["nonce"] not in sent_text
    assert set(claims_of(browser)) == {"aud", "exp", "jti", "next"}


def test_the_state_cannot_be_derived_without_the_secret(
    make_settings: MakeSettings, browser: httpx.Client, provider: OddProvider
) -> None:
    back = provider.callback_query(browser)
    different = "another secret of at least 32 bytes"
    cookie = jwt.encode(claims_of(browser), different)
    with LiveServer(make_settings(**provider.settings(), JWT_SECRET=different)) as other, other.client() as client:
        refused(client.get(CALLBACK, params=back, headers={"Cookie": f"google={cookie}"}), "google_failed")
    assert provider.forms == []


def test_a_sign_in_that_started_before_a_secret_change_succeeds(
    make_settings: MakeSettings, browser: httpx.Client, provider: OddProvider
) -> None:
    back = provider.callback_query(browser)
    changed = make_settings(
        **provider.settings(), JWT_SECRET="a new secret of at least 32 bytes", JWT_SECRET_PREVIOUS=TEST_SECRET
    )
    with LiveServer(changed) as later:
        response = httpx.get(f"{later.url}{CALLBACK}", params=back, cookies={"google": browser.cookies["google"]})
    assert response.headers["location"] == "/"


def test_cookies_are_bound_to_the_host_on_https(make_settings: MakeSettings, provider: OddProvider) -> None:
    settings = make_settings(**provider.settings(), PUBLIC_URL="https://studio.example")
    with LiveServer(settings) as server:
        response = httpx.get(f"{server.url}/api/oauth/google/start")
        (cookie,) = response.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-google=")
        assert {"HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
        callback = "https%3A%2F%2Fstudio.example%2Fapi%2Foauth%2Fgoogle%2Fcallback"
        assert f"redirect_uri={callback}" in response.headers["location"]
        assert response.headers["cache-control"] == "no-store"
