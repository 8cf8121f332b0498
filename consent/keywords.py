"""What does an answer mean? A stop in any spelling; when unsure, a stop. Pure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import accumulate

from consent import resemblance
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
# A word shorter than this has too many neighbours that mean something else.
SLIP_LETTERS = 4
__all__ = ["Meaning", "listed", "must_ask", "normal", "read"]


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
    theirs, found = listed(text)
    if found not in {Meaning.OTHER, Meaning.UNSURE}:
        return found
    return Meaning.UNSURE if must_ask(theirs) or _may_be_a_no(theirs, found) else Meaning.OTHER


def _is_harmless_whole(text: list[str]) -> bool:
    """Does one harmless phrase name all of it, from `^` to `$`: "don't stop sending these"?"""
    framed = [END, *text, END]
    all_of_it = (0, len(framed) - 1)
    return any(p.kind == "harmless" and span == all_of_it for p, span in book().found(framed))


def must_ask(theirs: str) -> bool:
    """Must a human read it, whatever the model thinks?

    A sign of a no, a stop to begin with, or words of which no list knows one.
    """
    words = words_of(theirs)
    first = next(_parts(words, {END, LINE, PAUSE}), [])
    is_opened = _is_keyword(_core(first), book().answers["joined"])
    return _is_sign(theirs) or is_opened or _is_strange(words)


def _is_strange(text: Sequence[str]) -> bool:
    words = [word for word in text if word not in {END, PAUSE, LINE}]
    if len(words) < NAME_WORDS or any(word.isdecimal() for word in words):
        return False
    kinds = ("known", "around", "greetings", "closings")
    is_known = any(not book().answers[kind].isdisjoint(words) for kind in kinds)
    return not is_known and not book().knows(words)


def listed(text: str) -> tuple[str, Meaning]:
    """Return the part of an answer that is read, and what the lists alone say that it means."""
    whole = text[:READ_CHARS]
    # Of nothing but a quote, the quote is what was sent: "> unsubscribe" in a text message.
    theirs = without_addresses(own(whole) or whole)
    found = _read(words_of(theirs))
    clear = unmasked(theirs) if found != Meaning.STOP else None
    masked = _stop_in(words_of(clear)) if clear is not None else None
    found = masked or found
    return theirs, Meaning.UNSURE if found == Meaning.STOP and _is_fond(theirs) else found


def _may_be_a_no(theirs: str, found: Meaning) -> bool:
    """Should a human read what the lists leave open? What is not understood is no consent."""
    learned = resemblance.learned()
    if learned is None:
        return any(char.isalnum() for char in theirs)
    if _is_harmless_whole(words_of(theirs)):
        return False
    alike = learned.alike(resemblance.pieces(theirs))
    signs = resemblance.signs(theirs, unsure=found == Meaning.UNSURE, alike=alike)
    return learned.may_be_a_no(signs)


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
    if "".join(word for word in text if word not in {END, PAUSE, LINE}) in book().answers["joined"]:
        return Meaning.STOP  # "STOP ALL" as a whole, whatever "al" means elsewhere
    found, harmless = _phrases(framed)
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


def _phrases(text: Sequence[str]) -> tuple[set[str], set[int]]:
    """Return the kinds of phrases that stand, and the words that a harmless one takes."""
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
    return kept, harmless


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


def _is_fond(text: str) -> bool:
    """Is it more than a keyword, and said with a laugh or a heart: "stop it, so sweet"?"""
    if not any(sign in text for sign in shared()["fond"]):
        return False
    words = [word for word in words_of(text) if word not in {END, PAUSE, LINE}]
    return not _is_keyword(_core(words), book().answers["keywords"])


def _is_sign(text: str) -> bool:
    kept = {char for char in text if not char.isspace() and char not in "\ufe0f\u200d!?.♂♀"}
    kept = {char for char in kept if not "\U0001f3fb" <= char <= "\U0001f3ff"}
    return bool(kept) and kept <= set(shared()["signs"])
