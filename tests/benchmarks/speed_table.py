"""What was measured, in Markdown: first what has to be reached, then every server's figures."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import NamedTuple

from contest import BUSY, Result
from rivalry import BARE, GATEWAY, HIVE, IN_REDIS_ONLY, PLAIN, TWO_WORKERS, YOGA

_WIDTH = 110
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"
Measured = Mapping[str, Mapping[str, Result]]


class Goal(NamedTuple):
    """How many times as many requests a second one server has to answer as another one.

    `cores` is how many times as many cores it has for that.
    """

    what: str
    case: str
    server: str
    against: str
    at_least: float
    cores: int = 1


class Ratio(NamedTuple):
    """How many times as many requests, in a second and in a second of processor time."""

    by_rate: float
    by_cpu: float


GOALS = (
    Goal("cached in the process", "cached", GATEWAY, BARE, 0.7),
    Goal("cached in the process", "cached", GATEWAY, HIVE, 10),
    Goal("cached in Redis only", "cached", IN_REDIS_ONLY, HIVE, 3),
    Goal("mirrored, nothing cached", "mirrored", GATEWAY, PLAIN, 10),
    Goal("mirrored, nothing cached", "mirrored", GATEWAY, YOGA, 1),
    Goal("three upstream calls", "cold", GATEWAY, HIVE, 3),
    Goal("1,000 rows in ten pages", "ten pages", GATEWAY, PLAIN, 10),
    Goal("two processes", "processes", TWO_WORKERS, GATEWAY, 1.8, cores=2),
)
_CASES = {
    "cached": "The answer is cached",
    "mirrored": "The histories are mirrored or in memory, and no answer is cached",
    "ten pages": "1,000 rows in ten pages of one query, mirrored",
    "processes": "One process and two, mirrored",
    "cold": "Three upstream calls, nothing is cached",
    "latency": "The same, with upstreams that take 50 ms",
}
_MOST_LATENCY = 0.060
_MOST_START = 2.0


def ratio(goal: Goal, measured: Measured) -> Ratio | None:
    """Return what was reached of a goal; None where one of the two was not measured."""
    case = measured.get(goal.case, {})
    server, against = case.get(goal.server), case.get(goal.against)
    if not server or not against or not server.trials or not against.trials:
        return None
    by_cpu = against.cpu / server.cpu * goal.cores
    return Ratio(server.rate / against.rate, by_cpu)


def table(measured: Measured, started: Sequence[float], day: date) -> str:
    """Return both tables."""
    lines = [f"Measured on {day.isoformat()}, {_machine()}.", ""]
    lines += ["| case | against | requests/s | by CPU time | at least | |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    lines += [_goal_line(goal, ratio(goal, measured)) for goal in GOALS]
    lines += _times(measured, started)
    lines += ["", f"| {' | '.join(_HEAD)} |", f"|{' --- |' * len(_HEAD)}"]
    for case, results in measured.items():
        lines.append(f"| **{_CASES[case]}** |{' |' * (len(_HEAD) - 1)}")
        lines += [_result_line(name, result) for name, result in results.items()]
    lines += _remarks(measured)
    return "\n".join(lines) + "\n"


def between_marks(file: Path, written: str) -> None:
    """Replace what is between the marks of a file."""
    before, begin, rest = file.read_text().partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} has no {BEGIN} and {END}")
    file.write_text(f"{before}{begin}{written}{end}{after}")


_HEAD = (
    *("server", "requests/s", "CPU a request", "p50", "p99", "upstream calls", "answer"),
    *("memory", "of its core"),
)


def _goal_line(goal: Goal, reached: Ratio | None) -> str:
    if reached is None:
        return f"| {goal.what} | {goal.against} | not measured | | {goal.at_least:g} x | |"
    verdict = "reached" if reached.by_rate >= goal.at_least else "**missed**"
    by_rate, by_cpu = (f"{one:.2f} x" for one in reached)
    return (
        f"| {goal.what} | {goal.against} | {by_rate} | {by_cpu} | {goal.at_least:g} x | {verdict} |"
    )


def _times(measured: Measured, started: Sequence[float]) -> Iterator[str]:
    slow = measured.get("latency", {}).get(GATEWAY)
    if slow and slow.trials:
        yield _time_line("half of the answers, upstreams with 50 ms", slow.p50, _MOST_LATENCY)
    if started:
        yield _time_line("start to ready", median(started), _MOST_START)


def _time_line(what: str, seconds: float, most: float) -> str:
    verdict = "reached" if seconds <= most else "**missed**"
    return f"| {what} | | {_shown(seconds)} | | at most {_shown(most)} | {verdict} |"


def _result_line(name: str, result: Result) -> str:
    if not result.trials:
        return f"| {name} | not measured |{' |' * (len(_HEAD) - 2)}"
    cells = (
        name,
        f"{result.rate:,.0f}",
        _shown(result.cpu),
        _shown(result.p50),
        _shown(result.p99),
        f"{result.calls:.2f}",
        f"{result.answer_bytes / 1000:.1f} kB",
        f"{result.memory_bytes / 2**20:.0f} MiB",
        f"{result.busy:.0%}",
    )
    return f"| {' | '.join(cells)} |"


def _remarks(measured: Measured) -> Iterator[str]:
    held_down = []
    for case, results in measured.items():
        for name, result in results.items():
            for failure in result.failures:
                yield f"\nA load of {name} ({_CASES[case]}) was not counted: {failure}."
            if case != "latency" and result.trials and result.busy < BUSY:
                held_down.append(f"{name} ({case})")
    if held_down:
        told = (
            f"**Something else held {len(held_down)} of them down**: they had less than "
            f"{BUSY:.0%} of their cores, so that their CPU time says more than their requests a "
            f"second. They are {', '.join(held_down)}."
        )
        yield "\n" + fill(told, _WIDTH)


def _shown(seconds: float) -> str:
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _machine() -> str:
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return f"Python {platform.python_version()}, {model}, one core for each server"
