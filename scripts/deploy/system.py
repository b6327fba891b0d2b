"""Access to the outside: HTTP requests, programs, the terminal and the clock."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from scripts.deploy.errors import ExternalError

ROOT = Path(__file__).resolve().parents[2]
REQUEST_SECONDS = 30
ATTEMPTS = 6
LONGEST_WAIT = 60
LOG_BYTES = 200_000
STOP_SECONDS = 30
STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class ProgramResult:
    code: int
    out: str
    err: str


class System:
    """The system a command runs on. Tests replace the clock."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sleep = sleep
        self.clock = clock
        self._http = httpx.Client(timeout=REQUEST_SECONDS, headers={"user-agent": "slipway-deploy"})

    def get(self, url: str, headers: Mapping[str, str], *, attempts: int = ATTEMPTS, **more: Any) -> httpx.Response:
        """Send a GET request; retry it after lost responses, 429 and 5xx. Raises ExternalError."""
        for attempt in range(1, attempts + 1):
            try:
                response = self._http.get(url, headers=headers, **more)
            except httpx.TransportError as error:
                if attempt == attempts:
                    raise ExternalError(f"{_without_query(url)} can't be reached ({type(error).__name__})") from None
                self.sleep(min(2.0**attempt, 20))
                continue
            retryable = response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
            if not retryable or attempt == attempts:
                break
            self.sleep(_retry_after(response) or min(2.0**attempt, 20))
        return response

    def send(self, method: str, url: str, headers: Mapping[str, str], **more: Any) -> httpx.Response:
        """Send a request; retry it only after 429, because then nothing was done. Raises ExternalError."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._http.request(method, url, headers=headers, **more)
            except httpx.TransportError as error:
                kind = type(error).__name__
                raise ExternalError(
                    f"{_without_query(url)} did not respond to {method} ({kind}); the request may have been carried out"
                ) from None
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS or attempt == ATTEMPTS:
                break
            self.sleep(_retry_after(response) or min(2.0**attempt, 20))
        return response

    def read_log(self, url: str, seconds: float = 5) -> str:
        """Return the end of a log, "" when it is unavailable. An endless log is read for `seconds`."""
        chunks: list[bytes] = []
        deadline = time.monotonic() + seconds
        try:
            with self._http.stream("GET", url, timeout=httpx.Timeout(REQUEST_SECONDS, read=seconds)) as response:
                if not response.is_success:
                    return ""
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if time.monotonic() > deadline or sum(map(len, chunks)) > LOG_BYTES:
                        break
        except (httpx.TransportError, httpx.StreamError, httpx.InvalidURL):
            pass
        return b"".join(chunks)[-LOG_BYTES:].decode(errors="replace")

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        each: Callable[[str], None] | None = None,
    ) -> ProgramResult:
        """Run a program in the repository's folder and return its output; `each` is called with every line.

        On Ctrl-C or SIGTERM the program gets SIGINT and time to clean up. Raises ExternalError.
        """
        process = None
        try:
            with _hold_signals() as held:
                process = _start(argv, {**os.environ, **(env or {})}, subprocess.STDOUT if each else subprocess.PIPE)
            if held:
                raise KeyboardInterrupt
            return _stream(process, each) if each else _read(process, stdin)
        except KeyboardInterrupt:
            if process:
                _interrupt(process)
            raise

    def prompt(self, question: str) -> str:
        """Return what the user types at the terminal, or "" without a terminal."""
        if not sys.stdin.isatty():
            return ""
        print(question, end=" ", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()


def _start(argv: Sequence[str], env: Mapping[str, str], stderr: int) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    try:
        # A new session, so that it does not get the terminal's signals in addition to ours.
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            env=env,
            stdin=pipe,
            stdout=pipe,
            stderr=stderr,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ExternalError(f"{argv[0]} can't be started ({error.strerror}): is it installed?") from None


@contextmanager
def _hold_signals() -> Iterator[list[int]]:
    """Collect signals while a program starts: raising them then would leave it running."""
    held: list[int] = []
    previous = {number: signal.signal(number, lambda sign, _: held.append(sign)) for number in STOPPING}
    try:
        yield held
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _read(process: subprocess.Popen[str], stdin: str) -> ProgramResult:
    out, err = process.communicate(stdin)
    return ProgramResult(process.returncode, out, err)


def _stream(process: subprocess.Popen[str], each: Callable[[str], None]) -> ProgramResult:
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    lines = []
    for line in process.stdout:
        lines.append(line)
        each(line.rstrip())
    return ProgramResult(process.wait(), "".join(lines), "")


def _interrupt(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("retry-after", "")
    return min(float(seconds), LONGEST_WAIT) if seconds.isdecimal() else 0


def _without_query(url: str) -> str:
    """Return a URL without its query, which may contain a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
