"""The main job from end to end, through a real socket, a real broker and a real worker process."""

import httpx

from tests.actions import create_job, send_photo, wait_for_job
from tests.servers import WorkerProcess


def test_a_photo_becomes_every_size_and_can_be_downloaded(
    user: httpx.Client, worker: WorkerProcess, photo: bytes
) -> None:
    job = create_job(user, send_photo(user, photo), preset="social", enhance=True, watermark="© Studio")
    job = wait_for_job(user, job["id"])
    assert job["status"] == "completed"
    assert job["progress"] == 100
    assert (job["original"]["width"], job["original"]["height"]) == (640, 480)
    assert {(item["width"], item["height"]) for item in job["results"]} == {(1080, 1080), (1200, 630), (1080, 1920)}
    for result in job["results"]:
        answer = user.get(result["url"], follow_redirects=True)
        assert answer.status_code == 200
        assert len(answer.content) == result["size"]
        assert answer.headers["content-type"] == "image/jpeg"
        assert f"photo-{result['name']}" in answer.headers["content-disposition"]
