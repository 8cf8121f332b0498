"""How does a message become a letter? Plain words, the two one-click headers, and nothing hidden.

No picture that tells when it was opened, no link that is counted: the words go as they were judged.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from integrations.messaging.base import OutgoingMessage, ProviderError

# What may be set by who sends; everything else is written here.
ONE_CLICK = ("List-Unsubscribe", "List-Unsubscribe-Post")
LONGEST_ADDRESS = 254
_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
# Seven bits on the way: a signature over the bytes holds whatever relay comes after.
_WIRE = policy.SMTP.clone(cte_type="7bit", max_line_length=998)


@dataclass(frozen=True)
class Sender:
    """Who writes: address and name."""

    address: str
    name: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def sender_of(held: Mapping[str, str]) -> Sender:
    """Return the sender of a connection.

    :raises ProviderError: its address cannot be used, until somebody mends it.
    """
    name = " ".join(str(held.get("sender_name") or "").split())
    try:
        return Sender(plain_address(str(held.get("sender") or "")), name)
    except ProviderError:
        raise ProviderError("transient", "sender_unusable") from None


def plain_address(address: str) -> str:
    """Return an address as it may stand in a command: nothing in it can end a line or a list.

    :raises ProviderError: it cannot be written so.
    """
    box, _, domain = address.strip().rpartition("@")
    try:
        written = f"{box}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise ProviderError("permanent", "address_unusable") from None
    if len(written) > LONGEST_ADDRESS or not _PLAIN.fullmatch(written):
        raise ProviderError("permanent", "address_unusable")
    return written


def one_click(message: OutgoingMessage) -> dict[str, str]:
    """Return the headers that a message brings, of those that it may bring.

    Law: RFC 8058, section 3.1.
    :raises ProviderError: a value would begin another header.
    """
    kept = {name: message.headers[name] for name in ONE_CLICK if name in message.headers}
    if any(set(value) & {"\r", "\n"} for value in kept.values()):
        raise ProviderError("permanent", "header_unusable")
    return kept


def subject_of(message: OutgoingMessage) -> str:
    """Return the subject on one line; none is no letter.

    :raises ProviderError: it is empty.
    """
    subject = " ".join(message.subject.split())
    if not subject:
        raise ProviderError("permanent", "no_subject")
    return subject


def written(message: OutgoingMessage, *, sender: Sender, at: datetime) -> bytes:
    """Write a message as the bytes of a letter.

    :raises ProviderError: it cannot be one.
    """
    letter = EmailMessage(policy=_WIRE)
    letter["From"] = Address(sender.name, addr_spec=sender.address)
    letter["To"] = Address(addr_spec=plain_address(message.address))
    letter["Subject"] = subject_of(message)
    letter["Date"] = format_datetime(at)
    # Our own name for the message: a second copy would be seen to be one.
    letter["Message-ID"] = f"<{message.message_id.hex}@{sender.domain}>"
    for name, value in one_click(message).items():
        letter[name] = value
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text, charset="utf-8", cte="base64")
    return letter.as_bytes()
