"""Servers measured in turn, by the same load, in one run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from pinned import Pinned
from questions import Row, RowsOf
from wrk import Generator, Load

# Where less of its core was its own, something else held the server down.
BUSY = 0.85
_WARMING_SECONDS = 1
# wrk counts the answers of its last moment, and not all of their bytes.
_ENDS = 2


class WrongAnswer(Exception):
    """A server did not answer what it was asked."""


@dataclass(frozen=True)
class Entrant:
    """A server and what it is asked: each of `bodies` in turn.

    `rows_of` reads the rows of its answers, which have to be `rows` where these are given.
    `calls` counts what upstreams were asked until now. `header` has to be in its answers.
    """

    name: str
    server: Pinned
    bodies: Sequence[str]
    rows_of: RowsOf
    rows: Sequence[Row] | None = None
    calls: Callable[[], int] = lambda: 0
    header: tuple[str, str] | None = None

    def check(self) -> int:
        """Return how many bytes an answer has; raises `WrongAnswer`."""
        response = asked(self.server, self.bodies[0])
        rows = self.rows_of(response.json()["data"])
        if self.rows is not None and rows != list(self.rows):
            raise WrongAnswer(f"{self.name} answers {len(rows)} rows, and others than expected")
        if self.header and response.headers.get(self.header[0]) != self.header[1]:
            raise WrongAnswer(f"{self.name} does not answer with {self.header}")
        return len(response.content)


@dataclass(frozen=True)
class Trial:
    """One load that a server answered, the processor time it took and the calls it made."""

    load: Load
    cpu_seconds: float
    calls: int

    @property
    def busy(self) -> float:
        """How much of one core the server had."""
        return self.cpu_seconds / self.load.seconds


@dataclass
class Result:
    """What all trials of a server came to; medians, and seconds where a unit is needed."""

    answer_bytes: int = 0
    memory_bytes: int = 0
    trials: list[Trial] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(trial.load.rate for trial in self.trials)

    @property
    def cpu(self) -> float:
        return median(trial.cpu_seconds / trial.load.answers for trial in self.trials)

    @property
    def busy(self) -> float:
        return median(trial.busy for trial in self.trials)

    @property
    def p50(self) -> float:
        return median(trial.load.p50 for trial in self.trials)

    @property
    def p99(self) -> float:
        return median(trial.load.p99 for trial in self.trials)

    @property
    def calls(self) -> float:
        return median(trial.calls / trial.load.answers for trial in self.trials)


def asked(server: Pinned, body: str) -> httpx.Response:
    """Return a server's answer without errors; raises `WrongAnswer`."""
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    with httpx.Client(trust_env=False, timeout=30) as http:
        response = http.post(f"{server.origin}/graphql", content=body, headers=headers)
    answer: Mapping[str, Any] = response.json() if response.status_code == httpx.codes.OK else {}
    if "data" not in answer or "errors" in answer:
        raise WrongAnswer(f"{response.status_code}: {response.text[:500]}")
    return response


def hold(
    entrants: Sequence[Entrant],
    folder: Path,
    *,
    seconds: int,
    rounds: int,
    connections: int,
    core: int,
) -> dict[str, Result]:
    """Measure each in turn, `rounds` times; all answers are checked before and after.

    A load with answers that were refused, lost or too short counts as a failure and nothing else,
    and so do all loads of a server that answers anything else than expected.
    """
    results = {entrant.name: Result() for entrant in entrants}
    generators: dict[str, Generator] = {}
    for number, entrant in enumerate(entrants):
        place = folder / f"load-{number}"
        place.mkdir()
        generators[entrant.name] = Generator(place, entrant.bodies, connections, core)
        # Each once alone, as the first answer may have to read what all others need.
        _warm(entrant, results[entrant.name])
        generators[entrant.name].offer(entrant.server.origin, _WARMING_SECONDS)
        _check(entrant, results[entrant.name])
    for _ in range(rounds):
        for entrant in entrants:
            if results[entrant.name].answer_bytes:
                _try(entrant, generators[entrant.name], seconds, results[entrant.name])
    for entrant in entrants:
        results[entrant.name].memory_bytes = entrant.server.memory_bytes()
        _check(entrant, results[entrant.name])
    return results


def _warm(entrant: Entrant, result: Result) -> None:
    try:
        for body in entrant.bodies:
            asked(entrant.server, body)
    except WrongAnswer as wrong:
        result.failures.append(str(wrong))


def _check(entrant: Entrant, result: Result) -> None:
    if result.failures and not result.answer_bytes:
        return
    try:
        result.answer_bytes = entrant.check()
    except WrongAnswer as wrong:
        result.failures.append(str(wrong))
        result.trials.clear()
        result.answer_bytes = 0


def _try(entrant: Entrant, generator: Generator, seconds: int, result: Result) -> None:
    cpu, calls = entrant.server.cpu_seconds(), entrant.calls()
    load = generator.offer(entrant.server.origin, seconds)
    trial = Trial(load, entrant.server.cpu_seconds() - cpu, entrant.calls() - calls)
    if load.refused or load.lost:
        result.failures.append(f"{load.refused} refused and {load.lost} lost of {load.answers}")
    elif load.bytes < (load.answers - _ENDS) * result.answer_bytes or not load.answers:
        result.failures.append("answers were shorter than the one that was checked")
    else:
        result.trials.append(trial)
