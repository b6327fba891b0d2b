"""Leaves out the tests that need slow parts; a pytest plugin of `make test-quick`.

What a test needs is read from its fixtures, its parameters and the functions it calls, so that no test needs a mark.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest

# The first kind that fits a test is the one reported. Names are those of fixtures, parameters, functions and modules.
SLOW_PARTS = {
    "PostgreSQL": {"postgresql", "postgres_url"},
    "a browser": {"sync_playwright"},
    "a sign-in provider": {"OddProvider", "oidc_provider_mock"},
    "an S3 server": {"ThreadedMotoServer", "s3", "virtual_s3"},
    "worker, beat or web processes": {"WorkerProcess", "web_process"},
    "other programs": {"subprocess"},
    "exact times": {"perf_counter"},
}


class QuickSelection:
    """Deselects tests and reports how many of each kind; under pytest-xdist the workers send their counts."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        needs = {item: slow_part(item) for item in items}
        self.left_out = Counter(part for part in needs.values() if part)
        config.hook.pytest_deselected(items=[item for item in items if needs[item]])
        items[:] = [item for item in items if not needs[item]]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = dict(self.left_out)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # Each worker collects all tests, so each reports the same counts.
        self.left_out = Counter(node.workeroutput.get("left_out", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for part, count in self.left_out.items():
            terminalreporter.write_line(f"left out: {count} tests that need {part}")
        terminalreporter.write_line("make test runs them.")


def pytest_configure(config: pytest.Config) -> None:
    # After tests/conftest.py, which keeps a developer's .env from the application.
    from backend.accounts import passwords

    # Most tests sign users in; the lowest cost saves each 20 ms of CPU.
    passwords.TIME_COST, passwords.MEMORY_KIB = 1, 8
    config.pluginmanager.register(QuickSelection())


def slow_part(item: pytest.Item) -> str | None:
    """Return the first slow part that a test needs, None when it needs none."""
    assert isinstance(item, pytest.Function)
    needed = {*item.fixturenames, *names_used(item.function)}
    if hasattr(item, "callspec"):
        needed |= {value for value in item.callspec.params.values() if isinstance(value, str)}
    for fixtures in item._fixtureinfo.name2fixturedefs.values():
        needed |= names_used(fixtures[-1].func)
    return next((part for part, names in SLOW_PARTS.items() if names & needed), None)


@cache
def names_used(test: Callable[..., Any]) -> set[str]:
    """Return the names that a function uses, and those of the functions and classes of the tests that it uses."""
    names: set[str] = set()
    pending: list[Any] = [test]
    seen: set[int] = set()
    while pending:
        current = inspect.unwrap(pending.pop())
        if id(current) in seen or not getattr(current, "__module__", "").startswith("tests."):
            continue
        seen.add(id(current))
        if isinstance(current, type):
            pending += [member for member in vars(current).values() if isinstance(member, FunctionType)]
        elif isinstance(current, FunctionType):
            used = set(names_in(current.__code__))
            names |= used
            pending += [current.__globals__[name] for name in used if callable(current.__globals__.get(name))]
    return names


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names in a function's code and in the functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
