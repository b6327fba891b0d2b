"""Starts a real browser with the built frontend."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from backend.settings import Settings
from scripts.browser import browser_path
from scripts.build_frontend import FRONTEND, build_frontend
from tests.conftest import MakeSettings
from tests.servers import LiveServer

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    build_frontend()
    return make_settings(FRONTEND_DIR=FRONTEND / "dist")


@pytest.fixture
def page(server: LiveServer) -> Iterator[Page]:
    """A page of a new browser. An exception or a violation of the content security policy fails the test."""
    with sync_playwright() as playwright:
        path = os.environ.get("BROWSER_PATH") or browser_path()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(base_url=server.url)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
        yield page
        browser.close()
        assert errors == []
