"""What the tests of commands share: the first admin's password, and the fixtures of admins."""

from pathlib import Path

import pytest

from tests.backend.admin.conftest import admin, change_user, read_audit  # noqa: F401
from tests.backend.commands.create_admin import SECRET


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    """A file that holds the first admin's password."""
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    return str(path)
