"""Pages of allowed and of other origins call the API in a real browser."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.browser import browser_path
from scripts.build_frontend import FRONTEND, build_frontend
from tests.actions import PASSWORD, sign_up_and_in
from tests.conftest import make_database, settings_for
from tests.e2e.conftest import FLAGS, ROOT
from tests.servers import LiveServer

LIMIT = 150
# Returns everything that a page's script can read of a response.
CALL = """async ([url, options]) => {
    try {
        const response = await fetch(url, options);
        const text = await response.text();
        return {status: response.status, headers: Object.fromEntries(response.headers), text};
    } catch (error) {
        return {error: error.name};
    }
}"""
FORM = """([url, name]) => {
    document.body.innerHTML =
        `<form method="post" action="${url}"><input name="username" value="${name}"><input name="password"></form>`;
    document.forms[0].submit();
}"""


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another site</title>")

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def site(host: str = "127.0.0.1") -> Iterator[str]:
    """Serve the empty page on its own port, which is its own origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{host}:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def sites() -> Iterator[dict[str, str]]:
    """Two allowed origins, the second on another site, and two others."""
    with site() as allowed, site("localhost") as allowed_far, site() as other, site("localhost") as other_far:
        yield {"allowed": allowed, "allowed_far": allowed_far, "other": other, "other_far": other_far}


@pytest.fixture(scope="module")
def api(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory, sites: dict[str, str]
) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("origins")
    build_frontend()
    settings = settings_for(
        make_database(request, "sqlite", folder),
        # A database of its own: the requests of other tests from this address would count towards the limit.
        valkey_url.removesuffix("/0") + "/1",
        folder,
        ALLOWED_ORIGINS=[sites["allowed"], sites["allowed_far"]],
        RATE_LIMIT_PER_MINUTE=LIMIT,
        FRONTEND_DIR=FRONTEND / "dist",
    )
    with LiveServer(settings) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = os.environ.get("BROWSER_PATH") or browser_path()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without cookies."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def email(api: LiveServer) -> str:
    with api.client() as client:
        return str(sign_up_and_in(client)["email"])


def call(page: Page, url: str, method: str = "GET", body: str | None = None, **headers: str) -> dict[str, Any]:
    options = {"method": method, "credentials": "include", "headers": headers}
    return dict(page.evaluate(CALL, [url, options | ({"body": body} if body else {})]))


def log_in(page: Page, api: LiveServer, email: str) -> dict[str, Any]:
    body = f'{{"email": "{email}", "password": "{PASSWORD}"}}'
    return call(page, f"{api.url}/api/session", "POST", body, **{"Content-Type": "application/json"})


def test_an_allowed_page_signs_in_and_works_with_cookies(
    page: Page, api: LiveServer, sites: dict[str, str], email: str
) -> None:
    page.goto(sites["allowed"])
    assert log_in(page, api, email)["status"] == 200
    account = call(page, f"{api.url}/api/accounts/me")
    assert account["status"] == 200
    assert email in account["text"]
    changed = call(
        page, f"{api.url}/api/accounts/me", "PATCH", '{"name": "Changed"}', **{"Content-Type": "application/json"}
    )
    assert changed["status"] == 200
    assert call(page, f"{api.url}/api/session", "DELETE")["status"] == 204
    assert call(page, f"{api.url}/api/accounts/me")["status"] == 401


def test_an_allowed_page_reads_the_headers_of_responses_and_refusals(
    page: Page, api: LiveServer, sites: dict[str, str], email: str
) -> None:
    page.goto(sites["allowed"])
    log_in(page, api, email)
    headers = call(page, f"{api.url}/api/jobs")["headers"]
    assert headers["x-request-id"]
    assert headers["ratelimit-limit"] == str(LIMIT)
    assert int(headers["ratelimit-remaining"]) < LIMIT
    for _ in range(2 * LIMIT):
        refused = call(page, f"{api.url}/api/jobs")
        if refused["status"] != 200:
            break
    assert refused["status"] == 429
    assert "rate_limited" in refused["text"]
    assert 1 <= int(refused["headers"]["retry-after"]) <= 60


def test_an_allowed_page_of_another_site_works_with_a_token(
    page: Page, api: LiveServer, sites: dict[str, str], email: str
) -> None:
    with api.client() as client:
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        token = client.post("/api/session/token", data=form).json()["access_token"]
    page.goto(sites["allowed_far"])
    # The browser stores no cookie from a cross-site response.
    assert log_in(page, api, email)["status"] == 200
    assert call(page, f"{api.url}/api/accounts/me")["status"] == 401
    assert call(page, f"{api.url}/api/accounts/me", Authorization=f"Bearer {token}")["status"] == 200


@pytest.mark.parametrize("name", ["other", "other_far"])
def test_any_other_page_can_neither_read_nor_act(
    name: str, page: Page, api: LiveServer, sites: dict[str, str], email: str
) -> None:
    page.goto(sites["allowed"])
    assert log_in(page, api, email)["status"] == 200
    page.goto(sites[name])
    assert call(page, f"{api.url}/api/accounts/me") == {"error": "TypeError"}
    assert call(page, f"{api.url}/api/session", "DELETE") == {"error": "TypeError"}
    # This request needs no preflight: the browser sends it, and the server refuses it.
    assert call(page, f"{api.url}/api/session", "POST", "{}", **{"Content-Type": "text/plain"}) == {
        "error": "TypeError"
    }
    page.goto(sites["allowed"])
    assert call(page, f"{api.url}/api/accounts/me")["status"] == 200


@pytest.mark.parametrize("name", ["other", "other_far"])
def test_a_form_of_another_page_is_refused_by_the_server(
    name: str, page: Page, api: LiveServer, sites: dict[str, str], email: str
) -> None:
    page.goto(sites[name])
    with page.expect_response(f"{api.url}/api/session/token") as response:
        page.evaluate(FORM, [f"{api.url}/api/session/token", email])
    assert response.value.status == 403
    assert "cross_origin" in response.value.text()
    assert "set-cookie" not in response.value.all_headers()


def test_no_page_can_be_embedded_in_another_site(page: Page, api: LiveServer, sites: dict[str, str]) -> None:
    page.goto(sites["allowed"])
    with page.expect_console_message(lambda message: "frame" in message.text.lower()):
        page.evaluate("url => { document.body.innerHTML = `<iframe src='${url}'></iframe>` }", api.url)


def test_every_page_complies_with_its_content_security_policy(page: Page, api: LiveServer, email: str) -> None:
    # A separate client address, because these requests would reach the rate limit.
    page.set_extra_http_headers({"X-Forwarded-For": "203.0.113.9"})
    violations: list[str] = []
    page.expose_function("report", lambda text: violations.append(text))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => report(`${e.violatedDirective} ${e.blockedURI}`))"
    )
    paths = re.findall(r'path: "(/[^":*]*)"', (ROOT / "frontend/src/app/router.tsx").read_text())
    assert len(paths) > 3
    for signed_in in (False, True):
        for path in [*paths, "/nowhere"]:
            page.goto(api.url + path)
            page.get_by_role("main").wait_for()
        assert violations == []
        if not signed_in:
            assert log_in(page, api, email)["status"] == 200
    # The policy is active: a violation is reported.
    with page.expect_console_message(lambda message: "Content Security" in message.text):
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')")
