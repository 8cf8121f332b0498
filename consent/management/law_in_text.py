"""How does the law read at a terminal? Explanations, lists and replays as plain lines."""

from collections.abc import Iterable, Iterator, Sequence

from consent import explanations, replays
from consent.explanations import Explanation, Looked
from consent.models import Channel
from consent.replays import Replay
from consent.rulebook import Rule

CHANNELS = dict(Channel.choices)
OUTCOMES = (
    (explanations.NOT_MET, "Not met"),
    (explanations.WAITS, "Waits"),
    (explanations.MET, "Met"),
    (explanations.NOT_APPLICABLE, "Not applicable"),
)


def explained(found: Explanation) -> Iterator[str]:
    """Yield the lines of an explanation."""
    about = f", words about {', '.join(found.content)}" if found.content else ""
    yield f"{found.answer.upper()}: {found.contact} by {CHANNELS[found.channel]}"
    yield f"  {found.purpose.title}{about}, {found.at:%Y-%m-%d %H:%M %Z}"
    yield from (f"  ! {caveat}" for caveat in found.caveats)
    yield from _section("Why", _reasons(found))
    yield from _section("What would change it", _remedies(found))
    yield from _section("What changes soon", _changes(found))
    yield from _section(
        "What is known", [_line(row.term, row.words, row.why) for row in found.facts]
    )
    clocks = [_line(row.zone, f"{row.local:%a %H:%M}", row.why) for row in found.clocks]
    yield from _section("Their clocks", clocks or ["  none is known"])
    acts = [_line(f"{row.at:%Y-%m-%d %H:%M}", row.title, row.detail) for row in found.acts]
    yield from _section("Acts behind it", acts or ["  none"])
    for outcome, title in OUTCOMES:
        rows = found.looked_at(outcome)
        lines = [line for row in rows for line in _looked(row)]
        yield from _section(f"{title}: {len(rows)} rules", lines)
    yield ""
    yield f"{found.elsewhere} rules of other places were not looked at."
    yield f"Facts {found.verdict.inputs_sha256[:16]}, packs {found.verdict.packs_version[:16]}"


def rules(found: Sequence[Rule]) -> Iterator[str]:
    """Yield the lines of a list of rules."""
    for rule in found:
        status = "" if rule.status == "in_force" else f" {rule.status.upper()}"
        yield f"{rule.id} ({rule.kind}){status}, {', '.join(sorted(rule.where)) or 'everybody'}"
        yield f"    {rule.text}"
        yield f"    {_cited(rule)}"
    yield f"{len(found)} rules"


def replayed(found: Replay) -> Iterator[str]:
    """Yield the lines of a replay."""
    yield f"{found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}: {found.total} decisions"
    yield f"  judged again    {found.judged:9d}  ({found.proven} with the very facts, by hash)"
    for why, number in found.left_out.most_common():
        yield f"  left out        {number:9d}  {replays.LEFT_OUT[why]}"
    yield f"  would change    {found.changed:9d}"
    yield f"  other reasons   {found.otherwise_reasoned:9d}  (the same verdict)"
    turns = [f"  {before} -> {after}: {n}" for (before, after), n in found.turns.most_common()]
    yield from _section("From what to what", turns)
    yield from _section("By rule", list(_by_rule(found)))
    for title, counts in (("By channel", found.by_channel), ("By place", found.by_place)):
        lines = [f"  {name}, {word}: {n}" for (name, word), n in sorted(counts.items())]
        yield from _section(title, lines)
    examples = [
        f"  {row.message or row.decision_id}  {row.at:%Y-%m-%d %H:%M}  {row.channel} {row.place}"
        f"  {row.before} -> {row.after}  {', '.join(row.rules)}"
        for row in found.examples
    ]
    yield from _section(f"The first {len(found.examples)}", examples)
    yield ""
    yield f"Packs in force {found.held_version[:16]}, judged by {found.book_version[:16]}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield ""
        yield title
        yield from lines


def _reasons(found: Explanation) -> Iterator[str]:
    for reason, rule in found.reasons:
        yield f"  {reason.code}: {reason.text}"
        yield f"    {rule.id}: {_cited(rule)}"


def _remedies(found: Explanation) -> Iterator[str]:
    for row in found.remedies:
        yield _line(row.who, row.words)
    if found.next_at and found.next_at > found.at:
        yield f"  It may be sent from {found.next_at:%Y-%m-%d %H:%M %Z} on."
    elif not found.next_at and found.opens_at:
        yield f"  Hours and caps would leave {found.opens_at:%Y-%m-%d %H:%M %Z}."
    for channel, verdict in found.channels:
        yield f"  By {CHANNELS[channel]}: {verdict}"


def _changes(found: Explanation) -> Iterator[str]:
    for row in found.changes:
        when = row.on.isoformat() if row.on else "proposed"
        yield f"  {when}: this message would then be: {row.verdict} ({', '.join(row.codes)})"
        for what, rule in row.rules:
            yield f"    {what}: {rule.id}: {rule.text}"
            yield f"      {_cited(rule)}"


def _looked(row: Looked) -> Iterator[str]:
    until = f" until {row.until:%Y-%m-%d %H:%M %Z}" if row.until else ""
    yield f"  {row.rule.id}: {row.why}{until}"
    yield f"    {_cited(row.rule)}"


def _cited(rule: Rule) -> str:
    until = f" to {rule.valid_to}" if rule.valid_to else ""
    link = f", {rule.source_url}" if rule.source_url else ""
    return f"{rule.source}, from {rule.valid_from}{until}{link}"


def _by_rule(found: Replay) -> Iterator[str]:
    for (code, rule_id, before, after), number in found.by_rule.most_common():
        yield f"  {number:7d}  {before} -> {after}: {code} by {rule_id}"
        if rule_id in found.rules:
            yield f"           {_cited(found.rules[rule_id])}"


def _line(term: str, words: str, why: str = "") -> str:
    return f"  {term:20} {words}{f' ({why})' if why else ''}"
