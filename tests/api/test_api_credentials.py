"""Credentials that cannot be opened cost one account, not the customer."""

import sqlite3
from pathlib import Path

from world import gateway, world

QUERY = """{ customer(reference: "C-1001") { creditChanges(first: 100) {
  nodes { account { provider { name } } }
  sources { state account { provider { name } } error { code message } } } } }"""


def test_credentials_that_cannot_be_opened_cost_their_own_account_alone(tmp_path: Path) -> None:
    with world(tmp_path, entries=20) as served:
        whole = served.data(QUERY)["customer"]["creditChanges"]
        with sqlite3.connect(tmp_path / "credit-gateway.db") as database:
            database.execute(
                "UPDATE accounts SET credentials = zeroblob(80) WHERE provider = 'hosting'"
            )
        database.close()
        with gateway(served.settings, served.sandbox, tmp_path) as again:
            answer = again.ask(QUERY)

    partial = answer["data"]["customer"]["creditChanges"]
    states = {one["account"]["provider"]["name"]: one["state"] for one in partial["sources"]}
    assert len(whole["nodes"]) == 60
    assert len(partial["nodes"]) == 40
    assert states == {"cloud": "FRESH", "hosting": "UNAVAILABLE", "loyalty": "FRESH"}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UPSTREAM_UNAUTHORIZED"]
