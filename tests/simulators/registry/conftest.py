"""A registry without a login."""

from collections.abc import Iterator

import pytest

from tests.simulators.registry.client import Client
from tests.simulators.registry.server import OciRegistry, oci_registry


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with oci_registry() as registry:
        yield registry


@pytest.fixture
def client(registry: OciRegistry) -> Client:
    return Client(registry)
