"""May this person be written to, for this, on this channel, now? The verdict, with its reasons.

One pure `decide` serves the queue, the hand-off and, set-wise, the forecast of an audience
(`consent/forecast.py`) alike.
"""

import calendar
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.lib import canonical
from consent import facts, hours, purposes, rulebook
from consent.facts import Facts, Subject
from consent.models import Contact, Decision, Message, Revocation
from consent.rulebook import Rule, Rulebook
from consent.standing import Standing
from integrations import templates

ALLOW, REFUSE, DEFER = "allow", "refuse", "defer"
AGREED = {"given", "confirmed"}
NO = {"withdrawn", "refused"}
MAY_BE_ASKED = {"claimed", "given"}
# What a state is called when it does not suffice.
SHORT_OF = {
    None: "no_consent",
    "claimed": "claimed_only",
    "given": "not_confirmed",
    "superseded": "basis_changed",
}
# The same rule says so of both: what tells them apart is where a person's consent stands.
SHORT_WORDS = {
    "no_consent": "Nobody asked them, or they have not answered: unknown is no.",
    "claimed_only": "Another system says that they agreed; a claim without evidence is none.",
}
# What a storey above may find, by the first word of its code, and the rule that says so.
FOUND_ABOVE = {
    "presenter": "house.presenter",
    "content": "house.content",
    "template": "house.template",
}
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
    content: Collection[str] = (),
    handing_off: Message | None = None,
    answering: Revocation | None = None,
) -> Verdict:
    """Judge one message to one person at an instant.

    `content` names what the words are about, as the script scanner found it; `answering` the stop
    that the one text after it is to confirm.
    Law: 47 CFR 64.1200(c)(1), the recipient's clock; every place they may be in counts.
    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises BadRule: a rule pack cannot be read.
    """
    subject = Subject(purposes.current(purpose_code, at), channel, tuple(sorted(content)))
    leaving = None if handing_off is None else [handing_off]
    known = facts.gather(
        people=[contact], subject=subject, at=at, handing_off=leaving, answering=answering
    )[0]
    return decide_by(rulebook.book(), known, at)


def judge_leaving(*, messages: Sequence[Message], at: datetime) -> dict[uuid.UUID, Verdict]:
    """Judge messages to as many people at hand-off; the verdict of each by its id.

    The same as `judge` of each, in a fixed number of queries for each kind of message.
    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises BadRule: a rule pack cannot be read.
    """
    kinds: dict[tuple[str, str, tuple[str, ...]], list[Message]] = {}
    for message in messages:
        kind = (message.purpose_code, message.channel, tuple(sorted(message.content)))
        kinds.setdefault(kind, []).append(message)
    found, book = {}, rulebook.book()
    for (purpose_code, channel, content), rows in kinds.items():
        subject = Subject(purposes.current(purpose_code, at), channel, content)
        people = [row.contact for row in rows]
        known = facts.gather(people=people, subject=subject, at=at, handing_off=rows)
        for row, one in zip(rows, known, strict=True):
            found[row.pk] = decide_by(book, one, at)
    return found


def decide_by(book: Rulebook, known: Facts, at: datetime) -> Verdict:
    """Decide under a book of rules, the one in force or another."""
    rules = book.applicable(
        countries=known.places,
        purpose=known.purpose_code,
        channel=known.channel,
        content=known.content,
        on=at.date(),
    )
    return decide(known, rules, at, book=book)


def decide(
    known: Facts, rules: Sequence[Rule], at: datetime, *, book: Rulebook | None = None
) -> Verdict:
    """Decide from facts and rules alone; pure. Every refusal is named, not only the first.

    Law: unknown is no (GDPR Art. 7(1)); the strictest of all places holds.
    """
    version = (book or rulebook.book()).version
    refusals = [
        *_of_person(known),
        *_of_consent(known, rules, at),
        *_of_asking(known, rules, at),
        *[_reason("channel_blocked", rule) for rule in rules if rule.kind == "block"],
        *_of_registers(known, rules, at),
    ]
    until, waits = _next_time(known, rules, at)
    if until is None:
        refusals += waits
    if refusals:
        return _verdict(REFUSE, refusals, None, known, at, version)
    if until is not None and until > at:
        return _verdict(DEFER, waits, until, known, at, version)
    return _verdict(ALLOW, _grounds(known, rules), None, known, at, version)


def prepare(  # noqa: PLR0913  the facts of one row, all named by the caller
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
    """Return a verdict as the decision it will be; the caller writes it in its transaction."""
    return Decision(
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
        [_fact(code, FOUND_ABOVE.get(code.partition("_")[0], "house.still_valid"))],
        None,
        verdict.inputs_sha256,
        verdict.packs_version,
    )


def deferral(*, verdict: Verdict, code: str, rule_id: str, until: datetime) -> Verdict:
    """Turn a refusal into a wait, where what refuses is itself only provisional."""
    return Verdict(
        DEFER, [_fact(code, rule_id)], until, verdict.inputs_sha256, verdict.packs_version
    )


def inputs_sha256(known: Facts, at: datetime, packs_version: str) -> str:
    """Return the hash of what a verdict rested on, as its decision keeps it."""
    inputs = {"facts": known.plain(), "at": canonical.instant(at), "packs": packs_version}
    return canonical.digest(inputs)


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
        # Of templates the words also say what to do: their rule is one for all that may be wrong.
        text = templates.WORDS.get(reason["code"], rule.text)
        rows.append({**reason, "text": text, "source_url": rule.source_url})
    return rows


def common(reasons: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return what holds of many people with one code: the house's rule, or the one of all of them.

    Nothing where the law of each place says so for itself: one country's stands for no other's.
    """
    by_rule = {reason["rule"]: reason for reason in reasons}
    own = [reason for rule, reason in by_rule.items() if rule.startswith("house.")]
    found = own or (list(by_rule.values()) if len(by_rule) == 1 else [])
    if not found:
        return {}
    [told] = worded(found[:1])
    return {**told, "text": SHORT_WORDS.get(told["code"], told["text"])}


def _of_person(known: Facts) -> Iterator[Reason]:
    if known.erased:
        yield _fact("erased", "house.erased")
    elif not known.readable:
        yield _fact("unreadable", "house.readable")
    elif not known.has_address:
        yield _fact("no_address", "house.address")
    if known.restricted:
        yield _fact("restricted", "house.restricted")
    confirms = known.purpose_code == purposes.STOP_CONFIRMATION
    if confirms and not known.answers_stop:
        yield _fact("no_stop_to_confirm", "house.stop_confirmation")
    if known.suppressed and not (confirms and known.answers_stop):
        yield _fact("suppressed", "house.suppressed")


def _of_consent(known: Facts, rules: Sequence[Rule], at: datetime) -> Iterator[Reason]:
    stand = known.standing()
    state = stand.effective(at) if stand else None
    if state in NO:
        yield _fact(str(state), "house.withdrawn")
        return
    needed = [rule for rule in rules if _asks_consent(rule, known)]
    if state == "expired" and any(not rule.standing for rule in needed):
        yield _fact("expired", "house.consent_in_force")
        return
    for rule in needed:
        if code := _short_of(rule, known.standing(rule.standing), at):
            yield _reason(code, rule)
    if stand and needed:
        yield from _of_act(known, stand, rules, at)


def _short_of(rule: Rule, stand: Standing | None, at: datetime) -> str:
    state = stand.effective(at) if stand else None
    if stand is None or state not in rule.needs:
        return SHORT_OF.get(state, "no_consent")
    # Whoever agreed before kinds were kept agreed by a plain opt-in.
    permission = stand.permission or "express"
    return "basis_insufficient" if rule.permissions and permission not in rule.permissions else ""


def _of_act(known: Facts, stand: Standing, rules: Sequence[Rule], at: datetime) -> Iterator[Reason]:
    if known.address_set_at and stand.at < known.address_set_at:
        yield _fact("other_address", "house.same_address")
    for rule in rules:
        if rule.kind == "expiry" and _is_past(rule, stand, at):
            yield _reason("expired", rule)
        if rule.kind == "age" and (code := _too_young(rule, stand, known.content)):
            yield _reason(code, rule)


def _is_past(rule: Rule, stand: Standing, at: datetime) -> bool:
    permission = stand.permission or "express"
    meant = not rule.permissions or permission in rule.permissions
    agreed = stand.effective(at) in AGREED
    return agreed and meant and stand.at <= months_before(at, rule.months)


def _too_young(rule: Rule, stand: Standing, content: Collection[str]) -> str:
    if stand.guarded:
        return ""
    if stand.age_years is None:
        return "age_unknown" if "child_directed" in content else ""
    return "guardian_needed" if stand.age_years < rule.years else ""


def _of_asking(known: Facts, rules: Sequence[Rule], at: datetime) -> Iterator[Reason]:
    if known.purpose_code != purposes.PERMISSION_REQUEST:
        return
    marketing = known.standing(purposes.MARKETING)
    state = marketing.effective(at) if marketing else None
    if state not in MAY_BE_ASKED:
        yield _fact("no_ground_to_ask", "house.ask_ground")
    if known.asked_recently:
        yield _fact("asked_recently", "house.ask_once")
    for rule in rules:
        said_no = marketing is not None and marketing.state in NO
        if rule.kind == "reask" and said_no and marketing.at > months_before(at, rule.months):  # type: ignore[union-attr]
            yield _reason("asked_after_no", rule)


def _of_registers(known: Facts, rules: Sequence[Rule], at: datetime) -> Iterator[Reason]:
    stand = known.standing()
    agreed = stand is not None and stand.effective(at) in AGREED
    permission = (stand.permission or "express") if stand and agreed else ""
    for rule in rules:
        listed = rule.kind == "register" and rule.register in known.registers
        if listed and permission not in rule.unless:
            yield _reason("listed", rule)


def months_before(at: datetime, months: int) -> datetime:
    """Return the instant so many calendar months earlier; a day that is not there is the last."""
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


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
    if known.answers_stop:
        return [_fact("confirms_stop", "house.stop_confirmation")]
    met = [rule for rule in rules if _asks_consent(rule, known)]
    if not met:
        return [_fact("not_objected", "house.other_basis")]
    return [_reason(f"consent_{_state(known, rule)}", rule) for rule in met]


def _state(known: Facts, rule: Rule) -> str:
    stand = known.standing(rule.standing)
    return stand.state if stand else "none"


def _asks_consent(rule: Rule, known: Facts) -> bool:
    return rule.kind == "consent" and (not rule.bases or known.basis in rule.bases)


def _verdict(  # noqa: PLR0917  the parts of one row
    verdict: str,
    reasons: list[Reason],
    until: datetime | None,
    known: Facts,
    at: datetime,
    version: str,
) -> Verdict:
    return Verdict(verdict, reasons, until, inputs_sha256(known, at, version), version)


def _fact(code: str, rule_id: str) -> Reason:
    return _reason(code, rulebook.rule(rule_id))


def _reason(code: str, rule: Rule) -> Reason:
    return Reason(code=code, rule=rule.id, source=rule.source, text=rule.text)
