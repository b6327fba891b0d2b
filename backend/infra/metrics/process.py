"""Starts the metrics of a process: recording before it forks, and the port they are served on."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from backend import __version__
from backend.infra.metrics import start_recording
from backend.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.registry import Collector


def measure(settings: Settings, *, forks: bool) -> None:
    """Record metrics from now on when METRICS_PORT is set. Comes before what asks whether they are recorded."""
    if settings.METRICS_PORT:
        start_recording(forks=forks)


def serve(settings: Settings, role: str, *collectors: "Collector", alive: Callable[[], bool] | None = None) -> None:
    """Serve this process's metrics, and those of its forks, when METRICS_PORT is set. `role`: web, worker or beat.

    Beside them /health/live says what `alive` does. Raises MetricsPortTaken.
    """
    if not settings.METRICS_PORT:
        return
    # Its import takes 60 ms, which most never need.
    from backend.infra.metrics.server import serve_metrics

    registry = start_recording(forks=role != "beat")
    registry.register(_app_info(settings, role))
    for collector in collectors:
        registry.register(collector)
    serve_metrics(registry, settings.METRICS_PORT, local=settings.ENVIRONMENT == "development", alive=alive)


def _app_info(settings: Settings, role: str) -> "Collector":
    from prometheus_client.metrics_core import GaugeMetricFamily
    from prometheus_client.registry import Collector

    class AppInfo(Collector):
        def collect(self) -> "Iterable[Metric]":
            labels = {"version": __version__, "git_sha": settings.GIT_SHA, "role": role}
            family = GaugeMetricFamily("app_info", "What runs here.", labels=list(labels))
            family.add_metric(list(labels.values()), 1)
            return [family]

    return AppInfo()
