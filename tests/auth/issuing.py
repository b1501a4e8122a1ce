"""An issuer of tokens for tests: its keys, its key server on the loopback, and what it signs."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import anyio
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms
from starlette.types import Receive, Scope, Send
from world import World, gateway, serving

from app import settings

ISSUER = "https://login.example.com/"
AUDIENCE = "credit-gateway"
WHO = "{ viewer { subject scopes customer { reference } } }"

PRIVATE: dict[str, Any] = {
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "other-rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ed448": ed448.Ed448PrivateKey.generate(),
}
ALGORITHMS = [
    *(("rsa", f"{family}{bits}") for family in ("RS", "PS") for bits in (256, 384, 512)),
    ("p256", "ES256"),
    ("p384", "ES384"),
    ("p521", "ES512"),
    ("ed25519", "EdDSA"),
    ("ed448", "EdDSA"),
]
_KINDS = {"rsa": "RS256", "other-rsa": "RS256", "p256": "ES256", "p384": "ES384", "p521": "ES512"}
_numbers = count()


def pem(name: str) -> str:
    """Return the public half of a key in PEM."""
    public = PRIVATE[name].public_key()
    text: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def jwk(name: str, key_id: str | None = None, **more: object) -> dict[str, Any]:
    """Return the public half of a key as issuers publish it."""
    algorithm = get_default_algorithms()[_KINDS.get(name, "EdDSA")]
    written = algorithm.to_jwk(PRIVATE[name].public_key(), as_dict=True)
    return {**written, "kid": key_id or name, "use": "sig", **more}


def key_set(*names: str) -> bytes:
    return json.dumps({"keys": [jwk(name) for name in names]}).encode()


def text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def signed(
    header: Mapping[str, Any],
    payload: bytes,
    key: Any,  # noqa: ANN401 - each algorithm has its own type
    algorithm: str,
) -> str:
    """Sign whatever header and payload are given, as no library would."""
    content = f"{text(json.dumps(header).encode())}.{text(payload)}"
    with_key = get_default_algorithms()[algorithm]
    return f"{content}.{text(with_key.sign(content.encode(), key))}"


def token(
    claims: Mapping[str, object] | None = None,
    header: Mapping[str, object] | None = None,
    *,
    key: str = "rsa",
    algorithm: str = "RS256",
    without: str = "",
) -> str:
    """Return a good token but for what is given; no two are the same."""
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "anna",
        "exp": now + 7 * 24 * 3600,
        "iat": now,
        "nbf": now,
        "jti": next(_numbers),
        **(claims or {}),
    }
    said.pop(without, None)
    head = {"alg": algorithm, "typ": "JWT", "kid": key, **(header or {})}
    head.pop(without, None)
    return signed(head, json.dumps(said).encode(), PRIVATE[key], algorithm)


def by_library(secret: str, **claims: object) -> str:
    """Return a token of a symmetric key."""
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "exp": now + 3600, **claims}
    return jwt.encode({**said, "jti": next(_numbers)}, secret, "HS256")


class KeyServer:
    """An issuer's key server: what it publishes, how it fails, how often it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.body = key_set("rsa")
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.hangs = False
        self.asked = 0

    def heal(self, *names: str) -> None:
        self.body, self.status, self.headers, self.hangs = key_set(*names), 200, [], False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for answer in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{answer}.complete"})
            return
        self.asked += 1
        for _ in range(1200):  # longer than anybody waits for it
            if not self.hangs:
                break
            await anyio.sleep(0.05)
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [(b"content-type", b"application/json"), *self.headers],
            }
        )
        await send({"type": "http.response.body", "body": self.body})


@contextmanager
def key_server() -> Iterator[KeyServer]:
    server = KeyServer()
    with serving(server) as url:
        server.url = f"{url}/keys"
        try:
            yield server
        finally:
            server.hangs = False


@contextmanager
def guarded(one: World, **auth: str) -> Iterator[World]:
    """Serve another gateway of the same customers, which asks who is calling."""
    section = {"mode": "jwt", "issuer": ISSUER, **auth}
    environ = {f"GATEWAY_AUTH__{key.upper()}": value for key, value in section.items()}
    configured = settings.load(one.folder / "gateway.toml", environ)
    with gateway(configured, one.sandbox, one.folder) as served:
        yield served


def status(one: World, token_: str) -> int:
    """Return the status of a request of this token's."""
    return one.http.post("/graphql", json={"query": WHO}, headers=bearer(token_)).status_code


def asked(one: World, token_: str, query: str, **variables: object) -> dict[str, Any]:
    """Return the whole answer to a query of this token's."""
    body = {"query": query, "variables": variables}
    answer: dict[str, Any] = one.http.post("/graphql", json=body, headers=bearer(token_)).json()
    return answer


def bearer(token_: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_}"}


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what happens in the background."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()
