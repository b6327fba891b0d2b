"""The rehearsal's router sends requests where the ingress says, and cuts nothing when that changes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from scripts.valkey import free_port
from tests.rehearsal.certificates import Authority
from tests.rehearsal.environment import SpecError
from tests.rehearsal.router import Router, Rule, Table, Target, rules, serving
from tests.simulators.serving import serve

RULES = (Rule("/api", "api", True), Rule("/", "web", False))


def instance(name: str) -> Starlette:
    """A container's web server: tells what it was asked, and streams without end."""

    async def echo(request: Request) -> JSONResponse:
        body = (await request.body()).decode()
        seen = {"name": name, "path": request.scope["raw_path"].decode(), "query": request.url.query, "body": body}
        return JSONResponse({**seen, "headers": dict(request.headers)})

    async def stream(_request: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            while True:
                yield f"data: {name}\n\n"
                await asyncio.sleep(0.02)

        return StreamingResponse(lines(), media_type="text/event-stream")

    return Starlette(routes=[Route("/api/events", stream), Route("/{path:path}", echo, methods=["GET", "POST"])])


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
def client(router: Router, tmp_path: Path) -> Iterator[httpx.Client]:
    authority, port = Authority(tmp_path, "public"), free_port()
    trust = ssl.create_default_context(cafile=authority.path)
    url = f"https://127.0.0.1:{port}"
    with serving(router, port, authority.issue("127.0.0.1")), httpx.Client(base_url=url, verify=trust) as client:
        yield client


@pytest.fixture
def old() -> Iterator[Target]:
    with serve(instance("old")) as url:
        yield Target(url)


@pytest.fixture
def new() -> Iterator[Target]:
    with serve(instance("new")) as url:
        yield Target(url)


def test_request_arrives_whole_with_the_platforms_headers(client: httpx.Client, router: Router, old: Target) -> None:
    router.table = Table(RULES, {"api": [old]})
    forged = {"x-forwarded-for": "203.0.113.9", "do-connecting-ip": "203.0.113.9", "authorization": "Bearer x"}
    seen = client.post("/api/a%2Fb?c=d%20e", content="body", headers=forged).json()
    assert seen["path"] == "/api/a%2Fb"
    assert seen["query"] == "c=d%20e"
    assert seen["body"] == "body"
    assert seen["headers"]["do-connecting-ip"] == "127.0.0.1"
    assert seen["headers"]["x-forwarded-for"] == "198.51.100.7"
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert seen["headers"]["authorization"] == "Bearer x"


def test_longest_prefix_decides(client: httpx.Client, router: Router, old: Target, new: Target) -> None:
    router.table = Table(RULES, {"api": [old], "web": [new]})
    answers = [client.get(path).json() for path in ("/api", "/api/jobs", "/apish", "/")]
    assert [answer["name"] for answer in answers] == ["old", "old", "new", "new"]


def test_stream_goes_on_at_the_old_container_while_requests_go_to_the_new(
    client: httpx.Client, router: Router, old: Target, new: Target
) -> None:
    router.table = Table(RULES, {"api": [old]})
    with client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "data: old"
        router.table = Table(RULES, {"api": [new]})
        assert client.get("/api/jobs").json()["name"] == "new"
        assert [line for _, line in zip(range(4), lines, strict=False) if line] == ["data: old"] * 2
        assert old.busy == 1
    assert router.trouble == []


def test_dead_container_is_told_to_the_client_and_remembered(client: httpx.Client, router: Router) -> None:
    router.table = Table(RULES, {"api": [Target(f"http://127.0.0.1:{free_port()}")]})
    assert client.get("/api/jobs").status_code == 503
    assert len(router.trouble) == 1


def test_app_without_containers_answers_503(client: httpx.Client) -> None:
    assert client.get("/").status_code == 503


def test_rule_the_router_does_not_know_is_refused() -> None:
    redirect = {"match": {"path": {"prefix": "/old"}}, "redirect": {"uri": "/new"}}
    with pytest.raises(SpecError, match="does not know"):
        rules({"ingress": {"rules": [redirect]}})
