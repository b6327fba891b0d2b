"""A Google sign-in ends on the requested page of this site, also at the second try."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from backend.accounts.google.transaction import local_path
from tests.backend.accounts.google.flow import CALLBACK, call_back, claims_of, new_google_user, refused, start
from tests.backend.accounts.google.provider import OddProvider
from tests.conftest import TEST_SECRET
from tests.servers import LiveServer

PAGE = "/jobs?status=failed&x=1"
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
    "/../evil.example",
    "/jobs/../api/session",
    "/j\u00f6bs",
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


@pytest.mark.parametrize("next", OUTSIDE, ids=lambda page: repr(page)[:40])
def test_a_sign_in_never_ends_on_another_site(next: str) -> None:
    assert local_path(next) == "/"


@pytest.mark.parametrize("next", ["/", "/jobs", "/jobs/", "/jobs/0199-a_b~c.d", "/jobs?status=failed&x=1", "/?a=b"])
def test_a_sign_in_ends_on_the_requested_page(next: str) -> None:
    assert local_path(next) == next


def test_pages_on_other_sites_are_refused_by_the_routes_too(google_server: LiveServer, provider: OddProvider) -> None:
    for outside in ("//evil.example", "/\\evil.example", "/jobs\r\nSet-Cookie: a=b", "/%2f%2fevil.example"):
        with google_server.client() as browser:
            callback_query = provider.callback_query(browser, outside)
            assert claims_of(browser)["next"] == "/"
            response = call_back(browser, **callback_query)
            assert response.headers["location"] == "/"
            assert "evil" not in str(response.headers)


def test_a_forged_host_header_does_not_change_the_redirect_uri(browser: httpx.Client) -> None:
    response = browser.get(
        "/api/oauth/google/start", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    )
    assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fapi" in response.headers["location"]
    assert "evil" not in response.headers["location"]


def test_a_second_try_keeps_the_requested_page(browser: httpx.Client, provider: OddProvider) -> None:
    failed = call_back(browser, **provider.callback_query(browser, PAGE) | {"code": "x"})
    refused(failed, "google_failed", next=PAGE)
    (again,) = parse_qs(urlsplit(failed.headers["location"]).query)["next"]
    assert call_back(browser, **provider.callback_query(browser, again)).headers["location"] == PAGE


def test_a_failed_start_keeps_the_requested_page(browser: httpx.Client, provider: OddProvider) -> None:
    provider.discovery = {"issuer": "https://evil.example"}
    for page, kept in ((PAGE, PAGE), ("//evil.example", "/"), ("https://evil.example", "/")):
        refused(browser.get("/api/oauth/google/start", params={"next": page}), "google_failed", next=kept)


def test_every_refusal_keeps_the_requested_page(browser: httpx.Client, provider: OddProvider) -> None:
    callback_query = provider.callback_query(browser, PAGE)
    refused(call_back(browser, state=callback_query["state"], error="access_denied"), "google_denied", next=PAGE)
    provider.callback_query(browser, PAGE)
    refused(call_back(browser, state="another"), "google_failed", next=PAGE)
    unverified = new_google_user(email_verified=False)
    refused(call_back(browser, **provider.callback_query(browser, PAGE, **unverified)), "google_unverified", next=PAGE)


def test_the_page_is_read_from_the_cookie_only(browser: httpx.Client) -> None:
    refused(call_back(browser, next="/account"), "google_failed")
    start(browser, PAGE)
    refused(call_back(browser, next="/account"), "google_failed", next=PAGE)


@pytest.mark.parametrize("how", ["forged", "expired", "other"])
def test_the_page_of_a_forged_or_expired_cookie_is_ignored(browser: httpx.Client, how: str) -> None:
    claims = {"aud": "google-sign-in", "jti": "x", "next": PAGE, "exp": int(time.time()) + 60}
    cookie = {
        "forged": jwt.encode(claims, "another secret of at least 32 bytes length"),
        "expired": jwt.encode(claims | {"exp": int(time.time()) - 1}, TEST_SECRET),
        "other": jwt.encode(claims | {"aud": "other"}, TEST_SECRET),
    }[how]
    refused(browser.get(CALLBACK, headers={"Cookie": f"google={cookie}"}), "google_failed")


def test_a_signed_page_is_validated_again(browser: httpx.Client, provider: OddProvider) -> None:
    back = provider.callback_query(browser)
    cookie = jwt.encode(claims_of(browser) | {"next": "//evil.example"}, TEST_SECRET)
    headers = {"Cookie": f"google={cookie}"}
    browser.cookies.clear()
    refused(browser.get(CALLBACK, headers=headers), "google_failed")
    assert browser.get(CALLBACK, params=back, headers=headers).headers["location"] == "/"
