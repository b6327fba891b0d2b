"""The platform's front: HTTPS at an app's address, passed on to its containers as the spec's ingress says."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.rehearsal.environment import SpecError
from tests.simulators.app_platform.spec import Spec
from tests.simulators.serving import PromptServer

# RFC 9110, 7.6.1: what is said to the neighbour alone.
TO_THE_NEIGHBOUR = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"}
WRITTEN_HERE = {b"x-forwarded-for", b"x-forwarded-proto", b"do-connecting-ip"}
# App Platform names its own ingress there, an address that is no private one (RFC 5737).
INGRESS = b"198.51.100.7"
# Clients keep connections for less: a request must never meet one that is just being closed.
KEEP_ALIVE_SECONDS = 300
START_SECONDS = 10


@dataclass(eq=False)
class Target:
    """One container that takes requests."""

    url: str
    busy: int = 0


@dataclass(frozen=True)
class Rule:
    """Which paths go to which component."""

    prefix: str
    component: str
    keeps_prefix: bool

    def fits(self, path: str) -> bool:
        """Whether a path is the prefix, or lies under it."""
        return path == self.prefix or path.startswith(self.prefix.rstrip("/") + "/")

    def passed_on(self, path: str) -> str:
        """Return the path the component is asked for."""
        return path if self.keeps_prefix else "/" + path.removeprefix(self.prefix).lstrip("/")


@dataclass(frozen=True)
class Table:
    """Where requests go now."""

    rules: tuple[Rule, ...] = ()
    targets: dict[str, list[Target]] = field(default_factory=dict)

    def find(self, path: str) -> tuple[Rule, Target] | None:
        """Return the rule for a path and the component's container that has least to do."""
        rule = next((rule for rule in self.rules if rule.fits(path)), None)
        if rule is None or not self.targets.get(rule.component):
            return None
        return rule, min(self.targets[rule.component], key=lambda target: target.busy)


def rules(spec: Spec) -> tuple[Rule, ...]:
    """Return a spec's ingress, longest prefix first. Raises SpecError for what this router can't do."""
    found = []
    for rule in spec.get("ingress", {}).get("rules", []):
        match rule:
            case {"match": {"path": {"prefix": prefix, **path}, **other}, "component": component, **more}:
                known = not (path or other or more) and component.keys() <= {"name", "preserve_path_prefix"}
            case _:
                known = False
        if not known:
            raise SpecError(f"ingress: the rehearsal's router does not know rules like {rule}")
        found.append(Rule(prefix, component["name"], component.get("preserve_path_prefix", False)))
    return tuple(sorted(found, key=lambda rule: len(rule.prefix), reverse=True))


class Router:
    """An ASGI application that passes requests on. Changing `table` harms no request that is under way."""

    def __init__(self) -> None:
        self.table = Table()
        self.trouble: list[str] = []
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or stop when its client left."""
        found = self.table.find(scope["path"])
        if found is None:
            await PlainTextResponse("no healthy upstream", 503)(scope, receive, send)
            return
        rule, target = found
        request = Request(scope, receive)
        body = await request.body()
        target.busy += 1
        work = asyncio.create_task(self._pass_on(request, body, rule, target, send))
        gone = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            target.busy -= 1
            for task in (work, gone):
                task.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await work

    async def _pass_on(self, request: Request, body: bytes, rule: Rule, target: Target, send: Send) -> None:
        query = f"?{request.url.query}" if request.url.query else ""
        # The path as it came: what is encoded in it stays so.
        url = target.url + rule.passed_on(request.scope["raw_path"].decode("ascii")) + query
        outgoing = httpx.Request(request.method, url, headers=_outgoing_headers(request), content=body or None)
        begun = False
        try:
            answer = await self._upstream().send(outgoing, stream=True)
            try:
                headers = [(name.lower(), value) for name, value in answer.headers.raw]
                kept = [(name, value) for name, value in headers if name not in TO_THE_NEIGHBOUR]
                begun = True
                await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
                async for chunk in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            self.trouble.append(f"{request.method} {request.url.path} at {target.url}: {type(error).__name__} {error}")
            if begun:
                raise
            await PlainTextResponse("upstream connect error", 503)(request.scope, request.receive, send)

    def _upstream(self) -> httpx.AsyncClient:
        # Made in the server's own event loop, by the first request.
        if self._client is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30)
            self._client = httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(100, connect=5), trust_env=False)
        return self._client


def _outgoing_headers(request: Request) -> list[tuple[bytes, bytes]]:
    dropped = TO_THE_NEIGHBOUR | WRITTEN_HERE
    headers = [(name, value) for name, value in request.headers.raw if name not in dropped]
    client = request.client.host.encode() if request.client else b""
    return [
        *headers,
        (b"x-forwarded-for", INGRESS),
        (b"x-forwarded-proto", b"https"),
        (b"do-connecting-ip", client),
    ]


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def serving(router: Router, port: int, certificate: tuple[Path, Path]) -> Iterator[None]:
    """Serve a router at a port of 127.0.0.1 in a thread of its own."""
    config = uvicorn.Config(
        router,
        host="127.0.0.1",
        port=port,
        ssl_certfile=certificate[0],
        ssl_keyfile=certificate[1],
        log_config=None,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = PromptServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    if not server.ready.wait(START_SECONDS):
        raise RuntimeError(f"the router did not start at port {port}: is it taken?")
    try:
        yield
    finally:
        server.end()
        thread.join(START_SECONDS)
