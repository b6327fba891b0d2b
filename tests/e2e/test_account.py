"""A user's account from sign-up to deletion, in a real browser, with links from real mails."""

import html
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.time_limits import scaled

PASSWORD, NEW_PASSWORD = "correct horse battery", "another horse battery"


def mailed_link(folder: Path, page: str) -> str:
    """Return the path of the newest link to a page in the mails, which are written to files."""
    deadline = time.monotonic() + scaled(20)
    while time.monotonic() < deadline:
        for file in sorted((folder / "outbox").glob("*.html"), key=lambda file: -file.stat().st_mtime):
            found = re.search(rf'href="https?://[^/]+({page}#token=[^"]+)"', file.read_text())
            if found:
                file.unlink()
                return html.unescape(found.group(1))
        time.sleep(0.1)
    raise AssertionError(f"no mail with a link to {page}")


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Your files").wait_for()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_user_signs_up_verifies_resets_the_password_and_deletes_the_account(page: Page, tmp_path: Path) -> None:
    page.goto("/signup")
    page.get_by_label("Your name").fill("A new user")
    page.get_by_label("Email address").fill("new@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Your files").wait_for()

    page.goto(mailed_link(tmp_path, "/verify"))
    # The token is removed from the address bar at once.
    page.wait_for_url(re.compile("/verify$"))
    page.get_by_role("button", name="Confirm email").click()
    page.get_by_role("link", name="Go to your files").click()

    page.goto("/forgot-password")
    page.get_by_label("Email address").fill("new@example.com")
    page.get_by_role("button", name="Send link").click()
    page.goto(mailed_link(tmp_path, "/reset-password"))
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("heading", name="Password changed").wait_for()

    log_in(page, "new@example.com", NEW_PASSWORD)
    page.goto("/account")
    page.get_by_role("button", name="Delete account").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Delete everything").click()
    page.get_by_role("heading", name="Account deleted").wait_for()
