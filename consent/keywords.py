"""What does an answer mean? A stop in any spelling; when unsure, a stop. Pure."""

import tomllib
import unicodedata
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

WORDS = Path(__file__).with_name("words.toml")
# A message longer than this is not a keyword, but it may still ask to be left alone.
READ_CHARS = 2000


class Meaning(StrEnum):
    """What a person's answer asks for."""

    STOP = "stop"
    UNSURE = "unsure"
    YES = "yes"
    OTHER = "other"


def read(text: str) -> Meaning:
    """Return what an answer means, whatever its letters, accents, signs, spaces and emoji.

    Law: 47 CFR 64.1200(a)(10), any reasonable means; wording judged as a reasonable person would.
    """
    plain = normal(text[:READ_CHARS])
    joined = plain.replace(" ", "")
    if plain in _words("stop") or joined in _joined("stop"):
        return Meaning.STOP
    if plain in _words("yes"):
        return Meaning.YES
    if any(_holds(plain, part) for part in _words("unsure")):
        return Meaning.UNSURE
    return Meaning.OTHER


def normal(text: str) -> str:
    """Return letters and digits only, folded and without accents, words apart by one space."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = []
    for char in unicodedata.normalize("NFKD", folded):
        if _is_accent(char) or char in "'’‘`\u200c\u200d\ufe0f":
            continue
        kept.append(char if _is_text(char) else " ")
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _is_text(char: str) -> bool:
    # Marks of Indic scripts are vowels: they are part of the word.
    return unicodedata.category(char)[0] in "LNM"


def _is_accent(char: str) -> bool:
    # Accents of Latin, Greek and Cyrillic, and the short vowels and hamza of Arabic, vary by hand.
    return "\u0300" <= char <= "\u036f" or "\u064b" <= char <= "\u0655" or char == "\u0640"


def _holds(plain: str, part: str) -> bool:
    if not part.isascii():
        return part in plain
    return f" {part} " in f" {plain} "


@lru_cache(maxsize=4)
def _words(kind: str) -> frozenset[str]:
    listed = tomllib.loads(WORDS.read_text(encoding="utf-8"))[kind]
    return frozenset(normal(word) for word in listed)


@lru_cache(maxsize=1)
def _joined(kind: str) -> frozenset[str]:
    # "S T O P" and "opt-out" are one word to whoever typed them.
    return frozenset(word.replace(" ", "") for word in _words(kind))
