"""Reads the client's address from CLIENT_ADDRESS_HEADER, for platforms that don't use X-Forwarded-For."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

FORWARDED_FOR = b"x-forwarded-for"
# The longest textual IP address. Limits the size of cached values.
LONGEST_ADDRESS = 45


class ClientAddress:
    """Replaces X-Forwarded-For by the header's address, and then runs uvicorn's middleware, which trusts only proxies.

    The server must not run that middleware itself, because it overwrites the address of the connected peer.
    """

    def __init__(self, app: Any, *, header: str, trusted: str) -> None:
        self._proxy_headers = ProxyHeadersMiddleware(app, trusted)
        self._header = header.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request. If the header is not exactly one valid address, X-Forwarded-For stays unchanged."""
        if scope["type"] == "http":
            values = [value for name, value in scope["headers"] if name == self._header]
            address = _read_address(values[0]) if len(values) == 1 and len(values[0]) <= LONGEST_ADDRESS else None
            if address is not None:
                others = [pair for pair in scope["headers"] if pair[0] != FORWARDED_FOR]
                scope["headers"] = [*others, (FORWARDED_FOR, address)]
        await self._proxy_headers(scope, receive, send)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _read_address(value: bytes) -> bytes | None:
    try:
        address = ip_address(value.decode("latin-1"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            # A zone is arbitrary text that is valid only on one machine.
            return None
        address = address.ipv4_mapped or address
    return str(address).encode()
