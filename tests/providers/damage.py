"""Damaging JSON values place by place, and telling in which fields two pages differ."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.model.money import Money, plain
from app.providers.page import Page

Path = tuple[str | int, ...]
_GONE = object()


class Damage(NamedTuple):
    """A value that is wrong at one place; `pattern` names the place with `[]` for any index."""

    pattern: str
    path: Path
    what: str
    value: Any

    @property
    def is_of_wrong_type(self) -> bool:
        return self.what not in {"garbage", "far"}


def damages(whole: Any) -> Iterator[Damage]:  # noqa: ANN401 - a JSON value
    """Yield every damage of every place below the root, leaves and containers alike."""
    for path, here in _places(whole, ()):
        for what, wrong in _wrong(here).items():
            if wrong is _GONE and isinstance(path[-1], int):
                continue  # a list that is shorter by a row is a whole list
            value = deepcopy(whole)
            _put(value, path, wrong)
            yield Damage(pattern(path), path, what, value)


def pattern(path: Path) -> str:
    """Write a path as `data.log[].id`."""
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def leaves(whole: Any) -> set[str]:  # noqa: ANN401 - a JSON value
    """Return the patterns of all leaves."""
    return {pattern(path) for path, here in _places(whole, ()) if not isinstance(here, dict | list)}


def _places(here: Any, path: Path) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - as above
    steps: Any = here.items() if isinstance(here, dict) else enumerate(here)
    for step, below in steps:
        yield (*path, step), below
        if isinstance(below, dict | list):
            yield from _places(below, (*path, step))


def _wrong(here: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as above
    wrong: dict[str, Any] = {"null": None, "list": [1], "object": {"x": 1}}
    if not isinstance(here, dict | list):
        wrong["removed"] = _GONE
    if isinstance(here, str):
        return {**wrong, "number": 12345, "bool": True, "garbage": "gårbage\x00"}
    if isinstance(here, bool):
        return {**wrong, "number": int(here), "text": str(here).lower(), "no bool": "garbage"}
    if isinstance(here, int | float):
        return {**wrong, "text": str(here), "bool": True, "no number": "garbage", "far": 10**40}
    return {**wrong, "removed": _GONE, "number": 12345, "bool": True, "text": "garbage"}


def _put(whole: Any, path: Path, wrong: Any) -> None:  # noqa: ANN401 - as above
    for step in path[:-1]:
        whole = whole[step]
    if wrong is _GONE:
        del whole[path[-1]]
    else:
        whole[path[-1]] = wrong


def differences(one: Page, other: Page) -> set[str]:
    """Return the fields in which two pages differ: `next`, `entries`, or `0.amount.unit`."""
    flat, flat_other = _flat(one), _flat(other)
    names = flat.keys() | flat_other.keys()
    return {name for name in names if flat.get(name, _GONE) != flat_other.get(name, _GONE)}


def _flat(page: Page) -> dict[str, Any]:
    flat: dict[str, Any] = {"next": page.next, "overlap": page.overlap, "rows": len(page.entries)}
    for row, entry in enumerate(page.entries):
        for field in msgspec.structs.fields(entry):
            flat |= _named(f"{row}.{field.encode_name}", getattr(entry, field.encode_name))
    return flat


def _named(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any field's value
    if isinstance(value, Money):
        assert value.amount.is_finite()
        parts = {"amount": plain(value.amount), "unit": value.unit, "kind": value.kind}
        return {f"{name}.{part}": each for part, each in parts.items()}
    if isinstance(value, Mapping):
        flat: dict[str, Any] = {}
        for key, each in value.items():
            flat |= _named(f"{name}.{key}", each)
        return flat
    if isinstance(value, datetime):
        assert value.utcoffset() is not None
    return {name: value}
