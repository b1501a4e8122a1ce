"""What expressions of Prometheus ask for, as a parser of its language reads them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import promql_parser
from shipped import FOLDER, Table, read

ALERTS = FOLDER / "prometheus" / "alerts.yaml"
BOARD = FOLDER / "grafana" / "dashboards" / "credit-gateway.json"
# What Prometheus adds to what it scrapes, and to a histogram's series.
_ADDED = {"instance", "job", "le"}


class Asked(NamedTuple):
    """One metric in an expression, with the labels that are asked for: name, operator, value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def asked(expression: str) -> tuple[list[Asked], set[str]]:
    """Return the metrics of an expression, and the labels by which it groups."""
    found: list[Asked] = []
    groups: set[str] = set()

    def visit(one: promql_parser.Expr) -> bool:
        if isinstance(one, promql_parser.VectorSelector):
            assert one.name
            matchers = [(m.name, str(m.op), m.value) for m in one.matchers.matchers]
            found.append(Asked(one.name, tuple(matchers)))
        if isinstance(one, promql_parser.AggregateExpr) and one.modifier:
            groups.update(one.modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found, groups


def unknown(expression: str, told: dict[str, dict[str, set[str]]]) -> list[str]:
    """Return what an expression asks for that is not told: metrics, labels, and their values."""
    found: list[str] = []
    selected, groups = asked(expression)
    for one in selected:
        labels = told.get(one.metric)
        if labels is None:
            found.append(one.metric)
            continue
        for name, operator, value in one.matchers:
            if name in labels:
                found += _no_value(name, operator, value, labels[name])
            elif name not in _ADDED:
                found.append(f"{one.metric}{{{name}}}")
    known = set().union(*(told.get(one.metric, {}) for one in selected)) | _ADDED
    return found + [f"by ({name})" for name in groups - known]


def _no_value(name: str, operator: str, value: str, values: set[str]) -> list[str]:
    wanted = value.split("|") if "~" in operator or "Re" in operator else [value]
    return [f"{name}={one}" for one in wanted if not any(re.fullmatch(one, v) for v in values)]


def rules(file: Path = ALERTS) -> list[Table]:
    return [rule for group in read(file)["groups"] for rule in group["rules"]]


def board() -> Table:
    found: Table = json.loads(BOARD.read_text())
    return found


def drawn(whole: Table) -> Iterator[tuple[str, str]]:
    """Give the title of each panel with each of its expressions, its variables chosen as "All"."""
    everything = {one["name"]: one["allValue"] for one in whole["templating"]["list"]}
    for panel in whole["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1m")
            yield panel["title"], _filled(expression, everything)


def _filled(expression: str, everything: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda name: everything[name[1]], expression)
