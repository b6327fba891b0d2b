"""Fixtures of Google sign-in: a configurable provider, and a server that uses it as Google."""

from collections.abc import Iterator

import httpx
import pytest

from tests.backend.accounts.google.provider import OddProvider
from tests.conftest import MakeSettings
from tests.servers import LiveServer


@pytest.fixture
def provider() -> Iterator[OddProvider]:
    with OddProvider() as provider:
        yield provider


@pytest.fixture
def google_server(make_settings: MakeSettings, provider: OddProvider) -> Iterator[LiveServer]:
    """The web application with this provider as Google."""
    with LiveServer(make_settings(**provider.settings())) as server:
        yield server


@pytest.fixture
def browser(google_server: LiveServer) -> Iterator[httpx.Client]:
    """A browser without a session."""
    with google_server.client() as browser:
        yield browser
