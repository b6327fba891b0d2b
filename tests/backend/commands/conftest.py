"""Fixtures of command tests: the first admin's password file, and the fixtures for admins."""

from pathlib import Path

import pytest

from tests.backend.admin.conftest import admin, change_user, read_audit  # noqa: F401
from tests.backend.commands.create_admin import SECRET


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    """Create a file with the first admin's password and return its path."""
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    return str(path)
