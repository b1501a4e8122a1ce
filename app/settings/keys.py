"""Where each key of the configuration stands in its models, and how its value is written."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_origin

from pydantic.fields import FieldInfo

from app.settings.providers import KINDS, ProviderSettings, Section
from app.settings.sections import Settings
from app.settings.values import Written

_BARE = re.compile(r"[A-Za-z0-9_-]+")

SECTIONS: Mapping[str, type[Section]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
"""The sections with fixed keys, by name: all but `providers`."""


class Problem(NamedTuple):
    """What is wrong with one key, and what to write instead."""

    key: str
    text: str


def dotted(path: Sequence[int | str]) -> str:
    """Write the way to a key as TOML would, on one line."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            written += ("." if written else "") + _bare(part)
    return written


def _bare(part: str) -> str:
    return part if _BARE.fullmatch(part) else json.dumps(part[:80])


def fields_at(path: Sequence[int | str]) -> Mapping[str, FieldInfo]:
    """Return the keys that the table at `path` may have; of a provider, those of every kind."""
    match list(path):
        case [str(section)] if section in SECTIONS:
            return SECTIONS[section].model_fields
        case ["providers", str(_)]:
            return {name: field for kind in KINDS.values() for name, field in fields_of(kind)}
        case _:
            return {}


def fields_of(settings: type[ProviderSettings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the keys of a provider's table: what its settings hold but for its name."""
    return ((name, field) for name, field in settings.model_fields.items() if name != "name")


def field_at(path: Sequence[int | str], kind: str | None) -> FieldInfo | None:
    """Return the field of the key at `path`, of the provider's `kind` where it is known."""
    if kind is not None and len(path) > 2:  # noqa: PLR2004 (providers, a name, a key)
        return KINDS[kind].model_fields.get(str(path[2]))
    for depth in range(len(path) - 1, 0, -1):
        field = fields_at(path[:depth]).get(str(path[depth]))
        if field is not None:
            return field
    return None


def written(field: FieldInfo) -> Written:
    """Return how the value of a field is written."""
    found = next(_written_in((*field.metadata, field.annotation)), None)
    if found is None:
        raise LookupError(field)
    return found


def _written_in(parts: Sequence[Any]) -> Iterator[Written]:
    for part in parts:
        if isinstance(part, Written):
            yield part
        else:
            yield from _written_in((*getattr(part, "__metadata__", ()), *get_args(part)))


def is_list_or_table(field: FieldInfo) -> bool:
    """Say whether a value of the field is written in the environment as JSON."""
    return get_origin(field.annotation) in {tuple, Mapping}
