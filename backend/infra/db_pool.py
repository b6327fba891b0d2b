"""The pool of database connections, as metrics see it."""

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
TIMEOUTS = Counter("database_pool_timeouts_total", "Waits for a free connection that were given up.")
SAMPLE_SECONDS = 1.0


def pool_class(settings: Settings) -> type[QueuePool]:
    """Return the pool to use: SQLAlchemy's own without METRICS_PORT."""
    return MeasuredPool if settings.METRICS_PORT else QueuePool


class MeasuredPool(QueuePool):
    """Counts time-outs, and reads its number of connections once in a second.

    Counting each checkout would cost every request. The garbage collector returns connections too, in the middle of
    another count, and would wait forever for the lock of that count.
    """

    # As SQLAlchemy's own pools, it logs no INFO unless asked to.
    _sqla_logger_namespace = "sqlalchemy.pool.MeasuredPool"
    _sampled = False

    def connect(self) -> PoolProxiedConnection:
        """Return a connection. Raises TimeoutError when none becomes free."""
        if not self._sampled:
            # Not before the first connection: the master of many processes makes a pool, and then forks.
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
