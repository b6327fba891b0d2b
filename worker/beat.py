"""Beat's scheduler: says at each tick that it lives.

It keeps the schedule in memory. All of it are short intervals of tasks that are harmless when they come early, so
nothing is worth a file: after a start each is sent once, and then at its interval.
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
    """Celery's scheduler, seen to be alive."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._file = HeartbeatFile(get_settings())
        super().__init__(*args, **options)

    def tick(self, *args: Any, **options: Any) -> Any:
        """Send what is due; return the seconds to wait for the next tick."""
        self._file.beat()
        LAST_TICK.set(time.time())
        return super().tick(*args, **options)

    def _ensure_connected(self) -> Any:
        # As Celery's own, which waits without a sign of life until Valkey is back.
        return self.connection.ensure_connection(
            self._say_away, self.app.conf.broker_connection_max_retries, callback=self._file.beat
        )

    def _say_away(self, error: Exception, interval: float) -> None:
        self.logger.error("beat: no broker: %s. Trying again in %s seconds", error, interval)
