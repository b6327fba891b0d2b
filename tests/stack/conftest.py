"""Images and a running production stack, shared by all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.production import Production, build_release, production


@pytest.fixture(scope="session")
def first_release() -> str:
    """The images of this checkout."""
    return build_release("test-first")


@pytest.fixture(scope="session")
def second_release(first_release: str) -> str:
    """The same, as other images."""
    return build_release("test-second", after=first_release)


@pytest.fixture(scope="session")
def broken_release(first_release: str) -> str:
    """A release whose web process can't start."""
    return build_release("test-broken", after=first_release)


@pytest.fixture(scope="session")
def site(first_release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """The production stack."""
    folder: Path = tmp_path_factory.mktemp("stack") / "production"
    with production(folder, first_release) as running:
        yield running
