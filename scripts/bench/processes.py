"""Starts and stops the processes of a measurement, each in its own session, and reads their CPU time and memory."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 20
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run a command during the block, with its output in a file. Yields its process id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        _stop(process)


def output_of(module: str, arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    """Run `python -m module` and return its output. Raises subprocess.CalledProcessError."""
    command = [sys.executable, "-m", module, *arguments]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, timeout=seconds, check=True, text=True
    )
    return result.stdout


def family(pid: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processes' CPU time so far, in user and kernel mode."""
    return sum(_ticks(pid) for pid in pids) / TICKS_PER_SECOND


def pss_mb(pids: Sequence[int]) -> float:
    """Return the processes' memory in MB; each shared page is divided among its processes."""
    return sum(_pss_kib(pid) for pid in pids) * 1024 / 1e6


def _ticks(pid: int) -> int:
    # The second field, the program's name, may contain spaces; it ends at the last bracket.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise LookupError(f"process {pid} has no Pss")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
