"""Beat's scheduler: updates the heartbeat file and a metric at each tick.

It keeps the schedule in memory, not in a file: intervals are short, and running a task early is harmless.
After a start each task is sent once, then at its interval.
"""

import time
from typing import Any

from celery.beat import Scheduler
from prometheus_client import Gauge

from backend.settings import get_settings
from worker.heartbeat_file import HeartbeatFile

LAST_TICK = Gauge(
    "beat_last_tick_timestamp_seconds",
    "When beat last looked for due tasks, in Unix time.",
    multiprocess_mode="livemax",
)


class TickingScheduler(Scheduler):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        self._file = HeartbeatFile(get_settings())
        super().__init__(*args, **options)

    def tick(self, *args: Any, **options: Any) -> Any:
        """Send the tasks that are due. Returns the seconds until the next tick."""
        self._file.beat()
        LAST_TICK.set(time.time())
        return super().tick(*args, **options)

    def _ensure_connected(self) -> Any:
        # Same as Celery's method, but updates the heartbeat file while it waits for Valkey.
        return self.connection.ensure_connection(
            self._log_unavailable, self.app.conf.broker_connection_max_retries, callback=self._file.beat
        )

    def _log_unavailable(self, error: Exception, interval: float) -> None:
        self.logger.error("beat: broker unavailable: %s. Retrying in %s seconds", error, interval)
