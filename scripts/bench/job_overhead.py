"""Measures a job's overhead: the time from POST to completed, minus the bare pipeline's time."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from statistics import median

import psycopg

from scripts.bench.client import client_of, create_job, log_in
from scripts.bench.photo import make_photo
from scripts.bench.processes import ROOT
from scripts.bench.rows import Account
from scripts.bench.servers import Stack, celery_worker, gunicorn
from scripts.bench.table import Row

MAX_MS = 35.0
WARM_UP = 6
JOB_SECONDS = 60
ENDED = "SELECT status, created_at, finished_at FROM jobs WHERE id = %s"


def measure(stack: Stack, account: Account, *, quick: bool) -> Iterator[Row]:
    """Alternate a job and the bare pipeline; local files, one at a time, both warm."""
    jobs = 12 if quick else 30
    photo = make_photo()
    with ExitStack() as processes:
        web = processes.enter_context(gunicorn(stack))
        processes.enter_context(celery_worker(stack))
        bare = processes.enter_context(_bare_pipeline(stack, photo))
        client = processes.enter_context(client_of(web.port))
        database = processes.enter_context(psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True))
        log_in(client, account)
        times = [(_job_ms(database, create_job(client, photo)), bare()) for _ in range(WARM_UP + jobs)]
    job_ms, bare_ms = (median(side) for side in zip(*times[WARM_UP:], strict=True))
    # The difference of consecutive runs: other load on the machine slows both.
    beyond = median(job - bare for job, bare in times[WARM_UP:])
    goal = (f"<= {MAX_MS:.0f} ms", beyond <= MAX_MS)
    yield Row("job of 1 MP: POST to completed, p50", f"{job_ms:.1f} ms", f"{bare_ms:.1f} ms", f"{job_ms / bare_ms:.2f}")
    yield Row("job of 1 MP: time beyond the bare pipeline, p50", f"{beyond:.1f} ms", "", "", *goal)


def wait_for_end(database: psycopg.Connection, job_id: str) -> tuple[datetime, datetime]:
    """Return the job's creation and completion time. Raises RuntimeError when it was not completed."""
    deadline = time.monotonic() + JOB_SECONDS
    while time.monotonic() < deadline:
        row = database.execute(ENDED, (job_id,)).fetchone()
        if row is not None and row[2] is not None:
            break
        time.sleep(0.02)
    if row is None or row[0] != "completed":
        raise RuntimeError(f"job {job_id} was not completed: {row}")
    return row[1], row[2]


def _job_ms(database: psycopg.Connection, job_id: str) -> float:
    created_at, finished_at = wait_for_end(database, job_id)
    return (finished_at - created_at).total_seconds() * 1000


@contextmanager
def _bare_pipeline(stack: Stack, photo: bytes) -> Iterator[Callable[[], float]]:
    """Yield a function that runs the pipeline once in another process and returns the milliseconds."""
    command = [sys.executable, "-m", "scripts.bench.bare_pipeline"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=stack.environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            # A new path each time, as for a job, because libvips caches files by path.
            path = stack.folder / f"photo-{time.monotonic_ns()}.jpg"
            path.write_bytes(photo)
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            milliseconds = float(process.stdout.readline())
            path.unlink()
            return milliseconds

        yield run
        process.stdin.close()
