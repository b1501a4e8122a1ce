"""The gateway's own answers are those of the stock executor, for all documents that are shown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comparing import told
from graphql import DocumentNode, OperationDefinitionNode, OperationType, parse
from lists import page_query
from mirrored import OWNER, Mirrored, mirrored
from sums import QUERY as SUMMARY

ROOT = Path(__file__).parents[2]
SHOWN = [
    *re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL),
    *(file.read_text() for file in (ROOT / "app/web/graphiql/examples").iterdir()),
    (ROOT / "tests/clients/operations.graphql").read_text(),
    SUMMARY,
]
# Every field of every provider; the same under other names; and errors.
WHOLE = """
query($reference: String!, $brief: Boolean = false) {
  viewer { __typename subject scopes }
  providers { name kind capabilities state since }
  customer(reference: $reference) {
    ...One
    accounts { ...Held again: provider { kind } balance { computed { ...Amount } } }
    creditChanges(first: 50) {
      totalCount
      edges {
        cursor
        node { __typename ...Change ... on Node { id } ... @skip(if: $brief) { reason } }
      }
      nodes { kind account { customer { reference } } amount { formatted(locale: "sv") } }
      pageInfo { ...Pages }
      sources { ...Told }
    }
    payments(last: 20) {
      edges { cursor node { ...Paid } } pageInfo { ...Pages } sources { ...Told } totalCount
    }
    tooMany: creditChanges(first: -1) { nodes { id } }
    notOurs: payments(after: "not ours") { nodes { id } }
    balances { state reported { ...Amount } drift { ...Amount } error { code message retryAt } }
  }
}
fragment One on Customer { id ... on Node { id } reference displayName }
fragment Held on Account {
  id externalId label status linkedAt provider { name } customer { ...One }
}
fragment Pages on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }
fragment Told on HistorySource {
  account { id } state readAt completeFrom complete error { code message retryAt }
}
fragment Amount on Money { amount unit unitKind }
fragment Change on CreditChange {
  id occurredAt zoneAssumed amount { ...Amount } balanceAfter { ...Amount unit } kind description
  account { label ...Held @include(if: $brief) }
  details {
    __typename
    ... on CloudreveCreditChange { reason }
    ... on HostUpCreditChange {
      in out invoiceId transactionId gatewayReference clientFirstName adminName
      edit { date in out balance description }
    }
    ... on CareCloudCreditChange { operationType note storeId partnerId currencyId }
  }
}
fragment Paid on Payment {
  id createdAt updatedAt product productKind status quantity reference unitPrice { ...Amount }
  amount { ...Amount }
  details {
    ... on CloudrevePayment { paymentId tradeNo priceUnit productType }
    ... on HostUpPayment { type method in out fee }
  }
}
"""
NODES = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
  ... on CreditChange { amount { amount } } ... on Account { label }
  ... on Customer { reference } } }"""
VARIABLES: dict[str, Any] = {"reference": OWNER, "first": 5, "orderBy": "OLDEST_FIRST"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with mirrored(tmp_path_factory.mktemp("mirrored")) as one:
        yield one


def operations(text: str) -> list[DocumentNode]:
    """Return a document once for each operation that is no subscription, as the only one."""
    document = parse(text)
    ours = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return [
        DocumentNode(definitions=(one, *(d for d in document.definitions if d not in ours)))
        for one in ours
        if one.operation is not OperationType.SUBSCRIPTION
    ]


@pytest.mark.parametrize("text", [*SHOWN, WHOLE])
def test_the_answer_is_that_of_the_stock_executor(gateway: Mirrored, text: str) -> None:
    for document in operations(text):
        gateway.stock(document, VARIABLES)  # reads what is not there yet
        expected = told(gateway.stock(document, VARIABLES))

        assert "customer" in expected.data or "viewer" in expected.data or expected.errors
        for _ in range(3):
            assert told(gateway.compiled(document, VARIABLES)) == expected
            assert told(gateway.kept(document, VARIABLES)) == expected


@pytest.mark.parametrize("brief", [True, False])
def test_conditions_are_those_of_the_request(gateway: Mirrored, brief: bool) -> None:  # noqa: FBT001 - a case
    document = parse(WHOLE)
    variables = VARIABLES | {"brief": brief}

    for _ in range(2):
        expected = told(gateway.stock(document, variables))

        assert told(gateway.compiled(document, variables)) == expected
        assert told(gateway.kept(document, variables, times=3)) == expected


@pytest.mark.parametrize("field", ["creditChanges", "payments"])
def test_nodes_and_pages_are_those_of_the_stock_executor(gateway: Mirrored, field: str) -> None:
    owner = gateway.stock(parse(f'{{ customer(reference: "{OWNER}") {{ id }} }}'), {}).data
    assert owner
    variables = {"owner": owner["customer"]["id"], "first": 30}
    page = parse(page_query(field, "Customer"))
    gateway.stock(page, variables)
    found = gateway.compiled(page, variables)
    assert found.data
    ids = [edge["node"]["id"] for edge in found.data["owner"]["list"]["edges"]]
    nodes = {"ids": [*ids[:20], variables["owner"], "nobody's"]}

    assert ids
    assert told(found) == told(gateway.stock(page, variables))
    expected = told(gateway.stock(parse(NODES), nodes))
    assert told(gateway.compiled(parse(NODES), nodes)) == expected
    assert told(gateway.kept(parse(NODES), nodes, times=3)) == expected
