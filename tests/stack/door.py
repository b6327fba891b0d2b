"""The public door as people meet it: HTTPS on a local port, under the site's own name, with its certificate checked."""

from typing import Any
from uuid import uuid4

import httpx

from tests.stack.production import HOST, STORAGE_HOST, Production

PASSWORD = "correct horse battery staple"


def open_door(production: Production, *, timeout: float = 20) -> httpx.AsyncClient:
    """Return a client of the site; it connects to 127.0.0.1 and asks for the site's name."""
    return httpx.AsyncClient(
        base_url=f"https://{HOST}",
        transport=_LocalTransport(production),
        timeout=timeout,
        headers={"user-agent": "stack-test"},
    )


class _LocalTransport(httpx.AsyncHTTPTransport):
    """Sends what is meant for the site and its storage to the ports they have on this machine."""

    def __init__(self, production: Production) -> None:
        super().__init__(verify=production.trust(), limits=httpx.Limits(max_connections=200))
        self._ports = {HOST: production.https_port, STORAGE_HOST.partition(":")[0]: production.storage_port}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        request.extensions["sni_hostname"] = name
        request.url = request.url.copy_with(host="127.0.0.1", port=self._ports[name])
        return await super().handle_async_request(request)


async def sign_up(client: httpx.AsyncClient) -> None:
    """Make an account, and let the client act for it with a Bearer token."""
    email = f"{uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "A new user"}
    (await client.post("/api/accounts", json=body)).raise_for_status()
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    answer = (await client.post("/api/session/token", data=form)).raise_for_status()
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


async def upload(client: httpx.AsyncClient, photo: bytes) -> str:
    """Send a photo as the browser does, and return the upload's id."""
    body = {"filename": "photo.jpg", "content_type": "image/jpeg", "size": len(photo)}
    ticket = (await client.post("/api/uploads", json=body)).raise_for_status().json()
    bare = {"authorization": ""} | ticket["headers"]
    sent = await client.request(ticket["method"], ticket["url"], content=photo, headers=bare)
    sent.raise_for_status()
    return str(ticket["upload_id"])


async def create_job(client: httpx.AsyncClient, upload_id: str) -> dict[str, Any]:
    """Queue a job, and return it."""
    body = {"upload_id": upload_id, "recipe": {"preset": "social"}}
    return dict((await client.post("/api/jobs", json=body)).raise_for_status().json())
