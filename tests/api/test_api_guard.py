"""What is too much in a document is told with its number and its limit, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, get_introspection_query, parse

from app.api.documents import Documents, Rejected
from app.api.execution import graphql_schema
from app.api.guard import DocumentLimits, excess
from app.api.guard_validation import find_invalid

LIMITS = DocumentLimits()
DASHBOARD = """
query Dashboard($reference: String!, $changes: Int!, $after: String,
    $filter: CreditChangeFilter, $totals: Boolean!) {
  customer(reference: $reference) {
    id reference displayName accounts { ...Account id status linkedAt }
    history: creditChanges(first: $changes, after: $after, filter: $filter) { ...Changes }
    newest: creditChanges(first: 5) { ...Changes }
    payments(first: 20) {
      edges { cursor node {
        id createdAt updatedAt zoneAssumed product productKind status quantity reference
        amount { ...Sum } unitPrice { ...Sum } account { ...Account }
        details {
          __typename
          ... on CloudrevePayment { paymentId tradeNo quantity priceMark }
          ... on HostUpPayment { transactionId invoiceId fee method }
        }
      } }
      pageInfo { ...Ends } sources { ...Source }
    }
    balances { account { ...Account } state readAt reported { ...Sum } drift { ...Sum } }
    creditSummary(bucket: MONTH, timeZone: "Europe/Stockholm") @include(if: $totals) {
      units {
        unit count received { ...Sum } spent { ...Sum } net { ...Sum }
        series { start net { ...Sum } cumulative { ...Sum } }
      }
      sources { ...Source }
    }
  }
}
fragment Changes on CreditChangeConnection {
  edges { cursor node {
    id occurredAt zoneAssumed kind reason description
    amount { ...Sum } balanceAfter { ...Sum } account { ...Account }
    details {
      __typename
      ... on HostUpCreditChange { entryId invoiceId transactionId }
      ... on CareCloudCreditChange { operationType note storeId partnerId }
      ... on CloudreveCreditChange { cause: reason }
    }
  } }
  pageInfo { ...Ends } sources { ...Source } totalCount @include(if: $totals)
}
fragment Sum on Money { amount unit unitKind formatted(locale: "sv") }
fragment Account on Account { label provider { name kind } }
fragment Ends on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }
fragment Source on HistorySource {
  state complete completeFrom readAt account { ...Account } error { code message }
}
"""
AS_RELAY_WRITES = """
query ScreenQuery($reference: String!, $count: Int!, $cursor: String) {
  customer(reference: $reference) { ...Head_customer ...Changes_customer_1G22uz id }
}
fragment Head_customer on Customer { reference balances { account { ...Badge_account id } } id }
fragment Changes_customer_1G22uz on Customer {
  creditChanges(first: $count, after: $cursor) {
    edges { node { ...Row_change id __typename } cursor }
    pageInfo { endCursor hasNextPage }
  }
  __isNode: __typename
  id
}
fragment Row_change on CreditChange {
  occurredAt kind amount { formatted } account { ...Badge_account id }
  __isNode: __typename
  id
}
fragment Badge_account on Account { label provider { name } __isNode: __typename id }
"""
INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    experimental_directive_deprecation=True,
    one_of=True,
)
# Each has as many of something as asked, with fragments and without.
NUMBERED: dict[str, tuple[Callable[[int], str], ...]] = {
    "levels of fields": (
        lambda n: "{a" * n + "}" * n,
        lambda n: "{a{...F}} fragment F on T" + "{a" * (n - 1) + "}" * (n - 1),
        lambda n: "{...{a" * n + "}}" * n,
    ),
    "fields at its root": (
        lambda n: "{" + "a " * n + "}",
        lambda n: "{a ...F} fragment F on T{" + "a " * (n - 1) + "}",
        lambda n: "{...{" + "a " * n + "}}",
    ),
    "aliases": (
        lambda n: "{a{" + "b:a " * n + "}}",
        lambda n: "{a{" + "...F " * n + "}} fragment F on T{b:a}",
        lambda n: "{b:a{...F}} fragment F on T{...{" + "b:a " * (n - 1) + "}}",
    ),
    "directives": (
        lambda n: "{a " + "@b " * n + "}",
        lambda n: "{a{" + "...F " * n + "}} fragment F on T{a @b}",
        lambda n: "query($a:A@b)@b{...@b{...F@b}} fragment F on T@b{a " + "@b" * (n - 5) + "}",
    ),
    "fields": (
        lambda n: "{a{" + "a " * (n - 1) + "}}",
        lambda n: "{a{" + "...F " * (n - 1) + "}} fragment F on T{a}",
        lambda n: "{a{...F}} fragment F on T{" + "...G " * (n - 1) + "} fragment G on T{a}",
    ),
}
LIMITED = {
    "levels of fields": replace(LIMITS, depth=7),
    "fields at its root": replace(LIMITS, root_fields=7),
    "aliases": replace(LIMITS, aliases=7),
    "directives": replace(LIMITS, directives=7),
    "fields": replace(LIMITS, fields=7),
}
CASES = [
    pytest.param(what, write, id=f"{what} {number}")
    for what, writers in NUMBERED.items()
    for number, write in enumerate(writers)
]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parents[2] / "schema.graphql").read_text("utf-8"))


def told(text: str, limits: DocumentLimits = LIMITS) -> str | None:
    error = excess(parse(text), limits)
    return error.message if error else None


@pytest.mark.parametrize(("what", "write"), CASES)
def test_as_many_as_the_limit_pass_and_one_more_is_refused(
    what: str, write: Callable[[int], str]
) -> None:
    allowed = told(write(7), LIMITED[what])
    refused = told(write(8), LIMITED[what])

    assert allowed is None
    assert refused == (
        f"The operation, with its fragments spread out, has 8 {what}; at most 7 are allowed. "
        "Ask for less at once."
    )


def test_tokens_and_characters_are_those_of_the_document() -> None:
    documents = Documents(graphql_schema, replace(LIMITS, tokens=4))

    def refused(text: str) -> str:
        with pytest.raises(Rejected) as rejected:
            documents.read(text)
        return str(rejected.value.errors[0]["message"])

    assert documents.read("{__typename __typename}").text
    assert "more than 4 tokens" in refused("{__typename __typename __typename}")
    assert documents.read("{__typename}" + "#" * 116).text
    assert refused("{__typename}" + "#" * 117) == "The document has more than 128 characters."


def test_each_operation_is_counted_for_itself() -> None:
    ten = " ".join(f"query Q{number}" + "{a b c d}" for number in range(10))

    assert told(ten, LIMITED["fields"]) is None
    error = excess(parse(ten + " query Last{a{a a a a a a a}}"), LIMITED["fields"])
    assert error
    assert error.locations
    assert error.locations[0].column == len(ten) + 2


def test_what_no_operation_asks_for_is_left_to_validation(schema: GraphQLSchema) -> None:
    unused = parse("{__typename} fragment F on Query{" + "__typename " * 50 + "}")

    assert excess(unused, LIMITED["fields"]) is None
    assert "never used" in find_invalid(schema, unused)[0].message


def test_an_astronomical_number_is_told_as_many() -> None:
    spreads = "".join(
        f"fragment F{number} on T{{...F{number + 1} ...F{number + 1}}}" for number in range(49)
    )

    assert told("{a{...F0}}" + spreads + "fragment F49 on T{a}") == (
        "The operation, with its fragments spread out, has 1,000,000 or more fields; "
        "at most 1,000 are allowed. Ask for less at once."
    )


@pytest.mark.parametrize("text", [DASHBOARD, AS_RELAY_WRITES, INTROSPECTION])
def test_what_real_clients_send_passes(schema: GraphQLSchema, text: str) -> None:
    document = parse(text, max_tokens=LIMITS.tokens)

    assert excess(document, LIMITS) is None
    assert find_invalid(schema, document) == []


def test_what_real_clients_send_is_far_from_every_limit() -> None:
    halved = DocumentLimits(
        aliases=LIMITS.aliases // 2,
        root_fields=LIMITS.root_fields // 2,
        directives=LIMITS.directives // 2,
        fields=LIMITS.fields // 2,
        tokens=LIMITS.tokens // 2,
    )

    assert [told(text, halved) for text in (DASHBOARD, AS_RELAY_WRITES, INTROSPECTION)] == [
        None,
        None,
        None,
    ]


def test_introspection_has_a_depth_of_its_own_also_by_fragments() -> None:
    def below(levels: int) -> str:
        return "{__schema{...F}} fragment F on T" + "{a" * levels + "}" * levels

    assert told(below(19)) is None
    assert told(below(20)) == (
        "The operation, with its fragments spread out, has 21 levels of introspection; "
        "at most 20 are allowed. Ask for less at once."
    )
    assert "levels of fields" in (told("{a{...F}} fragment F on T" + "{a" * 12 + "}" * 12) or "")


def test_introspection_cannot_be_repeated_by_aliases() -> None:
    def repeated(times: int) -> str:
        return "{__schema{" + "".join(f"a{n}:types{{...F}}" for n in range(times)) + "}}"

    fragment = "fragment F on __Type{fields{name}}"

    assert told(repeated(3) + fragment) is None
    assert "has 4 aliases in introspection" in (told(repeated(4) + fragment) or "")
    roots = "{" + "".join(f"a{n}:__type(name:1){{a}}" for n in range(4)) + "}"
    assert "has 4 aliases in introspection" in (told(roots) or "")
    assert "has 4 aliases in introspection" in (
        told("{__schema{...F ...F}} fragment F on __Schema{a:types{...G}} fragment G on T{b:a}")
        or ""
    )


@pytest.mark.parametrize(
    "text",
    [
        "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}",
        """{__schema{types{...F}}} fragment F on __Type{fields{type{...G}}}
        fragment G on __Type{fields{type{fields{name}}}}""",
    ],
)
def test_introspection_in_circles_is_refused_though_it_is_not_deep(
    schema: GraphQLSchema, text: str
) -> None:
    document = parse(text)

    assert excess(document, LIMITS) is None
    assert [error.message for error in find_invalid(schema, document)] == [
        "Maximum introspection depth exceeded"
    ]
