"""With which certificate is a video marked as made with AI? One PEM file of mode 0600.

It holds a private key, the certificate of that key, and those that vouch for it. Whoever has
none from an authority gets a root of their own: it proves that the bytes are unchanged since we
made them, and is trusted by those who were given it.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIVES = timedelta(days=3650)
# A clock that is behind ours must not find the certificate unborn.
BORN_BEFORE = timedelta(days=1)
_CURVES = {256: "es256", 384: "es384", 521: "es512"}
_PEM = serialization.Encoding.PEM


class SignerUnavailable(Exception):
    """The content signer cannot be used; the text says why, in words fit for a page."""


@dataclass(frozen=True, repr=False)
class ContentSigner:
    """A key and its certificates, the signer's first, as PEM; `algorithm` by its C2PA name."""

    algorithm: str
    key: bytes
    chain: bytes
    anchor: bytes


def generate(*, at: datetime) -> str:
    """Return a new key, its certificate and a root of our own, as PEM."""
    root_key, key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    root_name = _name("Sealcast content root")
    root = (
        _certificate(root_name, root_name, root_key, at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(root_key, None)
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    own = (
        _certificate(_name("Sealcast content signer"), root_name, key, at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        # The use that C2PA asks of a certificate that signs content.
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(issuer, critical=False)
        .sign(root_key, None)
    )
    parts = [_key_pem(key), own.public_bytes(_PEM), root.public_bytes(_PEM)]
    return b"".join(parts).decode()


def parse(text: str) -> ContentSigner:
    """Read a signer from its PEM.

    :raises SignerUnavailable: a part is missing, or the certificate is not the key's.
    """
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
        chain = x509.load_pem_x509_certificates(text.encode())
        same = chain[0].public_key() == key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause is dropped on purpose: its text could quote the key.
        raise SignerUnavailable("damaged: it is not a key with its certificates") from None
    if not same:
        raise SignerUnavailable("mixed up: its first certificate is another key's")
    certificates = [one.public_bytes(_PEM) for one in chain]
    return ContentSigner(_algorithm(key), _key_pem(key), b"".join(certificates), certificates[-1])


def load(*, path: Path, environment: Mapping[str, str] = os.environ) -> ContentSigner:
    """Read the signer from SEALCAST_CONTENT_SIGNER or from the file.

    :raises SignerUnavailable: it is missing, open to others, or damaged.
    """
    if environment.get("SEALCAST_CONTENT_SIGNER"):
        return parse(environment["SEALCAST_CONTENT_SIGNER"])
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SignerUnavailable("too open: others can read its file; set its mode to 0600")
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SignerUnavailable("missing: its file is not there") from None
    except OSError:
        raise SignerUnavailable("unreadable: its file cannot be read") from None


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: Ed25519PrivateKey, at: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BORN_BEFORE)
        .not_valid_after(at + LIVES)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sealcast"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _algorithm(key: object) -> str:
    if isinstance(key, Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size in _CURVES:
        return _CURVES[key.curve.key_size]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise SignerUnavailable("of a kind that C2PA does not know; use Ed25519, P-256 or RSA")


def _key_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
