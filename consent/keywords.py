"""What does an answer mean? A stop in any spelling; when unsure, a stop. Pure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import accumulate

from consent.phrasebook import FAINT, book, one_slip
from consent.reply_text import END, LINE, PAUSE, normal, own, shared, unmasked, without_addresses
from consent.reply_text import words as words_of

# What stands further down is not read: nobody hides a stop there, and time is bounded.
READ_CHARS = 5_000
# A keyword with what people put around it, and said again and again, is no longer than this.
KEYWORD_WORDS = 60
NAME_WORDS = 2
# Stands for a word that means something else where it stands; no keyword holds it.
HARMLESS = "*"
# An address, a size, a count, which no list could hold, is no longer than this.
DETAIL_WORDS = 6
# Of the words of a harmless answer the lists explain a fifth or more; of a no put in words that
# no list holds, they explain one or two.
EXPLAINED = 0.2
# A word shorter than this has too many neighbours that mean something else.
SLIP_LETTERS = 4
__all__ = ["Meaning", "normal", "read"]


class Meaning(StrEnum):
    """What a person's answer asks for."""

    STOP = "stop"
    UNSURE = "unsure"
    YES = "yes"
    HELP = "help"
    START = "start"
    OTHER = "other"


def read(text: str) -> Meaning:
    """Return what an answer means, whatever its letters, accents, signs, spaces and emoji.

    Law: 47 CFR 64.1200(a)(10), any reasonable means; wording judged as a reasonable person would.
    """
    whole = text[:READ_CHARS]
    # Of nothing but a quote, the quote is what was sent: "> unsubscribe" in a text message.
    theirs = without_addresses(own(whole) or whole)
    found = _read(words_of(theirs))
    if found == Meaning.STOP:
        return found
    clear = unmasked(theirs)
    masked = _stop_in(words_of(clear)) if clear is not None else None
    if masked is not None:
        return masked
    if found == Meaning.OTHER and (_is_sign(theirs) or _is_unwilling(words_of(theirs))):
        return Meaning.UNSURE
    return found


def _is_unwilling(text: list[str]) -> bool:
    """Is there a weak sign of a no, or nothing that people say who mean none?

    What no list explains goes to a human: an answer not understood is no consent.
    """
    framed = [END, *text, END]
    phrases, harmless, explained = _phrases(framed)
    if "automatic" in phrases:
        return False
    found = [(phrase.kind, span) for phrase, span in book().found(framed)]
    everyday = [span for kind, span in found if kind == "everyday"]
    reach = list(explained)
    for first, last in everyday:
        reach[first] = max(reach[first], last)
    reach = list(accumulate(reach, max))
    for kind, (begin, last) in found:
        # A hint must be held whole; of what the lists above overruled, the first word is enough.
        first = begin + (framed[begin] == END)
        if kind == "hints" and reach[first] < last:
            return True
        if kind in {"requests", "doubts"} and reach[first] < first:
            return True
    explained_words = harmless.union(*(range(first, last + 1) for first, last in everyday))
    return not _is_detail(text) and not _is_explained(framed, explained_words)


def _is_explained(framed: Sequence[str], explained: set[int]) -> bool:
    """Do the lists explain enough of the words? Greetings and names of the sender need none."""
    words = [place for place, word in enumerate(framed) if word not in {END, PAUSE, LINE}]
    share = sum(place in explained for place in words) / max(1, len(words))
    return share >= EXPLAINED or not _unexplained(framed)


def _is_detail(text: Sequence[str]) -> bool:
    """Is it short and holds a number, as "42 please" and "Example Street 5, 2nd floor" do?"""
    words = [word for word in text if word not in {END, PAUSE, LINE}]
    return len(words) <= DETAIL_WORDS and any(word.isdecimal() for word in words)


def _unexplained(text: Sequence[str]) -> list[str]:
    answers = book().answers
    return [
        word
        for word in _core(text)
        if word not in {END, PAUSE, LINE}
        and word not in answers["greetings"]
        and word not in answers["closings"]
    ]


def _read(text: list[str]) -> Meaning:
    stop = _stop_in(text)
    if stop is not None:
        return stop
    core = " ".join(_core(text))
    for meaning in (Meaning.YES, Meaning.HELP, Meaning.START):
        if core in book().answers[meaning] or _bare(text) in book().answers[meaning]:
            return meaning
    return Meaning.OTHER


def _stop_in(text: list[str]) -> Meaning | None:
    framed = [END, *text, END]
    found, harmless, _ = _phrases(framed)
    if "automatic" in found:
        # Nobody wrote it: "until the end of the week" and "do not reply" ask for nothing.
        return Meaning.STOP if found & {"plain", "requests"} else None
    if found & {"plain", "requests"}:
        return Meaning.STOP
    said = _said([HARMLESS if i + 1 in harmless else word for i, word in enumerate(text)])
    if said is not None:
        return said
    if found:
        return Meaning.UNSURE
    mended = [
        word if place in harmless else book().corrected(word) for place, word in enumerate(framed)
    ]
    if mended != framed and _phrases(mended)[0] & {"plain", "requests", "doubts"}:
        return Meaning.UNSURE
    return None


def _phrases(text: Sequence[str]) -> tuple[set[str], set[int], Sequence[int]]:
    """Return the kinds of phrases that stand, the words that a harmless one takes, its reach."""
    harmless: set[int] = set()
    others: list[tuple[str, range]] = []
    reach = [-1] * len(text)
    for phrase, (first, last) in book().found(text):
        if phrase.kind in FAINT:
            continue
        covered = range(first, last + 1)
        if phrase.kind == "harmless":
            harmless.update(place for place in covered if text[place] != END)
            reach[first] = max(reach[first], last)
        else:
            others.append((phrase.kind, covered))
    reach = list(accumulate(reach, max))
    kept = {kind for kind, words in others if _stands(kind, words, reach, harmless)}
    return kept, harmless, reach


def _stands(kind: str, words: range, reach: Sequence[int], harmless: set[int]) -> bool:
    if kind == "plain":
        # So plain that only what is longer can mean something else.
        return reach[words[0]] < words[-1]
    return kind == "automatic" or harmless.isdisjoint(words)


def _said(text: Sequence[str]) -> Meaning | None:
    """Is one sentence or line nothing but a word for stop, with what people put around it?"""
    answers = book().answers
    if _is_keyword(_core([word for word in text if word not in {END, LINE}]), answers["joined"]):
        return Meaning.STOP  # "opt.out"
    for part in _parts(text, {END, LINE}):
        core = _core(part)
        for words in (part, core, *_ungreeted(part)):
            if _is_keyword(words, answers["keywords"]):
                return Meaning.STOP
        if len(core) == 1 and _is_typo(core[0]):
            return Meaning.UNSURE
    for part in _parts(text, {END, LINE, PAUSE}):
        if _is_keyword(_core(part), answers["joined"]):
            return Meaning.STOP
    return None


def _is_keyword(words: Sequence[str], keywords: frozenset[str]) -> bool:
    words = [word for word in words if word != PAUSE]
    if not words or len(words) > KEYWORD_WORDS:
        return False
    joined = "".join(words)
    # "stop stop STOP" is one word said with feeling.
    return joined in keywords or joined[: (joined + joined).find(joined, 1)] in keywords


def _is_typo(word: str) -> bool:
    answers = book().answers
    if word in answers["known"] or len(word) < SLIP_LETTERS:
        return False
    return any(one_slip(known, word) for known in answers["typed"])


def _ungreeted(part: Sequence[str]) -> Iterator[list[str]]:
    """Yield the words without "Dear Ana" before and "Thanks, Bob" after them."""
    answers = book().answers
    first = next((i for i, word in enumerate(part) if word not in answers["greetings"]), 0)
    last = next((i for i in range(1, len(part)) if part[i] in answers["closings"]), len(part))
    names = range(first, first + NAME_WORDS + 1) if first else (0,)
    for start in names:
        yield _core(part[start : max(start, last)])


def _core(part: Sequence[str]) -> list[str]:
    around = book().answers["around"]
    return [word for word in part if word not in around]


def _bare(text: Sequence[str]) -> str:
    return " ".join(word for word in text if word not in {END, PAUSE, LINE})


def _parts(text: Sequence[str], marks: set[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in [*text, END]:
        if word in marks:
            if part:
                yield part
            part = []
        else:
            part.append(word)


def _is_sign(text: str) -> bool:
    kept = {char for char in text if not char.isspace() and char not in "\ufe0f\u200d!?.♂♀"}
    kept = {char for char in kept if not "\U0001f3fb" <= char <= "\U0001f3ff"}
    return bool(kept) and kept <= set(shared()["signs"])
