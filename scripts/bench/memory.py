"""Measures the memory of the web processes after load, and the memory added by 32 concurrent log-ins."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.bench.client import access_token, client_of, log_in
from scripts.bench.load import send_load
from scripts.bench.processes import pss_mb
from scripts.bench.rows import Account
from scripts.bench.servers import Stack, gunicorn, uvicorn
from scripts.bench.table import Row

PATH = "/api/jobs"
CONNECTIONS = 64
LOG_INS = 32
MAX_MB = 190
MAX_MB_ALONE = 125
MAX_MB_LOG_INS = 60


def measure(stack: Stack, account: Account, *, quick: bool) -> Iterator[Row]:
    """Load each server, then read its memory from the kernel; idle workers use less than in production."""
    seconds = 3.0 if quick else 10.0
    with gunicorn(stack) as web:
        token = access_token(stack, web.port, account)
        send_load(web.port, PATH, connections=CONNECTIONS, seconds=seconds, token=token)
        used = pss_mb(web.pids)
        yield _row("memory (PSS) after load, master and 2 workers", used, MAX_MB)
    with uvicorn(stack) as web:
        token = access_token(stack, web.port, account)
        send_load(web.port, PATH, connections=CONNECTIONS, seconds=seconds, token=token)
        used = pss_mb(web.pids)
        yield _row("memory (PSS) after load, one process", used, MAX_MB_ALONE)
        peak = peak_pss_mb(web.pids, lambda: _log_in_at_once(web.port, account))
        yield _row(f"memory (PSS) added to it by {LOG_INS} log-ins at once", peak - used, MAX_MB_LOG_INS)


def peak_pss_mb(pids: Sequence[int], work: Callable[[], None]) -> float:
    """Run `work` and return the processes' peak memory, read a hundred times per second."""
    peak = pss_mb(pids)
    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        peak = max(peak, pss_mb(pids))
        time.sleep(0.01)
    return peak


def _log_in_at_once(port: int, account: Account) -> None:
    def one(_number: int) -> None:
        with client_of(port) as client:
            log_in(client, account)

    with ThreadPoolExecutor(LOG_INS) as pool:
        list(pool.map(one, range(LOG_INS)))


def _row(what: str, megabytes: float, limit: float) -> Row:
    return Row(what, f"{megabytes:.0f} MB", goal=f"<= {limit} MB", met=megabytes <= limit)
