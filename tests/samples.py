"""Reads what a process tells Prometheus."""

from typing import Self

from prometheus_client.parser import text_string_to_metric_families


class Samples:
    """One scrape: `samples("queue_depth", queue="image", priority="high")`. Raises KeyError for what is not told."""

    def __init__(self, text: str) -> None:
        self._values = {
            (sample.name.removeprefix("penstock_"), frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._values[name, frozenset(labels.items())]

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def all(self, name: str) -> list[float]:
        """The values of every label."""
        return [value for (known, _), value in self._values.items() if known == name]

    def since(self, before: Self, name: str, **labels: str) -> float:
        """By how much a counter went up."""
        key = name, frozenset(labels.items())
        return self._values.get(key, 0.0) - before._values.get(key, 0.0)
