"""Reads /metrics like Prometheus."""

import time
from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.time_limits import scaled


class Scrape:
    """The samples of one /metrics response."""

    def __init__(self, port: int) -> None:
        response = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).raise_for_status()
        families = text_string_to_metric_families(response.text)
        self.samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of all samples with this name and these labels, 0 if there are none."""
        return sum(sample.value for sample in self.samples if sample.name == name and _has(sample.labels, labels))

    def labels(self, name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in self.samples if sample.name == name}

    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}


def wait_for(port: int, condition: Callable[[Scrape], bool], seconds: float = 20) -> Scrape:
    """Scrape until the condition is true, and return that scrape."""
    deadline = time.monotonic() + scaled(seconds)
    while True:
        scrape = Scrape(port)
        if condition(scrape):
            return scrape
        assert time.monotonic() < deadline, scrape.samples
        time.sleep(0.1)


def _has(labels: dict[str, str], wanted: dict[str, str]) -> bool:
    return wanted.items() <= labels.items()
