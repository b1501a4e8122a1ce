"""Reading the parameters of CareCloud's lists, and what they select."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.sandbox.carecloud.account import TIME_FIELD
from app.sandbox.carecloud.answers import invalid
from app.sandbox.history import Fields

RECORD_FIELDS = (
    *("customer_id", "amount", "credit_operation_type", "credit_operation_note"),
    *("partner_id", "store_id", "currency_id", TIME_FIELD),
)

_DEFAULT_COUNT = 100
_MOST_COUNT = 1000
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
_LOCAL_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EXACT = ("store_id", "partner_id")
_SUBSTRING = ("credit_operation_type", "credit_operation_note")


@dataclass(frozen=True)
class Slice:
    """Which rows of a sorted list are asked for."""

    count: int
    offset: int
    sort_field: str
    descending: bool

    def of(self, rows: list[Fields]) -> list[Fields]:
        """Return the rows asked for; ties keep their order, turned round when descending."""
        ordered = sorted(rows, key=lambda row: _sortable(row.get(self.sort_field)))
        if self.descending:
            ordered.reverse()
        return ordered[self.offset : self.offset + self.count]


def slice_of(query: Mapping[str, str], fields: tuple[str, ...], default_field: str) -> Slice:
    """Read `count`, `offset`, `sort_field` and `sort_direction`."""
    sort_field = query.get("sort_field") or default_field
    if sort_field not in fields:
        raise invalid("sort_field", "not_allowed_value", sort_field)
    direction = query.get("sort_direction") or "ASC"
    if direction not in ("ASC", "DESC"):
        raise invalid("sort_direction", "not_allowed_value", direction)
    return Slice(
        count=min(_whole_number(query, "count", _DEFAULT_COUNT, least=1), _MOST_COUNT),
        offset=_whole_number(query, "offset", 0, least=0),
        sort_field=sort_field,
        descending=direction == "DESC",
    )


def customer_id(query: Mapping[str, str]) -> str:
    """Read the one required parameter."""
    if "customer_id" not in query:
        raise invalid("customer_id", "required")
    if not query["customer_id"]:
        raise invalid("customer_id", "empty")
    return query["customer_id"]


def matching(query: Mapping[str, str], rows: list[Fields]) -> list[Fields]:
    """Return the rows that pass every filter; both ends of the time window belong to it."""
    time_from = _local_time(query, "time_from")
    time_to = _local_time(query, "time_to")
    exact = {name: query[name] for name in _EXACT if query.get(name)}
    parts = {name: query[name].casefold() for name in _SUBSTRING if query.get(name)}
    return [
        row
        for row in rows
        if (not time_from or str(row.get(TIME_FIELD)) >= time_from)
        and (not time_to or str(row.get(TIME_FIELD)) <= time_to)
        and all(row.get(name) == value for name, value in exact.items())
        and all(part in str(row.get(name) or "").casefold() for name, part in parts.items())
    ]


def day(query: Mapping[str, str], name: str) -> str:
    """Read a day, empty when it is not given."""
    text = query.get(name, "")
    if text and not (_LOCAL_DAY.fullmatch(text) and _exists(text)):
        raise invalid(name, "invalid_value_format", text)
    return text


def english_asked(accept_language: str) -> bool:
    """Tell whether English is asked for before Czech; without a wish it is Czech."""
    best, best_weight = "cs", 0.0
    for part in accept_language.split(","):
        tag, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        if weight > best_weight:
            best, best_weight = tag.strip().lower(), weight
    return best.partition("-")[0] == "en"


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return 1.0


def _local_time(query: Mapping[str, str], name: str) -> str:
    text = query.get(name, "")
    if text and not (_LOCAL_TIME.fullmatch(text) and _exists(text)):
        raise invalid(name, "invalid_value_format", text)
    return text.replace("T", " ")


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _whole_number(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise invalid(name, "invalid_value_format", text)
    if int(text) < least:
        raise invalid(name, "not_allowed_value", text)
    return int(text)


def _sortable(value: Any) -> tuple[int, float, str]:  # noqa: ANN401 - any field may be sorted by
    if value is None:
        return 0, 0.0, ""
    if isinstance(value, int | float):
        return 1, float(value), ""
    return 2, 0.0, str(value)
