"""Metrics of the database connection pool."""

import threading
import time
import weakref

from prometheus_client import Counter, Gauge
from sqlalchemy import exc
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from backend.settings import Settings

CONNECTIONS = Gauge(
    "database_pool_connections",
    "Open connections to the database: checked_out (in use) or idle.",
    ["state"],
    multiprocess_mode="livesum",
)
CHECKED_OUT, IDLE = CONNECTIONS.labels("checked_out"), CONNECTIONS.labels("idle")
TIMEOUTS = Counter("database_pool_timeouts_total", "Waits for a free connection that timed out.")
SAMPLE_SECONDS = 1.0


def pool_class(settings: Settings) -> type[QueuePool]:
    """Return the pool class: SQLAlchemy's own if METRICS_PORT is 0."""
    return MeasuredPool if settings.METRICS_PORT else QueuePool


class MeasuredPool(QueuePool):
    """Counts timeouts, and samples its connection counts once per second.

    Counting each checkout would slow every request. It could also deadlock: the garbage collector may return a
    connection while the same thread holds the counter's lock.
    """

    # Like SQLAlchemy's own pools, log INFO only if the engine's logging is enabled.
    _sqla_logger_namespace = "sqlalchemy.pool.MeasuredPool"
    _sampled = False

    def connect(self) -> PoolProxiedConnection:
        """Return a connection. Raises TimeoutError if none becomes free in time."""
        if not self._sampled:
            # Start the thread on the first connection: gunicorn's master creates the pool and then forks.
            self._sampled = True
            threading.Thread(target=_sample, args=(weakref.ref(self),), daemon=True, name="pool-metrics").start()
        try:
            return super().connect()
        except exc.TimeoutError:
            TIMEOUTS.inc()
            raise


def _sample(reference: "weakref.ref[MeasuredPool]") -> None:
    while (pool := reference()) is not None:
        CHECKED_OUT.set(pool.checkedout())
        IDLE.set(pool.checkedin())
        del pool
        time.sleep(SAMPLE_SECONDS)
