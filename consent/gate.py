"""May this person be written to, for this, on this channel, now? The verdict, with its reasons.

One pure `decide` serves the forecast for an audience, the queue and the hand-off alike.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from config.lib import canonical
from consent import contacts, facts, hours, purposes, rulebook
from consent.facts import Facts
from consent.models import Contact, Decision, Message
from consent.rulebook import Rule

ALLOW, REFUSE, DEFER = "allow", "refuse", "defer"
PREFLIGHT_BATCH = 1000
AGREED = {"given", "confirmed"}
NO = {"withdrawn", "refused"}
# What a state is called when it does not suffice.
SHORT_OF = {None: "no_consent", "claimed": "claimed_only", "given": "not_confirmed"}
# Hours push past a cap, a cap past the hours; after so many turns there is no such instant.
TURNS = 12


@dataclass(frozen=True)
class Reason:
    """Why: a code, the rule that says so, where it stands written, and the words for a reader."""

    code: str
    rule: str
    source: str
    text: str

    def plain(self) -> dict[str, str]:
        """Return the reason as a decision keeps it; its words are in the rule pack."""
        return {"code": self.code, "rule": self.rule, "source": self.source}


@dataclass(frozen=True)
class Verdict:
    """What the gate says, why, and from which facts under which packs."""

    verdict: str
    reasons: list[Reason]
    defer_until: datetime | None
    inputs_sha256: str
    packs_version: str


def judge(
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    at: datetime,
    handing_off: Message | None = None,
) -> Verdict:
    """Judge one message to one person at an instant.

    Law: 47 CFR 64.1200(c)(1), the recipient's clock; every place they may be in counts.
    :raises UnknownPurpose: there is no such purpose at that instant.
    """
    purpose = purposes.current(purpose_code, at)
    known = facts.gather(
        people=[contact], purpose=purpose, channel=channel, at=at, handing_off=handing_off
    )[0]
    return decide(known, _rules(known, at), at)


def preflight(
    *, contacts: QuerySet[Contact], purpose_code: str, channel: str, at: datetime
) -> Iterator[tuple[uuid.UUID, Verdict]]:
    """Judge a whole audience, a thousand at a time, writing nothing.

    :raises UnknownPurpose: there is no such purpose at that instant.
    """
    purpose = purposes.current(purpose_code, at)
    for people in _batches(contacts):
        known = facts.gather(people=people, purpose=purpose, channel=channel, at=at)
        for person in known:
            yield person.contact_id, decide(person, _rules(person, at), at)


def decide(known: Facts, rules: Sequence[Rule], at: datetime) -> Verdict:
    """Decide from facts and rules alone; pure. Every refusal is named, not only the first.

    Law: unknown is no (GDPR Art. 7(1)); the strictest of all places holds.
    """
    refusals = [
        *_of_person(known),
        *_of_consent(known, rules, at),
        *_of_asking(known),
        *[_reason("channel_blocked", rule) for rule in rules if rule.kind == "block"],
    ]
    until, waits = _next_time(known, rules, at)
    if until is None:
        refusals += waits
    if refusals:
        return _verdict(REFUSE, refusals, None, known, at)
    if until is not None and until > at:
        return _verdict(DEFER, waits, until, known, at)
    return _verdict(ALLOW, _grounds(known, rules), None, known, at)


def keep(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    verdict: Verdict,
    contact: Contact,
    purpose_code: str,
    channel: str,
    context_type: str,
    context_id: uuid.UUID | None,
    message_id: uuid.UUID | None,
    phase: str,
    at: datetime,
) -> Decision:
    """Write a verdict down as a decision, in the caller's transaction."""
    return Decision.objects.create(
        contact=contact,
        purpose_code=purpose_code,
        channel=channel,
        context_type=context_type,
        context_id=context_id,
        message_id=message_id,
        phase=phase,
        verdict=verdict.verdict,
        reasons=[reason.plain() for reason in verdict.reasons],
        defer_until=verdict.defer_until,
        inputs_sha256=verdict.inputs_sha256,
        packs_version=verdict.packs_version,
        at=at,
    )


def refusal(*, verdict: Verdict, code: str) -> Verdict:
    """Turn a verdict into a refusal for what a storey above found, such as a dead link."""
    return Verdict(
        REFUSE,
        [_fact(code, "house.still_valid")],
        None,
        verdict.inputs_sha256,
        verdict.packs_version,
    )


def worded(reasons: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return a decision's reasons with the words and the address of their rules, for a page."""
    rows = []
    for reason in reasons:
        try:
            rule = rulebook.rule(reason["rule"])
        except KeyError:
            # A pack has since dropped the rule; the decision still cites it.
            rows.append({**reason, "text": reason["code"], "source_url": ""})
            continue
        rows.append({**reason, "text": rule.text, "source_url": rule.source_url})
    return rows


def _rules(known: Facts, at: datetime) -> tuple[Rule, ...]:
    return rulebook.applicable(
        countries=known.places, purpose=known.purpose_code, channel=known.channel, at=at
    )


def _of_person(known: Facts) -> Iterator[Reason]:
    if known.erased:
        yield _fact("erased", "house.erased")
    elif not known.readable:
        yield _fact("unreadable", "house.readable")
    elif not known.has_address:
        yield _fact("no_address", "house.address")
    if known.restricted:
        yield _fact("restricted", "house.restricted")
    if known.suppressed:
        yield _fact("suppressed", "house.suppressed")


def _of_consent(known: Facts, rules: Sequence[Rule], at: datetime) -> Iterator[Reason]:
    stand = known.standing
    state = stand.effective(at) if stand else None
    if state in NO:
        yield _fact(str(state), "house.withdrawn")
        return
    needed = [rule for rule in rules if _asks_consent(rule, known)]
    if state == "expired" and needed:
        yield _fact("expired", "house.consent_in_force")
        return
    for rule in needed:
        if state not in rule.needs:
            yield _reason(SHORT_OF.get(state, "no_consent"), rule)
    if stand and needed and known.address_set_at and stand.at < known.address_set_at:
        yield _fact("other_address", "house.same_address")


def _of_asking(known: Facts) -> Iterator[Reason]:
    if known.purpose_code != purposes.PERMISSION_REQUEST:
        return
    if not known.may_be_asked:
        yield _fact("no_ground_to_ask", "house.ask_ground")
    if known.asked_recently:
        yield _fact("asked_recently", "house.ask_once")


def _next_time(
    known: Facts, rules: Sequence[Rule], at: datetime
) -> tuple[datetime | None, list[Reason]]:
    caps = [rule for rule in rules if rule.kind == "frequency"]
    timed = [rule for rule in rules if rule.kind == "hours"]
    full = [rule for rule in caps if _after_cap(known, rule, at) > at]
    shut = [rule for rule in timed if not _open_now(rule, known, at)]
    waits = [_reason("too_many", rule) for rule in full]
    waits += [_reason("quiet_hours", rule) for rule in shut]
    moment = at
    for _turn in range(TURNS):
        capped = max([moment, *[_after_cap(known, rule, moment) for rule in caps]])
        opening = hours.next_allowed(rules=timed, zones=known.zones, at=capped)
        if opening is None:
            return None, [_fact("clock_unknown", "house.clock")]
        if opening == moment:
            return moment, waits
        moment = opening
    return None, waits


def _after_cap(known: Facts, rule: Rule, at: datetime) -> datetime:
    window = timedelta(hours=rule.window_hours)
    counted = [sent for sent in known.recent if sent > at - window]
    if len(counted) < rule.max_messages:
        return at
    return max(at, counted[-rule.max_messages] + window)


def _open_now(rule: Rule, known: Facts, at: datetime) -> bool:
    return bool(known.zones) and hours.may_arrive(rules=[rule], zones=known.zones, at=at)


def _grounds(known: Facts, rules: Sequence[Rule]) -> list[Reason]:
    met = [rule for rule in rules if _asks_consent(rule, known)]
    if not met:
        return [_fact("not_objected", "house.other_basis")]
    state = known.standing.state if known.standing else "none"
    return [_reason(f"consent_{state}", rule) for rule in met]


def _asks_consent(rule: Rule, known: Facts) -> bool:
    return rule.kind == "consent" and (not rule.bases or known.basis in rule.bases)


def _verdict(
    verdict: str, reasons: list[Reason], until: datetime | None, known: Facts, at: datetime
) -> Verdict:
    version = rulebook.packs_version()
    inputs = {"facts": known.plain(), "at": canonical.instant(at), "packs": version}
    return Verdict(verdict, reasons, until, canonical.digest(inputs), version)


def _fact(code: str, rule_id: str) -> Reason:
    return _reason(code, rulebook.rule(rule_id))


def _reason(code: str, rule: Rule) -> Reason:
    return Reason(code=code, rule=rule.id, source=rule.source, text=rule.text)


def _batches(people: QuerySet[Contact]) -> Iterator[list[Contact]]:
    return contacts.in_batches(people.select_related("key"), size=PREFLIGHT_BATCH)
