"""What would another law have said of what was sent? Past decisions, judged again; writes nothing.

A decision is judged again only where its facts can be shown: built again as they stood, judged
under the book in force, and found to come out as it was recorded. The rest is counted apart.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from django.db.models import Q, QuerySet

from config.lib import canonical, ids
from consent import gate, past, revocations, rulebook
from consent.facts import Facts, Subject
from consent.gate import Reason, Verdict
from consent.models import Contact, Decision, Message, Purpose, Revocation
from consent.past import Case
from consent.rulebook import Rule, Rulebook

BATCH_ROWS = 500
EXAMPLES_SHOWN = 20
PLACES_NAMED = 3
SAME = "same"
# Not the law's refusals: a storey above found that what the message leads to was gone.
NOT_OF_LAW = "house.still_valid"
SEALED = ("name_sealed", "email_sealed", "phone_sealed", "attributes_sealed")
# Why a decision was not judged again.
LEFT_OUT = {
    "gone": "the person was erased, or their address replaced, since then",
    "facts": "what is known today does not lead to what was decided then",
    "law": "the facts are the same, but the rules in force have been changed for that time",
    "not_of_law": "it was refused for something else than the law, such as a dead link",
}
PROPOSED = "proposed"
Heard = Callable[[int, int], None]


class UnknownPack(LookupError):
    """There is no pack of this name."""


@dataclass(frozen=True)
class Turn:
    """One past decision that would have come out otherwise, and the rules that say so."""

    decision_id: UUID
    message_id: UUID | None
    at: datetime
    channel: str
    place: str
    before: str
    after: str
    rules: tuple[str, ...]

    @property
    def message(self) -> str:
        """Return the name of the message; a refusal has none."""
        return ids.public("msg", self.message_id) if self.message_id else ""


@dataclass
class Replay:
    """What judging the past again came to, in counts; no person is named."""

    since: datetime
    until: datetime
    made_at: datetime
    held_version: str
    book_version: str
    total: int = 0
    judged: int = 0
    # Of those judged: whose facts are shown, by their hash, to be the very ones of then.
    proven: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    turns: Counter[tuple[str, str]] = field(default_factory=Counter)
    # The same verdict, for other reasons.
    otherwise_reasoned: int = 0
    # By rule: code, id, verdict before and after. A decision may turn on several rules at once.
    by_rule: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    by_channel: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_place: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: dict[str, Rule] = field(default_factory=dict)
    examples: list[Turn] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Return how many decisions would have come out otherwise."""
        return self.turns.total()

    def plain(self) -> dict[str, object]:
        """Return the figures for a machine."""
        return {
            "since": canonical.instant(self.since),
            "until": canonical.instant(self.until),
            "made_at": canonical.instant(self.made_at),
            "books": {"in_force": self.held_version, "other": self.book_version},
            "total": self.total,
            "judged": self.judged,
            "proven_by_hash": self.proven,
            "left_out": dict(self.left_out),
            "changed": self.changed,
            "other_reasons_only": self.otherwise_reasoned,
            "turns": [
                {"before": before, "after": after, "decisions": number}
                for (before, after), number in self.turns.most_common()
            ],
            "by_rule": [
                {
                    "rule": rule_id,
                    "code": code,
                    "before": before,
                    "after": after,
                    "decisions": number,
                    "source": self.rules[rule_id].source,
                    "source_url": self.rules[rule_id].source_url,
                    "text": self.rules[rule_id].text,
                }
                for (code, rule_id, before, after), number in self.by_rule.most_common()
            ],
            "by_channel": _split(self.by_channel),
            "by_place": _split(self.by_place),
            "examples": [_example(row) for row in self.examples],
        }


def pack_names() -> list[str]:
    """Return the names of the packs that lie there."""
    return sorted({path.stem for path in rulebook.files()})


def book_of(name: str) -> Rulebook:
    """Return a book to judge by: a pack as if in force, `proposed` rules, or the law of a date.

    :raises UnknownPack: it is none of these.
    :raises BadRule: a rule pack cannot be read.
    """
    if name == PROPOSED:
        return rulebook.supposing()
    found = [path for path in rulebook.files() if path.stem == name]
    if found:
        return rulebook.with_pack(found[-1])
    try:
        return rulebook.as_of(date.fromisoformat(name))
    except ValueError:
        raise UnknownPack(name) from None


def replay(
    *,
    book: Rulebook,
    since: datetime,
    until: datetime,
    at: datetime,
    refusals_too: bool = False,
    newest: int | None = None,
    examples: int = EXAMPLES_SHOWN,
    heard: Heard | None = None,
) -> Replay:
    """Judge what was handed off from `since` until `until` again, under another book of rules.

    `refusals_too` adds what the gate refused; `newest` bounds it to the last so many decisions.
    `heard` is told how many of how many are done. Memory does not grow with the past.
    Law: it changes nothing; it shows what a rule not yet in force would change.
    :raises BadRule: a rule pack cannot be read.
    """
    held = rulebook.book()
    found = Replay(since, until, at, held.version, book.version)
    rows = _decisions(since, until, refusals_too=refusals_too, newest=newest)
    found.total = rows.count()
    versions = list(Purpose.objects.order_by("-version"))
    done = 0
    for batch in _batches(rows.iterator(chunk_size=BATCH_ROWS)):
        _judge_batch(batch, found, versions, books=(held, book), examples=examples)
        done += len(batch)
        if heard:
            heard(done, found.total)
    return found


def _decisions(
    since: datetime, until: datetime, *, refusals_too: bool, newest: int | None
) -> QuerySet[Decision]:
    wanted = Q(phase=Decision.Phase.HAND_OFF, verdict=Decision.Verdict.ALLOW)
    if refusals_too:
        wanted |= Q(verdict=Decision.Verdict.REFUSE)
    rows = Decision.objects.filter(wanted, at__gte=since, at__lt=until)
    return rows.order_by("at", "id") if newest is None else rows.order_by("-at", "-id")[:newest]


def _batches(rows: Iterator[Decision]) -> Iterator[list[Decision]]:
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def _judge_batch(
    batch: Sequence[Decision],
    found: Replay,
    versions: Sequence[Purpose],
    *,
    books: tuple[Rulebook, Rulebook],
    examples: int,
) -> None:
    cases: list[tuple[Decision, Case]] = []
    people = _people(batch)
    messages = Message.objects.defer("body_sealed").in_bulk(
        [row.message_id for row in batch if row.message_id]
    )
    for row in batch:
        contact = people[row.contact_id]
        if why := _unfit(row, contact):
            found.left_out[why] += 1
        else:
            cases.append((row, _case(row, contact, messages, versions)))
    stops = _stops(people)
    for (row, _), known in zip(cases, past.gather([case for _, case in cases]), strict=True):
        theirs = stops.get(row.contact_id, ())
        _judge(row, known, found, stops=theirs, books=books, examples=examples)


def _people(batch: Sequence[Decision]) -> Mapping[UUID, Contact]:
    rows = Contact.objects.select_related("key", "place").defer(*SEALED)
    return rows.in_bulk({row.contact_id for row in batch})


def _unfit(row: Decision, contact: Contact) -> str:
    if any(reason["rule"] == NOT_OF_LAW for reason in row.reasons):
        return "not_of_law"
    return "gone" if past.is_moved(contact, row.channel, row.at) else ""


def _case(
    row: Decision,
    contact: Contact,
    messages: Mapping[UUID, Message],
    versions: Sequence[Purpose],
) -> Case:
    code = row.purpose_code
    purpose = next(one for one in versions if one.code == code and one.valid_from <= row.at)
    message = messages.get(row.message_id) if row.message_id else None
    content = tuple(sorted(message.content)) if message else ()
    handing_off = message if row.phase == Decision.Phase.HAND_OFF else None
    return Case(contact, Subject(purpose, row.channel, content), row.at, handing_off)


def _judge(
    row: Decision,
    known: Facts,
    found: Replay,
    *,
    stops: Sequence[Revocation],
    books: tuple[Rulebook, Rulebook],
    examples: int,
) -> None:
    held, book = books
    is_proven = gate.inputs_sha256(known, row.at, row.packs_version) == row.inputs_sha256
    today = gate.decide_by(held, known, row.at)
    if (today.verdict, _codes(today)) != (row.verdict, {one["code"] for one in row.reasons}):
        found.left_out["law" if is_proven else "facts"] += 1
        return
    found.judged += 1
    found.proven += is_proven
    other = _reached(gate.decide_by(book, known, row.at), known, stops, row.at, book=book)
    found.by_channel[row.channel, _word(today, other)] += 1
    found.by_place[_place(known), _word(today, other)] += 1
    if other.verdict != today.verdict:
        _note(row, known, today, other, found, book=book, examples=examples)
    elif _codes(other) != _codes(today):
        found.otherwise_reasoned += 1


def _stops(people: Mapping[UUID, Contact]) -> dict[UUID, list[Revocation]]:
    # What the person themselves named the reach of reaches no further under any law.
    rows = Revocation.objects.filter(contact__in=people).exclude(scope_rule=revocations.AS_SAID)
    found: dict[UUID, list[Revocation]] = {}
    for row in rows:
        found.setdefault(row.contact_id, []).append(row)
    return found


def _reached(
    verdict: Verdict,
    known: Facts,
    stops: Sequence[Revocation],
    at: datetime,
    *,
    book: Rulebook,
) -> Verdict:
    """Refuse as well what an earlier stop, narrow by the law of its day, reaches under this one."""
    stand = known.standing()
    since = stand.at if stand and stand.state in gate.AGREED else None
    narrow = [
        row for row in stops if row.effective_at <= at and (not since or row.received_at > since)
    ]
    rule = _widest(known, at, book) if narrow else None
    if rule is None or verdict.verdict == gate.REFUSE or known.answers_stop:
        return verdict
    reason = Reason("withdrawn", rule.id, rule.source, rule.text)
    return replace(verdict, verdict=gate.REFUSE, reasons=[reason], defer_until=None)


def _widest(known: Facts, at: datetime, book: Rulebook) -> Rule | None:
    spots = book.places(known.places)
    rules = [row for row in book.rules if row.kind == "revocation"]
    holding = [row for row in rules if row.holds(places=spots, on=at.date())]
    wide = [row for row in holding if row.scope == "all"]
    speaking = [row for row in wide if not row.channels or known.channel in row.channels]
    return max(speaking, key=lambda row: (row.valid_from, row.id), default=None)


def _note(
    row: Decision,
    known: Facts,
    today: Verdict,
    other: Verdict,
    found: Replay,
    *,
    book: Rulebook,
    examples: int,
) -> None:
    turned = (today.verdict, other.verdict)
    found.turns[turned] += 1
    # What refuses or defers is what turned it: the new reasons, or those that fell away.
    telling = today if other.verdict == gate.ALLOW else other
    cited = {(reason.code, reason.rule) for reason in telling.reasons}
    for code, rule_id in sorted(cited):
        found.by_rule[code, rule_id, *turned] += 1
        found.rules.setdefault(rule_id, _rule(book, rule_id))
    if len(found.examples) < examples:
        rules = tuple(sorted({rule_id for _, rule_id in cited}))
        turn = Turn(row.pk, row.message_id, row.at, row.channel, _place(known), *turned, rules)
        found.examples.append(turn)


def _rule(book: Rulebook, rule_id: str) -> Rule:
    try:
        return book.rule(rule_id)
    except KeyError:
        # The other book has ended it: its words stand in the one in force.
        return rulebook.rule(rule_id)


def _codes(verdict: Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


def _word(today: Verdict, other: Verdict) -> str:
    return SAME if today.verdict == other.verdict else other.verdict


def _place(known: Facts) -> str:
    if not known.places:
        return "unknown"
    if len(known.places) > PLACES_NAMED:
        return f"{len(known.places)} places"
    return " + ".join(known.places)


def _split(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (name, word), number in sorted(counts.items()):
        found.setdefault(name, {})[word] = number
    return found


def _example(row: Turn) -> dict[str, object]:
    return {
        "message": row.message,
        "decision": str(row.decision_id),
        "at": canonical.instant(row.at),
        "channel": row.channel,
        "place": row.place,
        "before": row.before,
        "after": row.after,
        "rules": list(row.rules),
    }
