"""What a gateway tells at /metrics, as Prometheus would read it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


@dataclass
class Scrape:
    """Everything that was told at one time."""

    families: dict[str, Metric]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels; 0 where there are none."""
        return sum(
            value
            for sample, told, value in self.samples
            if sample == name and labels.items() <= told.items()
        )

    @property
    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        for family in self.families.values():
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value


def read(text: str) -> Scrape:
    families: Iterable[Metric] = text_string_to_metric_families(text)
    return Scrape({family.name: family for family in families})


def scrape(http: httpx.Client) -> Scrape:
    response = http.get("/metrics")
    assert response.status_code == 200, response.text
    return read(response.text)
