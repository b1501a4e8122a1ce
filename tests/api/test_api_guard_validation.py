"""No document that may be asked takes long to be told invalid, or valid."""

import random
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, parse, validate

from app.api.guard import DocumentLimits, excess
from app.api.guard_validation import find_invalid

LIMITS = DocumentLimits()
MOST_SECONDS = 0.1


def chained(number: int, write: Callable[[int], str], last: str) -> str:
    return "".join(write(each) for each in range(number)) + last


# Each writes a document whose length grows with a number.
SLOW: dict[str, Callable[[int], str]] = {
    "equal names": lambda n: "{" + "__typename " * n + "}",
    "equal fields below another": lambda n: "{__schema{types{" + "fields{name}" * n + "}}}",
    "equal fields with arguments": lambda n: (
        "{customer(reference:1){" + "payments(first:1){totalCount}" * n + "}}"
    ),
    "equal inline fragments": lambda n: "{providers{" + "...{account:name}" * n + "}}",
    "different aliases": lambda n: (
        "{__schema{types{" + "".join(f"a{i}:fields{{name}}" for i in range(n)) + "}}}"
    ),
    "conflicts": lambda n: "{providers{" + "a:name a:kind " * n + "}}",
    "conflicts below": lambda n: "{" + "".join(f"providers{{a:name{i}}}" for i in range(n)) + "}",
    "a bomb": lambda n: chained(
        n, lambda i: f"fragment F{i} on Query{{...F{i + 1} ...F{i + 1}}}", "{...F0}"
    ),
    "fragments spread side by side": lambda n: chained(
        n,
        lambda i: f"fragment F{i} on Account{{provider{{name}}}}",
        "{node(id:1){" + "".join(f"...F{i} " for i in range(n)) + "}}",
    ),
    "each fragment in all before it": lambda n: chained(
        n,
        lambda i: (
            f"fragment F{i} on Account{{id "
            + "".join(f"customer{{accounts{{...F{j}}}}}" for j in range(i + 1, n))
            + "}"
        ),
        "{node(id:1){...F0}}",
    ),
    "each fragment in each": lambda n: chained(
        n,
        lambda i: f"fragment F{i} on Query{{{''.join(f'...F{j} ' for j in range(n))}}}",
        "{...F0}",
    ),
    "fragments that nothing spreads": lambda n: chained(
        n, lambda i: f"fragment F{i} on Query{{__typename}}", "{__typename}"
    ),
    "operations": lambda n: "".join(f"query Q{i}{{__typename}}" for i in range(n)),
    "operations that share fragments and variables": lambda n: chained(
        n,
        lambda i: (
            f"query Q{i}($a:ID!){{node(id:1){{...F0}}}} fragment F{i} on Account{{...F{i + 1}}}"
        ),
        f"fragment F{n} on Account{{payments(after:$a){{totalCount}}}}",
    ),
    "variables": lambda n: (
        "query("
        + "".join(f"$a{i}:ID!" for i in range(n))
        + "){nodes(ids:["
        + "".join(f"$a{i} " for i in range(n))
        + "]){id}}"
    ),
    "variables that nothing defines": lambda n: (
        "{nodes(ids:[" + "".join(f"$a{i} " for i in range(n)) + "]){id}}"
    ),
    "a long list": lambda n: "{nodes(ids:[" + '"x"' * n + "]){id}}",
    "unknown fields": lambda n: (
        "{providers{" + "".join(f"name{'e' * 20}{i} " for i in range(n)) + "}}"
    ),
    "unknown arguments": lambda n: (
        "{customer(" + "".join(f"reference{i}:1 " for i in range(n)) + "){id}}"
    ),
    "unknown types": lambda n: (
        "query(" + "".join(f"$a{i}:CreditChange{i}" for i in range(n)) + "){__typename}"
    ),
    "unknown values": lambda n: (
        "{customer(reference:1){creditChanges(filter:{kinds:["
        + "".join(f"SPEND{i} " for i in range(n))
        + "]}){totalCount}}}"
    ),
    "unknown fields of an object": lambda n: (
        "{customer(reference:1){creditChanges(filter:{"
        + "".join(f'kind{i}:"{"x" * 40}"' for i in range(n))
        + "}){totalCount}}}"
    ),
    "unknown fragments": lambda n: "{" + "".join(f"...F{i} " for i in range(n)) + "}",
    "unknown directives": lambda n: "query(" + "".join(f"$a{i}:ID@b " for i in range(n)) + "){a}",
    "directives": lambda n: "{__typename " + "@skip(if:true)" * n + "}",
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parents[2] / "schema.graphql").read_text("utf-8"))


def largest(write: Callable[[int], str]) -> DocumentNode:
    """Return the longest document that has no more tokens than is allowed."""
    fits, too_many = 1, 2
    while parsed(write(too_many)):
        fits, too_many = too_many, 2 * too_many
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if parsed(write(middle)) else (fits, middle)
    document = parsed(write(fits))
    assert document
    assert document.token_count > 0.85 * LIMITS.tokens
    return document


def parsed(text: str) -> DocumentNode | None:
    try:
        return parse(text, max_tokens=LIMITS.tokens)
    except GraphQLError:
        return None


def once(work: Callable[[], object]) -> float:
    """Return the seconds that it takes of a processor."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def seconds(work: Callable[[], object], most: float = MOST_SECONDS) -> float:
    """Return the best of five times, or the first that is short enough."""
    best = float("inf")
    for _ in range(5):
        best = min(best, once(work))
        if best < most / 2:
            break
    return best


def read(schema: GraphQLSchema, document: DocumentNode) -> None:
    if not excess(document, LIMITS):
        find_invalid(schema, document)


@pytest.mark.parametrize("write", SLOW.values(), ids=SLOW)
def test_the_longest_document_of_a_slow_kind_is_told_soon(
    schema: GraphQLSchema, write: Callable[[int], str]
) -> None:
    document = largest(write)

    assert seconds(lambda: read(schema, document)) < MOST_SECONDS


@pytest.mark.parametrize("kind", ["equal fields below another", "unknown fields of an object"])
def test_validation_as_it_comes_takes_too_long(schema: GraphQLSchema, kind: str) -> None:
    document = largest(SLOW[kind])

    assert excess(document, LIMITS) is None
    as_it_comes = once(lambda: validate(schema, document))
    assert as_it_comes > 4 * seconds(lambda: read(schema, document))


def test_a_validation_that_is_given_up_says_what_to_do(schema: GraphQLSchema) -> None:
    given_up = find_invalid(schema, largest(SLOW["equal fields below another"]))
    stopped = find_invalid(schema, largest(SLOW["unknown arguments"]))

    assert len(given_up) == 1
    assert given_up[0].message.startswith("The document repeats fields too often")
    assert given_up[0].message.endswith("select each field once.")
    assert len(stopped) == 11
    assert stopped[-1].message.startswith("Too many validation errors")


def composed(chance: random.Random) -> str:
    """Write a document of fragments at random, with few names, so that many fields are equal."""
    width, depth, fragments = chance.randint(1, 60), chance.randint(1, 4), chance.randint(0, 40)
    own = "provider{name} ", "id ", "label ", "a:label ", "payments(first:1){totalCount} "

    def selections(first: int, below: int) -> str:
        parts = []
        for _ in range(chance.randint(1, max(1, width // (below + 1)))):
            dice = chance.random()
            if dice < 0.3 and first < fragments:
                parts.append(f"...F{chance.randrange(first, fragments)} ")
            elif dice < 0.5 and below < depth:
                parts.append(f"customer{{accounts{{{selections(first, below + 1)}}}}}")
            else:
                parts.append(chance.choice(own))
        return "".join(parts)

    written = [
        f"fragment F{number} on Account{{{selections(number + 1, 0)}}}"
        for number in range(fragments)
    ]
    return "{node(id:1){" + selections(0, 0) + "}}" + "".join(written)


@pytest.fixture(scope="module")
def searched() -> list[DocumentNode]:
    """Return long documents that were written at random, the same in every run."""
    chance = random.Random(1)
    found = (parsed(composed(chance)) for _ in range(1000))
    long = (one for one in found if one and one.token_count > LIMITS.tokens // 2)
    return list(islice(long, 30))


def test_no_document_of_a_random_search_takes_long(
    schema: GraphQLSchema, searched: list[DocumentNode]
) -> None:
    # Also those that the guard refuses: what it lets pass is among their like.
    slowest = max(seconds(partial(find_invalid, schema, document)) for document in searched)

    assert len(searched) == 30
    assert slowest < MOST_SECONDS


def test_that_search_finds_what_takes_too_long_as_it_comes(
    schema: GraphQLSchema, searched: list[DocumentNode]
) -> None:
    slowest = max(seconds(partial(find_invalid, schema, one)) for one in searched)

    assert any(once(partial(validate, schema, one)) > 4 * slowest for one in searched)
