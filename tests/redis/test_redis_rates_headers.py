"""How an allowance is told in header fields."""

from app.redis.rates import Allowance, header_fields


def allowance(*, remaining: int, retry_after: float = 0.0) -> Allowance:
    return Allowance(not retry_after, 600, 60.0, remaining, 0.0, retry_after)


def test_the_header_fields_are_those_of_the_draft() -> None:
    assert header_fields(allowance(remaining=599)) == {
        "RateLimit-Policy": '"default";q=600;w=60',
        "RateLimit": '"default";r=599;t=60',
    }
    assert header_fields(allowance(remaining=42), "reads")["RateLimit"] == '"reads";r=42;t=5'


def test_retry_after_is_the_end_of_the_window_that_is_told() -> None:
    assert header_fields(allowance(remaining=0, retry_after=1.2)) == {
        "RateLimit-Policy": '"default";q=600;w=60',
        "RateLimit": '"default";r=0;t=2',
        "Retry-After": "2",
    }
    assert header_fields(allowance(remaining=0, retry_after=0.01))["Retry-After"] == "1"
