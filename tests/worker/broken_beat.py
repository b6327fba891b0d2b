"""Beat with a scheduler that has a bug: celery -A tests.worker.broken_beat beat."""

from celery.beat import Scheduler

from worker.app import app

app.conf.beat_scheduler = "tests.worker.broken_beat:BrokenScheduler"


class BrokenScheduler(Scheduler):  # type: ignore[misc]
    """Raise an error at the first tick."""

    def tick(self, *_args: object, **_options: object) -> float:
        raise ZeroDivisionError("a bug in beat")
