"""Tries a deployed site as a person's browser does, through the queue and back: `python -m scripts.smoke URL`."""

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
ANSWERS_IN_A_ROW = 3
STRANGER = "https://smoke-test.invalid"
LOCAL = ("localhost", "127.0.0.1", "::1")
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
ENDED = ("completed", "failed", "cancelled")
# RFC 2606 reserves .example: no server can ever have the name, so a mail to it goes nowhere.
NOBODY = "smoke-{}@slipway-smoke.example"
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
    "worker": "the worker process: does it run, and with the REDIS_URL of web?",
    "rate_limit": "REDIS_URL; attempts are counted in each process's memory meanwhile",
}
ELSEWHERE = "The built frontend is missing; where it is on another site: --api-only"
ACCOUNT = (
    "SMOKE_EMAIL and SMOKE_PASSWORD, or SMOKE_PASSWORD_FILE, name an account; "
    "without them one is made, and deleted at the end."
)
# A small file that the pipeline reads; the recipe is the one of defaults.
SAMPLE = next((Path(__file__).resolve().parents[1] / "worker" / "pipeline").glob("sample.*"))
CONTENT_TYPE = mimetypes.guess_type(SAMPLE.name)[0]
RECIPE = Recipe().model_dump(mode="json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to try, and as whom: without an e-mail address as a new account that is deleted again."""

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
    """How one step went: `ok`, `failed` or `skipped`, with what there is to say."""

    name: str
    status: str
    ms: int
    message: str


Check = Callable[[], Awaitable[str | None]]


class Wrong(Exception):
    """A sentence: what was expected of the site, what was seen, and where to look."""


class Smoke:
    """One run: its clients, with the site's cookies and without any, and what it has made so far."""

    def __init__(self, plan: Plan, show: Callable[[Step], None]) -> None:
        self.plan = plan
        self.show = show
        self.steps: list[Step] = []
        self.site, self.outside = _client(plan), _client(plan)
        self.fresh = not plan.email
        self.email = plan.email or NOBODY.format(uuid4().hex)
        self.password = plan.password or uuid4().hex
        self.settles_at = time.monotonic() + plan.settle
        self.account = False
        self.upload_id = self.job_id = ""
        self.results: list[dict[str, Any]] = []

    async def run(self) -> bool:
        """Run every step but those an earlier failure makes pointless, clean up, and tell whether all went well."""
        looks: dict[str, Check] = {"health": partial(self._settled, self._all_well)}
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
        # A site may drip bytes for ever: no step is longer than its longest honest wait.
        limit = self.plan.settle + self.plan.timeout + 2 * REQUEST_SECONDS
        try:
            async with asyncio.timeout(limit):
                message = await check() if wanted else None
        except Exception as error:
            status, message = "failed", _sentence(error, limit)
        told = (message or "").replace(self.password, "***")
        clean = "".join(char if char.isprintable() else " " for char in told)
        self.steps.append(Step(name, status, round((time.monotonic() - started) * 1000), clean[:800]))
        self.show(self.steps[-1])
        return status == "ok"

    async def _settled(self, check: Check) -> str | None:
        """Repeat a check that may fail while a release rolls out."""
        while True:
            try:
                return await check()
            except (Wrong, *UNREADABLE, httpx.TransportError):
                if time.monotonic() + 1 > self.settles_at:
                    raise
            await asyncio.sleep(1)

    async def _same_release(self) -> str:
        expected, sha = self.plan.expect_sha, ""
        for _ in range(ANSWERS_IN_A_ROW):
            # Each on a connection of its own: behind one address some processes may still be of the old release.
            answer = await self.site.get("/api/version", headers={"connection": "close"})
            _expect(answer, (200,))
            sha = str(answer.json()["git_sha"])
            if expected and not sha.startswith(expected):
                waited = f"also after {self.plan.settle:g} s"
                raise Wrong(f"Expected release {expected}, {waited} {sha} answers: did the deployment go through?")
        return sha

    async def _all_well(self) -> None:
        answer = await self._ask("GET", "/health", 200, 503)
        document = answer.json()
        away = {name: word for name, word in document["checks"].items() if word != "ok"}
        if document["status"] != "ok" or away:
            told = "; ".join(f"{name} is {word}, look at {LOOK_AT.get(name, 'it')}" for name, word in away.items())
            raise Wrong(f"Expected ok, /health says {document['status']}: {told}")

    async def _page(self) -> None:
        answer = await self._ask("GET", "/", 200, hint=ELSEWHERE)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            raise Wrong(f"/ is no HTML page. {ELSEWHERE}")
        for script in re.findall(r'src="(/assets/[^"]+)"', answer.text):
            await self._ask("GET", script, 200, hint="The page and its files are of different builds")

    async def _headers(self) -> None:
        wanted = SECURITY_HEADERS | (HSTS if self.plan.url.startswith("https:") else {})
        faults = []
        for path in ["/api/version"] if self.plan.api_only else ["/api/version", "/"]:
            seen = (await self.site.get(path)).headers
            bad = [name for name, rule in wanted.items() if not re.fullmatch(rule, seen.get(name, ""))]
            faults += [f"{path} has {name}: {seen[name]}" if name in seen else f"{path} lacks {name}" for name in bad]
        if faults:
            raise Wrong(f"{'; '.join(faults)}. The application sends them right: look at the proxy in front of it")

    async def _cors(self) -> None:
        for origin in self.plan.origins:
            allowed, credentials = await self._preflight(self.site, "/api/session", origin, "POST")
            if (allowed, credentials) != (origin, "true"):
                raise Wrong(f"Pages of {origin} were to be let in, and {allowed} is: look at ALLOWED_ORIGINS")
        allowed, _ = await self._preflight(self.site, "/api/session", STRANGER, "POST")
        if allowed in (STRANGER, "*"):
            raise Wrong(f"Pages of any origin are let in ({allowed}): look at ALLOWED_ORIGINS and the proxy in front")

    async def _preflight(self, client: httpx.AsyncClient, url: str, origin: str, method: str) -> tuple[str, str]:
        asked = {"access-control-request-method": method, "access-control-request-headers": "content-type"}
        answer = (await client.options(url, headers=asked | {"origin": origin})).headers
        return answer.get("access-control-allow-origin", "nobody"), answer.get("access-control-allow-credentials", "")

    async def _sign_up(self) -> str:
        body = {"email": self.email, "password": self.password, "name": "Smoke test"}
        hint = "Where registration is closed, SMOKE_EMAIL and SMOKE_PASSWORD_FILE name an account made for this"
        await self._ask("POST", "/api/accounts", 201, body=body, hint=hint)
        self.account = True
        return self.email

    async def _sign_in(self) -> None:
        body = {"email": self.email, "password": self.password}
        hint = "" if self.fresh else "Are SMOKE_EMAIL and SMOKE_PASSWORD those of an account of this very site?"
        answer = await self._ask("POST", "/api/session", 200, body=body, hint=hint)
        self.account = True
        needed = ["httponly", "samesite=lax", *(["secure"] if self.plan.url.startswith("https:") else [])]
        for cookie in answer.headers.get_list("set-cookie"):
            name, *marks = cookie.replace(" ", "").lower().split(";")
            if missing := set(needed) - set(marks):
                raise Wrong(f"The cookie {name.partition('=')[0]} lacks {', '.join(sorted(missing))}: see PUBLIC_URL")
        hint = "The session's cookie did not come back: is PUBLIC_URL the address asked here?"
        await self._ask("GET", "/api/accounts/me", 200, hint=hint)

    async def _upload(self) -> str:
        content = SAMPLE.read_bytes()
        body = {"filename": SAMPLE.name, "content_type": CONTENT_TYPE, "size": len(content)}
        ticket = (await self._ask("POST", "/api/uploads", 201, body=body)).json()
        url = urljoin(self.plan.url, ticket["url"])
        if _origin(url) != self.plan.url:
            allowed, _ = await self._preflight(self.outside, url, self.plan.url, ticket["method"])
            if allowed not in (self.plan.url, "*"):
                raise Wrong(f"No browser can upload, {_origin(url)} lets {allowed} in: look at the bucket's CORS rule")
        sent = await self.outside.request(ticket["method"], url, content=content, headers=ticket["headers"])
        _expect(sent, (200, 201, 204), "The site signed this address: look at the S3_ settings and the bucket's rights")
        self.upload_id = ticket["upload_id"]
        return f"{len(content)} bytes to {_origin(url)}"

    async def _create_job(self) -> str:
        await self._open_stream()
        body = {"upload_id": self.upload_id, "recipe": RECIPE}
        self.job_id = (await self._ask("POST", "/api/jobs", 202, body=body)).json()["id"]
        return self.job_id

    async def _open_stream(self) -> None:
        # Silence is no fault of a stream; whoever reads it has a limit.
        patient = httpx.Timeout(REQUEST_SECONDS, read=None)
        request = self.site.build_request("GET", "/api/jobs/events", timeout=patient)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                self.stream = await self.site.send(request, stream=True)
        except TimeoutError:
            hint = "a proxy in front may hold back text/event-stream"
            raise Wrong(f"/api/jobs/events did not begin within {REQUEST_SECONDS} s: {hint}") from None
        if self.stream.status_code != 200:
            await self.stream.aread()
        _expect(self.stream, (200,))

    async def _event(self) -> str:
        try:
            async with asyncio.timeout(self.plan.timeout):
                job = await self._ended_job()
        except TimeoutError:
            raise Wrong(await self._why_no_event()) from None
        if job["status"] != "completed" or not job["results"]:
            reason = (job["failure"] or {}).get("code", "without results")
            raise Wrong(f"The job was to be completed and is {job['status']}, {reason}: look for its id in the logs")
        await self.stream.aclose()
        self.results = job["results"]
        return f"completed, {len(self.results)} files"

    async def _ended_job(self) -> dict[str, Any]:
        """Read the stream until the job ends; like a browser, ask again when a release or a proxy cuts it."""
        while True:
            with suppress(httpx.TransportError, httpx.StreamError):
                async for line in self.stream.aiter_lines():
                    job = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                    if job.get("id") == self.job_id and job.get("status") in ENDED:
                        return dict(job)
            await asyncio.sleep(1)
            with suppress(httpx.TransportError, Wrong):
                await self._open_stream()

    async def _why_no_event(self) -> str:
        job = (await self._ask("GET", f"/api/jobs/{self.job_id}", 200)).json()
        waited = f"after {self.plan.timeout:g} s"
        if job["status"] == "queued":
            return f"The job still waits {waited}: no worker took it; look at {LOOK_AT['worker']}"
        if job["status"] in ENDED:
            hint = "look at Valkey's pub/sub, and whether a proxy in front holds back text/event-stream"
            return f"The job is {job['status']}, but {waited} no event has told it: {hint}"
        return f"The job is at {job['progress']} % {waited}: look at the worker's log and load, or give more --timeout"

    async def _download(self) -> str:
        for result in self.results:
            redirect = await self._ask("GET", result["url"], 302)
            answer = await self.outside.get(urljoin(self.plan.url, redirect.headers["location"]))
            _expect(answer, (200,), "The site signed this address: look at the S3_ settings and the bucket")
            wanted = (result["size"], result.get("content_type"))
            found = (len(answer.content), answer.headers.get("content-type"))
            # Releases before 0005 of the schema don't name the type.
            if found[0] != wanted[0] or found[1] != (wanted[1] or found[1]):
                raise Wrong(
                    f"{result['name']} should be {wanted[0]} bytes of {wanted[1]}, "
                    f"and the download is {found[0]} bytes of {found[1]}"
                )
        return f"{sum(result['size'] for result in self.results)} bytes"

    async def _delete_job(self) -> None:
        path = f"/api/jobs/{self.job_id}"
        await self._ask("DELETE", path, 204, hint="The job stays there")
        self.job_id = ""
        await self._ask("GET", path, 404, hint="A deleted job must be gone at once")

    async def _delete_account(self) -> None:
        body, hint = {"password": self.password}, f"Delete the account {self.email} yourself"
        await self._ask("DELETE", "/api/accounts/me", 204, body=body, hint=hint)
        await self._ask("GET", "/api/accounts/me", 401, hint="A deleted account must be gone at once")

    async def _sign_out(self) -> None:
        await self._ask("DELETE", "/api/session", 204)

    async def _ask(self, method: str, path: str, *wanted: int, body: Any = None, hint: str = "") -> httpx.Response:
        answer = await self.site.request(method, path, json=body)
        _expect(answer, wanted, hint)
        return answer


def _client(plan: Plan) -> httpx.AsyncClient:
    headers = {"origin": plan.url, "user-agent": "slipway-smoke"}
    return httpx.AsyncClient(base_url=plan.url, headers=headers, verify=plan.trust, timeout=REQUEST_SECONDS)


def _origin(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"


def _expect(answer: httpx.Response, expected: tuple[int, ...], hint: str = "") -> None:
    """Raise Wrong for another status. Of addresses only the path is told: what follows it may be a signature."""
    if answer.status_code in expected:
        return
    place = f"{answer.request.method} {_origin(str(answer.request.url))}{answer.request.url.path}"
    wanted = " or ".join(map(str, expected))
    raise Wrong(f"{place} was to answer {wanted} and answered {answer.status_code}{_reason(answer)}. {hint}".strip())


def _reason(answer: httpx.Response) -> str:
    """Return what a problem document, a bucket's XML or a redirect says."""
    if answer.has_redirect_location:
        return f", to {_origin(urljoin(str(answer.request.url), answer.headers['location']))}"
    with suppress(ValueError, LookupError, TypeError):
        problem = answer.json()
        return f" {problem['code']}: {problem['detail']} (request {problem.get('request_id', 'without id')})"
    code = re.search(r"<Code>(\w+)</Code>", answer.text)
    return f" {code[1]}" if code else ""


def _sentence(error: Exception, limit: float) -> str:
    """Return what an error means. Only sentences of our own and of TLS are quoted, as others may hold what was sent."""
    if isinstance(error, Wrong):
        return str(error)
    if isinstance(error, httpx.TransportError):
        return f"{error.request.url.host} {_trouble(error)}"
    if isinstance(error, TimeoutError):
        return f"No end after {limit:g} s, though something came all the time"
    if isinstance(error, UNREADABLE):
        return f"An answer is none of this API's ({type(error).__name__}): is this the site's address?"
    return f"The smoke test itself failed: {type(error).__name__}"


def _trouble(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"did not answer within {REQUEST_SECONDS} s: it hangs, or a firewall is between"
    if isinstance(error, httpx.ConnectError):
        return f"can't be reached: {error}. Is the address right? For a private CA: --ca-file"
    return f"broke the connection ({type(error).__name__}): look at the log of the proxy in front"


def main(arguments: list[str] | None = None) -> int:
    """Run, print each step as it ends, and return 0 when all went well, 1 when not."""
    given = _read_arguments(arguments)
    as_json = given.pop("json")
    smoke = Smoke(Plan(**given), show=_nothing if as_json else _print_step)
    started = time.monotonic()
    try:
        well = asyncio.run(smoke.run())
    except KeyboardInterrupt:
        return 130
    ms = round((time.monotonic() - started) * 1000)
    if as_json:
        steps = [asdict(step) for step in smoke.steps]
        print(json.dumps({"url": smoke.plan.url, "ok": well, "ms": ms, "steps": steps}, indent=2))
    else:
        failed = ", ".join(step.name for step in smoke.steps if step.status == "failed")
        print(f"smoke: {smoke.plan.url} {f'FAILED: {failed}' if failed else 'is well'}, {ms} ms")
    return 0 if well else 1


def _print_step(step: Step) -> None:
    word = {"ok": "ok", "failed": "FAIL", "skipped": "skip"}[step.status]
    print(f"{word:<4} {step.name:<9} {step.ms:>6} ms  {step.message}".rstrip(), flush=True)


def _nothing(_step: Step) -> None:
    pass


def _read_arguments(arguments: list[str] | None) -> dict[str, Any]:
    """Return a Plan's values and `json`; wrong use ends with status 2."""
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
    add("--expect-sha", metavar="SHA", type=_sha, help="commit that must answer, 7 characters or more")
    add("--origin", dest="origins", type=_site, action="append", default=[], help="CORS lets it in", metavar="ORIGIN")
    add("--api-only", action="store_true", help="the frontend is elsewhere")
    add("--settle", metavar="SECONDS", type=_seconds, default=30, help="for a new release to be there and well")
    add("--timeout", metavar="SECONDS", type=_seconds, default=60, help="for the job")
    add("--ca-file", dest="trust", metavar="FILE", type=_trust, default="", help="certificates to trust, too, as PEM")
    add("--json", action="store_true", help="print one JSON document at the end")
    return parser


def _password() -> str:
    path = os.environ.get("SMOKE_PASSWORD_FILE")
    given = Path(path).read_text("utf-8").removesuffix("\n") if path else os.environ.get("SMOKE_PASSWORD", "")
    given.encode()
    return given


def _site(given: str) -> str:
    # Not quoted in what is said: somebody may have written a password into it.
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        raise argparse.ArgumentTypeError("is no address") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.path != "/" or url.query:
        raise argparse.ArgumentTypeError("is a scheme and a host, such as https://studio.example.com, and nothing else")
    if url.scheme == "http" and url.host not in LOCAL:
        raise argparse.ArgumentTypeError("must begin with https://, for a password is sent there")
    return _origin(given)


def _sha(given: str) -> str:
    if not re.fullmatch("[0-9a-f]{7,40}", given):
        raise argparse.ArgumentTypeError("is 7 to 40 characters of a commit's hash")
    return given


def _seconds(given: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", given):
        raise argparse.ArgumentTypeError("is a number of seconds, below 10000")
    return float(given)


def _trust(path: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    try:
        if path:
            context.load_verify_locations(path)
    except OSError:
        raise argparse.ArgumentTypeError(f"holds no certificates: {path}") from None
    return context


if __name__ == "__main__":
    sys.exit(main())
