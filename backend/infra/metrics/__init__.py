"""Counters, gauges and histograms that cost next to nothing until a process starts to record them."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from backend.infra.metrics.files import ProcessFiles

# Where prometheus_client counts for several processes; it decides at its import, by this variable, whether it does.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

Labels = tuple[str, ...]

_declared: list["Metric"] = []
_registry: "CollectorRegistry | None" = None
_files: "ProcessFiles | None" = None


class Metric:
    """A name, what it means, and its labels. Values of labels come from small, closed sets, never from users."""

    def __init__(self, name: str, description: str, *labels: str, known: Iterable[str] = (), **options: Any) -> None:
        self._declaration = (name, description, labels)
        self._options = options
        # Values of the first label that are shown as 0 before they happen, so that a first failure is an increase.
        self._known = tuple(known)
        self._metric: Any = None
        self._children: dict[Labels, Any] = {}
        _declared.append(self)
        if _registry is not None:
            self.begin(_registry)

    def begin(self, registry: "CollectorRegistry") -> None:
        """Make the metric that prometheus_client keeps."""
        import prometheus_client

        make = getattr(prometheus_client, type(self).__name__)
        # In files: what one process registered would hide the sum of all.
        own = registry if _files is None else None
        self._metric = make(*self._declaration, registry=own, **self._options)
        for value in self._known:
            self._child((value,))

    def _child(self, labels: Labels) -> Any:
        """Return what has these labels, found once: finding it by prometheus_client takes longer than counting."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels) if labels else self._metric
        return child


class Counter(Metric):
    """A number that only rises."""

    def inc(self, *labels: str) -> None:
        """Add one."""
        if self._metric is not None:
            self._child(labels).inc()


class Gauge(Metric):
    """A number that rises and falls; of several processes the sum, without dead ones, unless the mode differs."""

    def __init__(self, name: str, description: str, *labels: str, **options: Any) -> None:
        super().__init__(name, description, *labels, **{"multiprocess_mode": "livesum", **options})

    def inc(self, *labels: str, by: float = 1) -> None:
        """Add `by`, which may be negative."""
        if self._metric is not None:
            self._child(labels).inc(by)

    def set(self, value: float, *labels: str) -> None:
        """Put `value` in place of the last one."""
        if self._metric is not None:
            self._child(labels).set(value)


class Histogram(Metric):
    """How often something took how long."""

    def observe(self, value: float, *labels: str) -> None:
        """Note one duration."""
        if self._metric is not None:
            self._child(labels).observe(value)


def recording() -> bool:
    """Whether this process records metrics."""
    return _registry is not None


def start_recording(*, forks: bool) -> "CollectorRegistry":
    """Record from now on, in files that add up when the process is one that `forks`. Returns what is to be served.

    Before anything else imports prometheus_client, and before the fork.
    """
    global _registry, _files
    if _registry is not None:
        return _registry
    # An inherited one is of another process.
    os.environ.pop(FOLDER_VARIABLE, None)
    if forks:
        folder = _make_folder()
        os.environ[FOLDER_VARIABLE] = str(folder)
    from prometheus_client import CollectorRegistry, disable_created_metrics

    disable_created_metrics()
    _registry = CollectorRegistry()
    if forks:
        from backend.infra.metrics.files import ProcessFiles

        _files = ProcessFiles(folder)
        _registry.register(_files)
    for metric in _declared:
        metric.begin(_registry)
    return _registry


def forget_process(pid: int) -> None:
    """Keep what a forked process that has ended counted, and nothing else of it."""
    if _files is not None:
        _files.forget(pid)


def _make_folder() -> Path:
    """Make a folder of this run alone: what an earlier one counted is no part of what this one did."""
    folder = Path(tempfile.mkdtemp(prefix="metrics-"))
    owner = os.getpid()

    def remove() -> None:
        # Forked processes leave through here too.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
