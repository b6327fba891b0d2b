"""DigitalOcean's HTTP API: requests with the token, errors as sentences."""

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
    """The API of the account that DIGITALOCEAN_ACCESS_TOKEN belongs to. Raises Refused without one."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.token = os.environ.get("DIGITALOCEAN_ACCESS_TOKEN", "")
        self.url = os.environ.get("DIGITALOCEAN_API_URL", "https://api.digitalocean.com").rstrip("/")
        if not self.token:
            raise Refused("DIGITALOCEAN_ACCESS_TOKEN is not set. Make a token in the control panel, API, and export it")
        if not self.url.startswith("https:") and urlsplit(self.url).hostname not in LOCAL:
            raise Refused("DIGITALOCEAN_API_URL must begin with https://, for the token is sent there")

    def get(self, path: str, **query: Any) -> Document:
        """Return a document. Raises ExternalError."""
        return self._read(self.system.get(f"{self.url}{path}", self._headers(), params=query or None))

    def pages(self, path: str, name: str, most: int = 20) -> list[Document]:
        """Return the items of a list, page after page. Raises ExternalError."""
        items: list[Document] = []
        for page in range(1, most + 1):
            document = self.get(path, page=page, per_page=PAGE)
            items += document.get(name) or []
            if "next" not in (document.get("links") or {}).get("pages", {}):
                break
        return items

    def send(self, method: str, path: str, body: Document | None = None) -> Document:
        """Send a change once. Raises ExternalError; its status is 0 or above 499 when it may have been carried out."""
        return self._read(self.system.send(method, f"{self.url}{path}", self._headers(), json=body))

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def _read(self, answer: httpx.Response) -> Document:
        place = f"{answer.request.method} {answer.request.url.path}"
        if answer.is_success:
            try:
                return dict(answer.json()) if answer.content else {}
            except ValueError:
                raise ExternalError(f"{place} was answered, but that is no answer of this API") from None
        raise ExternalError(f"{place} answered {answer.status_code}: {_reason(answer)}", status=answer.status_code)


def _reason(answer: httpx.Response) -> str:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return "DIGITALOCEAN_ACCESS_TOKEN is wrong or has run out; make a new one in the control panel, API"
    if answer.status_code == httpx.codes.FORBIDDEN:
        return "DIGITALOCEAN_ACCESS_TOKEN lacks a scope; it needs app, registry and database, to read and to write"
    try:
        return str(answer.json().get("message", ""))[:500]
    except ValueError:
        return "no reason given"
