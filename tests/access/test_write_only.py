"""Who may change accounts but not read credits is told that they are there, and nothing of them."""

from pathlib import Path

import pytest
from callers import callers, viewer

from app.model.viewer import Scope

REFRESH = "mutation ($id: ID!) { refreshAccount(input: { accountId: $id }) { %s } }"


@pytest.mark.parametrize(
    "fields",
    [
        "account { creditChanges(first: 1) { nodes { id } } }",
        "account { payments(first: 1) { nodes { id } } }",
        "account { balance { reported { amount } } }",
        "account { customer { reference } }",
        "sources { account { creditChanges { totalCount } } }",
    ],
)
async def test_what_a_mutation_answers_opens_no_history(fields: str, tmp_path: Path) -> None:
    writer = viewer(None, [Scope.WRITE_ANY])
    reader = viewer(None, [Scope.WRITE_ANY, Scope.READ_ANY])
    async with callers(tmp_path, entries=5) as served:
        of = '{ customer(reference: "C-1001") { accounts { id } } }'
        account = (await served.ask(reader, of))["data"]["customer"]["accounts"][0]
        refreshed = await served.ask(writer, REFRESH % "account { id label }", account)
        refused = await served.ask(writer, REFRESH % fields, account)
        told = await served.ask(reader, REFRESH % fields, account)

    assert refreshed["data"]["refreshAccount"]["account"]["id"] == account["id"]
    assert refused["errors"][0]["extensions"]["code"] in {"FORBIDDEN", "NOT_FOUND"}
    assert not refused["data"] or refused["data"]["refreshAccount"]["account"] == {"balance": None}
    assert "errors" not in told
