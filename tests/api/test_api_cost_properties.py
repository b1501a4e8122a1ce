"""What holds of every query's cost, and that no answer has more rows than its query cost."""

from collections.abc import Iterator
from typing import Any

import pytest
from asking_price import CUSTOMER, ROW, changes, price, summary
from hypothesis import given
from hypothesis import strategies as st
from world import World, gateway, world

from app.api.costs.table import CALL

# A field that takes a size, with what is asked of its rows; fields of a customer.
PAGED = ("creditChanges", "payments")
FLAT = (
    "displayName",
    "accounts { label balance { state } }",
    "balances { readAt account { customer { accounts { id } } } }",
    "creditSummary { units { series { start } byKind { kind } } sources { state } }",
)


@st.composite
def paged(draw: st.DrawFn, inner: str = "id") -> str:
    """Draw a page of a history: `edges`, `nodes` or both, and more beside them."""
    parts = draw(st.sets(st.sampled_from(("edges", "nodes", "sources", "totalCount")), min_size=1))
    text = {
        "edges": f"edges {{ node {{ {inner} }} }}",
        "nodes": f"nodes {{ {inner} account {{ customer {{ accounts {{ id }} }} }} }}",
        "sources": "sources { state }",
        "totalCount": "totalCount",
    }
    size = draw(st.one_of(st.just("SIZE"), st.integers(0, 100).map(str)))
    end = draw(st.sampled_from(("first", "last")))
    selected = " ".join(text[part] for part in sorted(parts))
    return f"{draw(st.sampled_from(PAGED))}({end}: {size}) {{ {selected} }}"


@st.composite
def customer_fields(draw: st.DrawFn) -> str:
    """Draw what is asked of a customer; each field under a name of its own."""
    fields = draw(st.lists(st.one_of(paged(), st.sampled_from(FLAT)), min_size=1, max_size=4))
    return " ".join(f"f{number}: {field}" for number, field in enumerate(fields))


@st.composite
def root_field(draw: st.DrawFn) -> str:
    inner = draw(customer_fields())
    return draw(
        st.sampled_from(
            (
                f"{CUSTOMER} {{ {inner} }}",
                f"customers(first: SIZE) {{ nodes {{ {inner} }} totalCount }}",
                f'node(id: "x") {{ id ... on Customer {{ {inner} }} }}',
                f"viewer {{ customer {{ {inner} }} }}",
                "providers { name }",
            )
        )
    )


def sized(query: str, size: int) -> str:
    return query.replace("SIZE", str(size))


@given(root_field(), st.integers(0, 120), st.integers(0, 120))
def test_a_larger_page_never_costs_less(field: str, one: int, other: int) -> None:
    small, large = sorted((one, other))

    assert price(sized(f"{{ {field} }}", small)) <= price(sized(f"{{ {field} }}", large))


@given(root_field(), root_field())
def test_two_root_fields_cost_what_each_of_them_costs(one: str, other: str) -> None:
    one, other = sized(f"a: {one}", 10), sized(f"b: {other}", 20)

    both = price(f"{{ {one} {other} }}")

    assert both == price(f"{{ {one} }}") + price(f"{{ {other} }}")


@given(customer_fields(), st.integers(0, 100))
def test_a_fragment_costs_what_is_written_in_it(fields: str, size: int) -> None:
    fields = sized(fields, size)
    written = f"{{ customers {{ nodes {{ {fields} }} }} }}"
    inline = f"{{ customers {{ ... on CustomerConnection {{ nodes {{ ... {{ {fields} }} }} }} }} }}"
    spread = (
        f"{{ customers {{ ...C }} }} fragment R on Customer {{ {fields} }} "
        "fragment C on CustomerConnection { nodes { ...N } } fragment N on Node { ...R }"
    )

    assert price(written) == price(inline) == price(spread)


@given(root_field())
def test_it_costs_the_same_each_time(field: str) -> None:
    query = sized(f"{{ {field} }}", 30)

    assert price(query) == price(query)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("cost"), entries=60) as one:
        yield one


QUERIES = (
    changes("(first: 100)", f"nodes {{ {ROW} }} edges {{ cursor }} sources {{ state }}"),
    changes("(last: 40)", f"edges {{ node {{ {ROW} }} }}"),
    changes("(first: 0)", "nodes { id } sources { state }"),
    changes("", "nodes { account { customer { accounts { id } } } }"),
    summary("", "start net { amount }"),
    summary('(bucket: WEEK, from: "2020-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z")'),
    summary('(bucket: DAY, from: "2026-01-01T00:00:00Z", to: "2026-03-01T00:00:00Z")'),
    f"""{{ {CUSTOMER} {{ payments(first: 60) {{ nodes {{ id }} totalCount sources {{ state }} }}
      balances {{ readAt }} accounts {{ creditChanges(first: 30) {{ nodes {{ id }} }} }}
      creditSummary {{ units {{ byKind {{ kind }} byProvider {{ count }} }} sources {{ state }} }}
      }} }}""",
    """{ customers(first: 20) { nodes { accounts { id } creditChanges(first: 5) { nodes { id } } }
      edges { node { id } } totalCount } providers { name capabilities } }""",
    "{ customers { nodes { id } } __schema { types { fields { name } } } viewer { scopes } }",
)


@pytest.mark.parametrize("query", QUERIES)
def test_no_answer_has_more_rows_than_its_query_cost(query: str, served: World) -> None:
    rows = rows_in(served.data(query))

    assert 1 <= rows <= price(query)


def rows_in(answer: Any) -> int:  # noqa: ANN401 - whatever an answer holds
    """Count the objects in all lists of an answer."""
    if isinstance(answer, list):
        return sum(isinstance(one, dict) + rows_in(one) for one in answer)
    if isinstance(answer, dict):
        return sum(map(rows_in, answer.values()))
    return 0


def test_entries_by_id_are_bounded_too(served: World) -> None:
    ids = [row["id"] for row in served.data(changes())["customer"]["creditChanges"]["nodes"]]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on CreditChange { reason } } }"

    rows = rows_in(served.data(query, {"ids": ids}))

    assert len(ids) == rows <= price(query, {"ids": ids})


def test_an_estimate_that_forgot_the_size_of_a_page_would_be_found_out(served: World) -> None:
    selected = "nodes { id } edges { cursor }"
    rows = rows_in(served.data(changes("(first: 100)", selected)))

    assert price(changes("(first: 0)", selected)) < rows <= price(changes("(first: 100)", selected))


COLD = (
    changes("(first: 100)"),
    changes("(first: 1)"),
    changes("(last: 10)"),
    changes('(filter: {text: "no entry has this"})'),
    summary(),
    f"{{ {CUSTOMER} {{ balances {{ readAt }} payments {{ nodes {{ id }} }} }} }}",
    f"{{ {CUSTOMER} {{ accounts {{ balance {{ state }} payments {{ nodes {{ id }} }} }} }} }}",
)


@pytest.mark.parametrize("query", COLD)
def test_the_calls_of_a_cold_gateway_are_counted(query: str, served: World) -> None:
    with gateway(served.settings, served.sandbox, served.folder) as cold:
        cold.sandbox.reset_calls()
        cold.data(query)
        calls = {
            path: count for path, count in cold.sandbox.calls().items() if not is_for_long(path)
        }

    assert 0 < CALL * sum(calls.values()) <= price(query)


def is_for_long(path: str) -> bool:
    """Say whether a call brings what is used for hours: a login, a token or the currencies."""
    return any(word in path for word in ("login", "token", "currenc"))
