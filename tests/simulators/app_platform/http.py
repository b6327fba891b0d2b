"""The platform's HTTP API: routes requests, checks requests and responses against the contract, simulates faults."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.simulators.app_platform.api import Api
from tests.simulators.app_platform.cloud import Cloud
from tests.simulators.app_platform.contract import Call, load_contract
from tests.simulators.app_platform.errors import ApiError, bad_request, not_found, unauthorized
from tests.simulators.faults import Fault, Faults

LIMIT = 5000


@dataclass
class Seen:
    """A received request, and the status of its response; 0 means no response."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str
    status: int = 0


@dataclass
class HttpApi:
    """ASGI application. `violations` lists errors of the tool; any violation fails the test."""

    cloud: Cloud
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.api = Api(self.cloud, lambda: self.url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, or close its connection without a response."""
        request = Request(scope, receive)
        body = await request.body()
        seen = Seen(
            request.method,
            scope["raw_path"].decode().split("?")[0],
            dict(request.query_params),
            parsed(body),
            request.headers.get("authorization", ""),
        )
        self.seen.append(seen)
        response = await run_in_threadpool(self._respond, seen)
        if response is None:
            # ASGI can't close a connection without a response, so use uvicorn's transport behind `send`.
            send.__self__.transport.abort()  # type: ignore[attr-defined]
            await receive()
            return
        seen.status = response.status_code
        await response(scope, receive, send)

    def _respond(self, seen: Seen) -> Response | None:
        if seen.path.startswith("/logs/"):
            return self._log_file(seen)
        faults = self.faults.take(seen.method, seen.path)
        for fault in faults:
            if fault.call:
                fault.call()
        simulated = next((fault for fault in faults if fault.status or fault.lost), None)
        if simulated and not simulated.executed:
            return fault_response(simulated)
        response = self._carry_out(seen)
        return fault_response(simulated) if simulated else response

    def _carry_out(self, seen: Seen) -> Response:
        call = None
        headers = rate_headers(LIMIT - len(self.seen))
        try:
            call = self._recognised(seen)
            # 200 even without a body: the document declares an empty 200 for committing a rollback.
            body, status = self.api.respond(call), 200
        except ApiError as refusal:
            body, status = refusal.body, refusal.status
        if call:
            problems = load_contract().response_problems(call, status, headers, body)
            self.violations += [f"{call.operation} response violates the contract: {problem}" for problem in problems]
        return json_response(status, body, headers)

    def _recognised(self, seen: Seen) -> Call:
        scheme, _, token = seen.authorization.partition(" ")
        if scheme != "Bearer" or token not in self.cloud.tokens:
            raise unauthorized()
        found = load_contract().find(seen.method, seen.path)
        if not found:
            self.violations.append(f"{seen.method} {seen.path} is not an operation of the extract")
            raise not_found()
        call = Call(found.operation, found.method, found.template, found.params, seen.query, seen.body)
        problems = load_contract().request_problems(call)
        if problems:
            self.violations += [f"{call.operation}: {problem}" for problem in problems]
            raise bad_request("; ".join(problems))
        return call

    def _log_file(self, seen: Seen) -> Response:
        """Serve a log file. The links are signed, so a token in the request is a leak."""
        if seen.authorization:
            self.violations.append("the token was sent to a log file's address")
        _, _, deployment_id, kind, component = seen.path.split("/")
        with self.cloud.lock:
            logs = {
                place: text
                for app in self.cloud.apps.values()
                for deployment in app.deployments
                if deployment.id == deployment_id
                for place, text in deployment.logs.items()
            }
        texts = [
            text for (of, name), text in logs.items() if of == kind and (component == "-" or name in ("", component))
        ]
        return Response("\n".join(texts), media_type="text/plain")


def fault_response(fault: Fault) -> Response | None:
    """Return a fault's response; None closes the connection."""
    if fault.lost or fault.status is None:
        return None
    # The proxy in front of the API returns HTML; 524 was observed when listing deployments.
    if fault.status > 504:
        return Response("<html><title>A timeout occurred</title></html>", fault.status, media_type="text/html")
    remaining = 0 if fault.status == 429 else LIMIT
    body = {
        "id": ERROR_IDS.get(fault.status, "server_error"),
        "message": f"the simulator was set to return {fault.status}",
    }
    headers = rate_headers(remaining)
    if fault.retry_after is not None:
        headers["retry-after"] = str(fault.retry_after)
    return json_response(fault.status, body, headers)


def json_response(status: int, body: Any, headers: dict[str, str]) -> Response:
    """Without a body, no content type is sent."""
    content = b"" if body is None else json.dumps(body).encode()
    return Response(content, status, headers, media_type="application/json" if content else None)


def rate_headers(remaining: int) -> dict[str, str]:
    return {
        "ratelimit-limit": str(LIMIT),
        "ratelimit-remaining": str(max(remaining, 0)),
        "ratelimit-reset": str(int(time.time()) + 3600),
    }


def parsed(body: bytes) -> Any:
    """Parse a request's JSON; invalid JSON is returned as text, which every operation refuses."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


ERROR_IDS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "too_many_requests"}
