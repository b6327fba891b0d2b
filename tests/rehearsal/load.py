"""The stack tests' load, sent to an app of the platform at its own address."""

import ssl

import httpx

from tests.photos import make_photo
from tests.stack.load import HANG_SECONDS, Load

# How a stream may go: it opened, it told something, and the application ended it to be stopped.
GOOD_STREAMS = {"opened 200", "lines", "ended"}


def people_at(url: str, trust: ssl.SSLContext) -> Load:
    """Return people at work at an address, with photos so large that a worker is often stopped in the middle of one."""
    headers = {"user-agent": "rehearsal"}
    return Load(
        lambda: httpx.AsyncClient(base_url=url, verify=trust, timeout=HANG_SECONDS, headers=headers),
        make_photo(1600, 1200),
    )


def cut_streams(load: Load) -> dict[str, int]:
    """Return how often streams ended as they must not."""
    return {how: count for how, count in load.streams.items() if how not in GOOD_STREAMS}
