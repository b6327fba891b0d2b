"""A job from end to end: real socket, broker and worker process, with files on disk and in S3."""

from collections.abc import Iterator

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from backend.settings import Settings
from tests.actions import create_job, send_photo, wait_for_job
from tests.conftest import MakeSettings
from tests.servers import WorkerProcess

BUCKET = "photos"
CREDENTIALS = {"S3_ACCESS_KEY_ID": "test-key", "S3_SECRET_ACCESS_KEY": "test-secret"}


@pytest.fixture
def s3() -> Iterator[str]:
    """An S3 server with an empty bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",
    ).create_bucket(Bucket=BUCKET)
    yield url
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def settings(request: pytest.FixtureRequest, make_settings: MakeSettings) -> Settings:
    """Settings with each kind of storage in turn."""
    if request.param == "disk":
        return make_settings()
    endpoint = request.getfixturevalue("s3")
    return make_settings(S3_ENDPOINT_URL=endpoint, S3_BUCKET=BUCKET, S3_ADDRESSING_STYLE="path", **CREDENTIALS)


def test_a_job_creates_every_size_for_download(user: httpx.Client, worker: WorkerProcess, photo: bytes) -> None:
    job = create_job(user, send_photo(user, photo), preset="social", enhance=True, watermark="© Studio")
    job = wait_for_job(user, job["id"])
    assert job["status"] == "completed", worker.log.read_text()
    assert job["progress"] == 100
    assert job["original"]["facts"] == {"width": 640, "height": 480}
    sizes = {item["label"]: (item["facts"]["width"], item["facts"]["height"]) for item in job["results"]}
    assert sizes == {"Square": (1080, 1080), "Link": (1200, 630), "Story": (1080, 1920)}
    for result in job["results"]:
        response = user.get(result["url"], follow_redirects=True)
        assert response.status_code == 200
        assert len(response.content) == result["size"]
        assert response.headers["content-type"] == "image/jpeg"
        assert f"photo-{result['name']}" in response.headers["content-disposition"]
