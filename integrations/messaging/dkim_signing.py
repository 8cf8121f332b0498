"""How does a mailbox know that a letter is ours? By DKIM, over the one-click headers too.

RFC 8058 lets a mail program show its button only where a signature covers both headers. RFC
6376 is written here, on `cryptography`: the known library comes as source only, and nothing here
is built on the reader's machine.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from integrations.messaging.letters import ONE_CLICK

SHORTEST_BITS = 2048
# Named once more than it stands there: a second one, put in on the way, breaks the signature.
TWICE = ("from", "to", "subject", *(name.lower() for name in ONE_CLICK))
ONCE = ("date", "message-id", "mime-version", "content-type", "content-transfer-encoding")
LINE = 72
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_BLANKS = re.compile(rb"[ \t]+")


class BadKey(ValueError):
    """What was typed is no RSA key of 2048 bits or more, or lacks its domain or selector."""


@dataclass(frozen=True)
class Signer:
    """One key, and where its public half is published: `selector._domainkey.domain`."""

    domain: str
    selector: str
    key: RSAPrivateKey = field(repr=False)

    def signed(self, letter: bytes, *, at: datetime) -> bytes:
        """Return a letter of CRLF lines with its signature before it.

        Law: RFC 8058, section 4: the signature covers both one-click headers.
        """
        head, _, body = letter.partition(b"\r\n\r\n")
        there = _headers(head)
        names = [name for name in ONCE if name in there]
        names += [name for name in TWICE for _ in range(2 if name in there else 1)]
        tags = [
            "v=1; a=rsa-sha256; c=relaxed/relaxed;",
            f"d={self.domain}; s={self.selector}; t={int(at.timestamp())};",
            f"h={':'.join(names)};",
            f"bh={base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()};",
            "b=",
        ]
        unsigned = "\r\n\t".join(tags)
        # What is named and not there counts as nothing, and must stay so.
        told = [there.pop(name) for name in names if name in there]
        text = b"".join(told) + relaxed_header(f"DKIM-Signature: {unsigned}".encode())
        mac = base64.b64encode(self.key.sign(text, PKCS1v15(), SHA256())).decode()
        lines = "\r\n\t".join(mac[place : place + LINE] for place in range(0, len(mac), LINE))
        return f"DKIM-Signature: {unsigned}{lines}\r\n".encode() + letter


def signer_of(held: Mapping[str, str]) -> Signer | None:
    """Return the signer of a connection; None where no key is configured.

    :raises BadKey: what is configured cannot sign.
    """
    typed = str(held.get("dkim_key") or "")
    if not typed:
        return None
    domain, selector = str(held.get("dkim_domain") or ""), str(held.get("dkim_selector") or "")
    if not _NAME.fullmatch(domain) or not _NAME.fullmatch(selector):
        raise BadKey
    return Signer(domain, selector, _key(typed))


def relaxed_header(header: bytes) -> bytes:
    """Return one header as it is hashed, without a line break at its end (RFC 6376, 3.4.2)."""
    name, _, value = header.partition(b":")
    value = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value


def relaxed_body(body: bytes) -> bytes:
    """Return a body as it is hashed (RFC 6376, 3.4.4)."""
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _headers(head: bytes) -> dict[str, bytes]:
    """Return the headers of a letter of our own, each of which stands there once."""
    whole = re.split(rb"\r\n(?![ \t])", head)
    return {
        one.partition(b":")[0].strip().lower().decode(): relaxed_header(one) + b"\r\n"
        for one in whole
    }


def _key(typed: str) -> RSAPrivateKey:
    # A line of a form has no breaks: what is between BEGIN and END is taken, however it is broken.
    middle = typed.split("-----")[2] if typed.count("-----") >= 4 else typed
    try:
        der = base64.b64decode("".join(middle.split()), validate=True)
        key = load_der_private_key(der, None)
    except (binascii.Error, ValueError, TypeError):
        raise BadKey from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SHORTEST_BITS:
        raise BadKey
    return key
