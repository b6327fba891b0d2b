"""The client's address from one header, where a platform tells it there and not in X-Forwarded-For."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

FORWARDED_FOR = b"x-forwarded-for"
# No address is written longer, and a cache of what clients send needs a bound.
LONGEST_ADDRESS = 45


class ClientAddress:
    """Puts the header's address in the place of X-Forwarded-For, which uvicorn's middleware believes of trusted peers.

    The server must not run that middleware too: after it nobody can tell which peer connected.
    """

    def __init__(self, app: Any, *, header: str, trusted: str) -> None:
        self._believe = ProxyHeadersMiddleware(app, trusted)
        self._header = header.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; where the header is not one valid address, X-Forwarded-For stays as it is."""
        if scope["type"] == "http":
            values = [value for name, value in scope["headers"] if name == self._header]
            address = _read_address(values[0]) if len(values) == 1 and len(values[0]) <= LONGEST_ADDRESS else None
            if address is not None:
                others = [pair for pair in scope["headers"] if pair[0] != FORWARDED_FOR]
                scope["headers"] = [*others, (FORWARDED_FOR, address)]
        await self._believe(scope, receive, send)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _read_address(value: bytes) -> bytes | None:
    try:
        address = ip_address(value.decode("latin-1"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            # A zone is any text at all, and means something on one machine alone.
            return None
        address = address.ipv4_mapped or address
    return str(address).encode()
