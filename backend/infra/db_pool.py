"""The pool of database connections, as metrics see it."""

import threading
import time
import weakref

from sqlalchemy import exc
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from backend.infra.metrics import Counter, Gauge, recording

CONNECTIONS = Gauge(
    "database_pool_connections",
    "Open connections to the database: checked_out by somebody, or idle.",
    "state",
    known=["checked_out", "idle"],
)
TIMEOUTS = Counter("database_pool_timeouts_total", "Waits for a free connection that were given up.")
SAMPLE_SECONDS = 1.0


def pool_class() -> type[QueuePool]:
    """Return the pool to use: SQLAlchemy's own where nobody measures."""
    return MeasuredPool if recording() else QueuePool


class MeasuredPool(QueuePool):
    """Counts waits that were in vain, and looks at its connections once in a second.

    Counting each as it comes and goes would cost every request, and the garbage collector returns connections too:
    in the middle of another count, whose lock it would then wait for forever.
    """

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
        CONNECTIONS.set(pool.checkedout(), "checked_out")
        CONNECTIONS.set(pool.checkedin(), "idle")
        del pool
        time.sleep(SAMPLE_SECONDS)
