"""How is a verdict told to somebody who must answer for it? Facts and rules, in plain sentences."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from consent import facts, gate, places, purposes, suppression
from consent.facts import Facts
from consent.models import (
    Channel,
    ConsentEvent,
    Contact,
    Message,
    Place,
    RegisterEntry,
    Suppression,
)
from consent.rulebook import JUDGED, Rule
from consent.standing import Standing

ANSWERS = {"allow": "Yes", "refuse": "No", "defer": "Not yet"}
AGREED_OR_CLAIMED = {*gate.AGREED, "claimed"}
PERMISSIONS = dict(ConsentEvent.Permission.choices)
KINDS = dict(ConsentEvent.Kind.choices)
CHANNELS = dict(Channel.choices)
NOT_JUDGED = {
    "revocation": "Says how far a stop reaches; what it ended stands in the person's state.",
    "signal": "Says what a browser's signal switches off; that stands in the person's state.",
    "keep": "Says how long something must be kept, not whether a message may leave.",
    "fact": "Words and a source; no message is decided by it.",
}
JUDGED_ELSEWHERE = {
    "house.still_valid": "Asked at hand-off only: does the message still lead to something?",
    "house.stop_confirmation": "Asked only of the one text that confirms a stop.",
    "house.other_basis": "The ground where no rule asks for consent; here one does.",
}
# What the house asks of everybody, by the id of the rule: how it reads when nothing is wrong.
IN_ORDER = {
    "house.erased": "The person was not erased.",
    "house.restricted": "Nobody asked us to restrict the use of their data.",
    "house.readable": "Their data is within its time and opens.",
    "house.address": "There is an address for this channel.",
    "house.suppressed": "The address is not on the stop list.",
    "house.withdrawn": "No withdrawal and no refusal stands.",
    "house.consent_in_force": "The consent has no end, or its end is not reached.",
    "house.same_address": "The address is the one that the consent was given for.",
    "house.clock": "Where their clock is, is known well enough.",
    "house.ask_ground": "There is a sign-up, or a claim of one, to ask about.",
    "house.ask_once": "They were not asked in the last 30 days.",
}
OF_CONSENT = {"house.consent_in_force", "house.same_address"}
OF_ASKING = {"house.ask_ground", "house.ask_once"}
PERSON, US, TIME, NOBODY = "the person", "us", "time", "nobody"
# What would have to happen, and who can bring it about.
REMEDIES = {
    "no_consent": (PERSON, "They agree, by an act of their own that leaves evidence."),
    "claimed_only": (US, "Ask them to confirm what the other system claims, or file its evidence."),
    "not_confirmed": (PERSON, "They confirm at this address that it was they who agreed."),
    "basis_insufficient": (PERSON, "They give a stronger permission: {permissions}."),
    "expired": (PERSON, "They agree again: the last agreement is past its time."),
    "withdrawn": (PERSON, "They agree again by their own act. No import and no colleague can."),
    "refused": (PERSON, "They agree by their own act. No import and no colleague can."),
    "suppressed": (PERSON, "They sign up again and confirm: only that lifts a stop."),
    "held_back": (US, "Read the answer that waits to be read: it may be no stop at all."),
    "other_address": (PERSON, "They agree for the address that we have now."),
    "guardian_needed": (PERSON, "A parent or guardian agrees for them, and is named."),
    "age_unknown": (US, "Learn their age, or send nothing that is meant for children."),
    "channel_blocked": (US, "Use another channel: this one is closed to it there."),
    "listed": (PERSON, "They leave the register, or give: {unless}."),
    "quiet_hours": (TIME, "Nothing but waiting: {opens}."),
    "too_many": (TIME, "Nothing but waiting: {opens}."),
    "clock_unknown": (US, "Learn their country or time zone, so that the hours can be kept."),
    "no_ground_to_ask": (PERSON, "They sign up, or a list claims that they did."),
    "asked_recently": (TIME, "Thirty days pass since they were last asked."),
    "asked_after_no": (TIME, "{months} months pass since they said no."),
    "no_stop_to_confirm": (NOBODY, "Nothing can: there is no stop that this text could confirm."),
    "basis_changed": (PERSON, "They agree again: the lawful basis is another one since."),
    "no_address": (US, "Learn an address for this channel."),
    "restricted": (PERSON, "They let us use their data again."),
    "erased": (NOBODY, "Nothing can: the person was erased."),
    "unreadable": (NOBODY, "Nothing can: their data is past its time and does not open."),
}


@dataclass(frozen=True)
class Fact:
    """One thing that is known, and why we think so."""

    term: str
    words: str
    why: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Act:
    """One act on the way to the verdict, as a timeline shows it."""

    at: datetime
    title: str
    state: str
    detail: str = ""
    notice: str = ""


@dataclass(frozen=True)
class Remedy:
    """What would have to happen for a yes, and who can bring it about."""

    code: str
    who: str
    words: str


# ---------- rules ----------


def out_of_scope(rule: Rule, known: Facts, on: date) -> str:
    """Say why a rule of this place does not speak of this message on this day; empty: it does."""
    if rule.kind not in JUDGED and rule.id not in IN_ORDER:
        return JUDGED_ELSEWHERE.get(rule.id, NOT_JUDGED[rule.kind])
    if rule.status != "in_force":
        return "Proposed, and not in force."
    if rule.valid_from > on:
        return f"In force from {day(rule.valid_from)} only."
    if rule.valid_to and rule.valid_to <= on:
        return f"It ended on {day(rule.valid_to)}."
    return _other_message(rule, known)


def _other_message(rule: Rule, known: Facts) -> str:
    if rule.purposes and known.purpose_code not in rule.purposes:
        return f"Speaks of {listed(rule.purposes)} only."
    if rule.channels and known.channel not in rule.channels:
        return f"Speaks of {listed(CHANNELS[one] for one in rule.channels)} only."
    if rule.content and not rule.content & set(known.content):
        return f"Only for words about {listed(rule.content)}."
    if rule.kind == "consent" and rule.bases and known.basis not in rule.bases:
        return f"The lawful basis of this purpose is {_plain(known.basis)}, not consent."
    return ""


def not_asked(rule: Rule, known: Facts, at: datetime) -> str:
    """Say why a rule that speaks of such messages has nothing to ask here; empty: it has."""
    stand = known.standing()
    state = stand.effective(at) if stand else ""
    asking = known.purpose_code == purposes.PERMISSION_REQUEST
    if (rule.kind == "reask" or rule.id in OF_ASKING) and not asking:
        return "Asked only where the message asks for consent."
    if rule.kind in {"expiry", "age"} or rule.id in OF_CONSENT:
        if state not in AGREED_OR_CLAIMED:
            return "There is no agreement that it could limit."
        kind = (stand.permission if stand else "") or "express"
        if rule.kind == "expiry" and rule.permissions and kind not in rule.permissions:
            return f"It limits another kind of permission: {permissions(rule.permissions)}."
    return ""


def met(rule: Rule, known: Facts, at: datetime) -> str:
    """Say how a rule is met."""
    if rule.id in IN_ORDER:
        return IN_ORDER[rule.id]
    stand = known.standing(rule.standing)
    if rule.kind == "consent" and stand:
        return f"{standing_words(stand)}."
    if rule.kind == "expiry" and stand:
        return f"Agreed on {day(stand.at)}, within {rule.months} months."
    if rule.kind == "age":
        return _age_met(rule, stand)
    if rule.kind == "hours":
        return f"Open now: {_local_times(known, at)}."
    if rule.kind == "frequency":
        sent = len([one for one in known.recent if one > at - timedelta(hours=rule.window_hours)])
        return f"{sent} of {rule.max_messages} in {rule.window_hours} hours."
    return _register_met(rule, known) if rule.kind == "register" else "Nothing stands against it."


def _age_met(rule: Rule, stand: Standing | None) -> str:
    if stand is not None and stand.guarded:
        return "A guardian agreed for them."
    if stand is None or stand.age_years is None:
        return "Their age is not known, and the words are not meant for children."
    return f"They were {stand.age_years}; {rule.years} is enough."


def _register_met(rule: Rule, known: Facts) -> str:
    if rule.register in known.registers:
        return f"On {rule.register}, but their permission counts more."
    return f"Not on {rule.register}, as far as it was asked."


def refused(rule: Rule, code: str, known: Facts, at: datetime) -> str:
    """Say how a rule is not met, or what it waits for."""
    stand = known.standing(rule.standing)
    if code in {"no_consent", "claimed_only", "not_confirmed"}:
        return f"{standing_words(stand) if stand else 'They were never asked'}."
    if code == "clock_unknown" and rule.kind == "hours":
        return "The hour where they are is not known, and no hour suits all clocks."
    if code == "quiet_hours":
        return f"Closed now: {_local_times(known, at)}."
    if code == "too_many":
        return f"{rule.max_messages} left in the last {rule.window_hours} hours already."
    return (_refused_by_act(rule, code, stand) if stand else "") or rule.text


def _refused_by_act(rule: Rule, code: str, stand: Standing) -> str:
    if code == "basis_insufficient":
        has = PERMISSIONS.get(stand.permission or "express", stand.permission)
        return f"They gave: {has}. It asks for: {permissions(rule.permissions)}."
    if code == "basis_changed":
        return f"They agreed on {day(stand.at)}, when it rested on another lawful basis."
    if code == "guardian_needed":
        return f"They were {stand.age_years}; below {rule.years} a guardian has to agree."
    if code in {"withdrawn", "refused", "expired", "asked_after_no"}:
        return f"{KINDS.get(stand.state, stand.state)} on {day(stand.at)}."
    return ""


def remedy(code: str, rule: Rule, opens_at: datetime | None) -> Remedy:
    """Return what would turn a reason for a no into a yes."""
    who, words = REMEDIES.get(code, (US, rule.text))
    opens = f"it opens {moment(opens_at)}" if opens_at else "no hour is open to all their clocks"
    words = words.format(
        permissions=permissions(rule.permissions),
        unless=permissions(rule.unless) or "no permission counts more",
        opens=opens,
        months=rule.months,
    )
    return Remedy(code, who, words)


# ---------- facts ----------


def of_person(contact: Contact, known: Facts, at: datetime) -> Fact:
    """Tell whether the person is there to be written to."""
    if known.erased:
        return Fact("Person", "Erased", at=contact.erased_at)
    if known.restricted:
        return Fact("Person", "Use of their data is restricted", at=contact.restricted_at)
    if not known.readable:
        return Fact("Person", "Past their time: nothing of them opens", at=contact.key.delete_at)
    end = contact.key.delete_at
    until = f"Their data opens until {day(end)}" if end else "Kept by a hold"
    return Fact("Person", f"Known since {day(contact.created_at)}", until)


def of_places(contact: Contact, known: Facts, with_states: Collection[str]) -> list[Fact]:
    """Tell where the person may be, and why we think so; each place has a say."""
    if not known.places:
        return [Fact("Place", "Not known", "Neither a country nor a number says it: the strictest")]
    place = places.known_of(contact)
    return [
        Fact("Place", _place_name(code, with_states), _why_there(code, place))
        for code in known.places
    ]


def _why_there(code: str, place: Place) -> str:
    country, _, region = code.partition("-")
    reasons = []
    if country == place.country and (not region or region == place.region):
        reasons.append("we hold it as their home")
    if code in place.phone_regions:
        reasons.append("their number's area code may lie there")
    elif country == place.phone_country:
        reasons.append("their number begins with its code")
    return ", and ".join(reasons).capitalize()


def _place_name(code: str, with_states: Collection[str]) -> str:
    return (
        f"{code}, which of its states is not known: the strictest" if code in with_states else code
    )


def of_address(known: Facts, at: datetime) -> Fact:
    """Tell whether there is an address for the channel, and since when it is this one."""
    channel = CHANNELS[known.channel]
    if not known.has_address:
        return Fact("Address", f"None for {channel}")
    moved = known.address_set_at
    if moved and moved <= at:
        return Fact("Address", f"One for {channel}", "It took another's place", moved)
    return Fact("Address", f"One for {channel}")


def of_stop(known: Facts, stop: Suppression | None) -> Fact:
    """Tell whether the address is on the stop list."""
    if known.suppressed and stop:
        return Fact("Stop list", "On it", f"Reason: {_plain(stop.reason)}", stop.created_at)
    if stop and stop.lifted_at:
        how = f"Ended: {_plain(suppression.ended_by(stop))}"
        return Fact("Stop list", "Not on it any more", how, stop.lifted_at)
    return Fact("Stop list", "Not on it")


def of_purpose(known: Facts) -> Fact:
    """Tell what the message is for, and on which lawful basis."""
    return Fact("Purpose", _plain(known.purpose_code), f"Lawful basis: {_plain(known.basis)}")


def of_consent(known: Facts, event: ConsentEvent | None, at: datetime) -> Fact:
    """Tell where the person stands, by which act."""
    stand = known.standing()
    if stand is None:
        return Fact("Consent", "No act at all", "Unknown is no")
    if stand.effective(at) != stand.state:
        why = f"It ran until {day(stand.valid_until)}" if stand.valid_until else ""
        return Fact("Consent", f"Expired; {standing_words(stand).lower()}", why)
    why = f"{event.get_act_display()}, from {event.source}" if event else ""
    until = f"; it runs until {day(stand.valid_until)}" if stand.valid_until else ""
    return Fact("Consent", standing_words(stand) + until, why, stand.at)


def of_age(known: Facts, at: datetime) -> Iterator[Fact]:
    """Tell the person's age, where they told it, and whether a guardian agreed."""
    stand = known.standing()
    if stand and (stand.age_years is not None or stand.guarded):
        age = f"{stand.age_years} when they agreed" if stand.age_years is not None else "Not told"
        yield Fact("Age", age, "A guardian agreed" if stand.guarded else "")


def of_content(known: Facts, at: datetime) -> Iterator[Fact]:
    """Tell what the words speak of, and what was agreed for that."""
    if not known.content:
        return
    yield Fact("Words", f"They speak of {listed(known.content)}")
    for code in (purposes.SPECIAL_DATA, purposes.PHI_CONTENT):
        stand = known.standing(code)
        words = standing_words(stand) if stand else "No act at all"
        yield Fact(_plain(code), words, at=stand.at if stand else None)


def of_registers(entries: Sequence[RegisterEntry], rules: Iterable[Rule]) -> Iterator[Fact]:
    """Tell what the registers of others said of the address, and which were never asked."""
    asked = {entry.register for entry in entries}
    for name in sorted({rule.register for rule in rules if rule.kind == "register"} - asked):
        yield Fact("Register", f"{name}: not asked", "No answer of it is kept for this address")
    for entry in entries:
        yield Fact(
            "Register", f"{entry.register}: {entry.get_answer_display()}", at=entry.checked_at
        )


def of_messages(known: Facts, at: datetime) -> Fact:
    """Tell how many messages count against a cap."""
    day_before = [one for one in known.recent if one > at - timedelta(hours=24)]
    words = f"{len(day_before)} in 24 hours, {len(known.recent)} in {facts.RECENT_HOURS}"
    return Fact("Messages that count", words, "", max(known.recent, default=None))


# ---------- acts ----------


def act_of_consent(row: ConsentEvent) -> Act:
    """Tell one act of consent."""
    title = f"{KINDS[row.kind]}: {_plain(row.purpose_code)}"
    parts = [row.get_act_display(), f"from {row.source}"]
    parts += [PERMISSIONS[row.permission]] if row.permission else []
    parts += [f"asked by {row.seller}"] if row.seller else []
    if row.actor_kind == "staff" and row.kind in gate.AGREED:
        parts.append("entered by staff, which is weaker evidence")
    parts += ["with an uploaded proof"] if row.proof_id else []
    parts += [f"said on {day(row.said_at)}"] if row.said_at else []
    return Act(row.at, title, row.kind, ", ".join(parts), row.notice_id or "")


def acts_of_stop(row: Suppression, at: datetime) -> Iterator[Act]:
    """Tell when an address went on the stop list and, if it did, off again."""
    reason = _plain(row.reason)
    yield Act(row.created_at, "Address put on the stop list", "suppressed", reason)
    if row.lifted_at and row.lifted_at <= at:
        how = _plain(suppression.ended_by(row))
        yield Act(row.lifted_at, "Address taken off the stop list", "good", how)


def act_of_message(row: Message) -> Act:
    """Tell one message that left."""
    title = f"Message by {row.get_channel_display()}: {_plain(row.purpose_code)}"
    return Act(row.sent_at or row.claimed_at or row.queued_at, title, row.state, row.public_id)


# ---------- words ----------


def standing_words(stand: Standing) -> str:
    """Return where somebody stands: the state, since when, by which kind of permission."""
    kind = PERMISSIONS.get(stand.permission, "") if stand.state in gate.AGREED else ""
    kind = f", {kind.lower() if kind.isascii() and not kind.isupper() else kind}" if kind else ""
    return f"{KINDS.get(stand.state, stand.state)} on {day(stand.at)}{kind}"


def permissions(codes: Iterable[str]) -> str:
    """Return kinds of permission in words."""
    return listed((PERMISSIONS.get(code, code) for code in sorted(codes)), "or")


def listed(words: Iterable[str], last: str = "and") -> str:
    """Return words as a reader lists them."""
    parts = [_plain(word) for word in sorted(words)]
    return (
        f" {last} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
    )


def day(at: date | datetime) -> str:
    """Return a date as a sentence says it."""
    return f"{at.day} {at:%b %Y}"


def moment(at: datetime) -> str:
    """Return an instant as a sentence says it, in UTC."""
    return f"on {day(at)} at {at:%H:%M} UTC"


def _local_times(known: Facts, at: datetime) -> str:
    times = [f"{at.astimezone(ZoneInfo(zone)):%a %H:%M} in {zone}" for zone in known.zones]
    more = f" and on {len(times) - 3} clocks more" if len(times) > 3 else ""
    return ", ".join(times[:3]) + more if times else "no clock is known"


def _plain(code: str) -> str:
    return code.replace("_", " ")
