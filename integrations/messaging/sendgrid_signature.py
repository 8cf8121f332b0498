"""Was it SendGrid that posted? ECDSA over its time and the raw bytes, as its own verifier does it.

The bytes as they came, a line break at their end too: parsed and written again they would not hold.
"""

import base64
import binascii
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
# It tries again for a day, and nobody says whether with a new time. Events are taken once.
OLDEST, AHEAD = timedelta(hours=25), timedelta(minutes=5)


def is_signed(*, key: str, body: bytes, signature: str, stamp: str, at: datetime) -> bool:
    """Say whether a post was signed with the private half of `key` (base64 of its DER)."""
    public = public_key(key)
    if public is None or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    try:
        signed = base64.b64decode(signature, validate=True)
        public.verify(signed, stamp.encode() + body, ECDSA(SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return -AHEAD <= timedelta(seconds=at.timestamp() - int(stamp)) <= OLDEST


def public_key(key: str) -> EllipticCurvePublicKey | None:
    """Return the key that SendGrid shows; None if it is none on the curve P-256."""
    try:
        found = load_der_public_key(base64.b64decode("".join(key.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    is_known = isinstance(found, EllipticCurvePublicKey) and isinstance(found.curve, SECP256R1)
    return found if is_known else None  # type: ignore[return-value]
