"""
How rows are written: as CSV for spreadsheets, or as JSON lines, which lose nothing.

A spreadsheet takes a cell that begins with one of some characters for a formula, and a provider's
text may be written by anybody. Such a cell gets an apostrophe before it, unless it is a number;
so does one that begins with apostrophes before such a character, so that what was added can be
told: to read a cell, take away one apostrophe where nothing but apostrophes stands between it and
such a character.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, Protocol, Union

import orjson

from app.exports.form import Format
from app.exports.rows import Fields

# OWASP's list, with the wide forms that are taken for the narrow ones where people write those.
_BEGIN_ONE = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(f"'*[{re.escape(_BEGIN_ONE)}]")
_MAY_BE_ONE = frozenset(f"'{_BEGIN_ONE}")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


class Writer(Protocol):
    """Writes the rows of one export."""

    def begin(self) -> bytes:
        """Return what stands before the first row."""

    def write(self, rows: Iterable[Fields]) -> bytes:
        """Return some rows as they are written."""


class JsonLines:
    """An object for each row, as GraphQL has it, each on a line."""

    def begin(self) -> bytes:
        return b""

    def write(self, rows: Iterable[Fields]) -> bytes:
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


# For each name of an object, in which column its value stands, or those of its own names.
_Places = Mapping[str, Union[int, "_Places"]]


class Cells:
    """RFC 4180: a header of `paths`, a line for each row; what is null or not there is empty."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._places = _places(paths)

    def begin(self) -> bytes:
        return _lines([self._paths])

    def write(self, rows: Iterable[Fields]) -> bytes:
        return _lines(self._cells(row) for row in rows)

    def _cells(self, row: Fields) -> list[str]:
        cells = [""] * len(self._paths)
        _fill(cells, row, self._places)
        return cells


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.NDJSON: "application/x-ndjson; charset=utf-8",
}


def writer_of(form: Format, paths: Sequence[str]) -> Writer:
    """Return what writes rows whose fields have these paths."""
    return Cells(paths) if form is Format.CSV else JsonLines()


def defused(text: str) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula."""
    if text[:1] in _MAY_BE_ONE and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _places(paths: Sequence[str]) -> _Places:
    places: dict[str, Any] = {}
    for column, path in enumerate(paths):
        *within, name = path.split(".")
        inner = places
        for one in within:
            inner = inner.setdefault(one, {})
        inner[name] = column
    return places


def _fill(cells: list[str], fields: Fields, places: _Places) -> None:
    for name, value in fields.items():
        if value is None:
            continue
        place = places[name]
        if isinstance(place, int):
            cells[place] = defused(value) if isinstance(value, str) else _plain(value)
        else:
            _fill(cells, value, place)


def _plain(value: object) -> str:
    """Return a number, a truth value or a list as JSON has it."""
    return defused(orjson.dumps(value).decode())


def _lines(cells: Iterable[Sequence[str]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(cells)
    return text.getvalue().encode()
