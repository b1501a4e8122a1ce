"""Resolvers of Strawberry are called past its wrapping, but where that does more than to call."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import pytest
import strawberry
from comparing import Told, answered
from graphql import ExecutionResult, GraphQLSchema, execute, parse
from graphql.pyutils import AbortController
from invented_resolvers import Hue, Where
from strawberry.extensions.field_extension import FieldExtension
from strawberry.permission import BasePermission

from app.api.executor import REPEATABLE, SHARED, CompilingExecutor, Operations

SEEN: list[str] = []
Info = strawberry.Info[Any, Any]


class Denied(BasePermission):
    message = "not for you"

    def has_permission(self, source: object, info: Info, **given: object) -> bool:  # noqa: ARG002
        SEEN.append(f"permission {given}")
        return given.get("n") != 1


class Louder(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: object, info: Info, **given: Any) -> Any:  # noqa: ANN401
        SEEN.append(f"extension {given}")
        return f"{next_(source, info, **given)}!"


class Refused(Exception):
    """What a handler makes a value of."""


@strawberry.type
class Refusal:
    why: str


@strawberry.type
class Fine:
    n: int


class Handler(strawberry.ExceptionHandler[Refused, Refusal]):
    def handle(self, exception: Refused, *, field: object, info: object) -> Refusal:  # noqa: ARG002
        SEEN.append("handled")
        return Refusal(why=str(exception))


@strawberry.type
class Query:
    @strawberry.field
    async def plain(self, info: Info, n: int = 3, hue: Hue | None = Hue.DARK) -> str:
        return f"{info.context} {n} {hue}"

    @strawberry.field
    async def filtered(self, where: Where) -> str:
        return f"{where}"

    @strawberry.field(permission_classes=[Denied])  # type: ignore[untyped-decorator] # as below
    def guarded(self, n: int = 3) -> str:
        return f"let in by {n}"

    @strawberry.field(extensions=[Louder()])  # type: ignore[untyped-decorator] # as below
    def loud(self, n: int = 3) -> str:
        return f"said {n}"

    @strawberry.field
    def risky(self, n: int = 3) -> Annotated[Fine | Refusal, strawberry.union("Outcome")]:
        if n == 1:
            raise Refused("one")
        return Fine(n=n)

    @strawberry.field(metadata={REPEATABLE: True})  # type: ignore[untyped-decorator] # so it is typed
    def again(self, n: int = 3) -> str:
        return f"again {n}"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def note(self, word: str) -> int | None:
        SEEN.append(word)
        if word == "bad":
            raise ValueError(word)
        return len(SEEN)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def words(self) -> AsyncIterator[str]:
        yield "one"


SCHEMA: GraphQLSchema = strawberry.Schema(
    Query, Mutation, Subscription, exception_handlers=[Handler()]
)._schema


async def both(text: str, **options: Any) -> tuple[Told, Told, list[list[str]]]:  # noqa: ANN401 - those of `execute`
    """Return what both executors answer, and what was seen each time; the second is ours."""
    document, operations = parse(text), Operations(SCHEMA)
    found, seen = [], []
    ours = {"executor_class": CompilingExecutor, "operations": operations}
    for more in ({}, ours, ours):
        SEEN.clear()
        found.append(await answered(SCHEMA, document, None, {"n": 2}, **more, **options))
        seen.append(list(SEEN))
    assert found[1] == found[2]
    return found[0], found[1], seen


@pytest.mark.parametrize("field", ["plain", "guarded", "loud", "risky", "again"])
@pytest.mark.parametrize("given", ["", "(n: 1)", "(n: 2)", "(n: $n)", '(n: "x")', "(n: null)"])
async def test_what_strawberry_does_around_a_resolver_is_still_done(field: str, given: str) -> None:
    selected = "{ ... on Fine { n } ... on Refusal { why } }" if field == "risky" else ""
    stock, ours, seen = await both(f"query($n: Int) {{ {field}{given} {selected} }}")

    assert ours == stock
    assert seen[1] == seen[2] == seen[0]


async def test_mutations_are_one_after_another() -> None:
    text = 'mutation { a: note(word: "a") b: note(word: "bad") c: note(word: "c") }'
    stock, ours, seen = await both(text)

    assert ours == stock
    assert seen == [["a", "bad", "c"]] * 3


async def test_what_may_be_aborted_is_left_to_the_stock_executor() -> None:
    controller = AbortController()
    stock, ours, _ = await both("{ plain }", abort_signal=controller.signal)

    assert ours == stock


async def called(text: str, *, compiled: bool) -> Counter[str]:
    """Return how often functions of Python were called for an execution, by their files."""
    document, operations = parse(text), Operations(SCHEMA)
    options: dict[str, Any] = {}
    if compiled:
        options = {"executor_class": CompilingExecutor, "operations": operations}
    await answered(SCHEMA, document, None, {"n": 2}, **options)
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found[Path(frame.f_code.co_filename).name] += 1
            found["all"] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        await answered(SCHEMA, document, None, {"n": 2}, **options)
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.parametrize("given", ["", "(n: 5, hue: LIGHT)", "(n: $n)"])
async def test_plain_arguments_are_neither_coerced_nor_converted_again(given: str) -> None:
    text = f"query($n: Int) {{ plain{given} }}"
    stock, ours = [await called(text, compiled=one) for one in (False, True)]

    assert ours["schema_converter.py"] == ours["annotation.py"] == 0
    assert ours["all"] < 0.7 * stock["all"]  # counting those of the test itself
    assert stock["schema_converter.py"] > 0


async def test_objects_are_coerced_and_converted_for_each_call() -> None:
    text = "query($n: Int) { filtered(where: {from: $n}) }"
    ours = await called(text, compiled=True)

    assert ours["arguments.py"] > (await called("{ plain }", compiled=True))["arguments.py"]


@strawberry.type
class Owner:
    name: str


@strawberry.type
class Row:
    n: int
    owner: Owner = strawberry.field(metadata={SHARED: True})


@strawberry.type
class Rows:
    @strawberry.field(metadata={REPEATABLE: True})  # type: ignore[untyped-decorator] # as above
    def common(self) -> list[Row]:
        owners = [Owner(name=name) for name in ("Anna", "Bo")]
        return [Row(n=n, owner=owners[n % 2]) for n in range(100)]

    @strawberry.field(metadata={REPEATABLE: True})  # type: ignore[untyped-decorator] # as above
    def own(self) -> "list[Passing]":
        return [Passing(n=n) for n in range(100)]


@strawberry.type
class Passing:
    n: int

    @strawberry.field(metadata={REPEATABLE: True})  # type: ignore[untyped-decorator] # as above
    def row(self) -> Row:
        return Row(n=self.n, owner=Owner(name=f"owner {self.n}"))  # nobody else keeps either


ROWS: GraphQLSchema = strawberry.Schema(Rows)._schema
NAMES = "{ common { n owner { name } } own { row { n owner { name } } } }"


async def test_what_many_have_is_shared_and_what_each_has_is_its_own() -> None:
    document, operations = parse(NAMES), Operations(ROWS)
    options: dict[str, Any] = {"executor_class": CompilingExecutor, "operations": operations}
    stock = await answered(ROWS, document, Rows(), {})
    ours = await answered(ROWS, document, Rows(), {}, **options)
    result = execute(ROWS, document, Rows(), **options)

    assert ours == stock
    assert isinstance(result, ExecutionResult)
    assert result.data
    assert len({id(row["owner"]) for row in result.data["common"]}) == 2
    assert len({row["row"]["owner"]["name"] for row in result.data["own"]}) == 100
