"""Metrics of the connection pool."""

import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import exc
from sqlalchemy.pool import QueuePool

from backend.infra.db import create_engine
from backend.settings import load_settings
from tests.time_limits import scaled


def figures() -> tuple[float | None, float | None, float | None]:
    """Return the numbers of used connections, idle connections and timeouts."""
    name = "database_pool_connections"
    states = [REGISTRY.get_sample_value(name, {"state": state}) for state in ("checked_out", "idle")]
    return *states, REGISTRY.get_sample_value("database_pool_timeouts_total")


def test_connections_and_timeouts_are_counted(tmp_path: Path) -> None:
    timeouts = figures()[2] or 0.0
    engine = create_engine(
        load_settings(
            DATABASE_URL=f"sqlite:///{tmp_path}/pool.db",
            DATABASE_POOL_SIZE=2,
            DATABASE_POOL_TIMEOUT_SECONDS=0.05,
            METRICS_PORT=9100,
        )
    )
    with engine.connect():
        with engine.connect(), pytest.raises(exc.TimeoutError):
            engine.connect()
        deadline = time.monotonic() + scaled(10)
        while figures() != (1.0, 1.0, timeouts + 1):
            assert time.monotonic() < deadline, figures()
            time.sleep(0.05)


def test_the_pool_is_not_measured_by_default(tmp_path: Path) -> None:
    engine = create_engine(load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/pool.db"))
    assert type(engine.pool) is QueuePool
