"""The registry's HTTP API: records requests, checks their credentials, simulates faults."""

import threading
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from tests.simulators.faults import Fault, Faults
from tests.simulators.registry.api import PATH, Call, respond
from tests.simulators.registry.errors import CODES, Json, RegistryError, error_response
from tests.simulators.registry.guard import Guard
from tests.simulators.registry.store import Store


@dataclass
class Seen:
    """A received request, and the status of its response; 0 means no response. Credentials are not stored."""

    method: str
    path: str
    authorised: bool = False
    status: int = 0


@dataclass
class HttpApi:
    """ASGI application."""

    store: Store
    guard: Guard
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, or close its connection without a response."""
        request = Request(scope, receive)
        body = await request.body()
        seen = Seen(request.method, scope["path"])
        self.seen.append(seen)
        response = await run_in_threadpool(self._respond, seen, request, body)
        if response is None:
            # ASGI can't close a connection without a response, so use uvicorn's transport behind `send`.
            send.__self__.transport.abort()  # type: ignore[attr-defined]
            await receive()
            return
        seen.status = response.status_code
        response.headers["docker-distribution-api-version"] = "registry/2.0"
        await response(scope, receive, send)

    def _respond(self, seen: Seen, request: Request, body: bytes) -> Response | None:
        faults = self.faults.take(seen.method, seen.path)
        for fault in faults:
            if fault.call:
                fault.call()
        simulated = next((fault for fault in faults if fault.status or fault.lost), None)
        if simulated and not simulated.executed:
            return fault_response(simulated)
        with self._lock:
            response = self._carry_out(seen, request, body)
        return fault_response(simulated) if simulated else response

    def _carry_out(self, seen: Seen, request: Request, body: bytes) -> Response:
        try:
            return self._accepted(seen, request, body)
        except RegistryError as refusal:
            return refusal.response()

    def _accepted(self, seen: Seen, request: Request, body: bytes) -> Response:
        authorization = request.headers.get("authorization", "")
        if seen.path == "/token" and self.guard.scheme == "Bearer" and seen.method == "GET":
            issued = self.guard.issue(authorization, scopes(request))
            seen.authorised = True
            return Json(issued)
        match = PATH.fullmatch(seen.path)
        if not match and seen.path != "/v2/":
            return PlainTextResponse("404 page not found\n", 404)
        url = str(request.base_url).rstrip("/")
        parts = match.groupdict() if match else {"name": "", "kind": "", "reference": ""}
        call = Call(seen.method, **parts, url=url, query=request.query_params, headers=request.headers, body=body)
        self.guard.check(authorization, call.name, call.action, url)
        seen.authorised = True
        return respond(self.store, call) if match else Json({})


def scopes(request: Request) -> list[str]:
    """Return the requested scopes: in several parameters, or in one separated by spaces."""
    return [scope for value in request.query_params.getlist("scope") for scope in value.split()]


def fault_response(fault: Fault) -> Response | None:
    """Return a fault's response; None closes the connection."""
    if fault.lost or fault.status is None:
        return None
    # A proxy in front of a registry returns HTML.
    if fault.status in (502, 504) or fault.status > 504:
        return Response("<html><title>Bad gateway</title></html>", fault.status, media_type="text/html")
    code = next((code for code in ("NAME_UNKNOWN", *CODES) if CODES[code][0] == fault.status), "UNKNOWN")
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return error_response(code, fault.status, f"the simulator was set to return {fault.status}", None, headers=headers)
