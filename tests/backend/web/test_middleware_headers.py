"""Security and cache headers of all responses."""

import base64
import hashlib
import re

import httpx
import pytest

from backend.web.middleware import MAX_BODY_BYTES
from tests.conftest import MakeSettings
from tests.servers import LiveServer

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}

PATHS = ["/health/live", "/api/nowhere", "/nowhere", "/api/fail", "/api/jobs", "/page", "/storage/x", "/api/take"]


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_the_security_headers_once(path: str, caller: httpx.Client) -> None:
    response = caller.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert response.headers.get_list(name) == [value]
    (policy,) = response.headers.get_list("content-security-policy")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "strict-transport-security" not in response.headers


def test_refusals_of_the_middleware_have_the_security_headers(caller: httpx.Client) -> None:
    refused = caller.post("/api/take", headers={"Cookie": "access=x", "Sec-Fetch-Site": "cross-site"})
    too_large = caller.post("/api/take", content=b" " * (MAX_BODY_BYTES + 1))
    for response, status in ((refused, 403), (too_large, 413)):
        assert response.status_code == status
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["x-request-id"]
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/api/version", "no-store"),
        ("/api/nowhere", "no-store"),
        ("/api/fail", "no-store"),
        ("/page", "no-cache"),
        ("/assets/app-abc.js", "public, max-age=31536000, immutable"),
    ],
)
def test_responses_have_a_cache_policy(path: str, policy: str, caller: httpx.Client) -> None:
    assert caller.get(path).headers.get_list("cache-control") == [policy]


def test_a_missing_asset_is_not_cached_as_immutable(caller: httpx.Client) -> None:
    response = caller.get("/assets/missing.js")
    assert response.status_code == 404
    assert "immutable" not in response.headers.get("cache-control", "")


@pytest.mark.parametrize("page", ["/docs", "/docs/oauth2-redirect"])
def test_the_docs_page_has_the_security_headers(page: str, make_settings: MakeSettings) -> None:
    with LiveServer(make_settings(ENABLE_DOCS=True)) as server, server.client() as client:
        response = client.get(page)
    assert response.status_code == 200
    for name, value in SECURITY_HEADERS.items():
        assert response.headers.get_list(name) == [value]
    (policy,) = response.headers.get_list("content-security-policy")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_docs_page_may_load_its_viewer_and_run_its_inline_script(make_settings: MakeSettings) -> None:
    settings = make_settings(ENABLE_DOCS=True, PUBLIC_URL="https://shop.example.org", APP_NAME="Shop's <photos>")
    with LiveServer(settings) as server, server.client() as client:
        page, other = client.get("/docs"), client.get("/docs/nowhere")
    assert page.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    rules = {name: values for name, *values in map(str.split, page.headers["content-security-policy"].split(";"))}
    for address in re.findall(r'<script src="([^"]+)"', page.text):
        assert any(address.startswith(source) for source in rules["script-src"])
    for address in re.findall(r'<link type="text/css" [^>]*href="([^"]+)"', page.text):
        assert any(address.startswith(source) for source in rules["style-src"])
    for script in re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules["script-src"]
    assert "jsdelivr" not in other.headers["content-security-policy"]


def test_responses_over_https_have_strict_transport_security(make_settings: MakeSettings) -> None:
    settings = make_settings(
        PUBLIC_URL="https://shop.example.org", S3_BUCKET="photos", S3_ENDPOINT_URL="https://s3.test"
    )
    with LiveServer(settings) as server, server.client() as client:
        response = client.get("/health/live")
    assert response.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert "connect-src 'self' https://photos.s3.test https://s3.test;" in response.headers["content-security-policy"]
