"""Measures the worker: time to the first task, memory under load, and throughput compared with pyvips."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import httpx
import psycopg

from scripts.bench.client import client_of, create_job, log_in
from scripts.bench.job_overhead import wait_for_end
from scripts.bench.memory import peak_pss_mb
from scripts.bench.photo import make_photo
from scripts.bench.processes import family
from scripts.bench.rows import Account
from scripts.bench.servers import Stack, celery_worker, gunicorn
from scripts.bench.table import Row

MAX_START_SECONDS = 1.0
MAX_MB = 260
STARTED = "SELECT extract(epoch FROM started_at)::float8 FROM jobs WHERE id = %s"


def measure(stack: Stack, account: Account, *, quick: bool) -> Iterator[Row]:
    """Start the worker several times with a waiting job, then send a warm worker more jobs than its concurrency."""
    runs, jobs = (3, 6) if quick else (5, 12)
    photo = make_photo()
    with ExitStack() as processes:
        web = processes.enter_context(gunicorn(stack))
        client = processes.enter_context(client_of(web.port))
        database = processes.enter_context(psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True))
        log_in(client, account)
        start = median(_start_seconds(stack, client, database, photo) for _ in range(runs))
        goal = (f"<= {MAX_START_SECONDS} s", start <= MAX_START_SECONDS)
        yield Row("worker: exec to the start of its first job", f"{start:.2f} s", "", "", *goal)
        used = _memory_at_work(stack, client, database, [photo] * jobs)
        yield Row(
            "worker: memory (PSS) under load, concurrency 2",
            f"{used:.0f} MB",
            "",
            "",
            f"<= {MAX_MB} MB",
            used <= MAX_MB,
        )


def _start_seconds(stack: Stack, client: httpx.Client, database: psycopg.Connection, photo: bytes) -> float:
    job_id = create_job(client, photo)
    started = time.time()
    with celery_worker(stack):
        wait_for_end(database, job_id)
    row = database.execute(STARTED, (job_id,)).fetchone()
    assert row is not None
    return float(row[0]) - started


def _memory_at_work(stack: Stack, client: httpx.Client, database: psycopg.Connection, photos: list[bytes]) -> float:
    with celery_worker(stack) as pid:
        wait_for_end(database, create_job(client, photos[0]))
        job_ids = [create_job(client, photo) for photo in photos]

        def work() -> None:
            for job_id in job_ids:
                wait_for_end(database, job_id)

        return peak_pss_mb(family(pid), work)
