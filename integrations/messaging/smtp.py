"""How does a letter go by SMTP? Over TLS 1.3 with a checked certificate, or not at all.

Each command tells how far it came: until the letter itself begins to leave, nothing was taken. Once
it has, only a reply of the server says what became of it; without one nobody knows.
"""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from typing import Any

from django.core.mail.backends.smtp import EmailBackend  # noqa: TID251  behind consent.outbox

from config.lib import clock, http
from integrations import inbox
from integrations.messaging import dkim_signing, letters
from integrations.messaging.base import (
    THANKS,
    Event,
    NotAnEvent,
    OutgoingMessage,
    Posted,
    ProviderError,
    Sent,
)
from integrations.messaging.wire import per_second
from integrations.models import Connection

IMPLICIT_TLS_PORT, USUAL_PORT = 465, "587"
TIMEOUT_SECONDS = 10
# The certificate of an authority on this machine, for stand-ins; only then is loopback allowed.
LOOPBACK_AUTHORITY = ""
OK_STATUS = 250
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# RFC 3463: no such mailbox, no such system, moved, no mail taken, disabled.
_GONE = re.compile(r"5\.(1\.[1236]|1\.10|2\.1)(?![0-9])")
_ENHANCED = re.compile(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}")


class _Backend(EmailBackend):
    """Django's, with a context of our own: TLS 1.3, and the certificate is checked by name."""

    @property
    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=LOOPBACK_AUTHORITY or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


class SmtpProvider:
    """One account at one mail server."""

    channels: tuple[str, ...] = ("email",)
    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        held = connection.credentials_sealed
        self._held: dict[str, str] = held if isinstance(held, dict) else {}
        # Each letter has a connection of its own: a server that takes few at once is met by pace.
        self.per_second = per_second(provider="smtp", held=self._held)

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one letter over.

        :raises ProviderError: with its outcome.
        """
        if message.channel not in self.channels:
            raise ProviderError("permanent", "channel_unknown")
        sender = letters.sender_of(self._held)
        letter = self._signed(letters.written(message, sender=sender, at=clock.now()))
        address = letters.plain_address(message.address)
        with self._opened() as server:
            _before(server.mail, sender.address, refused="sender_refused", is_ours=True)
            _before(server.rcpt, address, refused="recipient_refused")
            _hand_over(server, letter)
        return Sent(message.message_id.hex)

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Refuse: a mail server posts nothing.

        :raises NotAnEvent: always.
        """
        raise NotAnEvent

    def check(self) -> str:
        """Sign in and out again; nothing is sent to anybody."""
        try:
            letters.sender_of(self._held)
            self._signed(b"From: a@example.org\r\n\r\nx\r\n")
            with self._opened() as server:
                server.noop()
        except ProviderError as failed:
            return PROBLEMS.get(failed.code, "The mail server gave no answer. Try again later.")
        except OSError:
            return "The mail server gave no answer. Try again later."
        return ""

    def _signed(self, letter: bytes) -> bytes:
        try:
            signer = dkim_signing.signer_of(self._held)
        except dkim_signing.BadKey:
            # Unsigned it would be taken for forged, and the one-click button would be gone.
            raise ProviderError("transient", "dkim_key_unusable") from None
        return signer.signed(letter, at=clock.now()) if signer else letter

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        backend = self._backend()
        try:
            # A context manager of ours, so that no failure to say goodbye looks like one to send.
            yield _connected(backend)
        finally:
            with contextlib.suppress(OSError):
                backend.close()

    def _backend(self) -> _Backend:
        host, port = self._of("host"), self._of("port") or USUAL_PORT
        if not _HOST.fullmatch(host) or not (port.isascii() and port.isdigit()):
            raise ProviderError("transient", "credentials_unreadable")
        try:
            http.require_public(host=host, port=int(port), loopback=bool(LOOPBACK_AUTHORITY))
        except http.Refused:
            raise ProviderError("transient", "host_refused") from None
        except http.CallFailed:
            raise ProviderError("transient", "no_connection") from None
        is_implicit = int(port) == IMPLICIT_TLS_PORT
        return _Backend(
            host=host,
            port=int(port),
            username=self._of("username"),
            password=self._of("password"),
            use_ssl=is_implicit,
            # Required, not offered: without it Django's backend sends nothing at all.
            use_tls=not is_implicit,
            timeout=TIMEOUT_SECONDS,
        )

    def _of(self, name: str) -> str:
        return str(self._held.get(name) or "")


def _connected(backend: _Backend) -> Any:
    """Open the connection: of the letter nothing has left, whatever goes wrong."""
    try:
        backend.open()
    except smtplib.SMTPAuthenticationError:
        raise ProviderError("transient", "account_refused") from None
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError):
        raise ProviderError("transient", "no_connection") from None
    except (smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException):
        raise ProviderError("transient", "not_secure") from None
    except ssl.SSLError:
        raise ProviderError("transient", "certificate_refused") from None
    except (OSError, ValueError):
        raise ProviderError("transient", "no_connection") from None
    return backend.connection


def _before(command: Any, address: str, *, refused: str, is_ours: bool = False) -> None:
    """Say a command that comes before the letter; `is_ours`: a refusal is about us, not the person.

    What is about us waits for whoever mends it, as with a wrong key.
    """
    try:
        status, words = command(address)
    except (OSError, ValueError):
        raise ProviderError("transient", "no_answer") from None
    if status != OK_STATUS:
        failed = _refusal(status, words, refused)
        raise ProviderError("transient", refused) if is_ours else failed


def _hand_over(server: Any, letter: bytes) -> None:
    """Let the letter leave."""
    try:
        status, words = server.data(letter)
    except smtplib.SMTPDataError as failed:
        # It said no before a byte of the letter had left.
        raise _refusal(failed.smtp_code, failed.smtp_error, "letter_refused") from None
    except (OSError, ValueError):
        raise ProviderError("unknown", "no_answer") from None
    if status == OK_STATUS:
        return
    if not 400 <= status < 600:
        raise ProviderError("unknown", "no_answer")
    raise _refusal(status, words, "letter_refused")


def _refusal(status: int, words: object, code: str) -> ProviderError:
    """Return what a reply means; its words may hold the address, so that its code alone is kept."""
    text = words.decode("ascii", "replace") if isinstance(words, bytes) else str(words)
    found = _ENHANCED.match(text)
    if 500 <= status < 600:
        if _GONE.match(text):
            return ProviderError("permanent", inbox.BOUNCED)
        return ProviderError("permanent", f"{code} {found.group()}" if found else code)
    return ProviderError("transient", f"{code} {found.group()}" if found else code)


PROBLEMS = {
    "account_refused": "The mail server refuses the user or the password. Enter them again.",
    "not_secure": "The mail server offers no TLS. Use one that does, on port 465 or 587.",
    "certificate_refused": "The mail server's certificate is not valid for its name, or its TLS is "
    "older than 1.3. Nothing was sent.",
    "host_refused": "The mail server has a private address, which is not called.",
    "credentials_unreadable": "Enter the mail server's name, without a port, and its port.",
    "sender_unusable": "Enter the sender's address, such as news@example.org.",
    "dkim_key_unusable": "The DKIM key is no RSA key of 2048 bits, or its domain or selector "
    "is missing.",
}
