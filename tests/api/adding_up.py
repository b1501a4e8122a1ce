"""Histories that add up, and what makes them not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from holding import PROVIDERS, balances, drifts, of, read_whole
from lists import merged
from world import World, gateway, world

from app import settings

PAGES = 3
DEEP = 40
MORE = {"GATEWAY_PROVIDERS__CLOUD__PAGE_SIZE": "25", "GATEWAY_PROVIDERS__LOYALTY__PAGE_SIZE": "25"}
CORRECTED: Mapping[str, Mapping[str, Any]] = {
    "cloud": {"diff": 7},
    "hosting": {"in": "0.07", "out": "0.00"},
    "loyalty": {"amount": 0.07},
}


@contextmanager
def adding_up(folder: Path) -> Iterator[World]:
    """Serve a gateway that knows whole histories of three pages each, which add up."""
    with world(folder, entries=60) as one:
        configured = settings.load(one.folder / "gateway.toml", MORE)
        with gateway(configured, one.sandbox, one.folder) as cold:
            read_whole(cold)
            assert set(drifts(balances(cold))) == {Decimal(0)}
            cold.sandbox.reset_calls()
            yield cold


def rows(one: World, name: str) -> list[dict[str, Any]]:
    """Return the rows of one provider, as a gateway tells that knows nothing yet."""
    found = merged(one, "creditChanges", "C-1001")
    return [row for row in found if row["account"]["provider"]["name"] == name]


def truth(one: World, name: str) -> list[dict[str, Any]]:
    with gateway(one.settings, one.sandbox, one.folder) as cold:
        return rows(cold, name)


def change_deep(one: World, name: str, how: str) -> None:
    """Change the past, far from the newest end."""
    where = (PROVIDERS[name], "credit_changes", "C-1001")
    if how == "corrected":
        one.sandbox.change_entry(*where, entry=CORRECTED[name], index=DEEP)
    elif how == "deleted":
        one.sandbox.delete_entry(*where, index=DEEP)
    else:
        add_deep(one, name, {})


def add_deep(one: World, name: str, entry: Mapping[str, Any]) -> None:
    at = datetime.fromisoformat(rows(one, name)[DEEP]["occurredAt"])
    one.sandbox.add_entry(
        PROVIDERS[name], "credit_changes", "C-1001", entry=entry, at=at, position=DEEP
    )


def set_off(one: World, amount: str) -> None:
    """Have the hosting provider report a balance that is not the sum of its log."""
    one.sandbox.change_entry(
        "hostup", "credit_changes", "C-1001", entry={"balance": amount}, index=0
    )


def is_off(one: World, drift: Decimal) -> bool:
    return hosting_drift(one) == drift


def hosting_drift(one: World) -> Decimal | None:
    return drifts(of(balances(one), "hosting"))[0]


def read_newest_now(one: World) -> None:
    """Have the histories read now, and no balances."""
    query = '{ customer(reference: "C-1001") { creditChanges(first: 1) { nodes { id } } } }'
    headers = {"Cache-Control": "no-cache"}
    assert one.http.post("/graphql", json={"query": query}, headers=headers).is_success
