"""The files in which processes count: what they add up to, and an end for those of dead processes."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

# Process ids begin with 1.
DEAD = "0"


class ProcessFiles(Collector):
    """Adds up what the living count and the dead have counted.

    What a dead process counted goes into one file for all of them: prometheus_client keeps the files of each for good,
    and where processes are replaced every few hours those fill a /tmp that is memory, and make reading slow.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A reader in between would count the dead process twice, or not at all.
        self._lock = threading.Lock()

    def collect(self) -> Iterable[Metric]:
        """Return the sums."""
        with self._lock:
            for pid in self._dead():
                self._bury(pid)
            # A process that just begins makes its file first, and then puts something into it.
            files = [str(path) for path in self._folder.glob("*.db") if path.stat().st_size]
            metrics: Iterable[Metric] = MultiProcessCollector.merge(files)
        return metrics

    def describe(self) -> Iterable[Metric]:
        """Return nothing: who registers this would else read files."""
        return []

    def forget(self, pid: int) -> None:
        """Keep what a process that has ended counted, and nothing else of it."""
        with self._lock:
            self._bury(str(pid))

    def _dead(self) -> set[str]:
        pids = {path.stem.rpartition("_")[2] for path in self._folder.glob("*.db")}
        return {pid for pid in pids if pid != DEAD and not _alive(int(pid))}

    def _bury(self, pid: str) -> None:
        mark_process_dead(int(pid), path=str(self._folder))
        for kind in ("counter", "histogram"):
            path = self._folder / f"{kind}_{pid}.db"
            if path.exists() and path.stat().st_size:
                total = MmapedDict(str(self._folder / f"{kind}_{DEAD}.db"))
                for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
                    total.write_value(key, total.read_value(key)[0] + value, 0.0)
                total.close()
            path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
