"""What accounts of a gateway hold, as it tells."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import httpx
from lists import merged
from world import World

MONEY = "{ amount unit unitKind }"
FIELDS = f"""account {{ id provider {{ name }} }} state readAt error {{ code message retryAt }}
  reported {MONEY} computed {MONEY} drift {MONEY}"""
QUERY = f"query($r: String!) {{ customer(reference: $r) {{ balances {{ {FIELDS} }} }} }}"
ACCOUNTS = f"""query($r: String!) {{ customer(reference: $r) {{
  accounts {{ id provider {{ name }} balance {{ {FIELDS} }} }} }} }}"""
WHOLE = """query($r: String!) { customer(reference: $r) {
  creditSummary { units { count } sources { complete } } } }"""
PROVIDERS = {"cloud": "cloudreve", "hosting": "hostup", "loyalty": "carecloud"}
BALANCE_CALLS = {
    "cloud": "cloudreve /user/setting",
    "hosting": "hostup /billing/account-summary",
    "loyalty": "carecloud /wallet/actions/credits-overview",
}
LIST_CALLS = {
    "cloud": "cloudreve /user/creditChanges",
    "hosting": "hostup /billing/credit-log",
    "loyalty": "carecloud /credit-history",
}
Balance = dict[str, Any]


def answer(served: World, reference: str = "C-1001", **headers: str) -> httpx.Response:
    """Return the whole response to the question for a customer's balances."""
    return served.http.post(
        "/graphql",
        json={"query": QUERY, "variables": {"r": reference}},
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def balances(served: World, reference: str = "C-1001") -> list[Balance]:
    """Return a customer's balances, of which none may be missing."""
    found: list[Balance] = served.data(QUERY, {"r": reference})["customer"]["balances"]
    return found


def of(found: list[Balance], name: str) -> list[Balance]:
    return [one for one in found if one["account"]["provider"]["name"] == name]


def read_whole(served: World, reference: str = "C-1001") -> None:
    """Have the histories of a customer's accounts read to their beginnings."""
    sources = served.data(WHOLE, {"r": reference})["customer"]["creditSummary"]["sources"]
    assert all(source["complete"] for source in sources)


def sums(served: World, reference: str = "C-1001") -> dict[tuple[str, str], Decimal]:
    """Return what each account's rows add up to, by account and unit."""
    found: dict[tuple[str, str], Decimal] = {}
    for row in merged(served, "creditChanges", reference):
        key = (row["account"]["id"], row["amount"]["unit"])
        found[key] = found.get(key, Decimal(0)) + Decimal(row["amount"]["amount"])
    return found


def amounts(found: list[Balance], field: str) -> dict[tuple[str, str], Decimal]:
    """Return one of the amounts of each balance, by account and unit."""
    return {
        (one["account"]["id"], one[field]["unit"]): Decimal(one[field]["amount"])
        for one in found
        if one[field]
    }


def drifts(found: list[Balance]) -> list[Decimal | None]:
    return [Decimal(one["drift"]["amount"]) if one["drift"] else None for one in found]


def calls(served: World, paths: Mapping[str, str]) -> dict[str, int]:
    """Return how often each provider was asked at such paths, without those that were not."""
    made = served.sandbox.calls()
    return {name: made[path] for name, path in paths.items() if made.get(path)}


def quiet(served: World, asked: Callable[[], object], times: int = 4) -> dict[str, int]:
    """Return the calls that providers get while something is asked again and again."""
    served.sandbox.reset_calls()
    for _ in range(times):
        asked()
    return served.sandbox.calls()
