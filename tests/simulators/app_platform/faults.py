"""Trouble on demand: error answers, answers that get lost, and hooks at a chosen request."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to the next requests that match."""

    method: str
    path: re.Pattern[str]
    times: int = 1
    skip: int = 0
    # None: the answer is not replaced.
    status: int | None = None
    retry_after: int | None = None
    lost: bool = False
    # Whether the request is carried out all the same.
    executed: bool = False
    call: Callable[[], object] | None = None

    def is_due(self, method: str, path: str) -> bool:
        """Tell whether it is this one's turn; count the requests that are let pass before."""
        if self.times == 0 or self.method not in ("*", method) or not self.path.search(path):
            return False
        self.skip -= 1
        return self.skip < 0


@dataclass
class Faults:
    """The troubles that are still to come. `path` is a regular expression, `skip` lets so many matches pass before."""

    waiting: list[Fault] = field(default_factory=list)

    def answer(self, method: str, path: str, status: int, *, times: int = 1, skip: int = 0) -> None:
        """Answer with an error, without carrying out the request."""
        self._add(Fault(method, re.compile(path), times, skip, status=status))

    def answer_executed(self, method: str, path: str, status: int, *, times: int = 1, skip: int = 0) -> None:
        """Carry out the request and answer with an error all the same, as a gateway does that gave up waiting."""
        self._add(Fault(method, re.compile(path), times, skip, status=status, executed=True))

    def too_many(self, method: str, path: str, *, retry_after: int | None = 1, times: int = 1, skip: int = 0) -> None:
        """Answer 429 with the rate limit's headers."""
        self._add(Fault(method, re.compile(path), times, skip, status=429, retry_after=retry_after))

    def lose_answer(self, method: str, path: str, *, times: int = 1, skip: int = 0) -> None:
        """Carry out the request and close the connection without an answer."""
        self._add(Fault(method, re.compile(path), times, skip, lost=True, executed=True))

    def lose_request(self, method: str, path: str, *, times: int = 1, skip: int = 0) -> None:
        """Close the connection without having done anything."""
        self._add(Fault(method, re.compile(path), times, skip, lost=True))

    def call(self, method: str, path: str, callback: Callable[[], object], *, times: int = 1, skip: int = 0) -> None:
        """Call back when the request arrives, before it is carried out: to interrupt the tool, or deploy beside it."""
        self._add(Fault(method, re.compile(path), times, skip, executed=True, call=callback))

    def take(self, method: str, path: str) -> list[Fault]:
        """Return what happens to this request: every hook that is due, and the first trouble; others wait."""
        due = [fault for fault in self.waiting if fault.is_due(method, path)]
        troubles = [fault for fault in due if not fault.call]
        taken = [fault for fault in due if fault.call or fault is troubles[0]]
        for fault in taken:
            fault.times -= 1
        return taken

    def _add(self, fault: Fault) -> None:
        self.waiting.append(fault)
