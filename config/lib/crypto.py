"""How is a value sealed? AES-256-GCM with a versioned envelope; keyed hashes; signatures."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
# The first byte names the format, so that a later one can stand beside it.
VERSION = b"\x01"
# By so much a sealed value is longer than what it holds: version, nonce, tag.
ENVELOPE_BYTES = 1 + NONCE_BYTES + 16
HMAC_BLOCK_BYTES = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class SealBroken(Exception):
    """The sealed value was changed, moved to another place, or sealed under another key."""


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def seal(*, key: bytes, plaintext: bytes, context: str) -> bytes:
    """Seal a value to the place named by `context` (table, column and row)."""
    return sealer(key=key)(plaintext, context)


def sealer(*, key: bytes) -> Callable[[bytes, str], bytes]:
    """Return what seals (plaintext, context) as `seal` does, the cipher made once."""
    cipher = AESGCM(key)

    def sealed(plaintext: bytes, context: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + cipher.encrypt(nonce, plaintext, VERSION + context.encode())

    return sealed


def unseal(*, key: bytes, sealed: bytes, context: str) -> bytes:
    """Open a sealed value.

    :raises SealBroken: it does not authenticate at this place under this key.
    """
    sealed = bytes(sealed)
    if sealed[:1] != VERSION or len(sealed) < ENVELOPE_BYTES:
        raise SealBroken
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, VERSION + context.encode())
    except InvalidTag:
        raise SealBroken from None


def derive(*, key: bytes, label: str, salt: bytes = b"") -> bytes:
    """Derive an independent 32-byte key for one use."""
    kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt or None, b"sealcast/" + label.encode())
    return kdf.derive(key)


def keyed_hash(*, key: bytes, label: str, value: str) -> str:
    """Return HMAC-SHA256 in hex of a value within the realm named by `label`."""
    return keyed_hashes(key=key, label=label, values=[value])[0]


def keyed_hashes(*, key: bytes, label: str, values: Iterable[str]) -> list[str]:
    """Return the `keyed_hash` of each value in order."""
    inner, outer = _keyed(key, label)
    made = []
    for value in values:
        first, second = inner.copy(), outer.copy()
        first.update(value.encode())
        second.update(first.digest())
        made.append(second.hexdigest())
    return made


@lru_cache(maxsize=64)
def _keyed(key: bytes, label: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """Return the two states of RFC 2104: with them made once a value costs a sixth of an HMAC."""
    short = key if len(key) <= HMAC_BLOCK_BYTES else hashlib.sha256(key).digest()
    padded = short.ljust(HMAC_BLOCK_BYTES, b"\x00")
    inner = hashlib.sha256(padded.translate(_INNER) + label.encode() + b"\x00")
    return inner, hashlib.sha256(padded.translate(_OUTER))


def sign(*, seed: bytes, message: bytes) -> bytes:
    """Return the Ed25519 signature of a message."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public_key(*, seed: bytes) -> bytes:
    """Return the 32 raw bytes of the public half."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )


def signature_holds(*, public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether a signature was made over this message by the owner of the key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
