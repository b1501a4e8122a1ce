"""Whatever the Authorization header holds, it is never our fault."""

import json
from base64 import urlsafe_b64encode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from issuing import PRIVATE, WHO, signed, status, token
from raw import exchange
from world import World

pytest_plugins = ("auth_fixtures",)

LINE = st.binary(max_size=400).filter(lambda line: not set(line) & set(b"\r\n\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "zip", "jwk", "x5c", "cty", "enc"])
HEADS = st.dictionaries(NAMES, JSON | st.sampled_from(["RS256", "rsa", "HS256", "none"]))
CLAIM_NAMES = st.sampled_from(
    ["iss", "sub", "aud", "exp", "nbf", "iat", "scope", "scp", "scopes", "customer"]
)


def answered(one: World, value: bytes) -> int:
    return exchange(
        one.url,
        b"GET /graphql?query={viewer{subject}} HTTP/1.1\r\nHost: localhost\r\n"
        b"Connection: close\r\nAuthorization: " + value + b"\r\n\r\n",
    ).status


@pytest.mark.parametrize("value", [b"", b"\0", b"Bearer \0", b"Bearer \xff", b"\r\n Bearer x"])
def test_strange_bytes_are_refused(steady: World, value: bytes) -> None:
    assert answered(steady, value) in {400, 401}


@given(value=LINE)
def test_any_bytes_are_refused(steady: World, value: bytes) -> None:
    assert answered(steady, value) in {400, 401}


@given(value=LINE)
def test_any_bytes_as_a_token_are_refused(steady: World, value: bytes) -> None:
    assert answered(steady, b"Bearer " + value) in {400, 401}


@given(parts=st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_any_parts_are_refused(steady: World, parts: list[bytes]) -> None:
    written = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)

    assert answered(steady, b"Bearer " + written) == 401


@given(head=HEADS)
def test_any_header_of_a_token_is_refused_unless_it_is_the_one_signed(
    steady: World, head: dict[str, object]
) -> None:
    _, payload, signature = token().split(".")
    first = urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode()

    assert status(steady, f"{first}.{payload}.{signature}") == 401


@given(claims=st.dictionaries(CLAIM_NAMES, JSON, min_size=1))
def test_any_claims_that_are_signed_give_no_error_of_ours(
    steady: World, claims: dict[str, object]
) -> None:
    response: httpx.Response = steady.http.post(
        "/graphql", json={"query": WHO}, headers={"Authorization": f"Bearer {token(claims)}"}
    )

    assert response.status_code in {200, 401}
    assert "INTERNAL" not in response.text


@given(payload=JSON | st.binary(max_size=60))
def test_any_payload_that_is_signed_is_refused(steady: World, payload: object) -> None:
    written = payload if isinstance(payload, bytes) else json.dumps(payload).encode()

    assert (
        status(steady, signed({"alg": "RS256", "kid": "rsa"}, written, PRIVATE["rsa"], "RS256"))
        == 401
    )


@given(key=st.text("abcXYZ019-_", max_size=60))
def test_any_api_key_is_refused(steady: World, key: str) -> None:
    assert status(steady, f"cg_{key}") == 401
