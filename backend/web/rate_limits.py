"""Limits each caller's requests per minute."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from fastapi import Request
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import RateLimited
from backend.infra.rate_limit import Verdict
from backend.infra.request_counter import LIGHT, WHOLE, RequestCounter
from backend.web.problems import refuse

API = "/api/"
HEADERS = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
# Redirects to result files count less, because one page shows many.
LIGHT_PART = "/results/"
REFUSALS = Counter("rate_limit_refusals_total", "Requests refused by a limit.", ["limit"])
# Create both label values, so that each is exported as 0 before the first refusal.
REFUSED_REQUESTS = REFUSALS.labels("requests")
REFUSED_ATTEMPTS = REFUSALS.labels("attempts")

FindUserId = Callable[[Request], UUID | None]


class RequestLimit:
    """Refuses requests over RATE_LIMIT_PER_MINUTE per caller, and adds RateLimit headers to every response.

    `find_user_id` returns the signed-in user. Accounts are counted by id, all other callers by address.
    """

    def __init__(self, app: ASGIApp, *, counter: RequestCounter, find_user_id: FindUserId) -> None:
        self.app = app
        self.counter = counter
        self.find_user_id = find_user_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        verdict = self.counter.hit(self._caller(Request(scope)), LIGHT if LIGHT_PART in scope["path"] else WHOLE)
        state["rate_limit"] = verdict

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(_headers(state["rate_limit"]))
            await send(message)

        if verdict.allowed:
            await self.app(scope, receive, send_with_limit)
        else:
            REFUSED_REQUESTS.inc()
            await refuse(scope, receive, send_with_limit, RateLimited(verdict.reset_seconds))

    def _caller(self, request: Request) -> str:
        return caller_key(request, self.find_user_id(request))


def caller_key(request: Request, user_id: UUID | None) -> str:
    """Return the rate limit key: the account, or the client's address if signed out."""
    return f"user:{user_id.hex}" if user_id else address_key(request)


def address_key(request: Request) -> str:
    return f"address:{_network(request.client.host)}" if request.client else "address:"


@lru_cache(maxsize=4096)
def _network(host: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address, because one customer has a whole /64."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


def _headers(verdict: Verdict) -> list[tuple[bytes, bytes]]:
    return [
        (b"ratelimit-limit", b"%d" % verdict.limit),
        (b"ratelimit-remaining", b"%d" % verdict.remaining),
        (b"ratelimit-reset", b"%d" % verdict.reset_seconds),
    ]
