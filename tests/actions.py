"""User actions through the API."""

import time
from typing import Any
from uuid import uuid4

import httpx

from tests.time_limits import scaled

PASSWORD = "correct horse battery"


def sign_up_and_in(client: httpx.Client) -> dict[str, Any]:
    """Create an account with a new address, sign in, and return the account."""
    email = f"{uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "A new user"}
    assert client.post("/api/accounts", json=body).status_code == 201
    response = client.post("/api/session", json={"email": email, "password": PASSWORD})
    assert response.status_code == 200
    return dict(response.json())


def send_photo(client: httpx.Client, data: bytes, content_type: str = "image/jpeg", filename: str = "photo.jpg") -> str:
    """Upload a file as the browser does, and return the upload's id."""
    response = client.post("/api/uploads", json={"filename": filename, "content_type": content_type, "size": len(data)})
    assert response.status_code == 201, response.text
    upload = response.json()
    sent = client.request(upload["method"], upload["url"], content=data, headers=upload["headers"])
    assert sent.status_code == 200, sent.text
    return str(upload["upload_id"])


def create_job(client: httpx.Client, upload_id: str, **recipe: Any) -> dict[str, Any]:
    response = client.post("/api/jobs", json={"upload_id": upload_id, "recipe": recipe})
    assert response.status_code == 202, response.text
    return dict(response.json())


def wait_for_job(client: httpx.Client, job_id: str, *statuses: str, seconds: float = 30) -> dict[str, Any]:
    """Poll a job until it has one of `statuses` (default: any final status), and return it."""
    wanted = statuses or ("completed", "failed", "cancelled")
    deadline = time.monotonic() + scaled(seconds)
    while True:
        job = dict(client.get(f"/api/jobs/{job_id}").raise_for_status().json())
        if job["status"] in wanted:
            return job
        assert time.monotonic() < deadline, f"the job is still {job['status']}: {job}"
        time.sleep(0.05)
