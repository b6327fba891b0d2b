"""Jobs in the database, as the tests of the worker make them."""

from tests.worker.conftest import make_job  # noqa: F401
