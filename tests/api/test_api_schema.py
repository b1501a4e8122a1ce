"""The schema that is served, against the contract and against the file of it."""

from collections.abc import Iterator
from pathlib import Path

from graphql import GraphQLNamedType, GraphQLSchema, build_schema, is_specified_scalar_type
from graphql.utilities import find_breaking_changes

from app.api.schema import sdl

CONTRACT = Path(__file__).with_name("contract.graphql")
PRINTED = Path(__file__).parents[2] / "schema.graphql"

# Whoever delivers one of these takes it off this list; the tests fail until then.
NOT_DELIVERED: set[str] = set()


def contract() -> GraphQLSchema:
    return build_schema(CONTRACT.read_text(encoding="utf-8"))


def test_the_file_at_the_root_is_what_the_code_prints() -> None:
    printed = PRINTED.read_text(encoding="utf-8")

    assert printed == sdl()


def test_nothing_of_the_contract_is_broken_but_what_is_listed_as_not_delivered() -> None:
    changes = find_breaking_changes(contract(), build_schema(sdl()))

    missing = {f"{change.description}" for change in changes}
    assert missing == {
        f"Field {name} was removed." if "." in name else f"{name} was removed."
        for name in NOT_DELIVERED
    }


def test_every_description_of_the_contract_is_in_the_schema() -> None:
    promised = dict(descriptions(contract()))
    ours = dict(descriptions(build_schema(sdl())))

    delivered = {place: text for place, text in promised.items() if not is_not_delivered(place)}
    assert {place: ours.get(place) for place in delivered} == delivered
    assert len(delivered) >= 60


def is_not_delivered(place: str) -> bool:
    kind, *member = place.split(".")
    return kind in NOT_DELIVERED or ".".join([kind, *member[:1]]) in NOT_DELIVERED


def descriptions(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yield each place of a schema that has a description, such as `Type.field.argument`."""
    for name, one in schema.type_map.items():
        if not name.startswith("__") and not is_specified_scalar_type(one):
            yield from of_type(one)


def of_type(one: GraphQLNamedType) -> Iterator[tuple[str, str]]:
    if one.description:
        yield one.name, one.description
    for field_name, field in getattr(one, "fields", {}).items():
        if field.description:
            yield f"{one.name}.{field_name}", field.description
        for argument_name, argument in getattr(field, "args", {}).items():
            if argument.description:
                yield f"{one.name}.{field_name}.{argument_name}", argument.description
    for value_name, value in getattr(one, "values", {}).items():
        if value.description:
            yield f"{one.name}.{value_name}", value.description
