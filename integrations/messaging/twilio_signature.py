"""Was it Twilio that called? The algorithm of its own validator, in constant time.

HMAC-SHA1 is Twilio's choice; forging it needs the auth token, not a collision. There is no time in
it, so a replay is met by the dedupe key of each event.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit, urlunsplit

HEADER = "X-Twilio-Signature"
BODY_HASH = "bodySHA256"
PORTS = {"https": 443, "http": 80}


def is_signed(
    *, token: str, url: str, fields: Iterable[tuple[str, str]] | None, body: bytes, signature: str
) -> bool:
    """Say whether Twilio signed a post to `url`; `fields` is None where the body is no form."""
    if not token or not signature:
        return False
    if fields is None:
        named = parse_qs(urlsplit(url).query).get(BODY_HASH, [""])[0]
        told = hashlib.sha256(body).hexdigest()
        if not hmac.compare_digest(named.encode(), told.encode()):
            return False
    signed = _joined(fields or ())
    # Twilio signs with or without the port, by the age of the sender: both, and no early end.
    matches = [
        hmac.compare_digest(sign(token=token, text=place + signed).encode(), signature.encode())
        for place in _places(url)
    ]
    return any(matches)


def sign(*, token: str, text: str) -> str:
    """Return the signature of a text under an auth token."""
    mac = hmac.new(token.encode(), text.encode(errors="surrogateescape"), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def _joined(fields: Iterable[tuple[str, str]]) -> str:
    # Twice the same name and value counts once, as in Twilio's own validator.
    return "".join(name + value for name, value in sorted(set(fields)))


def _places(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or PORTS.get(parts.scheme, 443)
    return tuple(  # type: ignore[return-value]
        urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{port}")
    )
