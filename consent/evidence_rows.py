"""Whose act is a row of evidence, and does it turn their claim into consent? A chunk at a time."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts import keys
from accounts.audit import Actor
from accounts.models import Partner
from consent import contacts, elements, ledger, permissions, purposes, standing, suppression
from consent.elements import Elements, Giving
from consent.evidence_lists import EvidenceRow, problem
from consent.ledger import Particulars
from consent.lists import RowProblem
from consent.models import (
    Channel,
    ConsentEvent,
    ConsentState,
    Contact,
    Notice,
    Purpose,
    RenderedForm,
)
from consent.standing import Standing

Permission = ConsentEvent.Permission
TURNS, KEPT, STOPPED = "turns", "kept", "stopped"
# Where the list says what an element of the law is called otherwise.
COLUMN_OF = {
    "agreement": "notice",
    "disclosure": "form_sha256",
    "form": "form_sha256",
    "order": "reference",
    "sold_at": "said_at",
    "happened_at": "said_at",
    "number": "address",
}


# What else a kind is made of: its elements by the columns that tell them, and those declared.
TOLD_BY_KIND: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    Permission.WRITTEN: (
        {"number": "address", "signature": "signature", "signature_kind": "signature_kind"},
        ("authorises_advertising", "authorises_automated", "not_a_condition"),
    ),
    Permission.SOFT_OPT_IN: (
        {"order": "reference", "product_class": "product_class"},
        ("opt_out_shown", "similar_goods"),
    ),
    Permission.IMPLIED_PURCHASE: ({"reference": "reference"}, ()),
    Permission.IMPLIED_INQUIRY: ({"reference": "reference"}, ()),
}
WHEN_BY_KIND: dict[str, str] = {
    Permission.SOFT_OPT_IN: "sold_at",
    Permission.IMPLIED_PURCHASE: "happened_at",
    Permission.IMPLIED_INQUIRY: "happened_at",
}


class _Bad(Exception):
    def __init__(self, column: str, words: str) -> None:
        super().__init__(words)
        self.column, self.words = column, words


@dataclass(frozen=True)
class Judged:
    """A row with whose it is, and what would come of it."""

    row: EvidenceRow
    contact: Contact
    permission: Elements
    particulars: Particulars
    outcome: str


class Judge:
    """Reads what a chunk of rows rests on in a few statements, and judges each row by it."""

    def __init__(self, *, partner: Partner | None, at: datetime) -> None:
        self._partner, self._at = partner, at
        self._versions = list(Purpose.objects.order_by("code", "version"))
        self._people: dict[str, Contact] = {}
        self._notices: dict[str, Notice] = {}
        self._forms: dict[str, RenderedForm] = {}
        self._states: dict[tuple[object, str, str], Standing] = {}
        self._stopped: dict[str, set[str]] = {}

    def judge(
        self, rows: Sequence[EvidenceRow], *, hold: bool = False
    ) -> list[Judged | RowProblem]:
        """Judge some rows; with `hold`, people are held until the caller's transaction ends."""
        self._read(rows, hold=hold)
        found: list[Judged | RowProblem] = []
        for row in rows:
            try:
                found.append(self._one(row))
            except _Bad as fault:
                found.append(problem(row, fault.column, fault.words))
        return found

    def purpose(self, row: EvidenceRow) -> Purpose:
        """Return the version of the purpose that was in force when the act was done."""
        code, said_at = row.text("purpose"), row.said_at
        held = [row for row in self._versions if row.code == code and row.valid_from <= said_at]
        if not held:
            raise _Bad("said_at", "There was no such purpose at that time.")
        return held[-1]

    def _read(self, rows: Sequence[EvidenceRow], *, hold: bool) -> None:
        wanted = {self._index(row) for row in rows}
        people = Contact.objects.select_related("key", "place").filter(
            Q(email_index__in=wanted) | Q(phone_index__in=wanted), erased_at=None
        )
        if hold:
            # In one order everywhere, so that two lists never wait for each other in a ring.
            people = people.select_for_update(of=("self",)).order_by("pk")
        self._people = {
            index: person
            for person in people
            for index in (person.email_index, person.phone_index)
            if index
        }
        hashes = {row.text("notice_sha256") or _hash(row.text("notice")) for row in rows}
        shown = Notice.objects.select_related("purpose").in_bulk(list(hashes))
        self._notices = {**self._notices, **shown}
        self._forms |= RenderedForm.objects.in_bulk(
            list({row.text("form_sha256") for row in rows} - {"", *self._forms})
        )
        self._states = {
            (state.contact_id, state.purpose_code, state.channel): standing.standing_of(state)
            for state in ConsentState.objects.filter(contact__in=self._people.values())
        }
        self._stopped = {channel: self._stops(channel) for channel in Channel.values}

    def _stops(self, channel: str) -> set[str]:
        indexes = {contacts.stop_index(person, channel) for person in self._people.values()}
        return suppression.in_force(channel=channel, indexes=indexes - {""})

    def _index(self, row: EvidenceRow) -> str:
        return contacts.index_of(
            partner_id=self._partner.pk if self._partner else None,
            field=contacts.field_of(row.text("channel")),
            value=row.text("address"),
        )

    def _one(self, row: EvidenceRow) -> Judged:
        contact = self._whose(row)
        notice, form = self._notice(row), self._form(row)
        permission = _permission(row, notice, form)
        if row.text("act") not in permission.acts:
            raise _Bad("act", f"{permission.kind()} is not given by such an act.")
        particulars = permissions.completed(permission, _particulars(row, form))
        giving = self.giving(row, contact)
        try:
            permissions.check(giving, permission, particulars)
        except permissions.MissingElement as fault:
            column = COLUMN_OF.get(fault.name, fault.name)
            raise _Bad(column, f"The element {fault.name} is missing, false or wrong.") from None
        except ledger.NotAnAct as fault:
            raise _Bad("permission", f"{fault}.") from None
        except purposes.OneBoxTwoPurposes:
            raise _Bad("notice", "These words were shown for another purpose.") from None
        outcome = self._outcome(row, contact, permission, giving)
        return Judged(row, contact, permission, particulars, outcome)

    def giving(self, row: EvidenceRow, contact: Contact) -> Giving:
        """Return the act of a row."""
        purpose_code, channel = row.text("purpose"), row.text("channel")
        return Giving(contact, purpose_code, channel, row.text("act"), self._at)

    def _whose(self, row: EvidenceRow) -> Contact:
        contact = self._people.get(self._index(row))
        if contact is None or not keys.opens(key=contact.key, at=self._at):
            raise _Bad("address", "Nobody has this address here. Import the person first.")
        moved_at = getattr(contact, f"{contacts.field_of(row.text('channel'))}_set_at")
        if moved_at is not None and row.said_at < moved_at:
            raise _Bad("said_at", "The person had another address when this was said.")
        return contact

    def _notice(self, row: EvidenceRow) -> Notice | None:
        text, sha256 = row.text("notice"), row.text("notice_sha256")
        if not text and not sha256:
            return None
        if text and sha256 and sha256 != _hash(text):
            raise _Bad("notice_sha256", "This is not the hash of the words in this row.")
        sha256 = sha256 or _hash(text)
        if sha256 not in self._notices:
            if not text:
                raise _Bad("notice_sha256", "These words are not known here: send them once.")
            # Kept when the list is imported; a check writes nothing.
            self._notices[sha256] = Notice(
                sha256=sha256,
                purpose=self.purpose(row),
                language=row.text("language") or "en",
                text=text,
                created_at=self._at,
            )
        return self._notices[sha256]

    def _form(self, row: EvidenceRow) -> RenderedForm | None:
        sha256 = row.text("form_sha256")
        if sha256 and sha256 not in self._forms:
            raise _Bad("form_sha256", "This form is not known here: send it once.")
        return self._forms.get(sha256)

    def _outcome(
        self, row: EvidenceRow, contact: Contact, permission: Elements, giving: Giving
    ) -> str:
        before = self._states.get((contact.pk, giving.purpose_code, giving.channel))
        stops = self._stopped[giving.channel]
        if contacts.stop_index(contact, giving.channel) in stops:
            return STOPPED
        if before is not None and before.state in standing.NO:
            # Not even a newer yes: only what the person does with us undoes a no.
            return STOPPED
        event = ConsentEvent(
            kind=ConsentEvent.Kind.GIVEN,
            act=giving.act,
            permission=permission.kind(),
            at=self._at,
            said_at=row.said_at,
            valid_until=permission.valid_until(giving),
        )
        self.purpose(row)
        return KEPT if standing.step(before, event) == before else TURNS


class Writer:
    """Gathers what a chunk of judged rows writes, so that thousands are a few statements."""

    def __init__(self, *, judge: Judge, file_sha256: str, at: datetime, actor: Actor) -> None:
        self._judge, self._file, self._at, self._actor = judge, file_sha256, at, actor
        self._kept: set[str] = set()

    def write(self, rows: Iterable[Judged]) -> int:
        """Write the events of held people with their elements; return how many."""
        events, beside = [], []
        for judged in rows:
            event = self._event(judged)
            events.append(event)
            beside.append(judged.permission.row(event))
        ledger.record_many(events=events)
        for model in set(elements.ROWS.values()):
            of_model = [row for row in beside if isinstance(row, model)]
            model._default_manager.bulk_create(of_model, batch_size=500)
        return len(events)

    def _event(self, judged: Judged) -> ConsentEvent:
        row, permission = judged.row, judged.permission
        purpose = self._judge.purpose(row)
        notice, _ = permission.shown()
        if notice is not None and notice.sha256 not in self._kept:
            purposes.notice(
                purpose=purpose, language=notice.language, text=notice.text, at=self._at
            )
            self._kept.add(notice.sha256)
        return ledger.prepare(
            contact=judged.contact,
            purpose=purpose,
            channel=row.text("channel"),
            kind=ConsentEvent.Kind.GIVEN,
            act=row.text("act"),
            source=row.text("source"),
            at=self._at,
            actor=self._actor,
            number=0,
            notice=notice,
            evidence=self._evidence(row, permission),
            valid_until=permission.valid_until(self._judge.giving(row, judged.contact)),
            particulars=judged.particulars,
        )

    def _evidence(self, row: EvidenceRow, permission: Elements) -> dict[str, object]:
        told = {
            "network": row.text("ip"),
            "form_url": row.text("form_url"),
            "reference": row.text("reference"),
            "file": self._file,
            "row": row.number,
        }
        return {**{name: value for name, value in told.items() if value}, **permission.more()}


def _permission(row: EvidenceRow, notice: Notice | None, form: RenderedForm | None) -> Elements:
    kind = row.text("permission")
    texts, flags = TOLD_BY_KIND.get(kind, ({}, ()))
    told: dict[str, object] = {name: row.text(column) for name, column in texts.items()}
    told |= {name: row.flag(name) for name in flags}
    if when := WHEN_BY_KIND.get(kind):
        told[when] = row.said_at
    return elements.made(
        permission=kind, told=told, notice=notice, form=form, seller=row.text("seller")
    )


def _particulars(row: EvidenceRow, form: RenderedForm | None) -> Particulars:
    age = row.text("age_years")
    return Particulars(
        form=form,
        provider_message_id=row.text("message_id"),
        seller=row.text("seller"),
        locale=row.text("language"),
        age_years=int(age) if age else None,
        guardian=row.text("guardian"),
        said_at=row.said_at,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
