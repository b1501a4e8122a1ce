"""Who vouches for servers on loopback, and the certificates that it gives them."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_DAY = timedelta(days=1)
_OWN = x509.IPAddress(ip_address("127.0.0.1"))


class Term(NamedTuple):
    """For how long a certificate is good, from the present time."""

    begins: timedelta = -_DAY
    ends: timedelta = _DAY


_NOW = Term()
OVER = Term(-3 * _DAY, -_DAY)


class Authority:
    """Signs certificates; `file` holds its own, for those who trust it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        # Newer Pythons take an authority only if it says that it is one and for what.
        signs = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        own = (
            _begun(self._name, self._key.public_key(), self._name, _NOW)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(signs, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def vouch(self, host: x509.GeneralName = _OWN, term: Term = _NOW) -> ssl.SSLContext:
        """Return what a server needs in order to be taken for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        public, subject = key.public_key(), x509.Name([])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _begun(subject, public, self._name, term)
            .add_extension(x509.SubjectAlternativeName([host]), critical=True)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{certificate.serial_number}.pem"
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _begun(
    subject: x509.Name, public: ec.EllipticCurvePublicKey, issuer: x509.Name, term: Term
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + term.begins)
        .not_valid_after(now + term.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
