"""The table: every token but a good one is refused, and the same one without its fault is not."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx
import pytest
from issuing import (
    AUDIENCE,
    ISSUER,
    PRIVATE,
    WHO,
    bearer,
    jwk,
    pem,
    signed,
    status,
    text,
    token,
)
from raw import exchange
from world import World

pytest_plugins = ("auth_fixtures",)

HOUR = 3600
RSA_HEADER = {"alg": "RS256", "kid": "rsa"}


def hmac_signed(secret: bytes, **header: object) -> str:
    good = token()
    head = json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa", **header}).encode()
    content = f"{text(head)}.{good.split('.')[1]}"
    return f"{content}.{text(hmac.new(secret, content.encode(), sha256).digest())}"


def unsigned(algorithm: str) -> str:
    head = json.dumps({"alg": algorithm, "typ": "JWT", "kid": "rsa"}).encode()
    return f"{text(head)}.{token().split('.')[1]}."


def with_header(raw: bytes) -> str:
    _, payload, signature = token().split(".")
    return f"{text(raw)}.{payload}.{signature}"


def with_payload(raw: bytes) -> str:
    return signed(RSA_HEADER, raw, PRIVATE["rsa"], "RS256")


def another_payload() -> str:
    header, _, signature = token().split(".")
    return f"{header}.{token({'sub': 'eva'}).split('.')[1]}.{signature}"


def raw_claims(**claims: str) -> str:
    """Return a good token but for claims given as they are written in JSON."""
    said = {
        "iss": json.dumps(ISSUER),
        "aud": json.dumps(AUDIENCE),
        "sub": '"anna"',
        "exp": str(int(time.time()) + HOUR),
        **claims,
    }
    return with_payload(
        ("{" + ",".join(f'"{name}":{value}' for name, value in said.items()) + "}").encode()
    )


def now() -> int:
    return int(time.time())


CLAIMS: dict[str, Callable[[], str]] = {
    "issuer missing": lambda: token(without="iss"),
    "issuer another": lambda: token({"iss": "https://evil.example.com/"}),
    "issuer of which ours is a prefix": lambda: token({"iss": ISSUER + "evil"}),
    "issuer that is a prefix of ours": lambda: token({"iss": ISSUER[:-1]}),
    "issuer in another case": lambda: token({"iss": ISSUER.upper()}),
    "issuer in a list": lambda: token({"iss": [ISSUER]}),
    "issuer null": lambda: token({"iss": None}),
    "audience missing": lambda: token(without="aud"),
    "audience another": lambda: token({"aud": "other"}),
    "audience of which ours is a prefix": lambda: token({"aud": AUDIENCE + "-2"}),
    "audience that is a part of ours": lambda: token({"aud": "credit"}),
    "audiences without ours": lambda: token({"aud": ["other", "another"]}),
    "audiences empty": lambda: token({"aud": []}),
    "audience a number": lambda: token({"aud": 1}),
    "audience an object": lambda: token({"aud": {AUDIENCE: 1}}),
    "expiry missing": lambda: token(without="exp"),
    "expiry passed": lambda: token({"exp": now() - 1}),
    "expiry long passed": lambda: token({"exp": 0}),
    "expiry null": lambda: token({"exp": None}),
    "expiry a text": lambda: token({"exp": str(now() + HOUR)}),
    "expiry true": lambda: token({"exp": True}),
    "expiry endless": lambda: raw_claims(exp="Infinity"),
    "expiry too large": lambda: raw_claims(exp="1e999"),
    "expiry no number": lambda: raw_claims(exp="NaN"),
    "not yet valid": lambda: token({"nbf": now() + 120}),
    "not before a text": lambda: token({"nbf": "0"}),
    "issued later": lambda: token({"iat": now() + 120}),
    "issued no number": lambda: raw_claims(iat="NaN"),
    "subject missing": lambda: token(without="sub"),
    "subject empty": lambda: token({"sub": ""}),
    "subject a number": lambda: token({"sub": 1}),
    "subject half a character": lambda: raw_claims(sub='"\\ud800"'),
    "scope a number": lambda: token({"scope": 1}),
    "scopes of numbers": lambda: token({"scopes": [1]}),
    "customer a number": lambda: token({"customer": 1001}),
    "customer a list": lambda: token({"customer": ["C-1001"]}),
    "claims a list": lambda: with_payload(b"[]"),
    "claims no JSON": lambda: with_payload(b"anna"),
    "claims empty": lambda: with_payload(b""),
    "claims nested too deeply": lambda: with_payload(b"[" * 9000),
}
SIGNATURES: dict[str, Callable[[], str]] = {
    "algorithm none": lambda: unsigned("none"),
    "algorithm None": lambda: unsigned("None"),
    "algorithm empty": lambda: unsigned(""),
    "HS256 with the public key": lambda: hmac_signed(pem("rsa").encode()),
    "HS256 with the public key, stripped": lambda: hmac_signed(pem("rsa").strip().encode()),
    "HS256 with the published key": lambda: hmac_signed(json.dumps(jwk("rsa")).encode()),
    "HS256 with nothing": lambda: hmac_signed(b""),
    "HS256 under another name": lambda: hmac_signed(pem("rsa").encode(), alg="RS256"),
    "key id unknown": lambda: token(header={"kid": "unknown"}),
    "key id of another key": lambda: token(header={"kid": "p256"}),
    "key id empty": lambda: token(header={"kid": ""}),
    "key id a number": lambda: token(header={"kid": 1}),
    "key id a list": lambda: token(header={"kid": ["rsa"]}),
    "key id a path": lambda: token(header={"kid": "../../rsa"}),
    "key another under this id": lambda: token(key="other-rsa", header={"kid": "rsa"}),
    "key brought along": lambda: token(
        key="other-rsa", header={"kid": "rsa", "jwk": jwk("other-rsa")}
    ),
    "key from elsewhere": lambda: token(
        key="other-rsa", header={"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/"}
    ),
    "algorithm of another type of key": lambda: token(header={"alg": "ES256"}),
    "algorithm of another hash": lambda: token(header={"alg": "RS512"}),
    "algorithm in another case": lambda: token(header={"alg": "rs256"}),
    "algorithm a list": lambda: token(header={"alg": ["RS256"]}),
    "algorithm null": lambda: token(header={"alg": None}),
    "critical unknown": lambda: token(header={"crit": ["x-policy"], "x-policy": "mfa"}),
    "critical known to the library": lambda: token(header={"crit": ["b64"], "b64": True}),
    "critical empty": lambda: token(header={"crit": []}),
    "critical no list": lambda: token(header={"crit": "exp"}),
    "payload not encoded": lambda: token(header={"b64": False, "crit": ["b64"]}),
    "payload exchanged": another_payload,
    "signature missing": lambda: token().rpartition(".")[0] + ".",
    "signature cut": lambda: token()[:-20],
    "signature of zeros": lambda: token().rpartition(".")[0] + "." + text(bytes(256)),
    "header no JSON": lambda: with_header(b"RS256"),
    "header a list": lambda: with_header(b"[]"),
    "header null": lambda: with_header(b"null"),
    "header nested too deeply": lambda: with_header(b'{"a":' + b"[" * 9000),
    "header with an endless number": lambda: with_header(b'{"a":' + b"9" * 9000 + b"}"),
    "two parts": lambda: token().rpartition(".")[0],
    "four parts": lambda: token() + ".e30",
    "five parts": lambda: "e30.e30.e30.e30.e30",
    "dots": lambda: "...",
    "one letter": lambda: "a",
    "garbage": lambda: base64.b64encode(bytes(range(256))).decode(),
    "very long": lambda: "a" * 60_000,
    "very long and else good": lambda: token({"groups": "g" * 20_000}),
}


@pytest.mark.parametrize("fault", [*CLAIMS, *SIGNATURES])
def test_a_token_with_one_fault_is_refused(steady: World, fault: str) -> None:
    refused = (CLAIMS | SIGNATURES)[fault]()

    response = steady.http.post("/graphql", json={"query": WHO}, headers=bearer(refused))

    assert_refused(response, sent=True)
    assert len(refused) < 9 or refused not in response.text
    assert status(steady, token()) == 200


def assert_refused(response: httpx.Response, *, sent: bool) -> None:
    told = 'Bearer realm="credit-gateway"' + (', error="invalid_token"' if sent else "")
    body = response.json()
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == told
    assert response.headers["cache-control"] == "no-store"
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]
    assert "data" not in body


GOOD: dict[str, Callable[[], str]] = {
    "several audiences": lambda: token({"aud": ["other", AUDIENCE]}),
    "an expiry with a fraction": lambda: raw_claims(exp=f"{now() + HOUR}.5"),
    "a far expiry": lambda: raw_claims(exp="9" * 30),
    "no times but the expiry": raw_claims,
    "clocks that differ": lambda: token({"nbf": now() + 20, "iat": now() + 20}),
    "a long one": lambda: token({"groups": "g" * 10_000}),
    "claims of others": lambda: token({"email": "anna@example.com", "x": {"y": [1]}}),
    "another type": lambda: token(header={"typ": "at+jwt"}),
    "no type": lambda: token(header={"typ": None}),
    "another key of the set": lambda: token(key="p256", algorithm="ES256"),
    "no key id where the algorithm leaves no choice": lambda: token(without="kid"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_token_is_accepted_whatever_else_it_says(steady: World, kind: str) -> None:
    assert status(steady, GOOD[kind]()) == 200


HEADERS: dict[str, tuple[Callable[[str], list[tuple[str, str]]], bool]] = {
    "none": (lambda _: [], False),
    "empty": (lambda _: [("Authorization", "")], False),
    "Basic": (lambda one: [("Authorization", f"Basic {one}")], False),
    "no scheme": (lambda one: [("Authorization", one)], False),
    "Bearer without a space": (lambda one: [("Authorization", f"Bearer{one}")], False),
    "Bearer alone": (lambda _: [("Authorization", "Bearer")], True),
    "a tab": (lambda one: [("Authorization", f"Bearer\t{one}")], False),
    "two tokens": (lambda one: [("Authorization", f"Bearer {one} {one}")], True),
    "a list of tokens": (lambda one: [("Authorization", f"Bearer {one}, Bearer {one}")], True),
    "two headers": (lambda one: [("Authorization", f"Bearer {one}")] * 2, True),
    "another header": (lambda one: [("X-Authorization", f"Bearer {one}")], False),
    "a cookie": (lambda one: [("Cookie", f"access_token={one}; token={one}")], False),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_token_counts_in_one_authorization_header_alone(steady: World, kind: str) -> None:
    headers, sent = HEADERS[kind]
    good = token()

    response = steady.http.post("/graphql", json={"query": WHO}, headers=headers(good))

    assert_refused(response, sent=sent)
    assert status(steady, good) == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_known_in_any_case(steady: World, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {token()}"}

    assert steady.http.post("/graphql", json={"query": WHO}, headers=headers).is_success


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "Authorization"])
def test_a_token_in_the_query_string_is_not_looked_at(steady: World, name: str) -> None:
    good = token()
    line = b"GET /graphql?query={viewer{subject}}&%s=%s HTTP/1.1\r\nHost: localhost\r\n"
    header = f"Authorization: Bearer {good}\r\n".encode()

    alone = exchange(steady.url, line % (name.encode(), good.encode()) + b"\r\n")
    beside = exchange(steady.url, line % (name.encode(), b"x") + header + b"\r\n")

    assert (alone.status, beside.status) == (401, 200)
    assert alone.headers["www-authenticate"] == 'Bearer realm="credit-gateway"'


UNREAD: list[dict[str, Any]] = [
    {"content": b"{", "headers": {"Content-Type": "application/json"}},
    {"content": b"query", "headers": {"Content-Type": "text/plain"}},
    {"json": {"query": "{ nothing"}},
    {"json": {"query": "{ unknown }"}},
    {"json": {"query": WHO}, "headers": {"Accept": "image/png"}},
]


@pytest.mark.parametrize("request_", UNREAD, ids=str)
def test_nothing_of_a_request_is_read_before_it_is_known_who_asks(
    steady: World, request_: dict[str, Any]
) -> None:
    headers = request_.get("headers", {})
    good = {**request_, "headers": {**headers, **bearer(token())}}

    assert_refused(steady.http.post("/graphql", **request_), sent=False)
    assert steady.http.post("/graphql", **good).status_code != 401


def test_a_token_ends_also_when_it_was_just_accepted(steady: World) -> None:
    soon = token({"exp": now() + 2})

    first = status(steady, soon)
    time.sleep(2.1)

    assert (first, status(steady, soon)) == (200, 401)


def test_pages_and_probes_need_no_token(steady: World) -> None:
    page = steady.http.get("/graphql", headers={"Accept": "text/html"})
    probes = [steady.http.get(path).status_code for path in ("/livez", "/readyz")]

    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert probes == [200, 200]
