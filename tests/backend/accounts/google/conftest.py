"""Fixtures of signing in with Google: a provider that lies as told, and a server that takes it for Google."""

from collections.abc import Iterator

import httpx
import pytest

from tests.backend.accounts.google.provider import OddProvider
from tests.conftest import MakeSettings
from tests.servers import LiveServer


@pytest.fixture
def provider() -> Iterator[OddProvider]:
    """A provider of this test alone."""
    with OddProvider() as provider:
        yield provider


@pytest.fixture
def google_server(make_settings: MakeSettings, provider: OddProvider) -> Iterator[LiveServer]:
    """The web application, for which that provider is Google."""
    with LiveServer(make_settings(**provider.settings())) as server:
        yield server


@pytest.fixture
def browser(google_server: LiveServer) -> Iterator[httpx.Client]:
    """A browser at that server, in which nobody is signed in."""
    with google_server.client() as browser:
        yield browser
