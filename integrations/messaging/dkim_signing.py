"""How does a mailbox know that a letter is ours? By DKIM, over the one-click headers too.

RFC 8058 lets a mail program show its button only where a signature covers both headers.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from integrations.messaging.letters import ONE_CLICK

SHORTEST_BITS = 2048
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
SIGNED = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", *ONE_CLICK)


class BadKey(ValueError):
    """What was typed is no RSA key of 2048 bits or more, or lacks its domain or selector."""


@dataclass(frozen=True)
class Signer:
    """One key, and where its public half is published: `selector._domainkey.domain`."""

    domain: str
    selector: str
    key_pem: bytes = field(repr=False)

    def signed(self, letter: bytes) -> bytes:
        """Return a letter with its signature before it."""
        header: bytes = dkim.sign(
            letter,
            self.selector.encode(),
            self.domain.encode(),
            self.key_pem,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode().lower() for name in SIGNED],
            linesep=b"\r\n",
        )
        return header + letter


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
    return Signer(domain, selector, _pem(typed))


def _pem(typed: str) -> bytes:
    # A line of a form has no breaks: what is between BEGIN and END is taken, however it is broken.
    middle = typed.split("-----")[2] if typed.count("-----") >= 4 else typed
    try:
        der = base64.b64decode("".join(middle.split()), validate=True)
        key = load_der_private_key(der, None)
    except (binascii.Error, ValueError, TypeError):
        raise BadKey from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SHORTEST_BITS:
        raise BadKey
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
