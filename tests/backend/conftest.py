"""Fixtures of backend tests that say what the environment holds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.settings import Settings

SetEnvironment = Callable[..., None]


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Run the test in an empty folder, with no setting in the environment; the folder is returned."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def set_environment(bare_environment: Path, monkeypatch: pytest.MonkeyPatch) -> SetEnvironment:
    """Put settings into the environment, and only those."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put
