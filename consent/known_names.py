"""Which spellings of a name are looked for in a text, and under which keyed hashes are they kept?

A text is searched for the names of a million people without opening one of them: each contact keeps
the keyed hashes of the words of their name, and each word of the text is hashed and looked up.
"""

import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from accounts import keys

VERSION = "names-1"
HOUSE = "house"
# Of SHA-256's 64 hex digits: a million names among as many questions meet by chance never.
INDEX_DIGITS = 32
SHORTEST_PART, SHORTEST_DENSE = 3, 3
COLUMNS = ("name_pair_index", "name_first_index", "name_middle_index", "name_last_index")
# Between the words of a pair; it stands in no name.
BETWEEN = "\x1f"
APOSTROPHES = frozenset("'’ʼ‘`´")
_MARKS = "".join(chr(n) for n in range(0x300, 0x10000) if unicodedata.category(chr(n))[0] == "M")
_APOSTROPHE = f"[{re.escape(''.join(sorted(APOSTROPHES)))}]"
# O'Neil is one word; Anna's is Anna.
_WORD = re.compile(
    rf"([^\W\d_](?:[^\W\d_]|[{_MARKS}]|{_APOSTROPHE}(?=[^\W\d_])(?![sS](?![^\W\d_])))*)"
)
# The same among the signs of ASCII, and quicker to read.
_WORD_ASCII = re.compile(r"([A-Za-z]+(?:['`](?=[A-Za-z])(?![sS](?![A-Za-z]))[A-Za-z]+)*)")
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]")
# Letters that no rule of Unicode takes apart.
LETTERS = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "ħ": "h",
    "ə": "e",
}
# Words that belong to a name and say nothing of whose it is.
PARTICLES = frozenset(
    """van von vom zu zur zum der den de del della dello di da do dos das du des la le los las al el
    bin ibn bint ben abu ter ten te af av of y e i und and the jr sr ii iii iv mr mrs ms miss dr
    prof sir lady lord herr frau mme mlle sra srta don""".split()
)


@dataclass(frozen=True)
class Token:
    """One word of a text: how it is looked for, and where it stands (end excluded)."""

    word: str
    start: int
    end: int
    shown: str


@dataclass(frozen=True)
class Spelling:
    """What of a name is looked for: first and last word together, and its words alone."""

    pair: str = ""
    first: str = ""
    middle: str = ""
    last: str = ""


@lru_cache(maxsize=4096)
def fold_sign(sign: str) -> str:
    """Return a sign without case and accents; a few letters become two, some signs none."""
    parts = unicodedata.normalize("NFKD", sign.casefold())
    bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    # Composed again: a Korean syllable was taken apart into its letters.
    return unicodedata.normalize("NFC", "".join(LETTERS.get(part, part) for part in bare))


def fold(word: str) -> str:
    """Return a word as it is looked for: `Müller`, `MUELLER` and `muller` are one."""
    bare = word.lower() if word.isascii() else "".join(fold_sign(sign) for sign in word)
    return bare.replace("ae", "a").replace("oe", "o").replace("ue", "u") if "e" in bare else bare


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text; an apostrophe within joins, a hyphen parts."""
    for found in _WORD.finditer(text):
        yield Token(looked_for(found[0]), found.start(), found.end(), found[0])


def pieces(text: str) -> list[str]:
    """Return what stands between the words of a text and the words, in turn."""
    return (_WORD_ASCII if text.isascii() else _WORD).split(text)


def looked_for(shown: str) -> str:
    """Return how a word as it is written is looked for."""
    if shown.isalpha():
        return fold(shown)
    return fold("".join(sign for sign in shown if sign not in APOSTROPHES))


def has_dense(text: str) -> bool:
    """Say whether a text holds a script that writes words without spaces between them."""
    return not text.isascii() and bool(_DENSE.search(text))


def is_dense(sign: str) -> bool:
    """Say whether a sign is of a script that writes words without spaces between them."""
    return (
        "\u3040" <= sign <= "\u9fff"
        or "\uac00" <= sign <= "\ud7af"
        or "\u0e00" <= sign <= "\u0eff"
        or "\u1000" <= sign <= "\u109f"
        or "\u1780" <= sign <= "\u17ff"
    )


def longest(sign: str) -> int:
    """Return how many signs a name has at most in a script without spaces, by its first sign."""
    return 10 if sign >= "\u3040" else 24


def spelling(name: str) -> Spelling:
    """Return what of a name is looked for; a name of one short word leaves nothing."""
    words = [token.word for token in tokens(name)]
    if words and all(is_dense(word[0]) for word in words if word):
        whole = "".join(words)
        return Spelling(pair=whole if len(whole) >= SHORTEST_DENSE else "")
    own = [word for word in words if len(word) > 1 and word not in PARTICLES]
    return Spelling(
        pair=pair(own[0], own[-1]) if len(own) > 1 else "",
        first=_alone(own[0]) if own else "",
        middle=_alone(own[-2]) if len(own) > 2 else "",
        last=_alone(own[-1]) if len(own) > 1 else "",
    )


def pair(one: str, other: str) -> str:
    """Return two words as they are looked for, in either order."""
    return one + BETWEEN + other if one < other else other + BETWEEN + one


def realm(*, field: str, partner_id: uuid.UUID | None) -> str:
    """Return the realm in which a partner's values of a kind are hashed: no two share one."""
    return f"{field}:{partner_id or HOUSE}"


def indexes(*, partner_id: uuid.UUID | None, name: str) -> dict[str, str]:
    """Return the keyed hashes of a name by column; nothing to look for is the empty text."""
    spelt = spelling(name)
    values = (spelt.pair, spelt.first, spelt.middle, spelt.last)
    hashed = hashes(partner_id=partner_id, values=[value for value in values if value])
    return {column: hashed.get(value, "") for column, value in zip(COLUMNS, values, strict=True)}


def hashes(*, partner_id: uuid.UUID | None, values: Iterable[str]) -> dict[str, str]:
    """Return the keyed hashes of words and pairs, by what was hashed."""
    found = keys.blind_indexes(realm=realm(field="name", partner_id=partner_id), values=values)
    return {value: digest[:INDEX_DIGITS] for value, digest in found.items()}


def _alone(word: str) -> str:
    # In a script without capitals nothing tells a name from the word it also is.
    has_case = word.upper() != word.lower()
    return word if has_case and len(word) >= SHORTEST_PART else ""
