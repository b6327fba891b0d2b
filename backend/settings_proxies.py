"""Rules about proxies: whose word about a client's address is believed, and in which header."""

import string
from ipaddress import ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.settings import Settings

# A token of RFC 9110, of which names of headers are made.
TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")


def normalise_proxies(text: str) -> str:
    """Return a list of addresses and networks without spaces. Raises ValueError when one is not readable.

    `*` and the networks of all addresses are refused: the server would then believe the part of X-Forwarded-For that
    the client wrote.
    """
    proxies = [item.strip() for item in text.split(",") if item.strip()]
    for proxy in proxies:
        try:
            everybody = proxy == "*" or ip_network(proxy).prefixlen == 0
        except ValueError:
            raise ValueError(f"{proxy} is not an address or a network like 10.0.0.0/8") from None
        if everybody:
            raise ValueError(f"{proxy} lets clients choose their address; name the proxies' networks, like 10.0.0.0/8")
    return ",".join(proxies)


def check_header_name(name: str) -> None:
    """Raise ValueError unless a header could have this name; empty is none."""
    if not TOKEN.issuperset(name):
        raise ValueError("is not the name of one header, like Fly-Client-IP")


def proxy_problems(settings: "Settings") -> list[str]:
    """Return what staging and production refuse about proxies."""
    named = "FORWARDED_ALLOW_IPS" in settings.model_fields_set and settings.FORWARDED_ALLOW_IPS
    if settings.CLIENT_ADDRESS_HEADER and not named:
        return [
            f"CLIENT_ADDRESS_HEADER: {settings.CLIENT_ADDRESS_HEADER} is believed from trusted proxies alone, and "
            "FORWARDED_ALLOW_IPS names none; set it to their networks, like 10.0.0.0/8"
        ]
    return []
