"""Finds a Chromium for the browser tests, or installs one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def browser_path() -> str:
    """Return the path of the system's Chromium, else Playwright's, else that of Debian's package.

    Exits with the command that installs one when none can be installed.
    """
    path = _system() or _playwright() or _debian()
    if path is None:
        sys.exit("browser: no Chromium found or installed. To fix it: sudo apt install chromium, or install Chrome")
    return path


def _system() -> str | None:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    return found or (str(MAC) if MAC.exists() else None)


def _playwright() -> str | None:
    print("browser: no Chromium on this machine, installing Playwright's …", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    # Playwright's browser does not start when system libraries are missing.
    works = subprocess.run([path, "--version"], check=False, capture_output=True).returncode == 0
    return path if works else None


def _debian() -> str | None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return None
    print("browser: installing Debian's chromium …", flush=True)
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
            return None
    return _system()
