"""How fresh a caller wants an answer, as its `Cache-Control` says."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from world import World, world

from app.api.http import requested_age

QUERY = """{ customer(reference: "C-1001") {
  creditChanges(first: 1, filter: { providers: ["hosting"] }) {
    nodes { amount { amount } } sources { state readAt } } } }"""


def ask(served: World, **headers: str) -> tuple[str, str]:
    """Return the newest amount and the state of its source."""
    response = httpx.post(
        f"{served.url}/graphql",
        json={"query": QUERY},
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )
    page = response.json()["data"]["customer"]["creditChanges"]
    return page["nodes"][0]["amount"]["amount"], page["sources"][0]["state"]


def test_no_cache_is_answered_from_the_provider_and_others_from_what_is_known(
    tmp_path: Path,
) -> None:
    with world(tmp_path, entries=20) as served:
        ask(served)
        served.sandbox.add_entry(
            "hostup", "credit_changes", "C-1001", entry={"in": "12.34", "out": "0.00"}
        )
        served.clock.ahead += timedelta(seconds=6)

        usual = ask(served)
        old_enough = ask(served, cache_control="max-age=30")
        fresh = ask(served, cache_control="no-cache")

    assert usual == old_enough
    assert usual[0] != "12.34"
    assert fresh == ("12.34", "FRESH")


def test_max_age_is_answered_from_the_provider_when_what_is_known_is_older(tmp_path: Path) -> None:
    with world(tmp_path, entries=20) as served:
        ask(served)
        served.sandbox.add_entry(
            "hostup", "credit_changes", "C-1001", entry={"in": "12.34", "out": "0.00"}
        )
        served.clock.ahead += timedelta(seconds=31)

        assert ask(served, cache_control="max-age=30") == ("12.34", "FRESH")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("no-cache", 0),
        ("No-Cache, max-age=30", 0),
        ("max-age=30", 30),
        ('max-age="30"', 30),
        ("max-age=0", 0),
        ("max-age=-1", None),
        ("max-age=soon", None),
        ("no-store", None),
        ("max-age=" + "9" * 5000, 999_999_999),
    ],
)
def test_the_header_is_read(header: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert requested_age(header) == expected
