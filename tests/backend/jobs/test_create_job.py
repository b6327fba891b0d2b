"""Creating jobs: accepted and refused requests, and repeated requests."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.actions import create_job, send_photo
from tests.servers import LiveServer

RECIPE = {"preset": "web"}


def refusal(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check that a response is this problem document, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    return dict(document)


def test_an_upload_is_signed_for_its_exact_size_and_type(user: httpx.Client, photo: bytes) -> None:
    response = user.post("/api/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "size": len(photo)})
    upload = response.json()
    for body in (photo[:-1], photo + b"x"):
        sent = user.put(upload["url"], content=body, headers=upload["headers"])
        refusal(sent, 422, "upload_refused")
    other_type = user.put(upload["url"], content=photo, headers={"Content-Type": "text/html"})
    refusal(other_type, 422, "upload_refused")
    assert user.put(upload["url"], content=photo, headers=upload["headers"]).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "image/svg+xml", "application/pdf", ""])
def test_a_type_the_pipeline_does_not_read_is_refused(user: httpx.Client, content_type: str) -> None:
    body = {"filename": "a.jpg", "content_type": content_type, "size": 10}
    refusal(user.post("/api/uploads", json=body), 422, "unsupported_type")


def test_a_file_over_the_limit_is_refused(user: httpx.Client) -> None:
    body = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 50_000_001}
    document = refusal(user.post("/api/uploads", json=body), 422, "file_too_large")
    assert "50000000" in str(document["detail"])


@pytest.mark.parametrize("size", [0, -1, "many", None, 10**30])
def test_an_invalid_size_is_refused(user: httpx.Client, size: object) -> None:
    body = {"filename": "a.jpg", "content_type": "image/jpeg", "size": size}
    assert user.post("/api/uploads", json=body).status_code == 422


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ('a"\r\nSet-Cookie: x.jpg', 'a"Set-Cookie: x.jpg'),
        ("\u202egpj.exe", "gpj.exe"),
        ("...", "file"),
        ("ü" * 300 + ".jpg", "ü" * 127),
        ("日本語.jpg", "日本語.jpg"),
    ],
)
def test_a_hostile_file_name_is_cleaned(user: httpx.Client, photo: bytes, given: str, kept: str) -> None:
    job = create_job(user, send_photo(user, photo, filename=given))
    assert job["original"]["filename"] == kept


def test_a_forged_upload_id_is_not_found(user: httpx.Client) -> None:
    response = user.post("/api/jobs", json={"upload_id": str(uuid4()), "recipe": RECIPE})
    refusal(response, 404, "upload_not_found")


def test_another_users_upload_is_not_found(user: httpx.Client, other_user: httpx.Client, photo: bytes) -> None:
    upload_id = send_photo(user, photo)
    response = other_user.post("/api/jobs", json={"upload_id": upload_id, "recipe": RECIPE})
    refusal(response, 404, "upload_not_found")


def test_a_job_without_a_sent_file_is_refused(user: httpx.Client) -> None:
    upload = user.post("/api/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "size": 10}).json()
    response = user.post("/api/jobs", json={"upload_id": upload["upload_id"], "recipe": RECIPE})
    refusal(response, 422, "upload_incomplete")


def test_a_file_with_another_size_in_storage_is_refused(user: httpx.Client, server: LiveServer, photo: bytes) -> None:
    upload_id = send_photo(user, photo)
    [original] = server.app.state.storage.path("originals").rglob(upload_id.replace("-", ""))
    original.write_bytes(photo[:100])
    response = user.post("/api/jobs", json={"upload_id": upload_id, "recipe": RECIPE})
    refusal(response, 422, "upload_size_mismatch")


def test_a_body_of_ten_megabytes_is_refused(user: httpx.Client) -> None:
    refusal(user.post("/api/jobs", content=b"x" * 10_000_000), 413, "body_too_large")


def test_an_upload_can_have_one_job_only(user: httpx.Client, photo: bytes) -> None:
    upload_id = send_photo(user, photo)
    create_job(user, upload_id)
    refusal(user.post("/api/jobs", json={"upload_id": upload_id, "recipe": RECIPE}), 409, "upload_used")


def test_the_same_idempotency_key_returns_the_same_job(user: httpx.Client, photo: bytes) -> None:
    body = {"upload_id": send_photo(user, photo), "recipe": RECIPE}
    responses = [user.post("/api/jobs", json=body, headers={"Idempotency-Key": "once"}) for _ in range(3)]
    assert {response.status_code for response in responses} == {202}
    assert len({response.json()["id"] for response in responses}) == 1
    assert len(user.get("/api/jobs").json()["items"]) == 1


def test_an_idempotency_key_is_refused_for_another_request(user: httpx.Client, photo: bytes) -> None:
    headers = {"Idempotency-Key": "once"}
    user.post("/api/jobs", json={"upload_id": send_photo(user, photo), "recipe": RECIPE}, headers=headers)
    other = user.post("/api/jobs", json={"upload_id": send_photo(user, photo), "recipe": RECIPE}, headers=headers)
    refusal(other, 409, "idempotency_key_reused")


def test_an_idempotency_key_belongs_to_one_user(user: httpx.Client, other_user: httpx.Client, photo: bytes) -> None:
    headers = {"Idempotency-Key": "once"}
    ids = {
        client.post(
            "/api/jobs", json={"upload_id": send_photo(client, photo), "recipe": RECIPE}, headers=headers
        ).json()["id"]
        for client in (user, other_user)
    }
    assert len(ids) == 2


def test_a_double_click_creates_one_job(user: httpx.Client, photo: bytes) -> None:
    body = {"upload_id": send_photo(user, photo), "recipe": RECIPE}

    def submit(_attempt: int) -> httpx.Response:
        return user.post("/api/jobs", json=body, headers={"Idempotency-Key": "double"})

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(submit, range(8)))
    assert [response.status_code for response in responses] == [202] * 8
    assert len({response.json()["id"] for response in responses}) == 1


def test_the_idempotency_key_of_a_deleted_job_can_be_used_again(user: httpx.Client, photo: bytes) -> None:
    headers = {"Idempotency-Key": "again"}
    body = {"upload_id": send_photo(user, photo), "recipe": RECIPE}
    first = user.post("/api/jobs", json=body, headers=headers).json()
    assert user.delete(f"/api/jobs/{first['id']}").status_code == 204
    body = {"upload_id": send_photo(user, photo), "recipe": RECIPE}
    second = user.post("/api/jobs", json=body, headers=headers)
    assert second.status_code == 202
    assert second.json()["id"] != first["id"]
