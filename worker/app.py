"""The Celery application of worker and beat: `celery -A worker.app worker` and `celery -A worker.app beat`."""

import gc
import os
import socket
import sys
import threading
from typing import Any

import structlog
from celery.signals import (
    beat_init,
    setup_logging,
    task_failure,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)

from backend.infra.logging import configure_logging
from backend.infra.metrics import serve
from backend.infra.queue import WORKER_SILENT_SECONDS, Queue, create_celery
from backend.infra.sentry import capture, configure_sentry
from backend.settings import get_settings
from worker.heartbeat_file import HeartbeatFile, install
from worker.metrics import measure_tasks
from worker.queue_metrics import QueueCollector
from worker.schedule import beat_schedule

log = structlog.get_logger(__name__)

settings = get_settings()
app = create_celery(settings)
app.set_default()
app.conf.update(
    include=["worker.tasks"],
    beat_schedule=beat_schedule(settings),
    beat_scheduler="worker.beat:TickingScheduler",
    # Seconds. Celery's default would delay tasks with a short interval.
    beat_max_loop_interval=5,
)
_stopping = threading.Event()
_heartbeat_file = HeartbeatFile(settings)
install(app, _heartbeat_file)


@setup_logging.connect
def _configure_logging(**_kwargs: Any) -> None:
    # A receiver of this signal also stops Celery from installing its own log format.
    configure_logging(settings, "beat" if "beat" in sys.argv else "worker")


@worker_init.connect
def _prepare_to_fork(**_kwargs: Any) -> None:
    _heartbeat_file.start()
    if settings.METRICS_PORT:
        measure_tasks()
    serve(settings, "worker", alive=_heartbeat_file.is_fresh)
    # Tasks are imported and no process is forked yet, so forked processes share the frozen objects' memory.
    gc.freeze()


@worker_ready.connect
def _announce(**_kwargs: Any) -> None:
    configure_sentry(settings, "worker")
    name = f"{socket.gethostname()}:{os.getpid()}"
    threading.Thread(target=_announce_forever, args=(Queue(settings), name), daemon=True, name="announce").start()
    log.info("worker_ready", name=name, concurrency=settings.WORKER_CONCURRENCY)


@worker_shutting_down.connect
def _stop_announcing(**_kwargs: Any) -> None:
    _stopping.set()


@worker_process_init.connect
def _start_process(**_kwargs: Any) -> None:
    configure_sentry(settings, "worker")


@beat_init.connect
def _start_beat(**_kwargs: Any) -> None:
    configure_sentry(settings, "beat")
    _heartbeat_file.start()
    if settings.METRICS_PORT:
        serve(settings, "beat", QueueCollector(settings), alive=_heartbeat_file.is_fresh)
    log.info("beat_ready")


@task_prerun.connect
def _clear_context(**_kwargs: Any) -> None:
    # Cleared here and not after a task, so that the report of its failure includes the context.
    structlog.contextvars.clear_contextvars()


@task_failure.connect
def _report_failure(task_id: str, exception: BaseException, sender: Any, **_kwargs: Any) -> None:
    if settings.SENTRY_DSN.get_secret_value():
        capture(exception, task=sender.name, task_id=task_id, **structlog.contextvars.get_contextvars())


def _announce_forever(queue: Queue, name: str) -> None:
    """Announce this worker to /health until it stops."""
    while not _stopping.is_set():
        try:
            queue.announce_worker(name)
        except Exception as error:
            log.warning("worker_announcement_failed", error=type(error).__name__)
        _stopping.wait(WORKER_SILENT_SECONDS / 3)
