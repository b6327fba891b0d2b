"""Limits in HTTP: every caller's requests, and attempts to get into an account."""

import hashlib
import json
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.accounts.schemas import LoginName
from backend.dependencies import identify
from backend.errors import RateLimited, Unauthorized
from backend.infra.metrics import Counter
from backend.infra.rate_limit import AttemptLimiter, Verdict
from backend.infra.request_counter import LIGHT, WHOLE, RequestCounter
from backend.problems import refuse

API = "/api/"
HEADERS = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
# Redirects to pictures, of which a page holds many.
LIGHT_PART = "/results/"
REFUSALS = Counter("rate_limit_refusals_total", "Requests refused by a limit.", "limit", known=["requests", "attempts"])
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_login_name: TypeAdapter[str] = TypeAdapter(LoginName)


class RequestLimit:
    """Refuses a caller's requests over RATE_LIMIT_PER_MINUTE, and tells in every answer how many are left."""

    def __init__(self, app: ASGIApp, *, counter: RequestCounter) -> None:
        self.app = app
        self.counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        verdict = self.counter.hit(_caller(Request(scope)), LIGHT if LIGHT_PART in scope["path"] else WHOLE)
        state["rate_limit"] = verdict

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(_headers(state["rate_limit"]))
            await send(message)

        if verdict.allowed:
            await self.app(scope, receive, send_with_limit)
        else:
            REFUSALS.inc("requests")
            await refuse(scope, receive, send_with_limit, RateLimited(verdict.reset_seconds))


async def count_attempt(request: Request) -> None:
    """Count an attempt for the caller's address, the account signed in and the one the body names.

    So neither are many accounts tried from one address nor one account from many. Raises RateLimited.
    """
    limiter: AttemptLimiter = request.app.state.attempts
    keys = {f"address:{_address(request)}", _caller(request)}
    name = await _name_in_body(request)
    if name:
        keys.add(f"email:{hashlib.sha256(name.encode()).hexdigest()[:32]}")
    verdict = await run_in_threadpool(limiter.hit, *sorted(keys))
    request.state.rate_limit = min(verdict, request.state.rate_limit, key=_strictness)
    if not verdict.allowed:
        REFUSALS.inc("attempts")
        raise RateLimited(verdict.reset_seconds)


# For every route that checks a password or a mailed secret, or that sends mail.
AttemptLimit = Depends(count_attempt)


def _strictness(verdict: Verdict) -> tuple[bool, int]:
    return verdict.allowed, verdict.remaining


def _caller(request: Request) -> str:
    try:
        return f"user:{identify(request).user_id.hex}"
    except Unauthorized:
        return f"address:{_address(request)}"


def _address(request: Request) -> str:
    return _household(request.client.host) if request.client else ""


@lru_cache(maxsize=4096)
def _household(host: str) -> str:
    """Return what one customer has of an address: of IPv6 a /64, in which everybody has billions."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


async def _name_in_body(request: Request) -> str | None:
    # FastAPI has read the body already, and the request remembers it.
    if request.headers.get("content-type", "").lower().startswith(FORMS):
        given: object = (await request.form()).get("username")
    else:
        given = _email_in(await request.body())
    return _canonical(given) if isinstance(given, str) else None


def _email_in(body: bytes) -> object:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document.get("email") if isinstance(document, dict) else None


def _canonical(given: str) -> str | None:
    """Return one spelling of an address: each of many would have attempts of its own."""
    try:
        return _login_name.validate_python(given)
    except ValidationError:
        return None


def _headers(verdict: Verdict) -> list[tuple[bytes, bytes]]:
    return [
        (b"ratelimit-limit", b"%d" % verdict.limit),
        (b"ratelimit-remaining", b"%d" % verdict.remaining),
        (b"ratelimit-reset", b"%d" % verdict.reset_seconds),
    ]
