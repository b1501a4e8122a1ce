"""The judgement of answers can fail."""

import pytest
from judging import judge

JSON = "application/json; charset=utf-8"
NO_ANSWERS = [
    (500, JSON, b'{"errors": [{"message": "x", "extensions": {"code": "NOT_FOUND"}}]}'),
    (200, JSON, b'{"errors": [{"message": "x", "extensions": {"code": "INTERNAL"}}]}'),
    (200, JSON, b'{"data": {"a": null}, "errors": [{"message": "x"}]}'),
    (200, "text/plain", b'{"data": {}}'),
    (200, JSON, b"Internal Server Error"),
    (200, JSON, b""),
    (200, JSON, b"{}"),
    (200, JSON, b"[]"),
    (400, JSON, b'{"data": {}}'),
    (304, "", b"x"),
    (200, JSON, b'{"errors": [{"message": "KeyError()", "extensions": {"code": "NOT_FOUND"}}]}'),
]


@pytest.mark.parametrize(("status", "content_type", "body"), NO_ANSWERS)
def test_what_is_no_answer_is_found(status: int, content_type: str, body: bytes) -> None:
    with pytest.raises((AssertionError, ValueError, KeyError)):
        judge(status, content_type, body)


def test_answers_are_let_pass() -> None:
    judge(200, JSON, b'{"data": {}, "extensions": {}}')
    judge(404, JSON, b'{"errors": [{"message": "x", "extensions": {"code": "NOT_FOUND"}}]}')
    judge(304, "", b"")
