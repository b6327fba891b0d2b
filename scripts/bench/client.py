"""A user's actions, one function each."""

import httpx

from backend.accounts.cookies import access_cookie_name
from scripts.bench.rows import PASSWORD, Account
from scripts.bench.servers import Stack


def client_of(port: int) -> httpx.Client:
    """Return a client of the web server on this machine."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)


def log_in(client: httpx.Client, account: Account) -> None:
    """Sign in; the client keeps the cookies."""
    body = {"email": account.email, "password": PASSWORD}
    client.post("/api/session", json=body).raise_for_status()


def access_token(stack: Stack, port: int, account: Account) -> str:
    with client_of(port) as client:
        log_in(client, account)
        return client.cookies[access_cookie_name(stack.settings)]


def create_job(client: httpx.Client, photo: bytes) -> str:
    """Upload a photo, create its job, and return the job's id."""
    body = {"filename": "photo.jpg", "content_type": "image/jpeg", "size": len(photo)}
    upload = client.post("/api/uploads", json=body).raise_for_status().json()
    client.request(upload["method"], upload["url"], content=photo, headers=upload["headers"]).raise_for_status()
    job = {"upload_id": upload["upload_id"], "recipe": {}}
    return str(client.post("/api/jobs", json=job).raise_for_status().json()["id"])
