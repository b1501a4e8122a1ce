"""What a spreadsheet would take for a formula is none in a CSV, and can be read as it was."""

import csv
import io
import re
from typing import Any

import pytest
from graphql_rows import cells
from hypothesis import given
from hypothesis import strategies as st

from app.exports.form import Format
from app.exports.formats import writer_of

BEGINNINGS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - the wide forms are meant
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
HARMFUL = st.text("=+-@\t\r\n\"',;＝0123456789.eE Aå", max_size=12)  # noqa: RUF001 - as above


def written(*texts: str | None) -> str:
    """Return a CSV of one column."""
    writer = writer_of(Format.CSV, ["a", "b.c"])
    rows = [{"a": text, "b": {"c": True}} for text in texts]
    return (writer.begin() + writer.write(rows)).decode()


def column(text: str) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(text, newline=""), strict=True)][1:]


def read(cell: str) -> str:
    """Return what a cell was, as the documentation says how to read it."""
    return cell[1:] if re.match(f"''*[{re.escape(BEGINNINGS)}]", cell) else cell


@pytest.mark.parametrize(
    "formula",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "=", "-", "+46 70", "-1e5"],  # noqa: RUF001 - as above
)
def test_a_formula_is_a_text(formula: str) -> None:
    assert column(written(formula)) == [f"'{formula}"]


@pytest.mark.parametrize("number", ["-39.00", "+12", "0", "-0.5", "100000000000000000000.01"])
def test_a_number_stays_a_number(number: str) -> None:
    assert column(written(number)) == [number]


@given(st.lists(HARMFUL | st.text(max_size=12), min_size=1))
def test_no_cell_begins_as_a_formula_and_each_can_be_read(texts: list[str]) -> None:
    found = column(written(*texts))

    for text, cell in zip(texts, found, strict=True):
        assert cell[:1] not in set(BEGINNINGS) or NUMBER.fullmatch(cell)
        assert read(cell) == text


def test_without_it_the_check_would_fail() -> None:
    text = "a,b\r\n=1+1,x\r\n"

    assert column(text)[0][0] in BEGINNINGS


def test_what_is_null_or_not_there_is_empty_and_truth_is_as_in_json() -> None:
    assert cells(written(None, "x")) == [{"b.c": "true"}, {"a": "x", "b.c": "true"}]


def test_a_csv_is_in_utf_8_with_lines_that_end_as_the_standard_says() -> None:
    assert written('Å, "b"\nc') == 'a,b.c\r\n"Å, ""b""\nc",true\r\n'


def test_json_lines_lose_nothing() -> None:
    rows: list[dict[str, Any]] = [{"a": "=1\n\u2028'", "b": {"c": None, "in": 5}}]

    assert writer_of(Format.NDJSON, ["a"]).write(rows) == (
        '{"a":"=1\\n\u2028\'","b":{"c":null,"in":5}}\n'.encode()
    )
