"""The section [auth]: how a caller is known, and the one key that tokens are verified with."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from app.model.signing import public_key
from app.settings.addresses import is_open_http
from app.settings.providers import Section
from app.settings.secret import Secret, resolved
from app.settings.values import Text, Written, refusal

# RFC 7518, 3.2: as long as the hash at least.
_LEAST_DEVELOPMENT_BYTES = 32
_SOURCES = ("jwks_url", "public_key", "development_key")


def _jwks_url(url: str) -> str:
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError
    if "@" in parts.netloc:
        raise refusal("must not hold a user or a password; remove them from the address")
    if "#" in url:
        raise refusal('must end before any "#"; remove it and what follows')
    if is_open_http(url):
        raise refusal("http is only for loopback; write an address that starts with https://")
    return url


def _pem(text: str) -> str:
    try:
        public_key(text)
    except ValueError:
        raise refusal(
            "is no public key that may verify tokens; write an RSA (2048 bits or more), "
            "P-256, P-384, P-521, Ed25519 or Ed448 public key in PEM"
        ) from None
    return text


def _development_key(key: SecretStr) -> SecretStr:
    # It brings a client for HTTP, which takes as long to load as half of all settings.
    from jwt.algorithms import HMACAlgorithm  # noqa: PLC0415 - only where such a key is set
    from jwt.exceptions import InvalidKeyError  # noqa: PLC0415 - as above

    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(key.get_secret_value())
    except InvalidKeyError:
        raise refusal(
            "is a key of another kind, which others may know; write random bytes"
        ) from None
    if len(key.get_secret_value().encode()) < _LEAST_DEVELOPMENT_BYTES:
        raise refusal(f"is too short; write at least {_LEAST_DEVELOPMENT_BYTES} random bytes")
    return key


JwksUrl = Annotated[
    str,
    AfterValidator(_jwks_url),
    Written('an address such as "https://login.example.com/.well-known/jwks.json"'),
]
PublicKey = Annotated[
    str,
    AfterValidator(_pem),
    BeforeValidator(resolved),
    Written('the issuer\'s public key in PEM, or "file:PATH" of where it is kept'),
]
DevelopmentKey = Annotated[Secret, AfterValidator(_development_key)]


class AuthSettings(Section):
    """Who may ask."""

    mode: Annotated[Literal["jwt", "none"], Written('"jwt" or "none"')] = Field(
        default="jwt",
        description='How a caller is known; "none" is refused unless the host is loopback.',
    )
    issuer: Text | None = Field(default=None, description="The `iss` that tokens must have.")
    audience: Text = Field(default="credit-gateway", description="The `aud` that tokens must have.")
    jwks_url: JwksUrl | None = Field(
        default=None,
        description="Where the issuer publishes its keys; https, or http to loopback.",
    )
    public_key: PublicKey | None = Field(
        default=None, description="The issuer's public key, in place of `jwks_url`."
    )
    development_key: DevelopmentKey | None = Field(
        default=None,
        description="A symmetric key (HS256) of at least 32 bytes for development, in place of "
        "both.",
    )
    customer_claim: Text = Field(
        default="customer", description="The claim that holds the customer's reference."
    )

    @model_validator(mode="after")
    def _one_way_to_verify(self) -> Self:
        if self.mode == "none":
            return self
        if self.issuer is None:
            raise refusal(
                "is missing; write the `iss` that tokens have, or auth.mode = "
                '"none" to let everyone on this machine read everything',
                "issuer",
            )
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if not given:
            raise refusal(
                "is missing; write where the issuer publishes its keys, or set auth.public_key "
                "or auth.development_key in its place",
                "jwks_url",
            )
        if len(given) > 1:
            raise refusal(f"is set beside auth.{given[0]}; remove one of them", given[1])
        return self
