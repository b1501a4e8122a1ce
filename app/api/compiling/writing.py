"""
Writes a function of Python for each selection on an object type, once such an object is met.

Nothing is written before: a document can spread fragments into far more places than values reach.
What is written raises an error wherever the stock executor has to look.
"""

from collections.abc import Callable, Hashable
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple

from graphql import (
    GraphQLAbstractType,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from app.api.compiling.kept import Keeping, Lasting
from app.api.compiling.kinds import kind_of
from app.api.compiling.leaves import INERT, as_it_is, coerced, names_of
from app.api.compiling.oddity import Given, Hole, Odd
from app.api.compiling.readings import MOST_CLASSES, Reading, checks_type, is_plain, reading_of

Function = Callable[[Any, Given], Any]
Collect = Callable[[GraphQLObjectType, FieldDetailsList], GroupedFieldSet]


_LISTS = frozenset({list, tuple, Lasting})


class _Text(NamedTuple):
    """A piece of Python, for a source `s` that is an object and for one that is a dict."""

    of_object: str
    of_dict: str


class _Field(NamedTuple):
    reading: Reading
    text: _Text


class Writer:
    """The functions of one operation. `collect` gives the fields of a selection on a type."""

    def __init__(self, schema: GraphQLSchema, collect: Collect, keeping: Keeping) -> None:
        self._schema = schema
        self._collect = collect
        self._keeping = keeping
        self._names: dict[str, Any] = {
            "Odd": Odd,
            "inert": INERT,
            "lists": _LISTS,
            **keeping.names,
        }
        self._numbers = count()
        self._known: dict[Hashable, str] = {}

    def value(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Function:
        """Return what completes a value of a field, or an item of its lists; raises `Hole`."""
        name = self._new()
        text = self._value(type_, details, "v", "v")
        return self._run(name, f"def {name}(v, g):\n    return {text}")

    def field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> Function:
        """Return what reads a field of an object and completes it; raises `Hole`."""
        field = self._field(parent, details)
        ending = [f"    return {field.text.of_object}"]
        return self._guarded(self._new(), parent, [field.reading], field.text.of_dict, ending)

    def object(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Function:
        """Return what completes an object of a type."""
        name = self._object(type_, details)
        return lambda source, given: self._names[name](source, given)  # noqa: PLW0108 - it is replaced once

    def _value(
        self, type_: GraphQLOutputType, details: FieldDetailsList, first: str, again: str
    ) -> str:
        """Write a completed value; `first` finds it, and from then on `again` is its name."""
        if is_non_null_type(type_):
            return self._present(type_.of_type, details, first, again)
        return f"(None if {first} is None else {self._present(type_, details, again, again)})"

    def _present(
        self, type_: GraphQLOutputType, details: FieldDetailsList, first: str, again: str
    ) -> str:
        if is_leaf_type(type_):
            return self._leaf(type_, first, again)
        if is_list_type(type_):
            return f"{self._list(type_.of_type, details)}({first}, g)"
        if is_object_type(type_):
            return f"{self._object(type_, details)}({first}, g)"
        if is_abstract_type(type_):
            return f"{self._abstract(type_, details)}({first}, g)"
        raise Hole

    def _leaf(self, type_: GraphQLLeafType, first: str, again: str) -> str:
        other = self._once(("leaf", type_.name), lambda _: coerced(type_))
        if names := names_of(type_):
            known = self._once(("names", type_.name), lambda _: names)
            return f"({known}.get(id({first})) or {other}({again}))"
        test = as_it_is(type_)
        if test is None:
            coerce = self._once(("coerce", type_.name), lambda _: type_.coerce_output_value)
            usual = f"type(w := {coerce}({again})) is str"
            return f"(w if type({first}) in inert and {usual} else {other}({again}))"
        return f"({again} if {test.format(first, again)} else {other}({again}))"

    def _list(self, type_: GraphQLOutputType, details: FieldDetailsList) -> str:
        def write(name: str) -> Function:
            made = f"[{self._value(type_, details, 'i', 'i')} for i in v]"
            lines = [
                f"def {name}(v, g):",
                *self._keeping.ending_of_list(details, made),
                "    if type(v) not in lists:",
                "        raise Odd",
                f"    return {made}",
            ]
            return self._run(name, "\n".join(lines))

        return self._once(("list", str(type_), id(details)), write)

    def _object(self, type_: GraphQLObjectType, details: FieldDetailsList) -> str:
        def defer(name: str) -> Function:
            def write_first(source: object, given: Given) -> object:
                try:
                    function = self._selection(name, type_, details)
                except Hole:
                    function = self._names[name] = _hole
                return function(source, given)

            return write_first

        return self._once((type_.name, id(details)), defer)

    def _abstract(self, type_: GraphQLAbstractType, details: FieldDetailsList) -> str:
        kind = kind_of(self._schema, type_)
        if kind is None:
            raise Hole
        functions: dict[str, Function] = {}

        def dispatch(value: object, given: Given) -> object:
            found = kind(value)
            function = functions.get(found.name)
            if function is None:
                function = functions[found.name] = self.object(found, details)
            return function(value, given)

        return self._once((type_.name, id(details)), lambda _: dispatch)

    def _selection(
        self, name: str, type_: GraphQLObjectType, details: FieldDetailsList
    ) -> Function:
        """Write the function of a selection on a type under its name; raises `Hole`."""
        items: list[_Text] = []
        readings: list[Reading] = []
        for key, one in self._collect(type_, details).items():
            field_name = one[0].node.name.value
            if field_name == "__typename":
                constant = f"{key!r}: {type_.name!r}"
                items.append(_Text(constant, constant))
            # What the type does not have is left out of the answer.
            elif self._schema.get_field(type_, field_name):
                reading, text = self._field(type_, one)
                readings.append(reading)
                items.append(_Text(*(f"{key!r}: {part}" for part in text)))
        body = _Text(
            f"{{{', '.join(item.of_object for item in items)}}}",
            f"{{{', '.join(item.of_dict for item in items)}}}",
        )
        ending = self._keeping.ending(type_, details, body.of_object)
        return self._guarded(name, type_, readings, body.of_dict, ending)

    def _field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> _Field:
        node = details[0].node
        name = node.name.value
        definition = self._schema.get_field(parent, name)
        if definition is None or name.startswith("__"):
            raise Hole
        reading = reading_of(self._schema, definition, node)
        if reading is None:
            raise Hole

        def completed(found: str) -> str:
            of = get_nullable_type(definition.type)
            if not reading.is_shared or not is_object_type(of):
                return self._value(definition.type, details, f"(v := {found})", "v")
            share = self._shared(of, details)
            if is_non_null_type(definition.type):
                return f"{share}({found}, g)"
            return f"(None if (v := {found}) is None else {share}(v, g))"

        if reading.attributes and all(map(_can_follow_a_dot, reading.attributes.split("."))):
            text = completed(f"s.{reading.attributes}")
            return _Field(reading, _Text(text, text))
        if function := reading.function:
            call = f"{self._once((parent.name, name), lambda _: function)}(s{self._given(reading)})"
            return _Field(reading, _Text(completed(call), completed(call)))
        attribute = repr(reading.attribute)
        if reading.may_be_key:
            by_name = f"getattr(s, {attribute}, None)"
            return _Field(reading, _Text(completed(by_name), completed(f"s.get({attribute})")))
        by_name = f"s.{reading.attribute}"
        if not _can_follow_a_dot(reading.attribute):
            by_name = f"getattr(s, {attribute})"
        return _Field(reading, _Text(completed(by_name), completed(by_name)))

    def _shared(self, type_: GraphQLObjectType, details: FieldDetailsList) -> str:
        """Return the name of what completes an object but once for all who have it."""
        name, names = self._object(type_, details), self._names

        def share(source: object, given: Given) -> object:
            key = (name, id(source))
            known = given.shared.get(key)
            if known is None:
                # With the object, so that no other takes its place in memory.
                known = given.shared[key] = (source, names[name](source, given))
            return known[1]

        return self._once(("shared", name), lambda _: share)

    def _given(self, reading: Reading) -> str:
        if reading.arguments is None:
            return ""
        name = self._new()
        self._names[name] = reading.arguments.given
        return f", **{name}(g.variables)"

    def _guarded(
        self,
        name: str,
        type_: GraphQLObjectType,
        readings: list[Reading],
        of_dict: str,
        ending: list[str],
    ) -> Function:
        """Write a function of a source that goes on only where reading it does nothing else."""
        looks_at_class = checks_type(type_)
        if looks_at_class is None:
            raise Hole
        attributes = [one.attribute for one in readings if one.function is None]
        known: set[type] = set()

        def admit(source: object) -> None:
            if not is_plain(type(source), attributes):
                raise Odd
            if looks_at_class and not type_.is_type_of(source, None):  # type: ignore[misc, arg-type]
                raise Odd
            if len(known) >= MOST_CLASSES:
                known.clear()
            known.add(type(source))

        lines = [f"def {name}(s, g):", f"    if type(s) not in {name}_known:"]
        if not looks_at_class and all(one.may_be_key for one in readings):
            lines += ["        if type(s) is dict:", f"            return {of_dict}"]
        lines.append(f"        {name}_admit(s)")
        if looks_at_class:
            # `strawberry.cast` told the type of this one alone.
            lines += [f"    if hasattr(s, {TYPE_CAST_ATTRIBUTE!r}):", "        raise Odd"]
        lines += ending
        self._names |= {f"{name}_known": known, f"{name}_admit": admit}
        return self._run(name, "\n".join(lines))

    def _once(self, key: Hashable, make: Callable[[str], Any]) -> str:
        """Return the name of what is made but once for a key."""
        name = self._known.get(key)
        if name is None:
            name = self._new()
            self._names[name] = make(name)
            self._known[key] = name
        return name

    def _new(self) -> str:
        return f"f{next(self._numbers)}"

    def _run(self, name: str, text: str) -> Function:
        """Define a function; all that came from documents and schemas is quoted in its text."""
        exec(compile(text, "<selection>", "exec"), self._names)  # noqa: S102 - as said
        function: Function = self._names[name]
        return function


def _hole(_source: object, _given: Given) -> object:
    raise Hole


def _can_follow_a_dot(name: str) -> bool:
    return name.isascii() and name.isidentifier() and not iskeyword(name)
