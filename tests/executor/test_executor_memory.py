"""What the compiling executor remembers is bounded, shared, and ends with its documents."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import ref

import orjson
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    build_schema,
    execute,
    parse,
)

from app.api.executor import CompilingExecutor, Kept, Lasting, Operations

SCHEMA = build_schema("type Query { a: Int things: [Thing!]! } type Thing { b: Int c: [String] }")
ROOT = {"a": 1, "things": [{"b": number, "c": ["x", None]} for number in range(3)]}


class Counting(dict[str, Any]):
    """A mapping, which is no plain data; it counts how often it is read."""

    reads = 0

    def get(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - as a dict's
        Counting.reads += 1
        return super().get(key, default)


def executed(
    document: DocumentNode,
    operations: Operations,
    root: object = ROOT,
    schema: GraphQLSchema = SCHEMA,
    **more: Any,  # noqa: ANN401
) -> ExecutionResult:
    result = execute(
        schema,
        document,
        root,
        executor_class=CompilingExecutor,
        operations=operations,
        **more,
    )
    assert isinstance(result, ExecutionResult)
    return result


def test_only_so_many_operations_are_remembered() -> None:
    operations = Operations(SCHEMA, most=10)
    documents = [parse(f"{{ a{number}: a things {{ b }} }}") for number in range(50)]

    for document in documents * 2:
        assert executed(document, operations) == execute(SCHEMA, document, ROOT)
    assert len(operations) == 10


def test_each_outcome_of_conditions_is_remembered_and_bounded_too() -> None:
    names = [f"v{number}" for number in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: a @include(if: ${name})" for name in names)
    document = parse(f"query({declared}) {{ {fields} }}")
    operations = Operations(SCHEMA, most=10)

    for case in range(64):
        given = {name: bool(case >> bit & 1) for bit, name in enumerate(names)}
        found = executed(document, operations, variable_values=given)
        assert found.data == {name: 1 for name in names if given[name]}
    assert len(operations) == 10


def test_what_is_remembered_of_a_document_ends_with_it() -> None:
    operations = Operations(SCHEMA)
    document = parse("{ things { b c } }")
    executed(document, operations)
    node = ref(document.definitions[0])
    other = parse("{ a }")

    assert len(operations) == 1
    del document
    gc.collect()
    executed(other, operations)
    assert len(operations) == 1
    gc.collect()
    assert node() is None


def test_nobodys_variables_are_kept() -> None:
    class Value(str):
        __slots__ = ("__weakref__",)

    operations = Operations(SCHEMA)
    document = parse("query($s: String, $i: Boolean!) { a @include(if: $i) }")
    given = Value("not for others")
    seen = ref(given)
    executed(document, operations, variable_values={"s": given, "i": True})

    del given
    gc.collect()
    assert seen() is None
    assert len(operations) == 1


def test_many_threads_compile_at_once() -> None:
    operations = Operations(SCHEMA, most=5)
    documents = [parse(f"{{ a{number}: a things {{ b c }} }}") for number in range(10)]
    expected = [execute(SCHEMA, document, ROOT) for document in documents]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda one: executed(one, operations), documents * 40))

    assert found == expected * 40


async def test_many_tasks_share_an_operation() -> None:
    operations = Operations(SCHEMA)
    document = parse("{ things { b c } }")
    answers = await asyncio.gather(
        *(asyncio.to_thread(executed, document, operations) for _ in range(50))
    )

    assert len(operations) == 1
    assert all(one == execute(SCHEMA, document, ROOT) for one in answers)


def test_plain_data_are_read_without_the_stock_executor() -> None:
    operations = Operations(SCHEMA)
    document = parse("{ things { b } }")
    resolved = []

    class Watched(CompilingExecutor):
        def build_resolve_info(self, *arguments: Any) -> Any:  # noqa: ANN401 - the base class's
            resolved.append(arguments)
            return super().build_resolve_info(*arguments)

    def asked(root: object) -> int:
        resolved.clear()
        execute(SCHEMA, document, root, executor_class=Watched, operations=operations)
        return len(resolved)

    assert asked(ROOT) == 0
    assert asked({"things": [Counting(b=1)]}) > 0  # what is no plain data


def test_another_schema_or_other_resolvers_are_left_to_the_stock_executor() -> None:
    operations = Operations(SCHEMA)
    document = parse("{ a }")
    other = build_schema("type Query { a: String }")

    found = executed(document, operations, field_resolver=lambda *_: 5)
    foreign = execute(
        other, document, ROOT, executor_class=CompilingExecutor, operations=operations
    )

    assert found.data == {"a": 5}
    assert isinstance(foreign, ExecutionResult)
    assert foreign.data == {"a": "1"}
    assert len(operations) == 0


@strawberry.type
class Leaf:
    __kept_by__ = ("content",)

    content: strawberry.Private[object]
    text: str


@strawberry.type
class Tree:
    leaves: list[Leaf]


def test_objects_are_kept_within_so_many_bytes() -> None:
    schema: Any = strawberry.Schema(Tree)
    kept = Kept(100_000)
    operations = Operations(schema._schema, kept=kept)
    document = parse("{ leaves { text } }")
    counts = []

    for text in map(str, range(100)):
        tree = Tree(leaves=[Leaf(content=object(), text=text) for _ in range(10)])
        for _ in range(3):
            found = executed(document, operations, tree, schema._schema)
            assert orjson.loads(orjson.dumps(found.data)) == {"leaves": [{"text": text}] * 10}
        assert kept.bytes <= 100_000
        counts.append(kept.count)
    assert 50 < max(counts) < 100
    assert counts[-1] > 0


def test_what_depends_on_variables_is_not_kept() -> None:
    kept = Kept()
    schema: Any = strawberry.Schema(Tree)
    operations = Operations(schema._schema, kept=kept)
    asked = """query($is: Boolean!) { leaves { ...L } }
      fragment L on Leaf { ...M } fragment M on Leaf { text @include(if: %s) }"""
    tree = Tree(leaves=[Leaf(content=object(), text="a")])

    for condition, count in (("$is", 0), ("true", 1)):
        document = parse(asked % condition)
        for _ in range(3):
            executed(document, operations, tree, schema._schema, variable_values={"is": True})
        assert kept.count == count


def test_what_is_asked_once_is_not_kept_wherever_it_is_in_memory() -> None:
    kept = Kept()
    schema: Any = strawberry.Schema(Tree)
    operations = Operations(schema._schema, kept=kept)
    document = parse("{ leaves { text } }")

    for text in map(str, range(500)):
        # It takes the place of the one before, if that is free by now.
        tree = Tree(leaves=[Leaf(content=object(), text=text)])
        found = executed(document, operations, tree, schema._schema)
        assert found.data == {"leaves": [{"text": text}]}
    assert kept.count == 0


def test_a_list_that_lasts_is_written_once_as_a_whole() -> None:
    kept = Kept(100_000)
    schema: Any = strawberry.Schema(Tree)
    operations = Operations(schema._schema, kept=kept)
    document, variable = (
        parse("{ leaves { text } }"),
        parse("query($is: Boolean!) { leaves { text @include(if: $is) } }"),
    )
    leaves = Lasting(Leaf(content=object(), text=text) for text in "abc")
    tree = Tree(leaves=leaves)  # type: ignore[arg-type]

    for _ in range(3):
        executed(variable, operations, tree, schema._schema, variable_values={"is": True})
    assert kept.count == 0
    founds = [executed(document, operations, tree, schema._schema) for _ in range(4)]

    assert kept.count == 3 + 1
    assert [type(one.data["leaves"]) for one in founds if one.data][2:] == [orjson.Fragment] * 2
    for one in founds:
        assert orjson.loads(orjson.dumps(one.data)) == {"leaves": [{"text": t} for t in "abc"]}


def test_lists_that_last_are_kept_within_so_many_bytes_and_empty_ones_too() -> None:
    kept = Kept(100_000)
    schema: Any = strawberry.Schema(Tree)
    operations = Operations(schema._schema, kept=kept)
    document = parse("{ leaves { text } }")
    alive = []

    for number in range(400):
        leaves = Lasting(Leaf(content=object(), text="a") for _ in range(number % 3))
        alive.append(leaves)
        for _ in range(3):
            executed(document, operations, Tree(leaves=leaves), schema._schema)  # type: ignore[arg-type]
        assert kept.bytes <= 100_000
    assert 0 < kept.count < 200
