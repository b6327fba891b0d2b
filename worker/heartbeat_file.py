"""A file that is fresh while the process works: worker and beat touch HEARTBEAT_FILE from their own main loops.

Never from a thread, which goes on when the loop is stuck. Whoever watches the file restarts what lets it grow old.
"""

import time
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, bootsteps
from celery.worker.consumer import Consumer

from backend.settings import Settings

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
# An older file means that the process is stuck: a machine short of CPU may delay some updates.
SILENT_SECONDS = 30


class HeartbeatFile:
    """The file, or none when HEARTBEAT_FILE is empty."""

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.HEARTBEAT_FILE) if settings.HEARTBEAT_FILE else None

    def start(self) -> None:
        """Touch it for the first time; end the process when that can't be done, since it would be restarted forever."""
        try:
            self._touch()
        except OSError as error:
            raise SystemExit(f"HEARTBEAT_FILE: {self._path} can't be written: {error.strerror}") from error

    def beat(self) -> None:
        """Touch it."""
        try:
            self._touch()
        except OSError as error:
            log.warning("heartbeat_file_failed", error=type(error).__name__)

    def is_fresh(self) -> bool:
        """Whether it was touched lately. The log says why not; without a file nobody can tell, and the answer is no."""
        if self._path is None:
            log.warning("heartbeat_unknown", fix="set HEARTBEAT_FILE")
            return False
        try:
            seconds = time.time() - self._path.stat().st_mtime
        except OSError as error:
            log.warning("heartbeat_file_failed", error=type(error).__name__)
            return False
        if seconds > SILENT_SECONDS:
            log.warning("heartbeat_stale", seconds=round(seconds))
        return seconds <= SILENT_SECONDS

    def _touch(self) -> None:
        if self._path is not None:
            self._path.touch()


def install(app: Celery, file: HeartbeatFile) -> None:
    """Let the worker's event loop touch the file."""

    class Beat(bootsteps.StartStopStep):  # type: ignore[misc]
        def register_with_event_loop(self, _consumer: Any, hub: Any) -> None:
            file.beat()
            hub.call_repeatedly(EVERY_SECONDS, file.beat)

    class PatientConsumer(Consumer):  # type: ignore[misc]
        def ensure_connected(self, connection: Any) -> Any:
            # The loop stands still until Valkey is back. Restarting would not bring it back, only end running jobs.
            ensure = connection.ensure_connection

            def ensure_and_beat(*args: Any, callback: Any, **options: Any) -> Any:
                def each_second() -> None:
                    file.beat()
                    callback()

                return ensure(*args, callback=each_second, **options)

            connection.ensure_connection = ensure_and_beat
            return super().ensure_connected(connection)

    app.steps["consumer"].add(Beat)
    app.conf.worker_consumer = PatientConsumer
