"""The limit on each caller's requests per minute."""

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
# Redirects to result files, of which a page shows many.
LIGHT_PART = "/results/"
REFUSALS = Counter("rate_limit_refusals_total", "Requests refused by a limit.", ["limit"])
# Made here, so that both are shown as 0 before a first refusal.
REFUSED_REQUESTS = REFUSALS.labels("requests")
REFUSED_ATTEMPTS = REFUSALS.labels("attempts")

FindUserId = Callable[[Request], UUID | None]


class RequestLimit:
    """Refuses a caller's requests over RATE_LIMIT_PER_MINUTE, and puts the remaining number into every response.

    `find_user_id` returns the signed-in user: accounts are counted by id, all other callers by address.
    """

    def __init__(self, app: ASGIApp, *, counter: RequestCounter, find_user_id: FindUserId) -> None:
        self.app = app
        self.counter = counter
        self.find_user_id = find_user_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with 429."""
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
    """Return the key a caller is counted under: the account, or the client's address when signed out."""
    return f"user:{user_id.hex}" if user_id else address_key(request)


def address_key(request: Request) -> str:
    """Return the key a client's address is counted under."""
    return f"address:{_network(request.client.host)}" if request.client else "address:"


@lru_cache(maxsize=4096)
def _network(host: str) -> str:
    """Return the part of an address that one customer has: for IPv6 the /64 network, which holds billions."""
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
