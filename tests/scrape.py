"""Reads /metrics as Prometheus does, and starts the web process that serves it."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from backend.settings import Settings
from tests.servers import ROOT, environment_of, procfile_command


class Scrape:
    """One answer of /metrics."""

    def __init__(self, port: int) -> None:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).raise_for_status()
        families = text_string_to_metric_families(answer.text)
        self.samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of a name that have these labels, 0 for none."""
        return sum(sample.value for sample in self.samples if sample.name == name and _has(sample.labels, labels))

    def labels(self, name: str, label: str) -> set[str]:
        """Return the values a label has."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}

    def names(self) -> set[str]:
        """Return all names."""
        return {sample.name for sample in self.samples}


def wait_for(port: int, condition: Callable[[Scrape], bool], seconds: float = 20) -> Scrape:
    """Scrape until a condition holds."""
    deadline = time.monotonic() + seconds
    while True:
        scrape = Scrape(port)
        if condition(scrape):
            return scrape
        assert time.monotonic() < deadline, scrape.samples
        time.sleep(0.1)


@contextmanager
def web_process(
    settings: Settings, log: Path, command: Sequence[str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn as production starts it, until it is ready; the name of its log tells more when it is not."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command or procfile_command("web"), cwd=ROOT, env=environment_of(settings), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 30
        while not _ready(settings.PORT):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield process
    finally:
        # Not killed: the master takes its workers along only when it may.
        process.terminate()
        process.wait(40)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").is_success
    except httpx.HTTPError:
        return False


def _has(labels: dict[str, str], wanted: dict[str, str]) -> bool:
    return wanted.items() <= labels.items()
