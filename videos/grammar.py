"""How is a script read? Into its personal sentence, its slots and the text for everybody.

A slot is `{{ name }}`, or `{{ name|there }}` with words for when the person has none. Slots stand
in the first sentence, which is spoken on this machine; the rest is what an AI is given.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ALLOWED_SLOTS = ("name", "company", "city", "plan")
LONGEST_WORDS = 600
LONGEST_CHARACTERS = 8_000

_SLOT = re.compile(r"\{\{([^{}]*)\}\}")
_INSIDE = re.compile(r"\s*(?P<name>[^\s|{}]+)\s*(?:\|(?P<fallback>[^|{}]*))?")
_BRACE = re.compile(r"\{\{?|\}\}?")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Scripts without spaces: two signs are counted as one word.
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_END = re.compile(r"[.!?…।؟۔]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”]*|\n")
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
class ParsedScript:
    """A script taken apart. `personal_end` is where the personal sentence ends, in characters."""

    text: str
    slots: tuple[Slot, ...]
    personal_end: int
    word_count: int
    problems: tuple[Problem, ...]

    @property
    def personal(self) -> str:
        """The sentence that is spoken for each person on this machine."""
        return self.text[: self.personal_end]

    @property
    def paragraphs(self) -> list[str]:
        """The text for everybody, in one spelling of spaces and signs."""
        blocks = re.split(r"\n\s*\n", self.text[self.personal_end :])
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
        return ParsedScript(text, (), 0, len(text), (_too_long(text),))
    slots = tuple(_slots(text))
    personal_end = _first_end(text) if slots else 0
    words = _count_words(text)
    faults = [*_faults_of_slots(text, slots, personal_end), *_faults_of_braces(text)]
    faults += [*_faults_of_signs(text), *_faults_of_length(text, words)]
    if slots and not faults and not _WORD.search(text, personal_end):
        faults.append(_nothing_to_say(text))
    faults.sort(key=lambda fault: (fault.start, fault.end))
    return ParsedScript(text, slots, personal_end, words, tuple(faults))


def fill(*, parsed: ParsedScript, values: Mapping[str, str]) -> tuple[str, str]:
    """Put a person's values into the personal sentence.

    Returns the sentence and the name of the first slot that has neither value nor fallback.
    """
    pieces, position, missing = [], 0, ""
    for slot in parsed.slots:
        value = values.get(slot.name, "").strip() or slot.fallback
        missing = missing or (slot.name if value is None else "")
        pieces += [parsed.text[position : slot.start], value or ""]
        position = slot.end
    pieces.append(parsed.text[position : parsed.personal_end])
    line = " ".join("".join(pieces).split())
    # An empty fallback leaves a space before the comma.
    return re.sub(r"\s+([,.!?;:])", r"\1", line), missing


def _slots(text: str) -> Iterator[Slot]:
    for found in _SLOT.finditer(text):
        inside = _INSIDE.fullmatch(found[1])
        name = inside["name"] if inside else found[1].strip()
        fallback = inside["fallback"] if inside else None
        clean = fallback.strip() if fallback is not None else None
        yield Slot(name, clean, found.start(), found.end())


def _first_end(text: str) -> int:
    start = len(text) - len(text.lstrip())
    inside = [found.span() for found in _SLOT.finditer(text)]
    for found in _END.finditer(text, start):
        if any(first < found.end() <= last for first, last in inside):
            continue
        if found[0] == "." and _is_short(text, found.start()):
            continue
        return found.end()
    return len(text)


def _is_short(text: str, stop: int) -> bool:
    word = text[:stop].split()[-1:] if text[:stop] else []
    return bool(word) and word[0].lower() in _SHORT


def _count_words(text: str) -> int:
    plain = _SLOT.sub(" ", text)
    dense = len(_DENSE.findall(plain))
    return len(_WORD.findall(_DENSE.sub(" ", plain))) + (dense + 1) // 2


def _faults_of_slots(text: str, slots: tuple[Slot, ...], personal_end: int) -> Iterator[Problem]:
    known = ", ".join(ALLOWED_SLOTS)
    for slot in slots:
        if slot.name not in ALLOWED_SLOTS:
            kind, message = "slot_unknown", f"There is no such slot. You can use: {known}."
        elif slot.end > personal_end:
            kind = "slot_misplaced"
            message = "Slots can stand in the first sentence only. Move this one there."
        else:
            continue
        yield problem(kind=kind, text=text, start=slot.start, end=slot.end, message=message)
    if not slots and "{{" not in text and text.strip():
        message = "Nothing here is personal. Begin with a sentence such as: Hello {{ name }}."
        yield problem(kind="slot_missing", text=text, start=0, end=0, message=message)


def _faults_of_braces(text: str) -> Iterator[Problem]:
    rest = _SLOT.sub(lambda found: " " * len(found[0]), text)
    for found in _BRACE.finditer(rest):
        message = "A slot is written with two braces on each side, such as {{ name }}."
        start, end = found.span()
        yield problem(kind="slot_unclosed", text=text, start=start, end=end, message=message)


def _faults_of_signs(text: str) -> Iterator[Problem]:
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
