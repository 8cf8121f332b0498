"""How is a script read? Into its personal sentences, their slots and the text for everybody.

A slot is `{{ name }}`, or `{{ name|there }}` with words for when the person has none. A sentence
that holds a slot is spoken on this machine: the first one, and others further on. The rest is what
an AI is given, with time left empty where the personal sentences are heard.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ALLOWED_SLOTS = ("name", "company", "city", "plan")
LONGEST_WORDS = 600
LONGEST_CHARACTERS = 8_000
# Each personal passage costs pictures of one's own for every person.
MOST_PASSAGES = 8
# Fewer words than this between two of them give a vendor nothing to show.
FEWEST_WORDS_BETWEEN = 4

_SLOT = re.compile(r"\{\{([^{}]*)\}\}")
_INSIDE = re.compile(r"\s*(?P<name>[^\s|{}]+)\s*(?:\|(?P<fallback>[^|{}]*))?")
_BRACE = re.compile(r"\{\{?|\}\}?")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_BLANKS = dict.fromkeys(map(ord, "\n\r\t"), " ")
LOOKED_BACK, BEGINNING = 40, 200
_WORD_ASCII = re.compile(r"[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*")
# Scripts without spaces: two signs are counted as one word.
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_END = re.compile(r"[.!?…।؟۔]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”]*|\n")
_MAY_END = re.compile(r"[.!?…।؟۔。！？\n]")
# A full stop after one of these ends a word, not a sentence.
_SHORT = frozenset(
    "mr mrs ms dr prof st sr sra srta sig mme mlle hr fr no nr inc ltd co e.g i.e z.b".split()
)


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a script from leaving, and where it stands (0-based, end excluded).

    `line` and `column` count from 1. `text_shown` goes to the writer's own page only.
    """

    kind: str
    start: int
    end: int
    text_shown: str
    message: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Slot:
    """One place for a person's value; `fallback` is None where the value must be there."""

    name: str
    fallback: str | None
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """Sentences in a row that are all personal, or all for everybody; places in characters."""

    start: int
    end: int
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class ParsedScript:
    """A script taken apart into passages, which together are its whole text."""

    text: str
    slots: tuple[Slot, ...]
    passages: tuple[Passage, ...]
    word_count: int
    problems: tuple[Problem, ...]

    @property
    def personal(self) -> str:
        """What is spoken for each person on this machine, a line for each passage."""
        return "\n".join(self.text[one.start : one.end] for one in self.passages if one.slots)

    def paragraphs(self, passage: Passage) -> list[str]:
        """Return a passage's text in one spelling of spaces and signs."""
        blocks = re.split(r"\n\s*\n", self.text[passage.start : passage.end])
        joined = (" ".join(unicodedata.normalize("NFC", block).split()) for block in blocks)
        return [block for block in joined if block]


def problem(*, kind: str, text: str, start: int, end: int, message: str) -> Problem:
    """Describe a fault in a text with its line and column."""
    line_start = text.rfind("\n", 0, start) + 1
    line = text.count("\n", 0, start) + 1
    shown = text[start : min(end, start + 60)]
    return Problem(kind, start, end, shown, message, line, start - line_start + 1)


def parse(text: str) -> ParsedScript:
    """Take a script apart and name every fault of its form, each with its place."""
    if len(text) > LONGEST_CHARACTERS:
        return ParsedScript(text, (), (), len(text), (_too_long(text),))
    slots = tuple(_slots(text))
    passages = tuple(_passages(text, slots))
    words = _count_words(text)
    faults = [*_faults_of_slots(text, slots), *_faults_of_braces(text)]
    faults += [*_faults_of_signs(text), *_faults_of_length(text, words)]
    if slots and not faults:
        faults += _faults_of_passages(text, passages)
    faults.sort(key=lambda fault: (fault.start, fault.end))
    return ParsedScript(text, slots, passages, words, tuple(faults))


def fill(*, parsed: ParsedScript, values: Mapping[str, str]) -> tuple[list[str], str]:
    """Put a person's values into the personal passages.

    Returns a line for each and the name of the first slot that has neither value nor fallback.
    """
    given = {slot: values.get(slot.name, "").strip() or slot.fallback for slot in parsed.slots}
    missing = next((slot.name for slot, value in given.items() if value is None), "")
    return [_line(parsed.text, one, given) for one in parsed.passages if one.slots], missing


def _line(text: str, passage: Passage, given: Mapping[Slot, str | None]) -> str:
    pieces, position = [], passage.start
    for slot in passage.slots:
        pieces += [text[position : slot.start], given[slot] or ""]
        position = slot.end
    pieces.append(text[position : passage.end])
    line = " ".join("".join(pieces).split())
    # An empty fallback leaves a space before the comma.
    return re.sub(r"\s+([,.!?;:])", r"\1", line)


def _slots(text: str) -> Iterator[Slot]:
    for found in _SLOT.finditer(text):
        inside = _INSIDE.fullmatch(found[1])
        name = inside["name"] if inside else found[1].strip()
        fallback = inside["fallback"] if inside else None
        clean = fallback.strip() if fallback is not None else None
        yield Slot(name, clean, found.start(), found.end())


def _passages(text: str, slots: tuple[Slot, ...]) -> Iterator[Passage]:
    """Yield sentences in a row that are of one kind; blanks belong to what stands before them."""
    start, end = 0, 0
    held: tuple[Slot, ...] = ()
    for stop in _ends(text):
        own = tuple(slot for slot in slots if end <= slot.start < stop)
        blank = not text[end:stop].strip()
        if text[start:end].strip() and not blank and bool(own) != bool(held):
            yield Passage(start, end, held)
            start, held = end, ()
        end, held = stop, (*held, *own)
    if end > start:
        yield Passage(start, end, held)


def _ends(text: str) -> Iterator[int]:
    """Yield where each sentence ends, the last at the end of the text."""
    # What stands within a slot ends nothing, and keeps its place.
    text, after = _SLOT.sub(lambda slot: "x" * len(slot[0]), text), 0
    for sign in _MAY_END.finditer(text):
        found = _END.match(text, sign.start()) if sign.start() >= after else None
        if found is not None:
            after = found.end()
            if found[0] != "." or not _is_short(text, found.start()):
                yield after
    yield len(text)


def _is_short(text: str, stop: int) -> bool:
    # A few signs back are enough, and a long script is not split again for each of its sentences.
    word = text[max(0, stop - LOOKED_BACK) : stop].split()[-1:]
    return bool(word) and word[0].lower() in _SHORT


def _count_words(text: str) -> int:
    plain = _SLOT.sub(" ", text)
    if plain.isascii():
        return len(_WORD_ASCII.findall(plain))
    dense = len(_DENSE.findall(plain))
    return len(_WORD.findall(_DENSE.sub(" ", plain))) + (dense + 1) // 2


def _faults_of_slots(text: str, slots: tuple[Slot, ...]) -> Iterator[Problem]:
    message = f"There is no such slot. You can use: {', '.join(ALLOWED_SLOTS)}."
    for slot in slots:
        if slot.name not in ALLOWED_SLOTS:
            yield problem(
                kind="slot_unknown", text=text, start=slot.start, end=slot.end, message=message
            )
    if not slots and "{{" not in text and text.strip():
        message = "Nothing here is personal. Begin with a sentence such as: Hello {{ name }}."
        yield problem(kind="slot_missing", text=text, start=0, end=0, message=message)


def _faults_of_passages(text: str, passages: tuple[Passage, ...]) -> Iterator[Problem]:
    """Name the personal passages that cannot be where they are."""
    personal = [one for one in passages if one.slots]
    if not passages[0].slots:
        message = "The video begins with a greeting: put a slot into the first sentence as well."
        yield _at_slot("slot_misplaced", text, personal[0], message)
    if len(personal) > MOST_PASSAGES:
        message = f"A video can be personal in {MOST_PASSAGES} places at most. Take a slot out."
        yield _at_slot("slots_too_many", text, personal[MOST_PASSAGES], message)
    between = [one for one in passages[1:-1] if not one.slots]
    for after in (passages[passages.index(one) + 1] for one in between if _is_short_cut(text, one)):
        message = (
            "This slot is too near to the one before. Let the two sentences follow each other, or "
            f"write at least {FEWEST_WORDS_BETWEEN} words between them."
        )
        yield _at_slot("slot_too_near", text, after, message)
    if not any(_WORD.search(text[one.start : one.end]) for one in passages if not one.slots):
        yield _nothing_to_say(text)


def _is_short_cut(text: str, passage: Passage) -> bool:
    # Its beginning is nearly always enough to say that it is long.
    shown = text[passage.start : passage.end]
    return all(_count_words(some) < FEWEST_WORDS_BETWEEN for some in (shown[:BEGINNING], shown))


def _at_slot(kind: str, text: str, passage: Passage, message: str) -> Problem:
    slot = passage.slots[0]
    return problem(kind=kind, text=text, start=slot.start, end=slot.end, message=message)


def _faults_of_braces(text: str) -> Iterator[Problem]:
    rest = _SLOT.sub(lambda found: " " * len(found[0]), text)
    for found in _BRACE.finditer(rest):
        message = "A slot is written with two braces on each side, such as {{ name }}."
        start, end = found.span()
        yield problem(kind="slot_unclosed", text=text, start=start, end=end, message=message)


def _faults_of_signs(text: str) -> Iterator[Problem]:
    if text.translate(_BLANKS).isprintable():
        return
    for place, sign in enumerate(text):
        if sign not in "\n\r\t" and unicodedata.category(sign) in {"Cc", "Cs", "Co", "Cn"}:
            message = "There is a sign here that cannot be seen or spoken. Delete it."
            yield problem(
                kind="sign_unspeakable", text=text, start=place, end=place + 1, message=message
            )


def _faults_of_length(text: str, words: int) -> Iterator[Problem]:
    if not words:
        message = "The script is empty. Write what the video should say."
        yield problem(kind="too_short", text=text, start=0, end=0, message=message)
    if words > LONGEST_WORDS:
        yield _too_long(text)


def _too_long(text: str) -> Problem:
    message = f"The script is too long. It can have {LONGEST_WORDS} words at most."
    return problem(kind="too_long", text=text, start=0, end=0, message=message)


def _nothing_to_say(text: str) -> Problem:
    message = "Write at least one sentence after the greeting: it is what the AI speaks."
    end = len(text)
    return problem(kind="nothing_to_say", text=text, start=end, end=end, message=message)
