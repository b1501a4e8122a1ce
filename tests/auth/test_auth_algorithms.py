"""Which algorithms verify: those of the configured key's type, and no other."""

import json
from collections.abc import Callable

import pytest
from issuing import ALGORITHMS, PRIVATE, KeyServer, by_library, guarded, jwk, pem, status, token
from world import World

from app.auth.key_server import KeysUnreadable, published_keys

pytest_plugins = ("auth_fixtures",)

SECRET = "0123456789abcdef-0123456789abcdef"
FAMILIES = {
    "rsa": {one for key, one in ALGORITHMS if key == "rsa"},
    "p256": {"ES256"},
    "p384": {"ES384"},
    "p521": {"ES512"},
    "ed25519": {"EdDSA"},
    "ed448": {"EdDSA"},
}


@pytest.mark.parametrize(("key", "algorithm"), ALGORITHMS)
def test_each_algorithm_verifies_by_a_published_key(
    served: World, keys: KeyServer, key: str, algorithm: str
) -> None:
    keys.heal(key)

    good = status(served, token(key=key, algorithm=algorithm))
    without_id = status(served, token(key=key, algorithm=algorithm, without="kid"))
    wrong = status(served, token(key=key, algorithm=algorithm)[:-9] + "AAAAAAAAA")

    assert (good, without_id, wrong) == (200, 200, 401)


@pytest.mark.parametrize("key", FAMILIES)
def test_a_static_public_key_verifies_by_the_algorithms_of_its_type_alone(
    open_world: World, key: str
) -> None:
    with guarded(open_world, public_key=pem(key)) as one:
        accepted = {
            algorithm
            for other, algorithm in ALGORITHMS
            if status(one, token(key=other, algorithm=algorithm)) == 200
        }
        by_any_id = status(
            one, token(key=key, algorithm=min(FAMILIES[key]), header={"kid": "of-another-set"})
        )
        symmetric = [status(one, by_library(SECRET)), status(one, "e30.e30.")]

    assert accepted == FAMILIES[key]
    assert by_any_id == 200
    assert symmetric == [401, 401]


def test_a_development_key_verifies_hs256_alone(open_world: World) -> None:
    with guarded(open_world, development_key=SECRET) as one:
        good = status(one, by_library(SECRET))
        others = [
            by_library(SECRET + "!"),
            by_library(SECRET, iss="https://evil.example.com/"),
            by_library(SECRET, aud="other"),
            by_library(SECRET, exp=1),
            token(),
            token(key="p256", algorithm="ES256"),
        ]
        refused = [status(one, other) for other in others]

    assert good == 200
    assert refused == [401] * len(others)


USABLE = [
    ({}, True),
    ({"use": None}, True),
    ({"alg": "RS256"}, True),
    ({"key_ops": ["verify"]}, True),
    ({"x5t": "x", "x5c": ["x"]}, True),
    ({"kid": None}, True),
    ({"alg": None}, True),
    ({"alg": "PS256"}, False),
    ({"alg": "HS256"}, False),
    ({"alg": "none"}, False),
    ({"use": "enc"}, False),
    ({"key_ops": ["encrypt"]}, False),
    ({"d": "AQAB"}, False),
    ({"d": None}, False),
    ({"n": "AQAB"}, False),
    ({"n": "*"}, False),
    ({"n": None}, False),
    ({"n": 5}, False),
    ({"e": ""}, False),
    ({"kid": 5}, False),
    ({"kty": "oct", "k": "AQAB"}, False),
    ({"kty": "EC"}, False),
    ({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"}, False),
    ({"kty": "EC", "crv": "secp256k1", "x": "AQAB", "y": "AQAB"}, False),
    ({"kty": "unknown"}, False),
    ({"kty": 1}, False),
]


@pytest.mark.parametrize(("more", "usable"), USABLE, ids=str)
def test_of_a_published_set_only_keys_for_signatures_are_used(
    more: dict[str, object], *, usable: bool
) -> None:
    odd = {**jwk("rsa"), **more}
    body = json.dumps({"keys": [odd, jwk("p256"), 5, None, {}]}).encode()

    names = [key.algorithms for key in published_keys(body) if "RS256" in key.algorithms]

    assert bool(names) is usable
    assert "ES256" in {one for key in published_keys(body) for one in key.algorithms}


def test_a_symmetric_key_that_is_published_verifies_nothing(served: World, keys: KeyServer) -> None:
    symmetric = {"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZi0wMTIzNDU2Nzg5YWJjZGVm", "kid": "s"}
    keys.body = json.dumps({"keys": [symmetric, jwk("rsa")]}).encode()

    assert status(served, by_library(SECRET)) == 401
    assert status(served, token()) == 200


SETS: list[Callable[[], bytes]] = [
    lambda: b"",
    lambda: b"{}",
    lambda: b"[]",
    lambda: b"null",
    lambda: b'{"keys": []}',
    lambda: b'{"keys": {}}',
    lambda: b'{"keys": [{}]}',
    lambda: b'{"keys": "' + b"x" * 100,
    lambda: b"\xff",
    lambda: b'{"keys": ' + b"[" * 50_000,
    lambda: pem("rsa").encode(),
]


@pytest.mark.parametrize("number", range(len(SETS)))
def test_what_is_no_set_of_keys_is_told_apart(number: int) -> None:
    with pytest.raises(KeysUnreadable):
        published_keys(SETS[number]())


def test_no_key_shows_itself() -> None:
    for key in published_keys(json.dumps({"keys": [jwk(name) for name in PRIVATE]}).encode()):
        assert "verifies" not in repr(key)
