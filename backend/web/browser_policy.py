"""Middleware for browsers: cross-origin checks, security headers, cache headers."""

import base64
import hashlib
import re
from collections.abc import Iterable

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import Forbidden
from backend.web.middleware import UNSAFE_METHODS
from backend.web.problems import refuse

IMMUTABLE = "public, max-age=31536000, immutable"
DOCS = "/docs"
# FastAPI's /docs page loads its viewer from here. The policy allows only this package of the CDN.
VIEWER = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
VIEWER_ICON = "https://fastapi.tiangolo.com"


class CrossOriginRefused(Forbidden):
    """A page of another origin sent an unsafe request."""

    code = "cross_origin"
    detail = "This page's origin is not in ALLOWED_ORIGINS."


class OriginCheck:
    """Refuses unsafe requests from pages of other origins. Requests with Bearer tokens are exempt.

    Browsers never add Bearer tokens automatically. The rules are those of Go's net/http CrossOriginProtection:
    Sec-Fetch-Site decides; without it Origin is compared with Host; without both the client is not a browser.
    """

    def __init__(self, app: ASGIApp, *, allowed_origins: Iterable[str]) -> None:
        self.app = app
        self.allowed = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in UNSAFE_METHODS and not self._is_allowed(Headers(scope=scope)):
            await refuse(scope, receive, send, CrossOriginRefused())
            return
        await self.app(scope, receive, send)

    def _is_allowed(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        # Only Bearer: browsers may add Basic credentials automatically.
        if headers.get("authorization", "").lower().startswith("bearer ") or origin in self.allowed:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or origin.partition("://")[2] == headers.get("host")


class SecurityHeaders:
    """Adds security headers and Cache-Control to responses."""

    def __init__(self, app: ASGIApp, *, storage_origins: list[str], https: bool, docs: bool) -> None:
        self.app = app
        sources = " ".join(["'self'", *storage_origins])
        self.headers = _security_headers(_policy(sources, sources), https)
        self.docs_headers = _security_headers(_docs_policy(sources), https) if docs else self.headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(self.docs_headers if scope["path"] == DOCS else self.headers)
                _cache_policy(scope["path"], message)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _policy(images: str, connections: str) -> str:
    return (
        f"default-src 'self'; connect-src {connections}; img-src {images} blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _docs_policy(sources: str) -> str:
    """Return the policy of /docs: it allows the viewer, and FastAPI's inline scripts by their hashes."""
    page = get_swagger_ui_html(openapi_url="/openapi.json", title="", oauth2_redirect_url=f"{DOCS}/oauth2-redirect")
    scripts = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts]
    own = " ".join(f"'sha256-{value}'" for value in hashes)
    return f"{_policy(f'{sources} data: {VIEWER_ICON}', sources)}; script-src {VIEWER} {own}; style-src {VIEWER}"


def _security_headers(policy: str, https: bool) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cross-origin-opener-policy": "same-origin",
    }
    if https:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _cache_policy(path: str, message: Message) -> None:
    headers = MutableHeaders(raw=message["headers"])
    if path.startswith("/assets/") and message["status"] == 200:
        headers["cache-control"] = IMMUTABLE
    elif path.startswith("/api/"):
        headers.setdefault("cache-control", "no-store")
    else:
        headers.setdefault("cache-control", "no-cache")
