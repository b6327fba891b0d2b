"""Runs the measurements and prints their table: `python -m scripts.bench [--quick] [--only NAME] [--strict]`."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# Set before the application is imported, so that the developer's .env has no effect.
os.environ["ENVIRONMENT"] = "test"

from scripts.bench import job_overhead, list_jobs, memory, start_time, worker
from scripts.bench.rows import ROWS, USERS, fill
from scripts.bench.servers import servers
from scripts.bench.table import Row, print_table

MEASUREMENTS: dict[str, Callable[..., Iterator[Row]]] = {
    "list": list_jobs.measure,
    "start": start_time.measure,
    "memory": memory.measure,
    "job": job_overhead.measure,
    "worker": worker.measure,
}


def main() -> int:
    """Run the measurements. Returns 1 when a goal was missed with --strict."""
    options = _options()
    if not Path("/proc/self/smaps_rollup").exists():
        print("bench: needs Linux, because /proc has the CPU time and memory of processes", file=sys.stderr)
        return 1
    rows = list(_measure(options.only or list(MEASUREMENTS), options.quick))
    print_table(rows)
    return 1 if options.strict and any(row.met is False for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure speed and memory against bare baselines.")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, rougher figures")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="one measurement; may be repeated")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    return parser.parse_args()


def _measure(names: list[str], quick: bool) -> Iterator[Row]:
    print(
        f"bench: {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}", flush=True
    )
    with servers() as stack:
        account = fill(stack)
        print(f"bench: PostgreSQL holds {ROWS:,} jobs of {USERS} users", flush=True)
        for name in names:
            started = time.monotonic()
            yield from MEASUREMENTS[name](stack, account, quick=quick)
            print(f"bench: measured {name} in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
