"""The public door: what it answers, with which headers, and the whole way of a photo through it."""

import asyncio
import json
import subprocess

import httpx

from tests.photos import make_photo
from tests.stack.door import create_job, open_door, sign_up, upload
from tests.stack.production import Production

SECONDS = 60


def test_a_photo_goes_all_the_way(site: Production) -> None:
    asyncio.run(_all_the_way(site))


async def _all_the_way(site: Production) -> None:
    async with open_door(site) as client:
        await sign_up(client)
        upload_id = await upload(client, make_photo(1200, 900))
        async with client.stream("GET", "/api/jobs/events") as stream:
            job = await create_job(client, upload_id)
            last = await asyncio.wait_for(_until_it_ends(stream, job["id"]), SECONDS)
        assert last["status"] == "completed", last
        assert {result["name"] for result in last["results"]}
        for result in last["results"]:
            redirect = await client.get(result["url"])
            assert redirect.status_code == 302
            picture = await client.get(redirect.headers["location"], headers={"authorization": ""})
            assert picture.status_code == 200
            assert len(picture.content) == result["size"]
        assert (await client.delete(f"/api/jobs/{job['id']}")).status_code == 204
        assert (await client.get(f"/api/jobs/{job['id']}")).status_code == 404


async def _until_it_ends(stream: httpx.Response, job_id: str) -> dict:  # type: ignore[type-arg]
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            job = json.loads(line.removeprefix("data: "))
            if job.get("id") == job_id and job["status"] in ("completed", "failed", "cancelled"):
                return dict(job)
    raise AssertionError("the stream ended before the job did")


def test_no_signed_address_and_no_token_is_in_the_edges_log(site: Production) -> None:
    asyncio.run(_all_the_way(site))
    (edge,) = site.containers("edge")
    written = subprocess.run(["docker", "logs", edge.id], capture_output=True, text=True, check=True)
    log = written.stdout + written.stderr
    assert "/results/" in log
    assert [word for word in ("X-Amz-Signature", "Bearer ") if word in log] == []


def test_the_door_answers_with_the_right_headers(site: Production) -> None:
    async def ask() -> list[httpx.Response]:
        async with open_door(site) as client:
            return [await client.get(path) for path in ("/", "/login", "/api/version", "/assets/no-such.js")]

    page, deep_link, version, missing = asyncio.run(ask())
    for answer in (page, deep_link, version):
        assert answer.status_code == 200
    for answer in (page, deep_link, version, missing):
        headers = answer.headers
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "unsafe" not in headers["content-security-policy"]
        assert "server" not in headers
    # One application, one policy, whichever server answered; blanks between words don't count.
    assert page.headers["content-security-policy"].split() == version.headers["content-security-policy"].split()
    assert missing.status_code == 404
    assert page.headers["cache-control"] == "no-cache"
    assert page.text == deep_link.text


def test_assets_come_compressed_and_stay_a_year(site: Production) -> None:
    async def ask() -> dict[str, httpx.Response]:
        async with open_door(site) as client:
            page = (await client.get("/")).text
            script = page.split('src="/assets/', 1)[1].split('"', 1)[0]
            names = ("zstd", "br", "gzip")
            return {name: await client.get(f"/assets/{script}", headers={"accept-encoding": name}) for name in names}

    for name, answer in asyncio.run(ask()).items():
        assert answer.headers["content-encoding"] == name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_health_is_whole(site: Production) -> None:
    async def ask() -> httpx.Response:
        async with open_door(site) as client:
            return await client.get("/health")

    health = asyncio.run(ask()).json()
    assert health["status"] == "ok", health


def test_no_metrics_pass_the_door(site: Production) -> None:
    async def ask() -> str:
        async with open_door(site) as client:
            return (await client.get("/metrics")).text

    assert "_total" not in asyncio.run(ask())
