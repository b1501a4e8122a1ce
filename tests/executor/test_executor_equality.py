"""
What the compiling executor answers is what the stock executor answers, whatever is asked.

Schemas, documents and values are invented. The controls are executors with one thing broken each.
"""

import gc
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import closing
from functools import partial
from inspect import iscoroutinefunction
from random import Random
from typing import Any, cast

import pytest
from comparing import Both, Told
from graphql import GraphQLSchema, parse
from graphql.execution.values import VariableValues
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_documents import VARIABLES, invented_document
from invented_schemas import own_object, own_schema
from invented_strawberry import strawberry_object, strawberry_schema
from invented_values import Inventor, Make

from app.api.compiling.oddity import FAILED
from app.api.compiling.operations import Operation, Operations, Request
from app.api.compiling.resolvers import Call
from app.api.executor import Kept

# The stock executor never awaits what it cancels before that has begun.
_NEVER_AWAITED = "coroutine .* was never awaited"
pytestmark = pytest.mark.filterwarnings(f"ignore:{_NEVER_AWAITED}:RuntimeWarning")

SEEDS = st.integers(min_value=0, max_value=2**32)
ODD = (0.0, 0.02, 0.15)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Let no other test be told of it."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _NEVER_AWAITED, RuntimeWarning)
        gc.collect()


def own(random: Random) -> tuple[GraphQLSchema, Make]:
    return own_schema(random), own_object


def of_strawberry(random: Random) -> tuple[GraphQLSchema, Make]:
    schema, types = strawberry_schema(random)
    return schema, strawberry_object(types)


def pairs(
    seed: int,
    invent: Callable[[Random], tuple[GraphQLSchema, Make]],
    operations: Callable[[GraphQLSchema], Operations] = Operations,
    times: int = 1,
) -> list[tuple[Told, Told]]:
    """Return what both executors answer to one document, of several roots, one after another.

    Each root is asked so many `times`.
    """
    random = Random(seed)
    schema, make = invent(random)
    query = schema.query_type
    assert query
    document = parse(invented_document(random, schema))
    found = []
    with closing(Both(schema, operations(schema))) as both:
        for turn in range(6):
            seed_of_root = random.random()

            def root(seed: float = seed_of_root, odd: float = ODD[turn % 3]) -> object:
                return make(Inventor(Random(seed), schema, make, odd), query, 4)

            roots = root(), root()
            found += [
                both.answers(document, roots, dict(VARIABLES[turn % 2])) for _ in range(times)
            ]
    return found


@given(seed=SEEDS)
@settings(max_examples=120, deadline=None)
def test_the_answers_of_a_schema_of_its_own_are_those_of_the_stock_executor(seed: int) -> None:
    for stock, compiled in pairs(seed, own):
        assert compiled == stock


@given(seed=SEEDS)
@settings(max_examples=80, deadline=None)
def test_the_answers_of_a_schema_of_strawberry_are_those_of_the_stock_executor(seed: int) -> None:
    for stock, compiled in pairs(seed, of_strawberry):
        assert compiled == stock


# It is noted, written, and taken as it was written.
UNTIL_KEPT = 3


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_answers_of_objects_that_are_kept_are_those_of_the_stock_executor(seed: int) -> None:
    for stock, compiled in pairs(seed, of_strawberry, keeping(Kept), UNTIL_KEPT):
        assert compiled == stock


def test_objects_of_such_schemas_are_kept() -> None:
    kept = Kept(1 << 20)

    for seed in range(30):
        pairs(seed, of_strawberry, partial(Operations, kept=kept), UNTIL_KEPT)

    assert kept.count > 50


class Careless(Kept):
    """It keeps all objects of a selection as the first of them."""

    def ending(self, made_of: Sequence[str], made: str) -> list[str]:
        return super().ending(made_of[:0], made)


def test_an_object_that_is_kept_for_another_would_be_noticed() -> None:
    assert differs(of_strawberry, keeping(Careless), UNTIL_KEPT)


class CarelessOfLists(Kept):
    """It keeps all lists of a selection as the first of them."""

    def ending_of_list(self, made: str) -> list[str]:
        return [line.replace("id(v)", "0") for line in super().ending_of_list(made)]


def test_a_list_that_is_kept_for_another_would_be_noticed() -> None:
    assert differs(of_strawberry, keeping(CarelessOfLists), UNTIL_KEPT)


def keeping(kind: Callable[[int], Kept]) -> Callable[[GraphQLSchema], Operations]:
    return lambda schema: Operations(schema, kept=kind(1 << 20))


class Breaking(dict[Hashable, Any]):
    """Attempts, each of which is broken by a function of what it makes."""

    def __init__(self, broken: Callable[[Any], Any]) -> None:
        super().__init__()
        self._broken = broken

    def setdefault(self, key: Hashable, attempt: Callable[..., object]) -> Any:  # type: ignore[override] # noqa: ANN401
        return super().setdefault(key, lambda *given: self._broken(attempt(*given)))


class BrokenOperations(Operations):
    """Operations of a broken compiler."""

    def __init__(self, schema: GraphQLSchema, broken: Callable[[Any], Any]) -> None:
        super().__init__(schema)
        self._broken = broken

    def operation(self, request: Request) -> Operation | None:
        operation = super().operation(request)
        if operation and not isinstance(operation.attempts, Breaking):
            operation.attempts = Breaking(self._broken)
        return operation


class BrokenCall:
    """A call of a resolver that is broken by a function of what would be called."""

    def __init__(self, call: Call, broken: Callable[[partial[Any]], Callable[[], Any]]) -> None:
        self.definition = call.definition
        self.is_async = call.is_async
        self._call = call
        self._broken = broken

    def bound(self, *given: Any) -> Callable[[], Any] | None:  # noqa: ANN401 - as a call is bound
        bound = self._call.bound(*given)
        return self._broken(cast("partial[Any]", bound)) if bound else None


class BrokenCalls(dict[Hashable, Any]):
    """Calls, each of which is broken."""

    def __init__(self, broken: Callable[[partial[Any]], Callable[[], Any]]) -> None:
        super().__init__()
        self._broken = broken

    def setdefault(self, key: Hashable, call: Any) -> Any:  # type: ignore[override] # noqa: ANN401 - as above
        return super().setdefault(key, call and BrokenCall(call, self._broken))


class CallingOperations(Operations):
    """Operations that call resolvers in a broken way."""

    def __init__(
        self, schema: GraphQLSchema, broken: Callable[[partial[Any]], Callable[[], Any]]
    ) -> None:
        super().__init__(schema)
        self._broken = broken

    def operation(self, request: Request) -> Operation | None:
        operation = super().operation(request)
        if operation and not isinstance(operation.calls, BrokenCalls):
            operation.calls = BrokenCalls(self._broken)
        return operation


class UnconditionalOperations(Operations):
    """Operations that take every condition for what it was at first."""

    first: VariableValues | None = None

    def operation(self, request: Request) -> Operation | None:
        self.first = self.first or request.variables
        return super().operation(request._replace(variables=self.first))


def without_a_key(made: object) -> object:
    return dict(list(made.items())[1:]) if isinstance(made, dict) else made


def in_another_order(made: object) -> object:
    return dict(reversed(made.items())) if isinstance(made, dict) else made


def null_for_what_fails(made: object) -> object:
    return None if made is FAILED else made


def numbers_as_texts(made: object) -> object:
    return str(made) if type(made) is int else made


@pytest.mark.parametrize(
    "broken", [without_a_key, in_another_order, null_for_what_fails, numbers_as_texts]
)
@pytest.mark.parametrize("invent", [own, of_strawberry])
def test_a_broken_compiler_would_be_noticed(
    broken: Callable[[Any], Any], invent: Callable[[Random], tuple[GraphQLSchema, Make]]
) -> None:
    assert differs(invent, lambda schema: BrokenOperations(schema, broken))


def without_an_argument(bound: partial[Any]) -> Callable[[], Any]:
    return partial(bound.func, *bound.args, **dict(list(bound.keywords.items())[1:]))


def twice(bound: partial[Any]) -> Callable[[], Any]:
    async def call_later() -> object:
        await bound()
        return await bound()

    def call() -> object:
        bound()
        return bound()

    return call_later if iscoroutinefunction(bound.func) else call


def with_another_argument(bound: partial[Any]) -> Callable[[], Any]:
    keywords = {name: 8 if value == 3 else value for name, value in bound.keywords.items()}
    return partial(bound.func, *bound.args, **keywords)


@pytest.mark.parametrize("broken", [without_an_argument, twice, with_another_argument])
def test_resolvers_that_are_called_in_another_way_would_be_noticed(
    broken: Callable[[partial[Any]], Callable[[], Any]],
) -> None:
    assert differs(of_strawberry, lambda schema: CallingOperations(schema, broken))


def test_conditions_that_are_not_looked_at_again_would_be_noticed() -> None:
    assert differs(own, UnconditionalOperations)


def differs(
    invent: Callable[[Random], tuple[GraphQLSchema, Make]],
    operations: Callable[[GraphQLSchema], Operations],
    times: int = 1,
) -> bool:
    """Say whether as many examples as a property tries show a difference."""
    return any(
        stock != other
        for seed in range(150)
        for stock, other in pairs(seed, invent, operations, times)
    )
