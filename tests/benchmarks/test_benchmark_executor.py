"""
What the compiling executor saves: the stock executor's time over its own, by turns in one run.

It is the processor's time of this thread for executing a document, from its parsed form to the
data; mirrors are warm, and what resolvers do is the same for both.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from figures import note
from graphql import DocumentNode, ExecutionResult, execute, parse
from mirrored import OWNER, Mirrored, mirrored

from app.api.executor import CompilingExecutor, Operations

ENTRIES = 1200
TURNS = 4
# What is looked up again now and then, such as accounts, falls on several executions.
TIMES = 10
ROW = """id occurredAt kind reason description amount { amount unit } balanceAfter { amount unit }
  account { label provider { name } }"""
PAGE = parse(f"""query($reference: String!) {{ customer(reference: $reference) {{
  displayName creditChanges(first: 50) {{
    nodes {{ {ROW} }} pageInfo {{ hasNextPage endCursor }}
    sources {{ state account {{ provider {{ name }} }} }} }} }} }}""")
NEXT = parse("""query($reference: String!, $after: String) { customer(reference: $reference) {
  creditChanges(first: 100, after: $after) { pageInfo { endCursor } } } }""")
PAGES = [f"page{number}" for number in range(10)]
TEN_PAGES = parse(f"""query($reference: String!, {", ".join(f"${one}: String" for one in PAGES)}) {{
  customer(reference: $reference) {{
    {" ".join(f"{one}: creditChanges(first: 100, after: ${one}) {{ ...P }}" for one in PAGES)} }} }}
  fragment P on CreditChangeConnection {{ nodes {{ {ROW} }} pageInfo {{ endCursor }} }}""")
FORMATTED = parse("""query($reference: String!, $locale: String!) {
  customer(reference: $reference) { creditChanges(first: 50) {
    edges { cursor node { reason amount { formatted(locale: $locale) } } } } } }""")
SERIES = parse("""query($reference: String!) { customer(reference: $reference) {
  creditSummary(bucket: DAY) { units { unit series {
    start net { amount } cumulative { amount } received { amount } spent { amount } } } } } }""")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with mirrored(tmp_path_factory.mktemp("mirrored"), entries=ENTRIES) as one:
        yield one


def ratio(
    what: str, stock: Callable[[], object], compiled: Callable[[], object], least: float
) -> float:
    """Return how many times as long the stock executor takes, and show it."""
    assert stock() == compiled()
    took: dict[Callable[[], object], float] = {}
    for one in (stock, compiled) * TURNS:
        began = time.thread_time()
        one()
        took[one] = min(took.get(one, 1e9), time.thread_time() - began)
    found = took[stock] / took[compiled]
    shown = f"{found:.1f} ({took[stock] * 1000:.2f} / {took[compiled] * 1000:.2f} ms)"
    note(f"stock executor / compiling executor, {what}", shown, f"{least}")
    return found


def of_gateway(
    what: str, gateway: Mirrored, document: DocumentNode, variables: dict[str, Any], least: float
) -> float:
    return ratio(
        what,
        lambda: gateway.stock(document, variables, times=TIMES),
        lambda: gateway.compiled(document, variables, times=TIMES),
        least,
    )


def test_a_merged_page_of_50_rows_takes_a_fifth_of_the_time(gateway: Mirrored) -> None:
    found = of_gateway("a page of 50 rows, ten times", gateway, PAGE, {"reference": OWNER}, 5)

    assert found >= 5


def test_50_amounts_formatted_for_people_take_a_fifth_of_the_time(gateway: Mirrored) -> None:
    what = "50 formatted amounts, ten times"
    variables = {"reference": OWNER, "locale": "sv"}

    assert of_gateway(what, gateway, FORMATTED, variables, 5) >= 5


def test_1000_rows_in_ten_pages_take_a_seventh_of_the_time(gateway: Mirrored) -> None:
    variables: dict[str, Any] = {"reference": OWNER}
    after = None
    for page in PAGES:
        variables[page] = after
        data = gateway.stock(NEXT, {"reference": OWNER, "after": after}).data
        assert data
        after = data["customer"]["creditChanges"]["pageInfo"]["endCursor"]

    assert of_gateway("1,000 rows in ten pages, ten times", gateway, TEN_PAGES, variables, 7) >= 7


def test_a_series_takes_half_of_the_time(gateway: Mirrored) -> None:
    data = gateway.stock(SERIES, {"reference": OWNER}).data
    assert data
    points = sum(len(unit["series"]) for unit in data["customer"]["creditSummary"]["units"])
    what = f"a series of {points} points, ten times"

    assert of_gateway(what, gateway, SERIES, {"reference": OWNER}, 2) >= 2


@strawberry.type
class Amount:
    amount: str
    unit: str


@strawberry.type
class Row:
    id: strawberry.ID
    reason: str
    description: str | None
    is_final: bool
    amount: Amount
    balance: Amount | None


@strawberry.type
class Asked:
    number: int

    @strawberry.field
    def soon(self, times: int = 1, word: str | None = None) -> str:
        return f"{word} {self.number * times}"

    @strawberry.field
    async def later(self, times: int = 1, word: str | None = None) -> str:
        return f"{word} {self.number * times}"


@strawberry.type
class Query:
    @strawberry.field
    def rows(self, first: int) -> list[Row]:
        return ROWS[:first]

    @strawberry.field
    def asked(self) -> list[Asked]:
        return [Asked(number=number) for number in range(50)]


ROWS = [
    Row(
        id=strawberry.ID(str(number)),
        reason="paid",
        description=None,
        is_final=True,
        amount=Amount(amount="1.00", unit="EUR"),
        balance=Amount(amount="2.00", unit="EUR") if number % 2 else None,
    )
    for number in range(10_000)
]


@pytest.mark.parametrize("field", ["soon(times: 2)", 'later(times: 2, word: "n")'])
def test_50_calls_of_a_resolver_take_two_thirds_of_the_time(field: str) -> None:
    schema: Any = strawberry.Schema(Query)
    core = schema._schema
    operations = Operations(core)
    document = parse(f"{{ asked {{ number {field} }} }}")
    runner = asyncio.Runner()

    async def execute_ten_times(**options: Any) -> object:  # noqa: ANN401 - those of `execute`
        for _ in range(10):
            result = execute(core, document, Query(), **options)
            found = await result if isawaitable(result) else result
        return found

    def stock() -> object:
        return runner.run(execute_ten_times())

    def compiled() -> object:
        ours = {"executor_class": CompilingExecutor, "operations": operations}
        return runner.run(execute_ten_times(**ours))

    with closing(runner):
        assert ratio(f"50 calls of {field}, ten times", stock, compiled, 1.5) >= 1.5


@pytest.mark.parametrize(("first", "least"), [(50, 12), (10_000, 15)])
def test_rows_in_memory_take_a_twelfth_of_the_time_and_less(first: int, least: float) -> None:
    schema: Any = strawberry.Schema(Query)
    core = schema._schema
    operations = Operations(core)
    document = parse(f"""{{ rows(first: {first}) {{ id reason description isFinal
        amount {{ amount unit }} balance {{ amount unit }} }} }}""")

    def stock() -> ExecutionResult:
        return execute(core, document)  # type: ignore[return-value] # nothing of it is awaited

    def compiled() -> ExecutionResult:
        return execute(core, document, executor_class=CompilingExecutor, operations=operations)  # type: ignore[return-value] # as above

    assert ratio(f"{first:,} rows in memory", stock, compiled, least) >= least


def test_an_executor_that_remembers_nothing_is_no_faster() -> None:
    schema: Any = strawberry.Schema(Query)
    core = schema._schema
    document = parse("{ rows(first: 50) { id reason amount { amount unit } } }")

    def stock() -> ExecutionResult:
        return execute(core, document)  # type: ignore[return-value] # nothing of it is awaited

    def other() -> ExecutionResult:
        return execute(core, document, executor_class=CompilingExecutor)  # type: ignore[return-value] # as above

    assert ratio("50 rows in memory, nothing compiled", stock, other, 0) < 1.5
