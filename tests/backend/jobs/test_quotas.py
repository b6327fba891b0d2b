"""The quotas of one account, also with concurrent requests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import transaction, utc_now
from backend.jobs import transitions
from backend.jobs.models import Job, Upload
from backend.jobs.quotas import ABANDONED_AFTER, stored_bytes
from backend.settings import Settings
from tests.actions import create_job, send_photo
from tests.conftest import MakeSettings
from tests.servers import LiveServer

RUNNING, PER_DAY, BYTES = 2, 4, 100_000
LEASE = timedelta(minutes=1)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Settings with small quotas."""
    return make_settings(QUOTA_JOBS_RUNNING=RUNNING, QUOTA_JOBS_PER_DAY=PER_DAY, QUOTA_BYTES=BYTES)


def request_job(user: httpx.Client, upload_id: str, **headers: str) -> httpx.Response:
    return user.post("/api/jobs", json={"upload_id": upload_id, "recipe": {"preset": "web"}}, headers=headers)


def announce(user: httpx.Client, size: int) -> httpx.Response:
    return user.post("/api/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "size": size})


def run_concurrently(call: Callable[[int], httpx.Response], times: int) -> list[int]:
    with ThreadPoolExecutor(times) as pool:
        return sorted(response.status_code for response in pool.map(call, range(times)))


def finish(sessions: sessionmaker[Session], job_id: str, *sizes: int) -> None:
    """Complete a job as a worker does, with results of these sizes."""
    with transaction(sessions) as session:
        job = transitions.start(session, UUID(job_id), LEASE)
        assert job is not None
        assert job.lease_token is not None
        results = [{"name": f"{n}.webp", "size": size} for n, size in enumerate(sizes)]
        assert transitions.complete(session, job.id, job.lease_token, LEASE, results=results, facts={})


def test_a_job_over_the_quota_of_unfinished_jobs_is_refused(user: httpx.Client, photo: bytes) -> None:
    jobs = [create_job(user, send_photo(user, photo)) for _ in range(RUNNING)]
    upload_id = send_photo(user, photo)
    refused = request_job(user, upload_id)
    assert refused.status_code == 429
    assert refused.json()["code"] == "quota_jobs_running"
    assert f"At most {RUNNING} jobs" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    assert user.post(f"/api/jobs/{jobs[0]['id']}/cancel").status_code == 200
    assert request_job(user, upload_id).status_code == 202


def test_concurrent_requests_do_not_exceed_the_unfinished_jobs(user: httpx.Client, photo: bytes) -> None:
    uploads = [send_photo(user, photo) for _ in range(6)]
    assert run_concurrently(lambda n: request_job(user, uploads[n]), 6) == [202] * RUNNING + [429] * 4


def test_a_retry_counts_for_the_quota_of_unfinished_jobs(user: httpx.Client, photo: bytes) -> None:
    cancelled = create_job(user, send_photo(user, photo))["id"]
    user.post(f"/api/jobs/{cancelled}/cancel").raise_for_status()
    other = [create_job(user, send_photo(user, photo))["id"] for _ in range(RUNNING)]
    refused = user.post(f"/api/jobs/{cancelled}/retry")
    assert refused.status_code == 429
    assert refused.json()["code"] == "quota_jobs_running"
    assert user.get(f"/api/jobs/{cancelled}").json()["status"] == "cancelled"
    user.delete(f"/api/jobs/{other[0]}").raise_for_status()
    assert user.post(f"/api/jobs/{cancelled}/retry").status_code == 202


def test_deleted_jobs_count_for_the_jobs_per_day(user: httpx.Client, photo: bytes, engine: Engine) -> None:
    for _ in range(PER_DAY):
        job_id = create_job(user, send_photo(user, photo))["id"]
        assert user.delete(f"/api/jobs/{job_id}").status_code == 204
    upload_id = send_photo(user, photo)
    refused = request_job(user, upload_id)
    assert refused.status_code == 429
    assert refused.json()["code"] == "quota_jobs_per_day"
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
    with engine.begin() as connection:
        connection.execute(update(User).values(jobs_counted_from=utc_now() - timedelta(hours=24)))
    assert request_job(user, upload_id).status_code == 202


def test_concurrent_requests_do_not_exceed_the_jobs_per_day(user: httpx.Client, photo: bytes, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(User).values(quota_jobs_running=100))
    uploads = [send_photo(user, photo) for _ in range(6)]
    assert run_concurrently(lambda n: request_job(user, uploads[n]), 6) == [202] * PER_DAY + [429] * 2


def test_a_repeated_request_is_not_counted_again(user: httpx.Client, photo: bytes, engine: Engine) -> None:
    upload_id = send_photo(user, photo)
    key = {"Idempotency-Key": uuid4().hex}
    first = request_job(user, upload_id, **key).json()
    create_job(user, send_photo(user, photo))
    assert [request_job(user, upload_id, **key).json()["id"] for _ in range(PER_DAY)] == [first["id"]] * PER_DAY
    with Session(engine) as session:
        assert session.query(User).one().jobs_counted == 2


def test_stored_and_announced_files_count_for_the_byte_quota(user: httpx.Client, photo: bytes, engine: Engine) -> None:
    job_id = create_job(user, send_photo(user, photo))["id"]
    assert announce(user, BYTES - 2 * len(photo)).status_code == 201
    assert announce(user, len(photo)).status_code == 201
    refused = announce(user, 1)
    assert refused.status_code == 409
    assert refused.json()["code"] == "quota_bytes"
    assert f"{BYTES} of {BYTES} bytes" in refused.json()["detail"]
    user.delete(f"/api/jobs/{job_id}").raise_for_status()
    assert announce(user, 1).json()["code"] == "quota_bytes", "the signed URL still accepts its photo"
    with engine.begin() as connection:
        used = select(Job.upload_id).where(Job.id == UUID(job_id))
        past = utc_now() - ABANDONED_AFTER
        connection.execute(update(Upload).where(Upload.id.in_(used)).values(expires_at=past))
    assert announce(user, len(photo)).status_code == 201


def test_concurrent_requests_do_not_exceed_the_byte_quota(user: httpx.Client) -> None:
    assert run_concurrently(lambda _: announce(user, BYTES // 3), 6) == [201] * 3 + [409] * 3


def test_results_count_for_the_byte_quota(user: httpx.Client, photo: bytes, sessions: sessionmaker[Session]) -> None:
    job_id = create_job(user, send_photo(user, photo))["id"]
    finish(sessions, job_id, 30_000, 20_000)
    assert announce(user, BYTES - len(photo) - 50_000 + 1).json()["code"] == "quota_bytes"
    assert announce(user, BYTES - len(photo) - 50_000).status_code == 201


def test_expired_uploads_without_a_file_do_not_count_for_the_byte_quota(
    user: httpx.Client, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    assert announce(user, BYTES).status_code == 201
    with engine.begin() as connection:
        connection.execute(update(Upload).values(expires_at=utc_now() - ABANDONED_AFTER))
    with sessions() as session:
        owner = session.query(Upload).one().user_id
        assert stored_bytes(session, owner) == 0


def test_an_account_may_have_quotas_of_its_own(user: httpx.Client, photo: bytes, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(User).values(quota_jobs_running=1, quota_jobs_per_day=2, quota_bytes=3 * len(photo)))
    job_id = create_job(user, send_photo(user, photo))["id"]
    upload_id = send_photo(user, photo)
    assert request_job(user, upload_id).json()["code"] == "quota_jobs_running"
    user.post(f"/api/jobs/{job_id}/cancel").raise_for_status()
    user.post(f"/api/jobs/{request_job(user, upload_id).json()['id']}/cancel").raise_for_status()
    assert request_job(user, send_photo(user, photo)).json()["code"] == "quota_jobs_per_day"
    assert announce(user, 1).json()["code"] == "quota_bytes"


def test_other_users_jobs_and_files_do_not_count(user: httpx.Client, other_user: httpx.Client, photo: bytes) -> None:
    for _ in range(RUNNING):
        create_job(other_user, send_photo(other_user, photo))
    announce(other_user, BYTES - 2 * len(photo)).raise_for_status()
    create_job(user, send_photo(user, photo))
    assert announce(user, BYTES - len(photo)).status_code == 201


def test_a_job_stores_the_total_size_of_its_results(
    server: LiveServer, user: httpx.Client, photo: bytes, sessions: sessionmaker[Session]
) -> None:
    job_id = create_job(user, send_photo(user, photo))["id"]
    finish(sessions, job_id, 1, 2, 3)
    with sessions() as session:
        assert session.get_one(Job, UUID(job_id)).results_size == 6
