"""The promise that nothing personal can be in what leaves for an AI (promise 2).

The only module that makes an `AnonymousScript`, and `videos.rendering` takes nothing else. Its
bytes follow from the script's fixed text, language and slots alone: never from who is written to.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from accounts import keys
from config.lib import canonical
from consent import contacts as people
from consent.models import Contact
from videos import detectors, grammar, names
from videos.grammar import ParsedScript, Problem, parse
from videos.known import Everybody, Known, NotSearchable
from videos.names import KnownIdentifiers

__all__ = [
    "AnonymousScript",
    "Everybody",
    "Known",
    "KnownIdentifiers",
    "NotAnonymous",
    "NotSearchable",
    "ParsedScript",
    "Problem",
    "ScriptRefused",
    "SlotMissing",
    "anonymise",
    "known_identifiers",
    "parse",
    "personal_lines",
]

WIDTH_PX, HEIGHT_PX = 1280, 720
# How long a slot stays empty: by the template's own words, never by anybody's value.
SHORTEST_SLOT_MS, LONGEST_SLOT_MS, STEP_MS = 3_000, 12_000, 500
WORD_MS, VALUE_MS = 400, 1_000
# Speech can be quickened by about so much before it would have to be cut.
TOO_LONG_MS = LONGEST_SLOT_MS * 5 // 4

NOT_SEARCHABLE = "not_searchable"
_WAIT = "The names of your contacts are still being prepared for the search. Try in some minutes."

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_HERE = object()
_MESSAGES = {
    "name": "This looks like a person's name. Use {{ name }}, or write about your company.",
    "known_name": "This is the name of somebody in the audience. Use {{ name }} instead.",
    "known_email": "This is the address of somebody in the audience. Take it out.",
    "known_phone": "This is the number of somebody in the audience. Take it out.",
    "email": "This is an e-mail address. Take it out.",
    "handle": "This looks like an account name. Take it out.",
    "phone": "This is a phone number. Take it out.",
    "url": "This is a web address. Take it out; the message carries the link.",
    "ip_address": "This is a network address. Take it out.",
    "device": "This is a device number. Take it out.",
    "iban": "This is a bank account number. Take it out.",
    "card": "This is a payment card number. Take it out.",
    "national_id": "This is a personal identity or tax number. Take it out.",
    "vehicle": "This looks like a vehicle's number. Take it out.",
    "date": "This is a full date. Write the year alone, or leave it out.",
    "age": "An age above 89 points to a person. Leave it out.",
    "record_number": "This looks like the number of a record or account. Take it out.",
    "unique_code": "This looks like a code that stands for one person. Take it out.",
    "place": "These are coordinates of a place. Take them out.",
    "address": "This looks like a postal address. Take it out.",
    "long_number": "A number this long can stand for one person. Take it out.",
}


class NotAnonymous(TypeError):
    """Somebody tried to make an AnonymousScript outside this module."""


class ScriptRefused(Exception):
    """The script cannot leave; `problems` says where and why. The text itself is not repeated."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        places = ", ".join(f"{p.kind} at {p.line}:{p.column}" for p in self.problems)
        super().__init__(places)

    @property
    def must_wait(self) -> bool:
        """Say whether the script may be fine, and the names it is searched for are not ready."""
        return any(problem.kind == NOT_SEARCHABLE for problem in self.problems)


class SlotMissing(Exception):
    """A person has no value for a slot and the script no fallback; `slot` is its name."""

    def __init__(self, slot: str) -> None:
        self.slot = slot
        super().__init__(f"slot_missing:{slot}")


@dataclass(frozen=True, slots=True)
class AnonymousScript:
    """What may leave for an AI: the exact bytes, their SHA-256, and the names of empty slots."""

    body: bytes
    sha256: str
    slots: tuple[str, ...]
    language: str
    detectors: str
    made_by: InitVar[object]
    # Whether it was searched for everybody's own values; without that the door stays shut.
    searched: bool = field(default=False, kw_only=True)

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _HERE:
            raise NotAnonymous("an AnonymousScript is made by videos.anonymisation.anonymise only")


def anonymise(*, script_text: str, language: str, known: Known | None = None) -> AnonymousScript:
    """Turn a script into the bytes that may leave for an AI, its slots empty.

    `known` are the people's own values; they can refuse a script but never change its bytes. A
    script that was not searched for them may be looked at and cannot leave.

    :raises ScriptRefused: it has a fault of form, or something personal in its fixed text.
        Also while it cannot be said whether somebody is named in it.
    Law: GDPR Art. 25 and Recital 26; HIPAA 45 CFR 164.514(b)(2).
    """
    parsed = parse(script_text)
    problems = [*parsed.problems, *_long_passages(parsed), *_scan(script_text, language, known)]
    if not _LANGUAGE.fullmatch(language):
        problems.append(Problem("language_unknown", 0, 0, "", "Choose the script's language."))
    if problems:
        raise ScriptRefused(sorted(problems, key=lambda one: (one.start, one.end)))
    body = _wire(parsed, language)
    return AnonymousScript(
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        slots=tuple(sorted({slot.name for slot in parsed.slots})),
        language=language,
        detectors=f"{detectors.VERSION} {known.version if known else ''}".strip(),
        searched=known is not None,
        made_by=_HERE,
    )


def known_identifiers(*, contacts: Iterable[Contact], at: datetime) -> KnownIdentifiers:
    """Open the names, e-mails and phones of an audience to search a script for them.

    The values stay in memory; a contact whose key no longer opens has nothing left to find.
    """
    known = KnownIdentifiers()
    for contact in contacts:
        if contact.erased_at is None and keys.opens(key=contact.key, at=at):
            person = people.opened(contact=contact, at=at)
            known.add(name=person.name, email=person.email, phone=person.phone)
    return known.ready()


def personal_lines(*, script_text: str, values: Mapping[str, str]) -> list[str]:
    """Return what is said in each personal slot, with a person's values, for this machine's use.

    :raises SlotMissing: a slot has neither a value nor a fallback.
    """
    lines, missing = grammar.fill(parsed=parse(script_text), values=values)
    if missing:
        raise SlotMissing(missing)
    return lines


def judge_body(*, body: bytes, language: str) -> list[str]:
    """Scan bytes that left already and return the kinds of what is personal in them."""
    text = body.decode("utf-8", errors="replace")
    return sorted({one.kind for one in _scan(text, language, None)})


def _scan(text: str, language: str, known: Known | None) -> list[Problem]:
    if len(text) > grammar.LONGEST_CHARACTERS:
        return []
    plain = detectors.plain(text)
    try:
        found = list(known.find(plain)) if known else []
    except NotSearchable:
        return [Problem(NOT_SEARCHABLE, 0, 0, "", _WAIT)]
    found += detectors.find(text=plain.text, language=language, pieces=plain.pieces)
    found += names.find_addressed(text=plain.text, language=language, pieces=plain.pieces)
    places = [
        (kind, *plain.original(start, end))
        for kind, start, end in detectors.without_overlaps(found)
    ]
    return [
        grammar.problem(kind=kind, text=text, start=start, end=end, message=_MESSAGES[kind])
        for kind, start, end in places
    ]


def _wire(parsed: ParsedScript, language: str) -> bytes:
    """Write the request. No id, title or callback: two campaigns with one text are one request."""
    lengths_ms = iter(_slots_ms(parsed))
    items: list[dict[str, object]] = []
    for passage in parsed.passages:
        if passage.slots:
            place = 1 + sum("slot" in item for item in items)
            items.append({"slot": f"s{place}", "ms": next(lengths_ms)})
        else:
            items += [{"speech": paragraph} for paragraph in parsed.paragraphs(passage)]
    return canonical.encode(
        {"language": language, "width": WIDTH_PX, "height": HEIGHT_PX, "items": items}
    )


def _slots_ms(parsed: ParsedScript) -> list[int]:
    """Say how long each personal passage is left empty."""
    rounded = (-(-wanted // STEP_MS) * STEP_MS for wanted in _wanted_ms(parsed))
    return [min(LONGEST_SLOT_MS, max(SHORTEST_SLOT_MS, one)) for one in rounded]


def _wanted_ms(parsed: ParsedScript) -> list[int]:
    lines, _ = grammar.fill(parsed=parsed, values=dict.fromkeys(grammar.ALLOWED_SLOTS, ""))
    personal = [passage for passage in parsed.passages if passage.slots]
    return [
        WORD_MS * len(line.split()) + VALUE_MS * (1 + len(passage.slots))
        for line, passage in zip(lines, personal, strict=True)
    ]


def _long_passages(parsed: ParsedScript) -> Iterator[Problem]:
    """Name the personal passages that take longer than a slot can be."""
    message = (
        f"It takes longer than {LONGEST_SLOT_MS // 1000} seconds to say this. Shorten it, or put a "
        "sentence without a slot between."
    )
    personal = [passage for passage in parsed.passages if passage.slots]
    for wanted, passage in zip(_wanted_ms(parsed), personal, strict=True):
        if wanted > TOO_LONG_MS:
            slot = passage.slots[0]
            yield grammar.problem(
                kind="slot_too_long",
                text=parsed.text,
                start=slot.start,
                end=slot.end,
                message=message,
            )
