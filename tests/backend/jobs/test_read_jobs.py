"""Reading jobs: pages, ownership, cancel, retry, delete."""

from uuid import UUID, uuid4

import httpx
import pytest

from tests.actions import create_job, send_photo
from tests.backend.jobs.test_create_job import refusal


@pytest.fixture
def job_id(user: httpx.Client, photo: bytes) -> str:
    return str(create_job(user, send_photo(user, photo))["id"])


def test_pages_list_every_job_once_newest_first(user: httpx.Client, photo: bytes) -> None:
    created = [create_job(user, send_photo(user, photo))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = user.get("/api/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
    assert seen == created[::-1]


def test_a_page_that_ends_with_the_last_job_has_no_cursor(user: httpx.Client, photo: bytes) -> None:
    create_job(user, send_photo(user, photo))
    assert user.get("/api/jobs", params={"limit": 1}).json()["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["cursor=garbage", "cursor=%00", "cursor=", "limit=0", "limit=101", "limit=x", "cursor=' OR 1=1--"]
)
def test_invalid_page_parameters_are_refused(user: httpx.Client, query: str) -> None:
    refusal(user.get(f"/api/jobs?{query}"), 422, "invalid_input")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("DELETE", ""),
        ("GET", "/results/web-800.webp"),
    ],
)
def test_another_users_job_is_not_found(
    user: httpx.Client, other_user: httpx.Client, job_id: str, method: str, path: str
) -> None:
    foreign = other_user.request(method, f"/api/jobs/{job_id}{path}")
    unknown = other_user.request(method, f"/api/jobs/{uuid4()}{path}")
    assert refusal(foreign, 404, "job_not_found")["detail"] == refusal(unknown, 404, "job_not_found")["detail"]
    assert user.get(f"/api/jobs/{job_id}").json()["status"] == "queued"
    assert other_user.get("/api/jobs").json()["items"] == []


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/events", f"/api/jobs/{UUID(int=1)}", "/api/accounts/me"])
def test_reading_needs_a_sign_in(client: httpx.Client, path: str) -> None:
    refusal(client.get(path), 401, "not_authenticated")


def test_a_queued_job_can_be_cancelled_once(user: httpx.Client, job_id: str) -> None:
    job = user.post(f"/api/jobs/{job_id}/cancel").json()
    assert job["status"] == "cancelled"
    assert job["finished_at"] is not None
    assert job["expires_at"] is not None
    refusal(user.post(f"/api/jobs/{job_id}/cancel"), 409, "job_finished")


def test_a_cancelled_job_can_be_retried(user: httpx.Client, job_id: str) -> None:
    refusal(user.post(f"/api/jobs/{job_id}/retry"), 409, "job_not_retryable")
    user.post(f"/api/jobs/{job_id}/cancel")
    response = user.post(f"/api/jobs/{job_id}/retry")
    assert response.status_code == 202
    job = response.json()
    assert job["status"] == "queued"
    assert job["finished_at"] is None
    assert job["expires_at"] is None


def test_a_deleted_job_is_not_found(user: httpx.Client, job_id: str) -> None:
    assert user.delete(f"/api/jobs/{job_id}").status_code == 204
    refusal(user.get(f"/api/jobs/{job_id}"), 404, "job_not_found")
    refusal(user.delete(f"/api/jobs/{job_id}"), 404, "job_not_found")
    refusal(user.post(f"/api/jobs/{job_id}/retry"), 404, "job_not_found")
    assert user.get("/api/jobs").json()["items"] == []


def test_an_unknown_result_is_not_found(user: httpx.Client, job_id: str) -> None:
    refusal(user.get(f"/api/jobs/{job_id}/results/web-800.webp"), 404, "result_not_found")
    refusal(user.get(f"/api/jobs/{job_id}/results/..%2f..%2fetc%2fpasswd"), 404, "not_found")
