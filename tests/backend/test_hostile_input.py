"""Hostile text in every text field must return a status below 500, on both databases."""

import httpx
import pytest

from tests.actions import PASSWORD, create_job, send_photo
from tests.backend.accounts.test_accounts import account

HOSTILE = {
    "nul": "a\\u0000b",
    "surrogate": "\\ud800",
    "bidi": "\\u202e\\u2066",
    "emoji": "\\ud83d\\ude00" * 20,
    "newline": "a\\r\\nSet-Cookie: x=y",
    "sql": "'; DROP TABLE users; --",
}


def post(client: httpx.Client, path: str, json_text: str) -> httpx.Response:
    return client.post(path, content=json_text, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_never_breaks_an_account_route(client: httpx.Client, text: str) -> None:
    email = account()["email"]
    bodies = {
        "/api/accounts": [
            f'{{"email": "{email}", "password": "{PASSWORD}", "name": "{text}"}}',
            f'{{"email": "{text}@example.com", "password": "{PASSWORD}", "name": "x"}}',
            f'{{"email": "x{email}", "password": "{text}{text}{PASSWORD}", "name": "x"}}',
        ],
        "/api/session": [
            f'{{"email": "{text}", "password": "{PASSWORD}"}}',
            f'{{"email": "{email}", "password": "{text}"}}',
        ],
    }
    for path, texts in bodies.items():
        for body in texts:
            response = post(client, path, body)
            assert response.status_code in (200, 201, 401, 409, 422), response.text
            assert "Traceback" not in response.text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_never_breaks_a_job_route(user: httpx.Client, photo: bytes, text: str) -> None:
    response = post(user, "/api/uploads", f'{{"filename": "{text}", "content_type": "image/png", "size": 1}}')
    assert response.status_code in (201, 422), response.text
    response = post(user, "/api/uploads", f'{{"filename": "x", "content_type": "{text}", "size": 1}}')
    assert response.status_code == 422, response.text
    upload_id = send_photo(user, photo)
    recipe = f'{{"preset": "web", "watermark": "{text}"}}'
    response = post(user, "/api/jobs", f'{{"upload_id": "{upload_id}", "recipe": {recipe}}}')
    assert response.status_code in (202, 422), response.text
    assert user.get("/api/jobs").status_code == 200


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"x"', "{", "[" * 100_000, '{"a":' * 5_000, "\xff\xfe", "1e999", '{"upload_id": 1}']
)
def test_an_invalid_body_is_a_problem(user: httpx.Client, body: str) -> None:
    response = user.post("/api/jobs", content=body.encode("latin-1"), headers={"Content-Type": "application/json"})
    assert response.status_code == 422, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/api/jobs/%00",
        "/api/jobs/../../etc/passwd",
        "/api/jobs/x%2f..%2fy",
        "/storage/../../etc/passwd",
        "/storage/%2e%2e/x",
        "/%c0%ae%c0%ae/",
        "//evil.example/",
    ],
)
def test_a_hostile_path_is_a_problem(user: httpx.Client, path: str) -> None:
    response = user.get(path)
    assert response.status_code in (403, 404, 422), response.text[:300]


def test_a_hostile_header_is_a_problem(user: httpx.Client, photo: bytes) -> None:
    job = create_job(user, send_photo(user, photo))
    for value in ("ü" * 100, "' OR 1=1", "x" * 256):
        body = {"upload_id": job["id"], "recipe": {"preset": "web"}}
        response = user.post("/api/jobs", json=body, headers={"Idempotency-Key": value.encode()})
        assert response.status_code in (404, 422), response.text
