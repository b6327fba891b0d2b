"""Client of DigitalOcean's HTTP API, with readable error messages."""

import os
from typing import Any
from urllib.parse import urlsplit

import httpx

from scripts.deploy.errors import ExternalError, Refused
from scripts.deploy.system import System

Document = dict[str, Any]
PAGE = 100
LOCAL = ("127.0.0.1", "localhost")


class Api:
    """The API, with the token in DIGITALOCEAN_ACCESS_TOKEN. Raises Refused without one."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.token = os.environ.get("DIGITALOCEAN_ACCESS_TOKEN", "")
        self.url = os.environ.get("DIGITALOCEAN_API_URL", "https://api.digitalocean.com").rstrip("/")
        if not self.token:
            hint = "Create a token in the control panel, API, and export it"
            raise Refused(f"DIGITALOCEAN_ACCESS_TOKEN is not set. {hint}")
        if not self.url.startswith("https:") and urlsplit(self.url).hostname not in LOCAL:
            raise Refused("DIGITALOCEAN_API_URL must start with https://, because the token is sent there")

    def get(self, path: str, **query: Any) -> Document:
        return self._read(self.system.get(f"{self.url}{path}", self._headers(), params=query or None))

    def pages(self, path: str, name: str, most: int = 20) -> list[Document]:
        """Return the items of all pages. Raises ExternalError."""
        items: list[Document] = []
        for page in range(1, most + 1):
            document = self.get(path, page=page, per_page=PAGE)
            items += document.get(name) or []
            if "next" not in (document.get("links") or {}).get("pages", {}):
                break
        return items

    def send(self, method: str, path: str, body: Document | None = None) -> Document:
        """Send a change once. Raises ExternalError; with status 0 or above 499 the change may have been carried out."""
        return self._read(self.system.send(method, f"{self.url}{path}", self._headers(), json=body))

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def _read(self, response: httpx.Response) -> Document:
        request = f"{response.request.method} {response.request.url.path}"
        if response.is_success:
            try:
                return dict(response.json()) if response.content else {}
            except ValueError:
                raise ExternalError(f"{request} returned something that is not a response of this API") from None
        status = response.status_code
        raise ExternalError(f"{request} returned {status}: {_reason(response)}", status=status)


def _reason(response: httpx.Response) -> str:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return "DIGITALOCEAN_ACCESS_TOKEN is invalid or expired; create a new one in the control panel, API"
    if response.status_code == httpx.codes.FORBIDDEN:
        return "DIGITALOCEAN_ACCESS_TOKEN lacks a scope; it needs to read and write app, registry and database"
    try:
        return str(response.json().get("message", ""))[:500]
    except ValueError:
        return "no reason given"
