"""Counting that costs next to nothing: the library is told once it is asked."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter, Histogram

Labels = tuple[str, ...]


class Tally:
    """A counter, to which is added what was counted since the last time that it was asked for.

    To count takes 0.2 µs. A counter itself takes 0.8 µs, or 2.2 where processes share a folder.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._since: defaultdict[Labels, float] = defaultdict(float)

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count one more with these values of its labels; 0 shows that there was none so far."""
        self._since[labels] += amount

    def write(self) -> None:
        """Add to the counter."""
        for labels, amount in self._since.items():
            counter = self._counter.labels(*labels) if labels else self._counter
            counter.inc(amount)
        self._since.clear()


@dataclass
class _Observed:
    counts: list[int]
    total: float = field(default=0.0)


class Measure:
    """A histogram, to which is added likewise; to observe takes 0.4 µs instead of 1.3, or 4.8."""

    def __init__(self, histogram: Histogram, bounds: Sequence[float]) -> None:
        self._histogram = histogram
        self._bounds = tuple(bounds)
        self._since: dict[Labels, _Observed] = {}

    def observe(self, *labels: str, amount: float) -> None:
        """Note one more amount with these values of its labels."""
        observed = self._since.get(labels)
        if observed is None:
            observed = self._since[labels] = _Observed([0] * (len(self._bounds) + 1))
        observed.counts[bisect_left(self._bounds, amount)] += 1
        observed.total += amount

    def write(self) -> None:
        """Add to the histogram, past its public face, which takes one amount at a time."""
        for labels, observed in self._since.items():
            one = self._histogram.labels(*labels) if labels else self._histogram
            one._sum.inc(observed.total)  # noqa: SLF001 - as said above
            for bucket, count in zip(one._buckets, observed.counts, strict=True):  # noqa: SLF001 - as above
                if count:
                    bucket.inc(count)
        self._since.clear()
