"""Values invented by chance for any type of a schema: most are right, some are odd in every way."""

from collections import UserDict, defaultdict
from collections.abc import Callable, Generator
from random import Random
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    is_abstract_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from app.api.executor import Lasting

Make = Callable[["Inventor", GraphQLObjectType, int], Any]


class Later:
    """An awaitable that nobody has to await."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "<later>"

    def __await__(self) -> Generator[None, None, Any]:
        yield
        if isinstance(self._value, ZeroDivisionError):
            raise self._value
        return self._value


class Called:
    """What the default resolver calls."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __call__(self, _info: object, **_arguments: object) -> object:
        return self._make()

    def __repr__(self) -> str:
        return "<called>"


class Text(str):
    """A text that is not just a text."""

    __slots__ = ()


class Thing:
    """An object of no type of the schema."""

    def __repr__(self) -> str:
        return "<a thing>"


class Inventor:
    """Invents values; `make` makes an object of a type, and `odd` is how many values are odd.

    `made` has objects that may be there several times, by the names of their types.
    """

    def __init__(self, random: Random, schema: GraphQLSchema, make: Make, odd: float) -> None:
        self.random = random
        self.schema = schema
        self._make = make
        self._odd = odd
        self.made: defaultdict[str, list[object]] = defaultdict(list)

    def value(self, type_: Any, depth: int) -> Any:  # noqa: ANN401 - so are values
        """Return a value for a type."""
        if self.random.random() < self._odd:
            return self._oddity(type_, depth)
        if is_non_null_type(type_):
            return self._right(type_.of_type, depth)
        return None if self.random.random() < 0.15 else self._right(type_, depth)

    def _right(self, type_: Any, depth: int) -> Any:  # noqa: ANN401 - as above
        random = self.random
        if is_list_type(type_):
            items = [self.value(type_.of_type, depth) for _ in range(random.randint(0, 3))]
            return random.choice([tuple, Lasting, list, list, list])(items)
        if is_abstract_type(type_):
            type_ = random.choice(self.schema.get_possible_types(type_))
        if is_object_type(type_):
            return self._make(self, type_, depth - 1) if depth else None
        if is_enum_type(type_):
            # Strawberry takes the members of Python's enum, too.
            members = list(getattr(type_, "wrapped_cls", ()))
            return random.choice([*(one.value for one in type_.values.values()), *members])
        right: dict[str, list[Any]] = {
            "String": ["", "x", 'quoted " text'],
            "ID": ["x", 7],
            "Int": [0, -5, 2**31 - 1],
            "Float": [0.5, 3, -0.0],
            "Boolean": [True, False],
            "Odd": [1, 3],
        }
        return random.choice(right[type_.name])

    def _oddity(self, type_: Any, depth: int) -> Any:  # noqa: ANN401 - as above
        random = self.random
        other = random.choice([one for one in self.schema.type_map.values() if is_object_type(one)])
        odd: list[Callable[[], object]] = [
            lambda: None,
            lambda: Undefined,
            lambda: random.choice(
                ["x", "3", 3, 2**31, 1.5, float("nan"), float("inf"), True, b"x"]
            ),
            lambda: Text("text"),
            list,
            dict,
            dict,
            Thing,
            lambda: UserDict({"f0": 1}),
            lambda: ZeroDivisionError("a value that is an error"),
            lambda: GraphQLError("said by a resolver", extensions={"code": "SAID"}),
            lambda: Later(self.value(type_, depth)),
            lambda: Later(ZeroDivisionError("later")),
            lambda: Called(lambda: self.value(type_, depth)),
            lambda: iter([self.value(type_, depth)]),
            lambda: {"x"},
            lambda: self._right(GraphQLList(type_), depth),
            lambda: self._right(other, depth) if not other.name.startswith("__") else None,
        ]
        return random.choice(odd)()
