"""Production asks for confirmation: the user types the app's name at a terminal."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, PRODUCTION, STAGING, Account, write_env_file
from tests.scripts.deploy.tool import assert_ended

Typing = Callable[[str], int]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typing]:
    """Replace standard input with a terminal; yield a function that types into it."""
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda text: os.write(keyboard, text.encode())
    os.close(keyboard)


@pytest.fixture
def commands(account: Account, tmp_path: Path) -> dict[str, list[str]]:
    """The commands that change production, without --yes."""
    account.release(NEW, "sha", "tested")
    account.add_app("production", account.release(NEW[::-1], "production"), account.release(OLD, "sha", "production"))
    path = write_env_file(tmp_path / "env", {"SMTP_HOST": "mail.example.org"})
    return {
        "promote": ["promote", "--tag", NEW],
        "rollback": ["rollback", "--env", "production"],
        "sync-env": ["sync-env", "--env", "production", "--file", path],
    }


@pytest.mark.parametrize("name", ["promote", "rollback", "sync-env"])
def test_typing_the_apps_name_continues(
    account: Account, typing: Typing, commands: dict[str, list[str]], name: str
) -> None:
    typing(f"{PRODUCTION}\n")
    ended = account.run(*commands[name])
    assert_ended(ended, 0, err=f"Type {PRODUCTION} to continue:")
    assert len(account.changes()) == 1


@pytest.mark.parametrize("typed", ["y\n", "\n", f"{STAGING}\n", f"{PRODUCTION.upper()}\n", "\x04"])
def test_any_other_input_changes_nothing(
    account: Account, typing: Typing, commands: dict[str, list[str]], typed: str
) -> None:
    typing(typed)
    ended = account.run(*commands["promote"])
    assert_ended(ended, 2, err="Not confirmed")
    assert account.changes() == []


@pytest.mark.parametrize("name", ["promote", "rollback", "sync-env"])
def test_without_a_terminal_nothing_is_changed(
    account: Account, commands: dict[str, list[str]], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "input"
    file.write_text(f"{PRODUCTION}\n")
    with file.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        ended = account.run(*commands[name])
    assert_ended(ended, 2, err="set YES=1")
    assert account.changes() == []


def test_the_change_is_shown_before_the_confirmation(
    account: Account, typing: Typing, commands: dict[str, list[str]]
) -> None:
    typing("no\n")
    ended = account.run(*commands["promote"])
    assert "image slipway-app: sha256:" in ended.out
    assert "Promote " + NEW[:12] in ended.err
