"""A provider that is unavailable, slow or broken fails the sign-in and does not block other requests."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from backend.accounts.google import routes as google_routes
from backend.infra import openid
from tests.backend.accounts.google.flow import CLIENT_SECRET, call_back, refused, start
from tests.backend.accounts.google.provider import OddProvider
from tests.conftest import MakeSettings
from tests.servers import LiveServer
from tests.time_limits import scaled


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/token", (500, {"error": "server_error"})),
        ("/token", (200, b"<html>")),
        ("/token", (200, [])),
        ("/token", (200, {"access_token": "at"})),
        ("/token", (200, {"id_token": {"not": "text"}})),
        ("/jwks", (503, {})),
        ("/jwks", (200, {"keys": "none"})),
        ("/jwks", (200, {"keys": [{"kty": "RSA", "kid": "first", "n": "!", "e": 1}]})),
        ("/jwks", (200, b"[" * 100_000)),
    ],
    ids=["error", "html", "list", "no-token", "no-text", "busy", "no-keys", "no-key", "deep"],
)
def test_an_invalid_response_of_the_provider_fails_the_sign_in(
    browser: httpx.Client, provider: OddProvider, path: str, response: tuple[int, Any]
) -> None:
    provider.responses[path] = response
    refused(provider.sign_in(browser), "google_failed")


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://accounts.google.com"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_an_invalid_discovery_document_fails_the_start_of_the_sign_in(
    browser: httpx.Client, provider: OddProvider, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery
    refused(browser.get("/api/oauth/google/start"), "google_failed")


def test_an_unavailable_provider_fails_the_sign_in(make_settings: MakeSettings, provider: OddProvider) -> None:
    values = provider.settings()
    with LiveServer(make_settings(**values)) as server, server.client() as browser:
        sent = start(browser)
        provider.__exit__()
        refused(call_back(browser, state=sent["state"], code="x"), "google_failed")
    with LiveServer(make_settings(**values)) as server, server.client() as browser:
        refused(browser.get("/api/oauth/google/start"), "google_failed")


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_slow_provider_times_out_and_does_not_block_the_api(
    google_server: LiveServer, provider: OddProvider, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(openid, "REQUEST_SECONDS", 2)
    sent = [start(client := google_server.client()) | {"client": client} for _ in range(4)]
    provider.delay, provider.drip = (30, False) if how == "silent" else (0, True)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(call_back, one["client"], state=one["state"], code="x") for one in sent]
        time.sleep(0.3)
        assert httpx.get(f"{google_server.url}/health/ready").status_code == 200
        assert not any(call.done() for call in calls)
        for call in calls:
            refused(call.result(), "google_failed")
    assert time.monotonic() - started < scaled(8)


def test_a_request_that_waits_too_long_for_others_is_sent_to_the_log_in_page(
    google_server: LiveServer, browser: httpx.Client, provider: OddProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "REQUEST_SECONDS", 4)
    monkeypatch.setattr(google_routes, "WAIT_SECONDS", 0.5)
    clients = [google_server.client() for _ in range(3)]
    callback_queries = [provider.callback_query(client, "/account") for client in clients]
    provider.delay = 30
    with ThreadPoolExecutor(4) as threads:
        first = [threads.submit(call_back, clients[n], **callback_queries[n]) for n in (0, 1)]
        while provider.paths.count("/token") < 2:
            time.sleep(0.02)
        late = [
            threads.submit(call_back, clients[2], **callback_queries[2]),
            threads.submit(browser.get, "/api/oauth/google/start", params={"next": "/account"}),
        ]
        for response in late:
            refused(response.result(), "google_failed", next="/account")
        assert not any(response.done() for response in first)
        for response in first:
            refused(response.result(), "google_failed", next="/account")
    provider.delay = 0
    for _ in range(3):
        assert provider.sign_in(browser).headers["location"] == "/"


def test_a_slow_discovery_fails_the_start_of_the_sign_in(
    browser: httpx.Client, provider: OddProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "REQUEST_SECONDS", 1)
    provider.drip = True
    started = time.monotonic()
    refused(browser.get("/api/oauth/google/start"), "google_failed")
    assert time.monotonic() - started < scaled(4)


def test_secrets_are_neither_logged_nor_sent_to_the_browser(
    browser: httpx.Client, provider: OddProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = start(browser)
    id_token = provider.sign(provider.claims(sent))
    code = provider.consent(sent, id_token)
    responses = [call_back(browser, state=sent["state"], code=code) for _ in range(2)]
    sent = start(browser)
    responses.append(call_back(browser, state=sent["state"], code="refused-code"))
    refused(responses[-1], "google_failed")
    logged = capsys.readouterr().out
    assert "google_sign_in_failed" in logged
    sent_text = "".join(str(response.headers.multi_items()) + response.text for response in responses) + sent["url"]
    secret = [CLIENT_SECRET, id_token, *(form["code_verifier"] for form in provider.forms)]
    for word in secret:
        assert word not in logged
        assert word not in sent_text
    for word in (code, "refused-code", sent["state"], "the provider's message"):
        assert word not in logged
    assert all("the provider's message" not in response.text for response in responses)


def test_an_unknown_error_code_is_not_logged(
    browser: httpx.Client, provider: OddProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.responses["/token"] = (400, {"error": "the code was: s3cret"})
    refused(provider.sign_in(browser), "google_failed")
    logged = capsys.readouterr().out
    assert "google_sign_in_failed" in logged
    assert "s3cret" not in logged
