"""By what a request is found again: what is taken of a caller, and what is made."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.observing.correlation import Correlation, Parent, correlation

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
MADE = re.compile(r"[0-9a-f]{32}")


def of(**headers: str | list[str]) -> Correlation:
    """Return the correlation of a request with these header fields, of which some are several."""
    sent = {name: [value] if isinstance(value, str) else value for name, value in headers.items()}
    return correlation(
        [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, values in sent.items()
            for value in values
        ]
    )


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "9" * 64, "01K9ZQ2V3M-4"])
def test_a_well_formed_id_is_kept(sent: str) -> None:
    assert of(x_request_id=sent).id == sent


@pytest.mark.parametrize(
    "sent",
    ["", " ", "9" * 65, "a b", "a\tb", 'a"b', "a\x1b[31m", "a\x9b", "ä", "a,b", "{}", ["a", "b"]],
)
def test_any_other_is_replaced(sent: str | list[str]) -> None:
    made = of(x_request_id=sent).id

    assert MADE.fullmatch(made)
    assert made not in str(sent)


def test_without_one_it_is_made_and_never_the_same() -> None:
    made = {correlation([]).id for _ in range(1000)}

    assert len(made) == 1000


def test_a_trace_names_a_request_that_has_no_id() -> None:
    found = of(traceparent=PARENT, tracestate="a=1,b=2")

    assert found == Correlation(TRACE, Parent(TRACE, SPAN, is_sampled=True, state="a=1,b=2"))
    assert of(traceparent=PARENT, x_request_id="mine").id == "mine"


@pytest.mark.parametrize(
    ("sent", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01-x", True),
    ],
)
def test_flags_and_later_versions_are_read(sent: str, *, is_sampled: bool) -> None:
    parent = of(traceparent=sent).parent

    assert parent == Parent(TRACE, SPAN, is_sampled)


@pytest.mark.parametrize(
    "sent",
    [
        *("", "00", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-x", f"00-{TRACE}-{SPAN}"),
        *(f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", PARENT.upper(), f"{PARENT} "),
        [PARENT, PARENT],
    ],
)
def test_what_is_no_trace_is_none(sent: str | list[str]) -> None:
    found = of(traceparent=sent)

    assert found.parent is None
    assert MADE.fullmatch(found.id)
    assert found.id != TRACE


@pytest.mark.parametrize("state", ["x" * 513, "a=\x01", "a=ä"])
def test_a_state_that_may_not_be_passed_on_is_left_out(state: str) -> None:
    assert of(traceparent=PARENT, tracestate=state).parent == Parent(TRACE, SPAN, is_sampled=True)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"x-request-id", b"traceparent", b"tracestate", b"other"]),
            st.binary(max_size=200) | st.just(PARENT.encode()),
        ),
        max_size=5,
    )
)
def test_whatever_is_sent_it_is_printable_and_short(headers: list[tuple[bytes, bytes]]) -> None:
    found = correlation(headers)

    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", found.id)
    assert found.parent is None or len(found.parent.state) <= 512
