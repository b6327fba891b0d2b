"""Simulated faults: error responses, lost responses, and hooks at a chosen request."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Fault:
    """A fault of the next matching requests."""

    method: str
    path: re.Pattern[str]
    times: int = 1
    skip: int = 0
    # None: the response is not replaced.
    status: int | None = None
    retry_after: int | None = None
    lost: bool = False
    # Whether the request is carried out in spite of the fault.
    executed: bool = False
    call: Callable[[], object] | None = None

    def is_due(self, method: str, path: str) -> bool:
        """Return whether the fault applies to this request, and count skipped requests."""
        if self.times == 0 or self.method not in ("*", method) or not self.path.search(path):
            return False
        self.skip -= 1
        return self.skip < 0


@dataclass
class Faults:
    """The next faults. `path` is a regular expression; the first `skip` matching requests have no fault."""

    waiting: list[Fault] = field(default_factory=list)

    def fail(self, method: str, path: str, status: int, *, times: int = 1, skip: int = 0) -> None:
        """Return an error without carrying out the request."""
        self._add(Fault(method, re.compile(path), times, skip, status=status))

    def fail_after_executing(self, method: str, path: str, status: int, *, times: int = 1, skip: int = 0) -> None:
        """Carry out the request and return an error, as a gateway does after a timeout."""
        self._add(Fault(method, re.compile(path), times, skip, status=status, executed=True))

    def rate_limit(self, method: str, path: str, *, retry_after: int | None = 1, times: int = 1, skip: int = 0) -> None:
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
        """Return the hooks that apply to this request, and the first fault; each is used up."""
        due = [fault for fault in self.waiting if fault.is_due(method, path)]
        faults = [fault for fault in due if not fault.call]
        taken = [fault for fault in due if fault.call or fault is faults[0]]
        for fault in taken:
            fault.times -= 1
        return taken

    def _add(self, fault: Fault) -> None:
        self.waiting.append(fault)
