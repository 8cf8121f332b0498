"""What does each person let us do, where does it stand, and how do they take it back?"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.audit import Actor
from consent import contacts, ledger, needs, places, purposes, standing
from consent.models import (
    Channel,
    ConsentEvent,
    ConsentState,
    Contact,
    Decision,
    Message,
    Notice,
    PreferenceLink,
    Purpose,
    Suppression,
)

Kind = ConsentEvent.Kind
WRITTEN = ConsentEvent.Permission.WRITTEN
Pair = tuple[str, str]
SOURCE = "choices"
# What is sent comes first, then what is done with the data.
ORDER = (
    purposes.MARKETING,
    "service",
    purposes.PERMISSION_REQUEST,
    "ai_use",
    purposes.VIEW_ANALYTICS,
    purposes.SHARING,
    purposes.SPECIAL_DATA,
    purposes.PHI_CONTENT,
)
# Nobody was asked: what holds then, by the lawful basis.
UNASKED = {
    Purpose.Basis.CONSENT: "none",
    Purpose.Basis.CONTRACT: "contract",
    Purpose.Basis.LEGITIMATE_INTEREST: "interest",
}
# What an agreement is called that the law of the person's places wants signed.
UNSIGNED = "unsigned"
ON = {Kind.CONFIRMED, Kind.GIVEN, Kind.CLAIMED, "contract", "interest", UNSIGNED}


@dataclass(frozen=True)
class Choice:
    """One purpose on one channel: a word for where it stands, and since when."""

    purpose_code: str
    channel: str
    word: str
    since: datetime | None

    @property
    def is_on(self) -> bool:
        """Say whether there is something to stop."""
        return self.word in ON


@dataclass(frozen=True)
class Act:
    """One act of the history: what was said of a purpose, on which channels, when and how."""

    event: ConsentEvent
    channels: tuple[str, ...]

    @property
    def notice(self) -> Notice | None:
        """Return the text that was shown."""
        return self.event.notice


@dataclass(frozen=True)
class Why:
    """Why a message was sent: for which purpose, and on which ground the gate let it pass."""

    purpose_code: str
    channel: str
    at: datetime
    code: str
    source: str


def of(*, contact: Contact, at: datetime) -> list[Choice]:
    """Return every purpose on every channel by which a person can be reached or ever was."""
    rows = {
        (row.purpose_code, row.channel): row for row in ConsentState.objects.filter(contact=contact)
    }
    reached = contacts.channels_of(contact)
    bases = _bases(at)
    known = _Known(places.countries(places.known_of(contact)), _stopped(contact), at)
    return [
        _choice((code, channel), rows.get((code, channel)), bases[code], known)
        for code in sorted(bases, key=_place)
        for channel in Channel.values
        if channel in reached or (code, channel) in rows
    ]


@transaction.atomic
def stop(*, link: PreferenceLink, at: datetime, pair: Pair | None = None) -> list[ConsentEvent]:
    """Take back one purpose on one channel, or (None) everything; it holds when it commits.

    Law: GDPR Art. 7(3), as easy as giving; Art. 21(3); 11 CCR 7026, no identity is asked for.
    """
    contact = link.contact
    return ledger.withdraw(
        contact=contact,
        act=ConsentEvent.Act.BUTTON,
        source=SOURCE,
        channels=[pair[1]] if pair else list(Channel.values),
        purposes=[pair[0]] if pair else None,
        at=at,
        actor=Actor("recipient", contact.public_id),
        evidence=evidence(link),
        means="page",
        via=link.channel,
    )


def stopped_last(*, contact: Contact) -> list[Pair]:
    """Return what a person's newest stop ended that they had agreed to: what an undo may offer."""
    events = list(ConsentEvent.objects.filter(contact=contact).order_by("number"))
    ends = [event for event in events if event.kind == Kind.WITHDRAWN]
    if not ends:
        return []
    newest = max(event.at for event in ends)
    pairs = [(event.purpose_code, event.channel) for event in ends if event.at == newest]
    return [pair for pair in sorted(pairs, key=_pair_place) if _was_on(pair, events)]


def history(*, contact: Contact) -> list[Act]:
    """Return every act of a person, newest first; one act on several channels is one."""
    events = ConsentEvent.objects.filter(contact=contact).select_related("notice", "purpose")
    groups: dict[tuple[object, ...], list[ConsentEvent]] = {}
    for event in events.order_by("-at", "-number", "purpose_code", "channel"):
        same = (event.at, event.kind, event.act, event.purpose_code, event.notice_id)
        groups.setdefault(same, []).append(event)
    return [
        Act(event=rows[0], channels=tuple(sorted({row.channel for row in rows})))
        for rows in groups.values()
    ]


def why(*, link: PreferenceLink) -> Why | None:
    """Return why the message was sent that carried a link; None if it came without one."""
    message = _message(link.message_id)
    if message is None:
        return None
    decision: Decision = message.hand_off_decision or message.decision
    reason = decision.reasons[0] if decision.reasons else {}
    return Why(
        purpose_code=message.purpose_code,
        channel=message.channel,
        at=message.sent_at or message.queued_at,
        code=str(reason.get("code", "")),
        source=str(reason.get("source", "")),
    )


def evidence(link: PreferenceLink) -> dict[str, object]:
    """Return what shows that an act came by a link: which, and with which message it was sent."""
    return {"link": str(link.pk), "message": str(link.message_id or "")}


def is_all_stopped(chosen: Iterable[Choice]) -> bool:
    """Say whether nothing is left that could be stopped."""
    return not any(choice.is_on for choice in chosen)


@dataclass(frozen=True)
class _Known:
    """What counts for every choice of a person."""

    countries: tuple[str, ...]
    stopped: dict[str, datetime]
    at: datetime


def _choice(pair: Pair, row: ConsentState | None, basis: str, known: _Known) -> Choice:
    stand = standing.standing_of(row) if row else None
    word = stand.effective(known.at) if stand else UNASKED[Purpose.Basis(basis)]
    since = stand.at if stand else None
    if stand and word in standing.AGREED and _wants_signature(pair, stand.permission, known):
        word = UNSIGNED
    if word in ON and pair[1] in known.stopped:
        # The gate looks at the address first: whatever was agreed to, nothing is sent to it.
        word, since = "suppressed", known.stopped[pair[1]]
    return Choice(*pair, word, since)


def _wants_signature(pair: Pair, given: str, known: _Known) -> bool:
    asked: dict[str, Any] = {
        "countries": known.countries,
        "purpose_code": pair[0],
        "channel": pair[1],
        "at": known.at,
    }
    return needs.permission(**asked) == WRITTEN and not needs.suffices(given, **asked)


def _bases(at: datetime) -> dict[str, str]:
    # An answer to a stop, or to a call for help, is nobody's choice: law allows it, and no more.
    answers = [purposes.STOP_CONFIRMATION, purposes.HELP_ANSWER]
    versions = Purpose.objects.filter(valid_from__lte=at).exclude(code__in=answers)
    versions = versions.order_by("version")
    return {row.code: row.basis for row in versions}


def _stopped(contact: Contact) -> dict[str, datetime]:
    indexes = {channel: contacts.stop_index(contact, channel) for channel in Channel.values}
    rows = Suppression.objects.filter(address_index__in=indexes.values(), lifted_at=None)
    return {
        row.channel: row.created_at
        for row in rows
        if row.address_index and indexes[row.channel] == row.address_index
    }


def _was_on(pair: Pair, events: list[ConsentEvent]) -> bool:
    own = [event for event in events if (event.purpose_code, event.channel) == pair]
    before = standing.fold(own[:-1])
    ended_now = own[-1].kind == Kind.WITHDRAWN
    return ended_now and before is not None and before.state in standing.AGREED


def _message(message_id: uuid.UUID | None) -> Message | None:
    rows = Message.objects.select_related("decision", "hand_off_decision")
    return rows.filter(pk=message_id).first() if message_id else None


def _place(code: str) -> tuple[int, str]:
    return (ORDER.index(code) if code in ORDER else len(ORDER), code)


def _pair_place(pair: Pair) -> tuple[tuple[int, str], int]:
    return _place(pair[0]), Channel.values.index(pair[1])
