"""May we write to this person, and why? The gate's verdict with all it rests on, in plain words.

The verdict is the gate's own `decide`, over facts as they stood at the instant. Beside it stand
every rule that was looked at, what each came to, what would make it a yes, and what changes soon.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max

from config.lib import canonical
from consent import (
    contacts,
    explanation_words,
    gate,
    past,
    places,
    purposes,
    rulebook,
    suppression,
)
from consent.explanation_words import Act, Fact, Remedy
from consent.facts import Facts, Subject
from consent.gate import Reason, Verdict
from consent.models import Channel, ConsentEvent, Contact, Purpose, RegisterEntry, Suppression
from consent.past import Case
from consent.rulebook import JUDGED, Rule, Rulebook
from consent.standing import Standing

MET, NOT_MET, WAITS, NOT_APPLICABLE = "met", "not_met", "waits", "not_applicable"
SOON = timedelta(days=366)
CLOCKED = {"hours", "frequency"}
ACTS_SHOWN = 40
YEARS_OF_MESSAGES = timedelta(days=30)


@dataclass(frozen=True)
class Looked:
    """One rule that was looked at, what it came to here, and why in a sentence."""

    rule: Rule
    outcome: str
    why: str
    code: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Clock:
    """One clock that may be the person's, what it shows, and why we think so."""

    zone: str
    local: datetime
    why: str


@dataclass(frozen=True)
class Change:
    """What a coming day, or a proposal, does to the rules here, and to this answer."""

    on: date | None
    rules: tuple[tuple[str, Rule], ...]
    verdict: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything behind one answer of the gate; no name and no address."""

    contact: str
    purpose: Purpose
    channel: str
    content: tuple[str, ...]
    at: datetime
    verdict: Verdict
    reasons: tuple[tuple[Reason, Rule], ...]
    looked: tuple[Looked, ...]
    elsewhere: int
    facts: tuple[Fact, ...]
    clocks: tuple[Clock, ...]
    acts: tuple[Act, ...]
    remedies: tuple[Remedy, ...]
    # The first instant that hours and caps would leave, whatever else stands in the way.
    opens_at: datetime | None
    changes: tuple[Change, ...]
    channels: tuple[tuple[str, str], ...]
    caveats: tuple[str, ...]

    @property
    def answer(self) -> str:
        """Return the answer in a word."""
        return explanation_words.ANSWERS[self.verdict.verdict]

    @property
    def next_at(self) -> datetime | None:
        """Return the next instant at which it may be sent; None: not by waiting."""
        return None if self.verdict.verdict == gate.REFUSE else self.opens_at

    def looked_at(self, outcome: str) -> list[Looked]:
        """Return the rules that came to this."""
        return [row for row in self.looked if row.outcome == outcome]

    def plain(self) -> dict[str, object]:
        """Return the whole explanation for a machine."""
        return _plain(self)


def explain(
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    at: datetime,
    content: Collection[str] = (),
) -> Explanation:
    """Explain whether a person may be written to at an instant, past, present or to come.

    Law: GDPR Art. 5(2), the controller is able to demonstrate.
    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises BadRule: a rule pack cannot be read.
    """
    book = rulebook.book()
    subject = Subject(purposes.current(purpose_code, at), channel, tuple(sorted(content)))
    by_channel = _by_channel(contact, subject, at)
    known = by_channel[channel]
    rules = _applicable(book, known, at.date())
    verdict = gate.decide(known, rules, at, book=book)
    here = _here(book, known)
    looked = tuple(_look(rule, known, at, verdict) for rule in here)
    opens_at = _opens_at(known, rules, at)
    stop = _stop_of(contact, channel, at)
    return Explanation(
        contact=contact.public_id,
        purpose=subject.purpose,
        channel=channel,
        content=subject.content,
        at=at,
        verdict=verdict,
        reasons=tuple((reason, book.rule(reason.rule)) for reason in verdict.reasons),
        looked=looked,
        elsewhere=len(book.rules) - len(here),
        facts=tuple(_facts(contact, known, at, book, stop)),
        clocks=tuple(_clocks(contact, known, at)),
        acts=tuple(_acts(contact, subject, at)),
        remedies=tuple(_remedies(verdict, book, opens_at, stop)),
        opens_at=opens_at,
        changes=tuple(_changes(book, here, known, at)),
        channels=tuple(
            (other, gate.decide_by(book, one, at).verdict)
            for other, one in by_channel.items()
            if other != channel
        ),
        caveats=tuple(_caveats(contact, channel, at)),
    )


def _by_channel(contact: Contact, subject: Subject, at: datetime) -> dict[str, Facts]:
    asked = [replace(subject, channel=channel) for channel in Channel.values]
    found = past.gather([Case(contact, one, at) for one in asked])
    return {one.channel: one for one in found}


def _applicable(book: Rulebook, known: Facts, on: date) -> tuple[Rule, ...]:
    return book.applicable(
        countries=known.places,
        purpose=known.purpose_code,
        channel=known.channel,
        content=known.content,
        on=on,
    )


def _here(book: Rulebook, known: Facts) -> list[Rule]:
    spots = book.places(known.places)
    here = [rule for rule in book.rules if rule.where & spots or not rule.where]
    return sorted(here, key=lambda rule: (rule.kind == "fact", rule.id))


# ---------- each rule ----------


def _look(rule: Rule, known: Facts, at: datetime, verdict: Verdict) -> Looked:
    if verdict.verdict == gate.ALLOW and rule.kind == "fact" and _grounds(rule, verdict):
        return Looked(rule, MET, rule.text)
    if why := explanation_words.out_of_scope(rule, known, at.date()):
        return Looked(rule, NOT_APPLICABLE, why)
    refused = {one.rule: one.code for one in verdict.reasons} if _refuses(verdict) else {}
    if rule.id in refused:
        code = refused[rule.id]
        return Looked(rule, NOT_MET, explanation_words.refused(rule, code, known, at), code)
    if rule.kind in CLOCKED:
        return _look_at_clock(rule, known, at)
    if rule.kind == "consent":
        return _look_at_consent(rule, known, at)
    if why := explanation_words.not_asked(rule, known, at):
        return Looked(rule, NOT_APPLICABLE, why)
    return Looked(rule, MET, explanation_words.met(rule, known, at))


def _look_at_clock(rule: Rule, known: Facts, at: datetime) -> Looked:
    alone = gate.decide(_clear(known), [rule], at)
    if alone.verdict == gate.ALLOW:
        return Looked(rule, MET, explanation_words.met(rule, known, at))
    code = alone.reasons[0].code
    outcome = WAITS if alone.verdict == gate.DEFER else NOT_MET
    why = explanation_words.refused(rule, code, known, at)
    return Looked(rule, outcome, why, code, alone.defer_until)


def _look_at_consent(rule: Rule, known: Facts, at: datetime) -> Looked:
    stand = known.standing()
    state = stand.effective(at) if stand else ""
    # After a no the gate asks no rule more: none of them can be met.
    if state in gate.NO or (state == "expired" and not rule.standing):
        why = explanation_words.refused(rule, state, known, at)
        return Looked(rule, NOT_MET, why, state)
    return Looked(rule, MET, explanation_words.met(rule, known, at))


def _grounds(rule: Rule, verdict: Verdict) -> bool:
    return rule.id in {reason.rule for reason in verdict.reasons}


def _refuses(verdict: Verdict) -> bool:
    return verdict.verdict == gate.REFUSE


def _clear(known: Facts) -> Facts:
    """Return the facts without all that hours and caps do not ask."""
    return replace(
        known,
        purpose_code="",
        erased=False,
        restricted=False,
        readable=True,
        has_address=True,
        suppressed=False,
        standings=(),
        registers=(),
    )


def _opens_at(known: Facts, rules: Sequence[Rule], at: datetime) -> datetime | None:
    alone = gate.decide(_clear(known), [rule for rule in rules if rule.kind in CLOCKED], at)
    return at if alone.verdict == gate.ALLOW else alone.defer_until


# ---------- what is known ----------


def _facts(
    contact: Contact, known: Facts, at: datetime, book: Rulebook, stop: Suppression | None
) -> list[Fact]:
    stop_index = contacts.stop_index(contact, known.channel)
    event = _event_of(known.standing())
    rules = _applicable(book, known, at.date())
    entries = RegisterEntry.objects.filter(address_index=stop_index, checked_at__lte=at)
    return [
        explanation_words.of_person(contact, known, at),
        *explanation_words.of_places(contact, known, book.with_states),
        explanation_words.of_address(known, at),
        explanation_words.of_stop(known, stop),
        explanation_words.of_purpose(known),
        explanation_words.of_consent(known, event, at),
        *explanation_words.of_age(known, at),
        *explanation_words.of_content(known, at),
        *explanation_words.of_registers(list(entries) if stop_index else [], rules),
        explanation_words.of_messages(known, at),
    ]


def _stop_of(contact: Contact, channel: str, at: datetime) -> Suppression | None:
    stop_index = contacts.stop_index(contact, channel)
    if not stop_index:
        return None
    rows = Suppression.objects.filter(address_index=stop_index, channel=channel, created_at__lte=at)
    return rows.order_by("-created_at").first()


def _event_of(stand: Standing | None) -> ConsentEvent | None:
    if stand is None:
        return None
    rows = ConsentEvent.objects.defer("evidence_sealed").select_related("notice")
    return rows.filter(pk=stand.event_id).first()


def _clocks(contact: Contact, known: Facts, at: datetime) -> list[Clock]:
    own = places.known_of(contact).time_zone
    return [
        Clock(
            zone,
            at.astimezone(ZoneInfo(zone)),
            "the zone we hold for them" if zone == own else "their number may lie there",
        )
        for zone in known.zones
    ]


def _acts(contact: Contact, subject: Subject, at: datetime) -> list[Act]:
    channel = subject.channel
    events = ConsentEvent.objects.filter(contact=contact, channel=channel, at__lte=at)
    told = events.filter(purpose_code__in=subject.codes).order_by("-at", "-number")
    stops = Suppression.objects.filter(
        address_index=contacts.stop_index(contact, channel), channel=channel, created_at__lte=at
    ).exclude(address_index="")
    sent = past.left_before(contact=contact, at=at, since=at - YEARS_OF_MESSAGES)
    acts = [
        *[explanation_words.act_of_consent(row) for row in told.defer("evidence_sealed")],
        *[act for row in stops for act in explanation_words.acts_of_stop(row, at)],
        *[explanation_words.act_of_message(row) for row in sent],
    ]
    return sorted(acts, key=lambda act: act.at, reverse=True)[:ACTS_SHOWN]


def _caveats(contact: Contact, channel: str, at: datetime) -> list[str]:
    found = []
    if past.is_moved(contact, channel, at):
        found.append(
            "The address of then was replaced or erased since: this answer is not the one of then."
        )
    elif contact.updated_at > at:
        found.append(
            "Their record was changed since then: where they may be is read as it stands today."
        )
    newest = ConsentEvent.objects.filter(contact=contact).aggregate(at=Max("at"))["at"]
    if newest and newest > at:
        found.append("They acted again after this instant; those acts do not count here.")
    return found


# ---------- what would change it ----------


def _remedies(
    verdict: Verdict, book: Rulebook, opens_at: datetime | None, stop: Suppression | None
) -> list[Remedy]:
    if verdict.verdict == gate.ALLOW:
        return []
    found: dict[str, Remedy] = {}
    for reason in verdict.reasons:
        code = reason.code
        if code == "suppressed" and stop and stop.reason == suppression.PROVISIONAL:
            code = "held_back"
        remedy = explanation_words.remedy(code, book.rule(reason.rule), opens_at)
        found.setdefault(remedy.words, remedy)
    return list(found.values())


def _changes(book: Rulebook, here: Sequence[Rule], known: Facts, at: datetime) -> list[Change]:
    on = at.date()
    touching = [rule for rule in here if _touches(rule, known)]
    coming: dict[date, list[tuple[str, Rule]]] = {}
    for rule in touching:
        if rule.status != "in_force":
            continue
        if on < rule.valid_from <= on + SOON:
            coming.setdefault(rule.valid_from, []).append(("begins", rule))
        if rule.valid_to and on < rule.valid_to <= on + SOON:
            coming.setdefault(rule.valid_to, []).append(("ends", rule))
    found = [
        _change(day, rules, gate.decide(known, _applicable(book, known, day), at, book=book))
        for day, rules in sorted(coming.items())
    ]
    return found + [
        _change(None, [("proposed", rule)], _under(rulebook.supposing([rule.id]), known, at))
        for rule in touching
        # What is proposed and decides no message is no news of this one.
        if rule.status == "proposed" and rule.kind in {*JUDGED, "revocation"}
    ]


def _touches(rule: Rule, known: Facts) -> bool:
    content = frozenset(known.content)
    return rule.touches(purpose=known.purpose_code, channel=known.channel, content=content)


def _under(book: Rulebook, known: Facts, at: datetime) -> Verdict:
    return gate.decide_by(book, known, at)


def _change(day: date | None, rules: Sequence[tuple[str, Rule]], verdict: Verdict) -> Change:
    codes = tuple(dict.fromkeys(reason.code for reason in verdict.reasons))
    return Change(day, tuple(rules), verdict.verdict, codes)


def _plain(found: Explanation) -> dict[str, object]:
    return {
        "contact": found.contact,
        "purpose": found.purpose.code,
        "channel": found.channel,
        "content": list(found.content),
        "at": canonical.instant(found.at),
        "answer": found.answer,
        "verdict": found.verdict.verdict,
        "next_at": _instant(found.next_at),
        "opens_at": _instant(found.opens_at),
        "reasons": [{**_cited(rule), **reason.plain()} for reason, rule in found.reasons],
        "rules": [_plain_look(row) for row in found.looked],
        "rules_of_other_places": found.elsewhere,
        "facts": [
            {"term": row.term, "words": row.words, "why": row.why, "at": _instant(row.at)}
            for row in found.facts
        ],
        "clocks": [
            {"zone": row.zone, "local": row.local.isoformat(), "why": row.why}
            for row in found.clocks
        ],
        "acts": [
            {"at": canonical.instant(row.at), "title": row.title, "detail": row.detail}
            for row in found.acts
        ],
        "would_change_it": [{"who": row.who, "what": row.words} for row in found.remedies],
        "changes": [_plain_change(row) for row in found.changes],
        "other_channels": dict(found.channels),
        "caveats": list(found.caveats),
        "inputs_sha256": found.verdict.inputs_sha256,
        "packs_version": found.verdict.packs_version,
    }


def _cited(rule: Rule) -> dict[str, object]:
    return {
        "rule": rule.id,
        "source": rule.source,
        "source_url": rule.source_url,
        "text": rule.text,
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
    }


def _plain_look(row: Looked) -> dict[str, object]:
    more = {"outcome": row.outcome, "code": row.code, "why": row.why, "until": _instant(row.until)}
    return {**_cited(row.rule), **more}


def _plain_change(row: Change) -> dict[str, object]:
    return {
        "on": row.on.isoformat() if row.on else "proposed",
        "rules": [{"what": what, **_cited(rule)} for what, rule in row.rules],
        "then": row.verdict,
        "codes": list(row.codes),
    }


def _instant(at: datetime | None) -> str | None:
    return canonical.instant(at) if at else None
