"""Worker and beat touch HEARTBEAT_FILE from their main loops; a health check restarts a process whose file is old.

A thread must not touch it, because a thread keeps running when the loop is stuck.
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
# An older file means that the process is stuck. Several updates may be late on a machine short of CPU.
SILENT_SECONDS = 30


class HeartbeatFile:
    """Does nothing when HEARTBEAT_FILE is empty."""

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.HEARTBEAT_FILE) if settings.HEARTBEAT_FILE else None

    def start(self) -> None:
        """Touch the file. Raises SystemExit when it can't be written, since health checks would always fail."""
        try:
            self._touch()
        except OSError as error:
            raise SystemExit(f"HEARTBEAT_FILE: {self._path} can't be written: {error.strerror}") from error

    def beat(self) -> None:
        try:
            self._touch()
        except OSError as error:
            log.warning("heartbeat_file_failed", error=type(error).__name__)

    def is_fresh(self) -> bool:
        """Whether the file was touched in the last 30 seconds; False without HEARTBEAT_FILE. The log has the reason."""
        if self._path is None:
            log.warning("heartbeat_file_not_set", fix="set HEARTBEAT_FILE")
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
    """Touch the file from the worker's event loop."""

    class Beat(bootsteps.StartStopStep):  # type: ignore[misc]
        def register_with_event_loop(self, _consumer: Any, hub: Any) -> None:
            file.beat()
            hub.call_repeatedly(EVERY_SECONDS, file.beat)

    class HeartbeatConsumer(Consumer):  # type: ignore[misc]
        def ensure_connected(self, connection: Any) -> Any:
            # The loop blocks until Valkey is back. A restart would not help, and would stop running jobs.
            ensure = connection.ensure_connection

            def ensure_and_beat(*args: Any, callback: Any, **options: Any) -> Any:
                def each_second() -> None:
                    file.beat()
                    callback()

                return ensure(*args, callback=each_second, **options)

            connection.ensure_connection = ensure_and_beat
            return super().ensure_connected(connection)

    app.steps["consumer"].add(Beat)
    app.conf.worker_consumer = HeartbeatConsumer
