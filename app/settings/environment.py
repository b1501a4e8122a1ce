"""Keys set in the environment: GATEWAY_CACHE__URL is cache.url and wins over the file."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from app.settings.keys import SECTIONS, Problem, dotted, fields_at, is_list_or_table

PREFIX = "GATEWAY_"
_SEPARATOR = "__"
_PROVIDER_DEPTH = 2


def overlay(
    tree: dict[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """
    Set in `tree` what the environment sets.

    Returns the variable of each key so set, and what is wrong with the others. A variable
    without "__" is not ours: a secret may be kept under any name of its own.
    """
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for variable in sorted(filter(_is_ours, environ), key=_outer_first):
        path = _path(variable, tree)
        try:
            value = _value(variable, path, environ[variable])
        except ValueError as error:
            problems.append(Problem(variable, str(error)))
            continue
        _put(tree, path, value)
        sources[dotted(path)] = variable
    return sources, problems


def _is_ours(variable: str) -> bool:
    return variable.startswith(PREFIX) and _SEPARATOR in variable.removeprefix(PREFIX)


def _outer_first(variable: str) -> tuple[int, str]:
    # GATEWAY_PROVIDERS__CLOUD, a whole table, comes before a single key of it.
    return variable.count(_SEPARATOR), variable


def _path(variable: str, tree: Mapping[str, Any]) -> list[str]:
    path = variable.removeprefix(PREFIX).lower().split(_SEPARATOR)
    configured = tree.get("providers")
    if path[0] != "providers" or not isinstance(configured, dict) or path[1] in configured:
        return path
    # No shell can export a name with "-", so "_" stands for it where the file has such a name.
    path[1] = next((name for name in configured if name.replace("-", "_") == path[1]), path[1])
    return path


def _value(variable: str, path: list[str], text: str) -> object:
    *table, key = path
    if table == ["providers"]:
        return _json(text)
    field = fields_at(table).get(key)
    if field is None:
        raise ValueError(f"there is no key {dotted(path)}{_near(variable, path)}")
    return _json(text) if is_list_or_table(field) else text


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # What the parser says may hold a part of a secret.
        raise ValueError("is not JSON; write a list or a table as JSON") from None


def _near(variable: str, path: list[str]) -> str:
    known = [
        f"{PREFIX}{section}{_SEPARATOR}{key}".upper()
        for section in SECTIONS
        for key in fields_at([section])
    ]
    if path[0] == "providers" and len(path) > _PROVIDER_DEPTH:
        known = [
            f"{PREFIX}PROVIDERS{_SEPARATOR}{path[1]}{_SEPARATOR}{key}".upper()
            for key in fields_at(path[:2])
        ]
    near = get_close_matches(variable.upper(), known, n=1)
    return f"; did you mean {near[0]}?" if near else "; unset it"


def _put(tree: dict[str, Any], path: list[str], value: object) -> None:
    table = tree
    for part in path[:-1]:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            # The file has no table here; the validation says so.
            return
        table = inner
    table[path[-1]] = value
