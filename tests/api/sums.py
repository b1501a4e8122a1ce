"""Credit summaries of a gateway, and what adding up rows by hand makes of them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lists import Row
from world import World

from app.model.entries import CreditChangeKind

MONEY = "{ amount unit unitKind }"
SOURCES = "sources { state account { id provider { name } } error { code message } }"
SUMMARY = f"""
  units {{
    unit unitKind count received {MONEY} spent {MONEY} net {MONEY}
    byKind {{ kind count net {MONEY} }}
    byProvider {{ provider {{ name }} count net {MONEY} }}
    series {{ start received {MONEY} spent {MONEY} net {MONEY} cumulative {MONEY} }}
  }}
  {SOURCES}"""
QUERY = f"""query($reference: String!, $from: DateTime, $to: DateTime,
      $bucket: SummaryBucket! = MONTH, $timeZone: String! = "UTC", $filter: CreditChangeFilter) {{
  customer(reference: $reference) {{
    creditSummary(from: $from, to: $to, bucket: $bucket, timeZone: $timeZone, filter: $filter) {{
      {SUMMARY} }} }} }}"""
PROVIDERS = ("cloud", "hosting", "loyalty")
FROM, TO = "2025-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00"
Summary = dict[str, Any]


def summary(one: World, **arguments: Any) -> Summary:  # noqa: ANN401 - whatever it takes
    data = one.data(QUERY, {"reference": "C-1002", **arguments})
    found: Summary = data["customer"]["creditSummary"]
    return found


def provider_of(row: Row) -> str:
    name: str = row["account"]["provider"]["name"]
    return name


def amount(row: Row) -> Decimal:
    return Decimal(row["amount"]["amount"])


def sums(rows: list[Row]) -> dict[str, Any]:
    """Return what a part of one unit shows."""
    return {"count": len(rows), "net": sum(map(amount, rows), Decimal(0))}


def units_of(rows: list[Row]) -> list[dict[str, Any]]:
    """Return the totals of each unit of the rows, added up by hand."""
    keys = {(row["amount"]["unitKind"], row["amount"]["unit"]) for row in rows}
    return [
        totals(
            [row for row in rows if (row["amount"]["unitKind"], row["amount"]["unit"]) == key], *key
        )
        for key in sorted(keys)
    ]


def totals(rows: list[Row], kind: str, unit: str) -> dict[str, Any]:
    return {
        "unit": unit,
        "unitKind": kind,
        **sums(rows),
        "received": sum((amount(row) for row in rows if amount(row) > 0), Decimal(0)),
        "spent": -sum((amount(row) for row in rows if amount(row) < 0), Decimal(0)),
        "byKind": [
            {"kind": kind, **sums(part)}
            for kind in CreditChangeKind
            if (part := [row for row in rows if row["kind"] == kind])
        ],
        "byProvider": [
            {"provider": {"name": name}, **sums(part)}
            for name in PROVIDERS
            if (part := [row for row in rows if provider_of(row) == name])
        ],
    }


def read(value: object, unit: tuple[str, str]) -> object:
    """Return an answer with its amounts as numbers, all of them in the same unit."""
    if isinstance(value, list):
        return [read(one, unit) for one in value]
    if isinstance(value, Mapping):
        if "amount" in value:
            assert (value["unit"], value["unitKind"]) == unit
            assert not value["amount"].startswith("-0") or Decimal(value["amount"])
            return Decimal(value["amount"])
        return {name: read(one, unit) for name, one in value.items() if name != "series"}
    return value


def read_units(found: Summary) -> list[object]:
    return [read(one, (one["unit"], one["unitKind"])) for one in found["units"]]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
