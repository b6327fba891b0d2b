"""The frontend on another host, built with `npm run pages` for GitHub Pages."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from scripts.browser import browser_path
from tests.actions import PASSWORD, sign_up_and_in
from tests.conftest import MakeSettings, on_one_database
from tests.e2e.conftest import FLAGS
from tests.servers import ROOT, LiveServer

BASE = "/studio/"


class GitHubPages(SimpleHTTPRequestHandler):
    """Serves files under BASE, and 404.html for everything else."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(BASE.rstrip("/")))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def pages(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(GitHubPages, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def build(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["npm", "run", "--silent", "pages", "--", str(folder)]
    environment = os.environ | {"PATH": path} | env
    return subprocess.run(
        command, cwd=ROOT / "frontend", env=environment, capture_output=True, text=True, check=False, timeout=100
    )


@on_one_database
def test_the_frontend_works_on_another_host(make_settings: MakeSettings, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with pages(folder) as site, LiveServer(make_settings(ALLOWED_ORIGINS=[site])) as api:
        built = build(folder, VITE_API_ORIGIN=api.url, BASE_PATH=BASE, PAGES_DOMAIN="www.example.com")
        assert built.returncode == 0, built.stderr
        assert (folder / "CNAME").read_text() == "www.example.com\n"
        assert (folder / ".nojekyll").exists()
        with api.client() as client:
            email = sign_up_and_in(client)["email"]
        with sync_playwright() as playwright:
            path = os.environ.get("BROWSER_PATH") or browser_path()
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_page(base_url=site)
            page.goto(BASE)
            page.get_by_label("Email address").fill(str(email))
            page.get_by_label("Password").fill(PASSWORD)
            with page.expect_response(f"{api.url}/api/jobs/events") as stream:
                page.get_by_role("button", name="Log in").click()
            assert stream.value.status == 200
            # A page without a file of its own loads, and the user is still signed in.
            page.goto(f"{BASE}account")
            page.get_by_role("heading", level=1, name="Your account").wait_for()
            assert page.url == f"{site}{BASE}account"
            browser.close()


@pytest.mark.parametrize("origin", ["", "api.example.com", "https://api.example.com/api"])
def test_a_build_without_a_valid_api_origin_is_refused(origin: str, tmp_path: Path) -> None:
    refused = build(tmp_path / "site", VITE_API_ORIGIN=origin)
    assert refused.returncode == 2
    assert "VITE_API_ORIGIN" in refused.stderr
    assert not (tmp_path / "site").exists()
