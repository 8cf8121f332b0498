"""What must a messaging provider offer, and how does it fail?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

Outcome = Literal["permanent", "transient", "unknown"]


class ProviderError(Exception):
    """A message was not taken, or nobody can say: `outcome` tells which, `code` why.

    permanent: it will never be taken. transient: it was not taken, try later.
    unknown: the request left and no answer came; it must not be sent again by itself.
    The code `opted_out` (of `integrations.inbox`) says that the person stopped at the provider.
    """

    def __init__(self, outcome: Outcome, code: str) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome: Outcome = outcome
        self.code = code


@dataclass(frozen=True)
class OutgoingMessage:
    """One message as it leaves; its id is the idempotency key at the provider."""

    message_id: UUID
    channel: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # WhatsApp: the person has written within the last day, so that words of our own may go.
    within_window: bool = False
    # It asks for consent: on WhatsApp under the template that asks, and under no other.
    is_question: bool = False


THANKS = ("application/json", '{"status": "kept"}')


@dataclass(frozen=True)
class Sent:
    """The provider took it, and calls it by this name."""

    provider_message_id: str


@dataclass(frozen=True)
class Asked:
    """A message whose answer never came, as it left, and the instant of its claim."""

    message: OutgoingMessage = field(repr=False)
    left_at: datetime


@dataclass(frozen=True)
class Found:
    """What a provider's own list says of one message: its name there, and how far it came."""

    provider_message_id: str
    status: Literal["sent", "delivered", "failed"]
    code: str = ""


@dataclass(frozen=True)
class KnownTemplate:
    """One template of an account, as its provider tells of it; it says nothing of anybody."""

    # By which name it is asked for when a message is sent.
    code: str
    title: str
    language: str = ""
    category: str = ""
    # As the provider writes it, in any letters.
    state: str = ""
    quality: str = ""
    words: str = ""
    # Why Meta rejected it, where the provider passes that on.
    reason: str = ""


class NotAnEvent(ValueError):
    """What came to the webhook is not an event in this provider's format."""


class NotSigned(NotAnEvent):
    """What came lacks the signature that this provider puts under everything it posts."""


@dataclass(frozen=True)
class Posted:
    """One request to our webhook; `url` is the address as the provider knows it."""

    body: bytes = field(repr=False)
    url: str = field(default="", repr=False)
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Event:
    """One thing a provider tells us, in the words that the inbox keeps for all providers."""

    kind: str
    dedupe_key: str
    body: Mapping[str, str] = field(repr=False)


class MessagingProvider(Protocol):
    """One account at one provider."""

    channels: tuple[str, ...]
    # What the provider wants to read when its post was taken: content type and body.
    thanks: tuple[str, str]

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one message over.

        :raises ProviderError: with its outcome.
        """

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read what the provider posted to our webhook; empty if it tells nothing we act upon.

        :raises NotSigned: the provider signs, and this is not signed by it.
        :raises NotAnEvent: it is not in the provider's format.
        """

    def check(self) -> str:
        """Return the empty text if the account answers, else what is wrong and how to mend it."""


@runtime_checkable
class KeepsStops(Protocol):
    """A provider that could write to a person by itself, and can be told not to."""

    channels: tuple[str, ...]

    def stop(self, *, address: str, channel: str) -> None:
        """Put an address on the provider's own stop list; doing it twice does nothing twice.

        :raises ProviderError: with its outcome.
        """


@runtime_checkable
class Paced(Protocol):
    """A provider whose calls may be made from several threads: they need no database.

    `per_second` is how many messages a second the vendor takes of this sender.
    """

    channels: tuple[str, ...]
    thanks: tuple[str, str]
    per_second: float

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one message over; called from several threads at once.

        :raises ProviderError: with its outcome.
        """


@runtime_checkable
class LooksUp(Protocol):
    """A provider that can be asked later what became of a message it never answered about."""

    def look_up(self, asked: Sequence[Asked]) -> Mapping[UUID, Sequence[Found]]:
        """Return for each of our messages all that could be it; sends nothing.

        A message that is not in the answer could not be looked up, or is not there.
        :raises ProviderError: no answer came, or the list was too long to be read whole.
        """


@runtime_checkable
class KeepsTemplates(Protocol):
    """A provider whose WhatsApp messages need a template, and which can name those it has."""

    def templates(self) -> Sequence[KnownTemplate]:
        """Return all templates of the account with their state.

        :raises ProviderError: no whole list came.
        """
