"""
What Prometheus's own `promtool check metrics` has against a page of metrics, and some more.

Written after the text format 0.0.4 and the naming rules in Prometheus's documentation. The parser
of the library for Python reads what these refuse: samples before their type, a type twice, series
twice, buckets that shrink.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(
    rf"(?P<name>{_NAME})(?:\{{(?P<labels>{_LABEL}(?:,{_LABEL})*)\}})? "
    r"(?P<value>[+-]?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Inf|NaN))"
)
_LABELS = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_KINDS = {"counter", "gauge", "histogram", "summary", "untyped"}
_ENDINGS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
# Units that are none of the base units, and their short forms.
_OTHER_UNITS = {
    *("ms", "milliseconds", "us", "microseconds", "ns", "nanoseconds", "minutes", "hours", "days"),
    *("s", "sec", "secs", "m", "h", "kb", "mb", "gb", "kilobytes", "megabytes", "kib", "mib"),
    *("percent", "pct", "b"),
}


class Sample(NamedTuple):
    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Family(NamedTuple):
    """What one page tells under one name."""

    name: str
    kind: str
    told: str
    samples: list[Sample]


def families(text: str) -> tuple[list[Family], list[str]]:
    """Return what is told, and what is wrong with how it is written."""
    found: dict[str, Family] = {}
    faults: list[str] = []
    told: dict[str, str] = {}
    current = ""
    if not text.endswith("\n"):
        faults.append("the last line does not end")
    for number, line in enumerate(text.splitlines(), 1):
        match line.split(" ", 3):
            case ["#", "HELP", name, help_text]:
                if name in told:
                    faults.append(f"{number}: a second HELP of {name}")
                told[name], current = help_text, name
            case ["#", "TYPE", name, kind]:
                if name in found or kind not in _KINDS:
                    faults.append(f"{number}: a second TYPE of {name}, or none there is")
                if name != current:
                    faults.append(f"{number}: no HELP right before the TYPE of {name}")
                found[name] = Family(name, kind, told.get(name, ""), [])
                current = name
            case _:
                faults += _take(line, number, found.get(current))
    return list(found.values()), faults


def _take(line: str, number: int, family: Family | None) -> Iterator[str]:
    read = _SAMPLE.fullmatch(line)
    if read is None:
        yield f"{number}: cannot be read"
        return
    endings = _ENDINGS.get(family.kind, ("",)) if family else ()
    if family is None or read["name"] not in {f"{family.name}{end}" for end in endings}:
        yield f"{number}: {read['name']} is not of the family before it"
        return
    labels = tuple(_LABELS.findall(read["labels"] or ""))
    family.samples.append(Sample(read["name"], labels, float(read["value"])))


def faults_of(text: str) -> list[str]:
    """Return everything that is wrong with a page."""
    read, faults = families(text)
    for family in read:
        faults += [f"{family.name}: {fault}" for fault in _named_badly(family)]
        faults += [f"{family.name}: {fault}" for fault in _labelled_badly(family)]
        faults += [f"{family.name}: {fault}" for fault in _counted_badly(family)]
        if family.kind == "histogram":
            faults += [f"{family.name}: {fault}" for fault in _summed_badly(family)]
    return faults


def _named_badly(family: Family) -> Iterator[str]:
    words = family.name.split("_")
    if not family.told:
        yield "no help"
    if (family.kind == "counter") != family.name.endswith("_total"):
        yield "a counter, and nothing else, ends in _total"
    if family.name.endswith(("_bucket", "_sum", "_count")):
        yield "an ending that is a histogram's"
    if family.name != family.name.lower() or ":" in family.name:
        yield "not in lower case, or with a colon as a rule's"
    if _KINDS & set(words):
        yield "its name says its type"
    if _OTHER_UNITS & set(words):
        yield "not a base unit"
    if family.kind == "histogram" and words[-1] not in {"seconds", "bytes", "cost"}:
        yield "a histogram without a unit"
    if len(words) != len(set(words)):
        yield "a word twice"


def _labelled_badly(family: Family) -> Iterator[str]:
    for sample in family.samples:
        names = [name for name, _ in sample.labels]
        if any(name != name.lower() or name.startswith("__") for name in names):
            yield "a label that is not in lower case, or is reserved"
        if len(names) != len(set(names)) or set(names) & {"job", "instance", "quantile"}:
            yield "a label twice, or one that is Prometheus's own"
        if "le" in names and family.kind != "histogram":
            yield "le is a histogram's"


def _counted_badly(family: Family) -> Iterator[str]:
    seen = Counter((one.name, frozenset(one.labels)) for one in family.samples)
    if max(seen.values(), default=1) > 1:
        yield "a series twice"
    shapes = {
        (one.name, frozenset(name for name, _ in one.labels if name != "le"))
        for one in family.samples
    }
    if len({labels for _, labels in shapes}) > 1:
        yield "series with other labels"
    for one in family.samples:
        if math.isnan(one.value) or (family.kind != "gauge" and one.value < 0):
            yield f"{one.value} is none of its values"


def _summed_badly(family: Family) -> Iterator[str]:
    by_labels: dict[frozenset[tuple[str, str]], list[Sample]] = {}
    for one in family.samples:
        labels = frozenset(label for label in one.labels if label[0] != "le")
        by_labels.setdefault(labels, []).append(one)
    for samples in by_labels.values():
        buckets = [
            (float(dict(one.labels).get("le", "nan")), one.value)
            for one in samples
            if one.name.endswith("_bucket")
        ]
        sums = {one.name: one.value for one in samples if not one.name.endswith("_bucket")}
        if len(sums) != 2:
            yield "no sum, or no count"
        if not buckets or buckets[-1] != (math.inf, sums.get(f"{family.name}_count")):
            yield "no last bucket that holds all"
        if buckets != sorted(buckets) or [n for _, n in buckets] != sorted(n for _, n in buckets):
            yield "buckets that shrink, or are out of order"
