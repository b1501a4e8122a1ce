"""Durations, sizes and rates as they are written."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings.values import Rate, duration, duration_text, rate, size, size_text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("60s", timedelta(minutes=1)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_reads_as_it_is_written(text: str, length: timedelta) -> None:
    assert duration(text) == length
    assert duration_text(length) == text


@given(st.integers(0, 10**9))
def test_any_duration_survives_being_written(milliseconds: int) -> None:
    length = timedelta(milliseconds=milliseconds)

    assert duration(duration_text(length)) == length


@given(st.integers(1, 10**11))
def test_any_size_survives_being_written(size_bytes: int) -> None:
    assert size(size_text(size_bytes)) == size_bytes
    assert size(size_bytes) == size_bytes
    assert size(str(size_bytes)) == size_bytes


@given(st.text() | st.integers(max_value=0) | st.floats() | st.none() | st.booleans())
def test_anything_else_is_refused_and_nothing_more(value: object) -> None:
    for read in (duration, size, rate):
        try:
            read(value)
        except ValueError:
            continue
        assert isinstance(value, str)
        assert value[0].isdigit()


def test_a_rate_reads_as_it_is_written() -> None:
    assert rate("5/day") == Rate(5, timedelta(days=1))
    assert str(Rate(5, timedelta(days=1))) == "5/day"
