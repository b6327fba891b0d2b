"""Tests a deployed site as a user's browser does, with a real job: `python -m scripts.smoke URL`."""

import argparse
import asyncio
import json
import mimetypes
import os
import re
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx

from backend.jobs.recipe import Recipe

REQUEST_SECONDS = 10
VERSION_REQUESTS = 3
FOREIGN_ORIGIN = "https://smoke-test.invalid"
LOCAL = ("localhost", "127.0.0.1", "::1")
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
ENDED = ("completed", "failed", "cancelled")
# RFC 2606 reserves .example: no server can have the name, so no mail to it is delivered.
NEW_EMAIL = "smoke-{}@slipway-smoke.example"
SECURITY_HEADERS = {
    "content-security-policy": r"(?!.*unsafe)default-src 'self'.*frame-ancestors 'none'.*",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": ".+",
    "cross-origin-opener-policy": "same-origin",
}
HSTS = {"strict-transport-security": r"max-age=\d{8,}.*"}
LOOK_AT = {
    "database": "DATABASE_URL and the database server",
    "valkey": "REDIS_URL and the Valkey server",
    "storage": "the S3_ settings and the bucket",
    "worker": "the worker process: is it running, with the same REDIS_URL as web?",
    "rate_limit": "REDIS_URL; until it is reachable, each process counts attempts in memory",
}
ELSEWHERE = "The built frontend is missing; if it is on another site: --api-only"
ACCOUNT = (
    "SMOKE_EMAIL and SMOKE_PASSWORD, or SMOKE_PASSWORD_FILE, name an account; "
    "without them an account is created, and deleted at the end."
)
# A small file that the pipeline accepts; the recipe has the default values.
SAMPLE = next((Path(__file__).resolve().parents[1] / "worker" / "pipeline").glob("sample.*"))
CONTENT_TYPE = mimetypes.guess_type(SAMPLE.name)[0]
RECIPE = Recipe().model_dump(mode="json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The options of a run. Without an email address it creates an account and deletes it at the end."""

    url: str
    expect_sha: str | None
    origins: list[str]
    api_only: bool
    settle: float
    timeout: float
    trust: ssl.SSLContext
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one step. `status` is `ok`, `failed` or `skipped`."""

    name: str
    status: str
    ms: int
    message: str


Check = Callable[[], Awaitable[str | None]]


class CheckFailed(Exception):
    """A sentence with the expected state, the actual state, and where to look."""


class Smoke:
    """One run: its clients, one with the site's cookies and one without, and everything it created."""

    def __init__(self, plan: Plan, show: Callable[[Step], None]) -> None:
        self.plan = plan
        self.show = show
        self.steps: list[Step] = []
        self.site, self.outside = _client(plan), _client(plan)
        self.fresh = not plan.email
        self.email = plan.email or NEW_EMAIL.format(uuid4().hex)
        self.password = plan.password or uuid4().hex
        self.settles_at = time.monotonic() + plan.settle
        self.account = False
        self.upload_id = self.job_id = ""
        self.results: list[dict[str, Any]] = []

    async def run(self) -> bool:
        """Run all steps, skipping those that need a failed one, and clean up. Returns whether all passed."""
        looks: dict[str, Check] = {"health": partial(self._settled, self._healthy)}
        looks |= {} if self.plan.api_only else {"page": self._page}
        looks |= {"headers": self._headers, "cors": self._cors}
        way: dict[str, Check] = {"sign-up": self._sign_up} if self.fresh else {}
        way |= {"sign-in": self._sign_in, "upload": self._upload, "job": self._create_job, "event": self._event}
        way |= {"download": self._download, "delete": self._delete_job}
        async with self.site, self.outside:
            try:
                there = await self._step("version", partial(self._settled, self._same_release))
                for name, check in looks.items():
                    await self._step(name, check, wanted=there)
                going = there
                for name, check in way.items():
                    going = await self._step(name, check, wanted=going)
            finally:
                await self._leave()
        return all(step.status == "ok" for step in self.steps)

    async def _leave(self) -> None:
        if self.job_id:
            await self._step("clean-up", self._delete_job)
        if self.account and self.fresh:
            await self._step("close", self._delete_account)
        elif self.account:
            await self._step("sign-out", self._sign_out)

    async def _step(self, name: str, check: Check, *, wanted: bool = True) -> bool:
        started = time.monotonic()
        status, message = ("ok" if wanted else "skipped"), None
        # A site may send bytes endlessly, so each step has a time limit.
        limit = self.plan.settle + self.plan.timeout + 2 * REQUEST_SECONDS
        try:
            async with asyncio.timeout(limit):
                message = await check() if wanted else None
        except Exception as error:
            status, message = "failed", _sentence(error, limit)
        redacted = (message or "").replace(self.password, "***")
        clean = "".join(char if char.isprintable() else " " for char in redacted)
        self.steps.append(Step(name, status, round((time.monotonic() - started) * 1000), clean[:800]))
        self.show(self.steps[-1])
        return status == "ok"

    async def _settled(self, check: Check) -> str | None:
        """Repeat a check that may fail while a release rolls out."""
        while True:
            try:
                return await check()
            except (CheckFailed, *UNREADABLE, httpx.TransportError):
                if time.monotonic() + 1 > self.settles_at:
                    raise
            await asyncio.sleep(1)

    async def _same_release(self) -> str:
        expected, sha = self.plan.expect_sha, ""
        for _ in range(VERSION_REQUESTS):
            # Each on its own connection: some processes behind the address may still run the old release.
            response = await self.site.get("/api/version", headers={"connection": "close"})
            _expect(response, (200,))
            sha = str(response.json()["git_sha"])
            if expected and not sha.startswith(expected):
                after = f"after {self.plan.settle:g} s"
                raise CheckFailed(f"Expected release {expected}, {after} {sha} runs: did the deployment succeed?")
        return sha

    async def _healthy(self) -> None:
        response = await self._ask("GET", "/health", 200, 503)
        document = response.json()
        failed = {name: state for name, state in document["checks"].items() if state != "ok"}
        if document["status"] != "ok" or failed:
            hints = "; ".join(f"{name} is {state}, look at {LOOK_AT.get(name, 'it')}" for name, state in failed.items())
            raise CheckFailed(f"Expected ok, /health is {document['status']}: {hints}")

    async def _page(self) -> None:
        response = await self._ask("GET", "/", 200, hint=ELSEWHERE)
        if not response.headers.get("content-type", "").startswith("text/html"):
            raise CheckFailed(f"/ is not an HTML page. {ELSEWHERE}")
        for script in re.findall(r'src="(/assets/[^"]+)"', response.text):
            await self._ask("GET", script, 200, hint="The page and its files are from different builds")

    async def _headers(self) -> None:
        wanted = SECURITY_HEADERS | (HSTS if self.plan.url.startswith("https:") else {})
        errors = []
        for path in ["/api/version"] if self.plan.api_only else ["/api/version", "/"]:
            seen = (await self.site.get(path)).headers
            bad = [name for name, rule in wanted.items() if not re.fullmatch(rule, seen.get(name, ""))]
            errors += [f"{path} has {name}: {seen[name]}" if name in seen else f"{path} lacks {name}" for name in bad]
        if errors:
            raise CheckFailed(f"{'; '.join(errors)}. The application sends correct headers: look at the proxy in front")

    async def _cors(self) -> None:
        for origin in self.plan.origins:
            allowed, credentials = await self._preflight(self.site, "/api/session", origin, "POST")
            if (allowed, credentials) != (origin, "true"):
                raise CheckFailed(f"Expected {origin} to be allowed, but {allowed} is: look at ALLOWED_ORIGINS")
        allowed, _ = await self._preflight(self.site, "/api/session", FOREIGN_ORIGIN, "POST")
        if allowed in (FOREIGN_ORIGIN, "*"):
            raise CheckFailed(f"Every origin is allowed ({allowed}): look at ALLOWED_ORIGINS and the proxy in front")

    async def _preflight(self, client: httpx.AsyncClient, url: str, origin: str, method: str) -> tuple[str, str]:
        request = {"access-control-request-method": method, "access-control-request-headers": "content-type"}
        headers = (await client.options(url, headers=request | {"origin": origin})).headers
        return headers.get("access-control-allow-origin", "none"), headers.get("access-control-allow-credentials", "")

    async def _sign_up(self) -> str:
        body = {"email": self.email, "password": self.password, "name": "Smoke test"}
        hint = "If registration is closed, set SMOKE_EMAIL and SMOKE_PASSWORD_FILE to an account for this test"
        await self._ask("POST", "/api/accounts", 201, body=body, hint=hint)
        self.account = True
        return self.email

    async def _sign_in(self) -> None:
        body = {"email": self.email, "password": self.password}
        hint = "" if self.fresh else "Are SMOKE_EMAIL and SMOKE_PASSWORD those of an account of this site?"
        response = await self._ask("POST", "/api/session", 200, body=body, hint=hint)
        self.account = True
        needed = ["httponly", "samesite=lax", *(["secure"] if self.plan.url.startswith("https:") else [])]
        for cookie in response.headers.get_list("set-cookie"):
            name, *attributes = cookie.replace(" ", "").lower().split(";")
            if missing := set(needed) - set(attributes):
                raise CheckFailed(
                    f"The cookie {name.partition('=')[0]} lacks {', '.join(sorted(missing))}: see PUBLIC_URL"
                )
        hint = "The session's cookie was not accepted: is PUBLIC_URL the address of this test?"
        await self._ask("GET", "/api/accounts/me", 200, hint=hint)

    async def _upload(self) -> str:
        content = SAMPLE.read_bytes()
        body = {"filename": SAMPLE.name, "content_type": CONTENT_TYPE, "size": len(content)}
        ticket = (await self._ask("POST", "/api/uploads", 201, body=body)).json()
        url = urljoin(self.plan.url, ticket["url"])
        if _origin(url) != self.plan.url:
            allowed, _ = await self._preflight(self.outside, url, self.plan.url, ticket["method"])
            if allowed not in (self.plan.url, "*"):
                raise CheckFailed(
                    f"Browsers can't upload, {_origin(url)} allows {allowed}: look at the bucket's CORS rule"
                )
        sent = await self.outside.request(ticket["method"], url, content=content, headers=ticket["headers"])
        _expect(
            sent, (200, 201, 204), "The site signed this URL: look at the S3_ settings and the bucket's permissions"
        )
        self.upload_id = ticket["upload_id"]
        return f"{len(content)} bytes to {_origin(url)}"

    async def _create_job(self) -> str:
        await self._open_stream()
        body = {"upload_id": self.upload_id, "recipe": RECIPE}
        self.job_id = (await self._ask("POST", "/api/jobs", 202, body=body)).json()["id"]
        return self.job_id

    async def _open_stream(self) -> None:
        # A stream may send nothing for long; its reader has a time limit.
        timeout = httpx.Timeout(REQUEST_SECONDS, read=None)
        request = self.site.build_request("GET", "/api/jobs/events", timeout=timeout)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                self.stream = await self.site.send(request, stream=True)
        except TimeoutError:
            hint = "a proxy in front may buffer text/event-stream"
            raise CheckFailed(f"/api/jobs/events did not start within {REQUEST_SECONDS} s: {hint}") from None
        if self.stream.status_code != 200:
            await self.stream.aread()
        _expect(self.stream, (200,))

    async def _event(self) -> str:
        try:
            async with asyncio.timeout(self.plan.timeout):
                job = await self._ended_job()
        except TimeoutError:
            raise CheckFailed(await self._why_no_event()) from None
        if job["status"] != "completed" or not job["results"]:
            reason = (job["failure"] or {}).get("code", "without results")
            raise CheckFailed(f"Expected a completed job, it is {job['status']}, {reason}: look for its id in the logs")
        await self.stream.aclose()
        self.results = job["results"]
        return f"completed, {len(self.results)} files"

    async def _ended_job(self) -> dict[str, Any]:
        """Read the stream until the job ends; reconnect like a browser when a release or a proxy ends it."""
        while True:
            with suppress(httpx.TransportError, httpx.StreamError):
                async for line in self.stream.aiter_lines():
                    job = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                    if job.get("id") == self.job_id and job.get("status") in ENDED:
                        return dict(job)
            await asyncio.sleep(1)
            with suppress(httpx.TransportError, CheckFailed):
                await self._open_stream()

    async def _why_no_event(self) -> str:
        job = (await self._ask("GET", f"/api/jobs/{self.job_id}", 200)).json()
        waited = f"after {self.plan.timeout:g} s"
        if job["status"] == "queued":
            return f"The job is still queued {waited}: no worker started it; look at {LOOK_AT['worker']}"
        if job["status"] in ENDED:
            hint = "look at Valkey's pub/sub, and whether a proxy in front buffers text/event-stream"
            return f"The job is {job['status']}, but {waited} no event reported it: {hint}"
        return f"The job is at {job['progress']} % {waited}: look at the worker's log and load, or increase --timeout"

    async def _download(self) -> str:
        for result in self.results:
            redirect = await self._ask("GET", result["url"], 302)
            response = await self.outside.get(urljoin(self.plan.url, redirect.headers["location"]))
            _expect(response, (200,), "The site signed this URL: look at the S3_ settings and the bucket")
            wanted = (result["size"], result.get("content_type"))
            found = (len(response.content), response.headers.get("content-type"))
            # Releases before schema revision 0005 don't return the type.
            if found[0] != wanted[0] or found[1] != (wanted[1] or found[1]):
                raise CheckFailed(
                    f"{result['name']} should be {wanted[0]} bytes of {wanted[1]}, "
                    f"and the download is {found[0]} bytes of {found[1]}"
                )
        return f"{sum(result['size'] for result in self.results)} bytes"

    async def _delete_job(self) -> None:
        path = f"/api/jobs/{self.job_id}"
        await self._ask("DELETE", path, 204, hint="The job was not deleted")
        self.job_id = ""
        await self._ask("GET", path, 404, hint="A deleted job must be inaccessible at once")

    async def _delete_account(self) -> None:
        body, hint = {"password": self.password}, f"Delete the account {self.email} yourself"
        await self._ask("DELETE", "/api/accounts/me", 204, body=body, hint=hint)
        await self._ask("GET", "/api/accounts/me", 401, hint="A deleted account must be inaccessible at once")

    async def _sign_out(self) -> None:
        await self._ask("DELETE", "/api/session", 204)

    async def _ask(self, method: str, path: str, *wanted: int, body: Any = None, hint: str = "") -> httpx.Response:
        response = await self.site.request(method, path, json=body)
        _expect(response, wanted, hint)
        return response


def _client(plan: Plan) -> httpx.AsyncClient:
    headers = {"origin": plan.url, "user-agent": "slipway-smoke"}
    return httpx.AsyncClient(base_url=plan.url, headers=headers, verify=plan.trust, timeout=REQUEST_SECONDS)


def _origin(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"


def _expect(response: httpx.Response, expected: tuple[int, ...], hint: str = "") -> None:
    """Raise CheckFailed for another status. The message has no query string, which may contain a signature."""
    if response.status_code in expected:
        return
    place = f"{response.request.method} {_origin(str(response.request.url))}{response.request.url.path}"
    wanted = " or ".join(map(str, expected))
    raise CheckFailed(
        f"{place} should return {wanted} but returned {response.status_code}{_reason(response)}. {hint}".strip()
    )


def _reason(response: httpx.Response) -> str:
    """Return the reason from a problem document, a bucket's XML or a redirect."""
    if response.has_redirect_location:
        return f", to {_origin(urljoin(str(response.request.url), response.headers['location']))}"
    with suppress(ValueError, LookupError, TypeError):
        problem = response.json()
        return f" {problem['code']}: {problem['detail']} (request {problem.get('request_id', 'without id')})"
    code = re.search(r"<Code>(\w+)</Code>", response.text)
    return f" {code[1]}" if code else ""


def _sentence(error: Exception, limit: float) -> str:
    """Describe an error. Quotes only our own messages and those of TLS; others may contain the request's data."""
    if isinstance(error, CheckFailed):
        return str(error)
    if isinstance(error, httpx.TransportError):
        return f"{error.request.url.host} {_transport_error(error)}"
    if isinstance(error, TimeoutError):
        return f"Not finished after {limit:g} s, although data kept arriving"
    if isinstance(error, UNREADABLE):
        return f"A response is not from this API ({type(error).__name__}): is this the site's address?"
    return f"The smoke test itself failed: {type(error).__name__}"


def _transport_error(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"did not respond within {REQUEST_SECONDS} s: it hangs, or a firewall blocks the connection"
    if isinstance(error, httpx.ConnectError):
        return f"can't be reached: {error}. Is the address correct? For a private CA: --ca-file"
    return f"closed the connection ({type(error).__name__}): look at the log of the proxy in front"


def main(arguments: list[str] | None = None) -> int:
    """Run and print each step. Returns 0 when all passed, else 1."""
    given = _read_arguments(arguments)
    as_json = given.pop("json")
    smoke = Smoke(Plan(**given), show=_nothing if as_json else _print_step)
    started = time.monotonic()
    try:
        passed = asyncio.run(smoke.run())
    except KeyboardInterrupt:
        return 130
    ms = round((time.monotonic() - started) * 1000)
    if as_json:
        steps = [asdict(step) for step in smoke.steps]
        print(json.dumps({"url": smoke.plan.url, "ok": passed, "ms": ms, "steps": steps}, indent=2))
    else:
        failed = ", ".join(step.name for step in smoke.steps if step.status == "failed")
        print(f"smoke: {smoke.plan.url} {f'FAILED: {failed}' if failed else 'passed'}, {ms} ms")
    return 0 if passed else 1


def _print_step(step: Step) -> None:
    label = {"ok": "ok", "failed": "FAIL", "skipped": "skip"}[step.status]
    print(f"{label:<4} {step.name:<9} {step.ms:>6} ms  {step.message}".rstrip(), flush=True)


def _nothing(_step: Step) -> None:
    pass


def _read_arguments(arguments: list[str] | None) -> dict[str, Any]:
    """Return a Plan's values and `json`. Exits with 2 for invalid arguments."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    given["email"] = os.environ.get("SMOKE_EMAIL", "")
    try:
        given["password"] = _password()
    except (OSError, UnicodeError) as error:
        parser.error(f"SMOKE_PASSWORD_FILE or SMOKE_PASSWORD can't be read as UTF-8 ({type(error).__name__})")
    if bool(given["email"]) != bool(given["password"]):
        parser.error("SMOKE_EMAIL and SMOKE_PASSWORD (or SMOKE_PASSWORD_FILE) belong together: set both or neither")
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__, epilog=ACCOUNT)
    add = parser.add_argument
    add("url", type=_site, help="such as https://studio.example.com")
    add("--expect-sha", metavar="SHA", type=_sha, help="expected commit, 7 characters or more")
    add(
        "--origin",
        dest="origins",
        type=_site,
        action="append",
        default=[],
        help="origin that CORS must allow",
        metavar="ORIGIN",
    )
    add("--api-only", action="store_true", help="the frontend is on another site")
    add("--settle", metavar="SECONDS", type=_seconds, default=30, help="wait for a new release to become healthy")
    add("--timeout", metavar="SECONDS", type=_seconds, default=60, help="wait for the job")
    add(
        "--ca-file",
        dest="trust",
        metavar="FILE",
        type=_trust,
        default="",
        help="additional CA certificates to trust, as PEM",
    )
    add("--json", action="store_true", help="print one JSON document at the end")
    return parser


def _password() -> str:
    path = os.environ.get("SMOKE_PASSWORD_FILE")
    given = Path(path).read_text("utf-8").removesuffix("\n") if path else os.environ.get("SMOKE_PASSWORD", "")
    given.encode()
    return given


def _site(given: str) -> str:
    # The error does not quote the value, because it may contain a password.
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        raise argparse.ArgumentTypeError("is not a URL") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.path != "/" or url.query:
        raise argparse.ArgumentTypeError("must be a scheme and a host only, such as https://studio.example.com")
    if url.scheme == "http" and url.host not in LOCAL:
        raise argparse.ArgumentTypeError("must start with https://, because a password is sent there")
    return _origin(given)


def _sha(given: str) -> str:
    if not re.fullmatch("[0-9a-f]{7,40}", given):
        raise argparse.ArgumentTypeError("must be 7 to 40 characters of a commit's hash")
    return given


def _seconds(given: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", given):
        raise argparse.ArgumentTypeError("must be a number of seconds below 10000")
    return float(given)


def _trust(path: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    try:
        if path:
            context.load_verify_locations(path)
    except OSError:
        raise argparse.ArgumentTypeError(f"contains no certificates: {path}") from None
    return context


if __name__ == "__main__":
    sys.exit(main())
