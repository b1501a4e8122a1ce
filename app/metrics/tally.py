"""Counting that costs next to nothing."""

from collections import defaultdict

import prometheus_client


class Tally:
    """A counter, to which is added what was counted since the last time that it was asked for.

    To count takes 0.2 µs. A counter itself takes 1 µs, and 3 µs where several processes share one.
    """

    def __init__(self, counter: prometheus_client.Counter) -> None:
        self._counter = counter
        self._since: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count one more with these values of its labels; 0 shows that there was none so far."""
        self._since[labels] += amount

    def write(self) -> None:
        """Add to the counter."""
        for labels, amount in self._since.items():
            counter = self._counter.labels(*labels) if labels else self._counter
            counter.inc(amount)
        self._since.clear()
