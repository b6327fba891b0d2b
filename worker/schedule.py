"""Beat's schedule. Each task is safe to run twice or late."""

from typing import Any

from backend.settings import Settings
from backend.tasks import HOUSEKEEPING_QUEUE, Task

EXPIRE_SECONDS = 300.0


def beat_schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return Celery's `beat_schedule`. A task not started within one interval is dropped; the next one follows."""
    intervals = {
        Task.REQUEUE_LOST_JOBS: settings.SWEEP_INTERVAL_SECONDS,
        Task.PURGE_DELETED: settings.SWEEP_INTERVAL_SECONDS,
        Task.EXPIRE: EXPIRE_SECONDS,
        Task.SEND_DUE_MAILS: 3 * settings.SWEEP_INTERVAL_SECONDS,
        Task.FINISH_ACCOUNT_TASKS: EXPIRE_SECONDS,
    }
    return {
        str(task): {
            "task": str(task),
            "schedule": seconds,
            "options": {"queue": HOUSEKEEPING_QUEUE, "expires": seconds, "ignore_result": True},
        }
        for task, seconds in intervals.items()
    }
