"""Fixtures of migration tests: the worker tests' jobs."""

from tests.worker.conftest import make_job  # noqa: F401
