"""Faults on demand: error responses, lost responses, and hooks at a chosen request."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to the next matching requests."""

    method: str
    path: re.Pattern[str]
    times: int = 1
    skip: int = 0
    # None: the response is not replaced.
    status: int | None = None
    retry_after: int | None = None
    lost: bool = False
    # Whether the request is carried out nevertheless.
    executed: bool = False
    call: Callable[[], object] | None = None

    def is_due(self, method: str, path: str) -> bool:
        """Return whether the fault applies to this request; count those that pass first."""
        if self.times == 0 or self.method not in ("*", method) or not self.path.search(path):
            return False
        self.skip -= 1
        return self.skip < 0


@dataclass
class Faults:
    """The faults to come. `path` is a regular expression; `skip` matching requests pass first."""

    waiting: list[Fault] = field(default_factory=list)

    def fail(self, method: str, path: str, status: int, *, times: int = 1, skip: int = 0) -> None:
        """Return an error without carrying out the request."""
        self._add(Fault(method, re.compile(path), times, skip, status=status))

    def fail_after_executing(self, method: str, path: str, status: int, *, times: int = 1, skip: int = 0) -> None:
        """Carry out the request and return an error, as a gateway does after its time-out."""
        self._add(Fault(method, re.compile(path), times, skip, status=status, executed=True))

    def rate_limit(self, method: str, path: str, *, retry_after: int | None = 1, times: int = 1, skip: int = 0) -> None:
        """Return 429 with the rate limit's headers."""
        self._add(Fault(method, re.compile(path), times, skip, status=429, retry_after=retry_after))

    def lose_response(self, method: str, path: str, *, times: int = 1, skip: int = 0) -> None:
        """Carry out the request and close the connection without a response."""
        self._add(Fault(method, re.compile(path), times, skip, lost=True, executed=True))

    def lose_request(self, method: str, path: str, *, times: int = 1, skip: int = 0) -> None:
        """Close the connection without carrying out the request."""
        self._add(Fault(method, re.compile(path), times, skip, lost=True))

    def call(self, method: str, path: str, callback: Callable[[], object], *, times: int = 1, skip: int = 0) -> None:
        """Call a function before the request is carried out, to interrupt the tool or to deploy concurrently."""
        self._add(Fault(method, re.compile(path), times, skip, executed=True, call=callback))

    def take(self, method: str, path: str) -> list[Fault]:
        """Return what happens to this request: every hook that applies, and the first fault."""
        due = [fault for fault in self.waiting if fault.is_due(method, path)]
        faults = [fault for fault in due if not fault.call]
        taken = [fault for fault in due if fault.call or fault is faults[0]]
        for fault in taken:
            fault.times -= 1
        return taken

    def _add(self, fault: Fault) -> None:
        self.waiting.append(fault)
