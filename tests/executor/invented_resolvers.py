"""Resolvers of Strawberry of every shape; most of them note how they were called."""

from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from app.api.executor import REPEATABLE

# How resolvers were called, in the order of the calls.
CALLS: ContextVar[list[str]] = ContextVar("CALLS")

Info = strawberry.Info[Any, Any]
Resolver = Callable[..., object]


@strawberry.enum
class Hue(Enum):
    DARK = 1
    LIGHT = "light"


@strawberry.input
class Where:
    since: int | None = strawberry.field(name="from", default=UNSET)
    words: list[str] | None = None
    hue: Hue = Hue.DARK
    ids: list[strawberry.ID] | None = UNSET


Ids = Annotated[list[strawberry.ID] | None, strawberry.argument(name="from")]


def _attribute(name: str) -> Resolver:
    def resolve(self: object) -> object:
        return _found(self, name)

    return resolve


def _later(name: str) -> Resolver:
    async def resolve(self: object) -> object:
        return _found(self, name)

    return resolve


def _streamed(name: str) -> Resolver:
    async def resolve(self: object) -> object:
        yield _found(self, name)

    return resolve


def _failed(name: str) -> Resolver:
    def resolve(self: object) -> object:
        _found(self, name)
        raise LookupError(name)

    return resolve


def _numbered(name: str) -> Resolver:
    def resolve(self: object, n: int | None = 3, m: int = 4) -> object:
        return _found(self, name, n, m)

    return resolve


def _required(name: str) -> Resolver:
    async def resolve(self: object, n: int, word: str | None = UNSET) -> object:
        return _found(self, name, n, word)

    return resolve


def _lacking(name: str) -> Resolver:
    # Who does not give it is told so by Python.
    async def resolve(self: object, n: int | None) -> object:
        return _found(self, name, n)

    return resolve


def _told(name: str) -> Resolver:
    async def resolve(
        self: object, info: Info, given: Ids = UNSET, hue: Hue | None = Hue.LIGHT
    ) -> object:
        if isinstance(given, list):
            given.append(strawberry.ID("one more"))  # it is nobody else's
        return _found(self, name, given, hue, *_of(info))

    return resolve


def _of_parent(name: str) -> Resolver:
    def resolve(above: strawberry.Parent[Any], known: Info, hues: list[Hue] | None) -> object:
        return _found(above, name, hues, *_of(known))

    return resolve


def _of_root(name: str) -> Resolver:
    def resolve(root: Any, where: Where | None = UNSET) -> object:  # noqa: ANN401 - any object
        return _found(root, name, where)

    return resolve


def _filtered(name: str) -> Resolver:
    async def resolve(self: object, where: Where, all_of: list[Where] | None = None) -> object:
        return _found(self, name, where, all_of)

    return resolve


def _again(name: str) -> Resolver:
    def resolve(self: object) -> object:
        return _kept(self, name)

    return resolve


def _again_with(name: str) -> Resolver:
    def resolve(self: object, n: int | None = 3, hues: list[Hue] | None = UNSET) -> object:
        return _worded(_kept(self, name), n, hues)

    return resolve


_CALLED_ONCE = (
    *(_attribute, _later, _streamed, _failed, _numbered, _required, _lacking),
    *(_told, _of_parent, _of_root, _filtered),
)
SHAPES = (*_CALLED_ONCE, _again, _again, _again, _again_with, _again_with)


def resolved(
    name: str, python_name: str, type_: object, shape: Callable[[str], Resolver]
) -> object:
    """Return a field that is resolved by a resolver of a shape."""
    resolver = shape(python_name)
    resolver.__annotations__["return"] = type_
    metadata = {} if shape in _CALLED_ONCE else {REPEATABLE: True}
    field: object = strawberry.field(resolver=resolver, name=name, metadata=metadata)
    return field


def _kept(source: Any, name: str) -> object:  # noqa: ANN401 - its attributes are not declared
    return source.__dict__[f"{name}_kept"]


def _found(source: object, name: str, *given: object) -> object:
    CALLS.get().append(f"{name} of {type(source).__name__}: {given!r}")
    return _worded(_kept(source, name), *given)


def _worded(found: object, *given: object) -> object:
    """Let texts tell what was given; some of it is refused."""
    if given[:1] == (5,):
        raise LookupError(f"{given}")
    return f"{found} {given}" if given and type(found) is str else found


def _of(info: Info) -> tuple[object, ...]:
    return info.field_name, info.path.as_list(), info.context, len(info._raw_info.field_nodes)
