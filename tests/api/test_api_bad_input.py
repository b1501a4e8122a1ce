"""What a caller did wrong is told with its code and what to do, and nothing else is told."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from lists import account_lists, customer_list, page_query
from world import World, world

CHANGES = page_query("creditChanges", "Customer")
INTERNALS = re.compile(r"strawberry|Traceback|app[./]|\.py\b|<class|object at|0x[0-9a-f]{6}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("bad"), entries=20) as one:
        yield one


def refused(answer: dict[str, Any], code: str, *says: str) -> None:
    errors = answer["errors"]
    assert [error["extensions"]["code"] for error in errors] == [code]
    message = errors[0]["message"]
    assert not INTERNALS.search(message)
    for part in says:
        assert part in message


ARGUMENTS: list[tuple[dict[str, Any], str, str]] = [
    ({"first": -1}, "BAD_USER_INPUT", "`first` takes 0 to 100"),
    ({"last": -1}, "BAD_USER_INPUT", "`last` takes 0 to 100"),
    ({"first": 101}, "BAD_USER_INPUT", "`first` takes 0 to 100"),
    ({"last": 2147483647}, "BAD_USER_INPUT", "`last` takes 0 to 100"),
    ({"first": 1, "last": 1}, "BAD_USER_INPUT", "not both"),
    ({"first": 2147483648}, "BAD_USER_INPUT", "32-bit"),
    ({"first": "1"}, "BAD_USER_INPUT", "Int"),
    ({"first": 1.5}, "BAD_USER_INPUT", "Int"),
    ({"order": "SIDEWAYS"}, "BAD_USER_INPUT", "HistoryOrder"),
    ({"filter": {"from": "yesterday"}}, "BAD_USER_INPUT", "RFC 3339"),
    ({"filter": {"from": "2026-01-01"}}, "BAD_USER_INPUT", "RFC 3339"),
    ({"filter": {"from": "2026-01-01T00:00:00"}}, "BAD_USER_INPUT", "with an offset"),
    ({"filter": {"to": "2026-13-01T00:00:00Z"}}, "BAD_USER_INPUT", "RFC 3339"),
    ({"filter": {"to": "0001-01-01T00:00:00+14:00"}}, "BAD_USER_INPUT", "RFC 3339"),
    ({"filter": {"to": 5}}, "BAD_USER_INPUT", "RFC 3339"),
    ({"filter": {"minAmount": 1.5}}, "BAD_USER_INPUT", "written as a string"),
    ({"filter": {"minAmount": "1e5"}}, "BAD_USER_INPUT", "without an exponent"),
    ({"filter": {"minAmount": "NaN"}}, "BAD_USER_INPUT", "written as a string"),
    ({"filter": {"minAmount": True}}, "BAD_USER_INPUT", "written as a string"),
    ({"filter": {"minAmount": "2", "maxAmount": "1"}}, "BAD_USER_INPUT", "`maxAmount`"),
    (
        {"filter": {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
        "BAD_USER_INPUT",
        "earlier one first",
    ),
    ({"filter": {"providers": ["nowhere"]}}, "BAD_USER_INPUT", "cloud, hosting, loyalty"),
    ({"filter": {"accounts": ["x"]}}, "BAD_USER_INPUT", "ids of Account objects"),
    ({"filter": {"kinds": ["GIFT"]}}, "BAD_USER_INPUT", "GIFT"),
    ({"filter": {"direction": "UP"}}, "BAD_USER_INPUT", "UP"),
    ({"filter": {"colour": "red"}}, "BAD_USER_INPUT", "colour"),
    ({"after": "random text"}, "INVALID_CURSOR", "start without a cursor"),
    ({"after": "é\u2028"}, "INVALID_CURSOR", "start without a cursor"),
    ({"after": ""}, "INVALID_CURSOR", "start without a cursor"),
    ({"before": "AAAA"}, "INVALID_CURSOR", "start without a cursor"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "says"), ARGUMENTS, ids=[str(a) for a, _, _ in ARGUMENTS]
)
def test_a_bad_argument_in_a_variable_is_told(
    served: World, arguments: dict[str, Any], code: str, says: str
) -> None:
    owner = customer_list(served, "creditChanges").owner

    answer = served.ask(CHANGES, {"owner": owner, **arguments})

    refused(answer, code, says)


LITERALS = [
    ("first: -1", "BAD_USER_INPUT", "`first` takes 0 to 100"),
    ("first: 1, last: 1", "BAD_USER_INPUT", "not both"),
    ("first: 2147483648", "GRAPHQL_VALIDATION_FAILED", "32-bit"),
    ('first: "1"', "GRAPHQL_VALIDATION_FAILED", "Int"),
    ("orderBy: SIDEWAYS", "GRAPHQL_VALIDATION_FAILED", "HistoryOrder"),
    ('filter: {from: "yesterday"}', "GRAPHQL_VALIDATION_FAILED", "RFC 3339"),
    ("filter: {from: 5}", "GRAPHQL_VALIDATION_FAILED", "RFC 3339"),
    ("filter: {minAmount: 1.5}", "GRAPHQL_VALIDATION_FAILED", "written as a string"),
    ('filter: {minAmount: "1e5"}', "GRAPHQL_VALIDATION_FAILED", "without an exponent"),
    ("filter: {kinds: [GIFT]}", "GRAPHQL_VALIDATION_FAILED", "GIFT"),
    ("filter: {colour: 1}", "GRAPHQL_VALIDATION_FAILED", "colour"),
    ('filter: {providers: ["nowhere"]}', "BAD_USER_INPUT", "cloud, hosting, loyalty"),
    ("colour: 1", "GRAPHQL_VALIDATION_FAILED", "colour"),
    ("first: 1, first: 1", "GRAPHQL_VALIDATION_FAILED", "first"),
    ("first: ", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
]


@pytest.mark.parametrize(("arguments", "code", "says"), LITERALS)
def test_a_bad_argument_in_the_document_is_told(
    served: World, arguments: str, code: str, says: str
) -> None:
    query = f'{{ customer(reference: "C-1001") {{ creditChanges({arguments}) {{ totalCount }} }} }}'

    answer = served.ask(query)

    refused(answer, code, says)


def test_a_good_argument_is_taken_in_the_same_places(served: World) -> None:
    query = """{ customer(reference: "C-1001") { creditChanges(
      first: 1, orderBy: OLDEST_FIRST, filter: {
        from: "2020-01-01T00:00:00.5+01:00", minAmount: -5, maxAmount: "99999999999999999999.5"
      }) { nodes { id } } } }"""

    assert len(served.data(query)["customer"]["creditChanges"]["nodes"]) == 1


def test_a_cursor_is_taken_by_its_own_list_filter_and_order_only(served: World) -> None:
    asked = customer_list(served, "creditChanges", "C-1001")
    cursor = asked.page(first=3)["pageInfo"]["endCursor"]
    damaged = cursor[:5] + ("A" if cursor[5] != "A" else "B") + cursor[6:]
    payments = page_query("payments", "Customer")
    another = customer_list(served, "creditChanges", "C-1003").owner
    account = account_lists(served, "creditChanges", "C-1001")[0].owner
    customers = served.data("{ customers(first: 1) { pageInfo { endCursor } } }")["customers"]

    own = {"owner": asked.owner}
    foreign = [
        served.ask(CHANGES, {**own, "after": damaged}),
        served.ask(CHANGES, {**own, "before": cursor[:-1]}),
        served.ask(CHANGES, {**own, "after": cursor + "="}),
        served.ask(CHANGES, {**own, "after": cursor + "AAAA"}),
        served.ask(CHANGES, {**own, "after": cursor, "filter": {"direction": "IN"}}),
        served.ask(CHANGES, {**own, "after": cursor, "order": "OLDEST_FIRST"}),
        served.ask(CHANGES, {**own, "after": customers["pageInfo"]["endCursor"]}),
        served.ask(CHANGES, {"owner": another, "after": cursor}),
        served.ask(payments, {**own, "after": cursor}),
        served.ask(page_query("creditChanges", "Account"), {"owner": account, "after": cursor}),
        served.ask("query($c: String) { customers(after: $c) { totalCount } }", {"c": cursor}),
    ]

    for answer in foreign:
        refused(answer, "INVALID_CURSOR", "start without a cursor")
    assert "errors" not in served.ask(CHANGES, {**own, "after": cursor})


def test_an_id_of_another_kind_is_no_account(served: World) -> None:
    owner = customer_list(served, "creditChanges").owner

    answer = served.ask(CHANGES, {"owner": owner, "filter": {"accounts": [owner]}})

    refused(answer, "BAD_USER_INPUT", "ids of Account objects")


def test_an_account_of_another_customer_chooses_nothing(served: World) -> None:
    foreign = account_lists(served, "creditChanges", "C-1003")[0].owner

    page = customer_list(served, "creditChanges").page(filter={"accounts": [foreign]})

    assert (page["edges"], page["sources"], page["totalCount"]) == ([], [], 0)


def test_more_than_a_hundred_ids_are_refused_and_a_hundred_are_not(served: World) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    answer = served.ask(query, {"ids": ["x"] * 101})

    refused(answer, "BAD_USER_INPUT", "at most 100 ids")
    assert served.data(query, {"ids": ["x"] * 100}) == {"nodes": [None] * 100}


@pytest.mark.parametrize("locale", ["", "xx", "sv_", "../../sv", "a" * 5000, "é", "sv\n", "1"])
def test_an_unknown_locale_is_told(served: World, locale: str) -> None:
    query = """query($locale: String!) { customer(reference: "C-1001") {
      creditChanges(first: 1) { nodes { amount { formatted(locale: $locale) } } } } }"""

    answer = served.ask(query, {"locale": locale})

    refused(answer, "BAD_USER_INPUT", 'a language tag such as "sv"')
    assert served.data(query, {"locale": "zh-Hans-CN"})["customer"]


def test_a_customer_that_is_not_there_is_null_and_no_error(served: World) -> None:
    query = "query($r: String!) { customer(reference: $r) { id } }"

    for reference in ("C-9999", "", "c-1001", "\0", "é" * 5000, "' or 1=1"):
        assert served.data(query, {"r": reference}) == {"customer": None}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { subject } } }", "GRAPHQL_PARSE_FAILED"),
        ("# nothing", "GRAPHQL_PARSE_FAILED"),
        ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nobody }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { createCustomer }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { x }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { viewer { subject } } query B { viewer { subject } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("query($r: String!) { customer(reference: $r) { id } }", "BAD_USER_INPUT"),
        ("{ " + "viewer { subject } " * 700 + "}", "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_a_bad_document_is_told(served: World, query: str, code: str) -> None:
    answer = served.ask(query)

    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {code}
    assert "data" not in answer
    assert not any(INTERNALS.search(error["message"]) for error in answer["errors"])
