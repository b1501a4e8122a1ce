"""Which algorithms a public key may have signed a token with: its type decides, never the token."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

VerifyingKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

# RFC 7518, 3.3: a key of 2048 bits or larger must be used.
_LEAST_RSA_BITS = 2048
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
# RFC 7518, 3.4: each belongs to one curve.
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def algorithms(key: object) -> frozenset[str]:
    """Return the algorithms that a key may be used with; none for what verifies no token here."""
    if isinstance(key, RSAPublicKey):
        return _RSA if key.key_size >= _LEAST_RSA_BITS else frozenset()
    if isinstance(key, EllipticCurvePublicKey):
        return frozenset({_CURVES[key.curve.name]} if key.curve.name in _CURVES else ())
    if isinstance(key, (Ed25519PublicKey, Ed448PublicKey)):
        return frozenset({"EdDSA"})
    return frozenset()


def public_key(pem: str) -> VerifyingKey:
    """Return the public key in a PEM text; `ValueError` where it holds none that may be used."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError from None
    if not isinstance(key, VerifyingKey) or not algorithms(key):
        raise ValueError
    return key
