"""What did the person write, once quotes are cut and spelling is evened out? Pure."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_name("words")
# Marks that stay in the text as words of their own. A pause may stand within a request, a line
# break too (mail programs wrap); the end of a sentence may not.
END, PAUSE, LINE = ".", ",", "/"
_ENDS, _PAUSES = ".!?:;।॥۔؟؛。¡¿|", ",،、—–()"
# An attribution is searched for no further back than this: a longer one is somebody's own prose.
ATTRIBUTION_CHARS = 200
_ELISION = re.compile(r"\b([^\W\d_]{1,2})['’‘`´ʼ](?=[^\W\d_]{3})")
_TWICE = re.compile(r"([^\W\d_])\1+")
_MASK = re.compile(r"[a-z][0-9$@|][a-z]|(?<![a-z0-9])[0-9$@][a-z]{2}|[a-z]{2}[0-9$@](?![a-z0-9])")


def normal(text: str) -> str:
    """Return letters and digits only, folded and without accents, words apart by one space."""
    return unicodedata.normalize("NFC", " ".join(_bare(text).translate(_plain()).split()))


def words(text: str) -> list[str]:
    """Return the words of a text for comparing, with the marks END, PAUSE and LINE among them.

    Doubled letters count once, so that "stooop", "mesage" and "unsubscribbe" are what they meant;
    letters typed apart are one word; each Han or kana sign is a word.
    """
    text = _ELISION.sub(r"\1 ", text.replace("\r\n", "\n"))
    text = text.replace("\n\n", " . ").replace("\n", " \x1e ").replace(" - ", " , ")
    folded = _TWICE.sub(r"\1", _bare(text).translate(_marked()))
    joined = f" {folded}".replace(" e mail", " email").replace(" un subscri", " unsubscri")
    found = joined.split()
    return _spelt_out(found) if sum(len(word) == 1 for word in found) > 2 else found


def unmasked(text: str) -> str | None:
    """Return the text with look-alike letters put right; None if it holds none.

    Cyrillic or Greek text has many by nature; such a reading then finds nothing, and does no harm.
    """
    plain = text.casefold()
    if text.isascii():
        if not _MASK.search(plain):
            return None
    elif not any(char in _look_alikes() for char in text):
        return None
    return " ".join(_unmask(word) for word in text.split(" "))


def own(text: str) -> str:
    """Return what the person wrote themselves, without what their mail program quoted below it.

    Our own footer says "Reply STOP to opt out": quoted back to us, it must not count as theirs.
    """
    text = text.replace("\r\n", "\n")
    text = _before_original(_before_attribution(text))
    if ">" not in text:
        return text
    lines = [line for line in text.split("\n") if not line.lstrip().startswith(">")]
    return "\n".join(line.partition(" > ")[0] for line in lines)


def without_addresses(text: str) -> str:
    """Return the text without links and addresses: "/unsubscribe" in one asks for nothing."""
    if "://" not in text and "www." not in text and "@" not in text:
        return text
    return " ".join(word for word in text.split(" ") if not _is_address(word))


def _is_address(word: str) -> bool:
    name, at, domain = word.partition("@")
    return "://" in word or word.startswith("www.") or bool(at and name and "." in domain[1:-1])


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _spelt_out(found: list[str]) -> list[str]:
    # "S. T. O. P." and "s t o p" are one word to whoever typed them; "a b" is not.
    kept: list[str] = []
    run: list[str] = []
    for word in [*found, ""]:
        if len(word) == 1 and (word in ".,/" or not _is_sign(word)):
            run.append(word)
            continue
        letters = [letter for letter in run if letter not in ".,/"]
        kept += ["".join(letters), END] if len(letters) > 2 else run
        run = []
        if word:
            kept.append(word)
    return kept


def _is_sign(char: str) -> bool:
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff"


class _Letters(dict[int, str | None]):
    """What becomes of each character; asked once a character, then remembered."""

    def __init__(self, *, marked: bool) -> None:
        super().__init__()
        self._marked = marked

    def __missing__(self, code: int) -> str | None:
        self[code] = kept = self._judge(chr(code))
        return kept

    def _judge(self, char: str) -> str | None:
        if _is_silent(char):
            return None
        if self._marked and char in _ENDS:
            return f" {END} "
        if self._marked and char in _PAUSES:
            return f" {PAUSE} "
        if char == "\x1e":
            return f" {LINE} " if self._marked else " "
        if unicodedata.category(char)[0] not in "LNM":
            return " "
        return self._letter(char)

    def _letter(self, char: str) -> str:
        char = _same().get(char, char)
        if self._marked and _is_sign(char):
            return f" {char} "
        digit = unicodedata.digit(char, None)
        return char if digit is None else str(digit)


def _is_silent(char: str) -> bool:
    """Is it an accent, a vowel point or an invisible sign, which varies by hand?"""
    if char in "'’‘`´ʼ\u00ad\ufe0f\ufeff\u0640\u0670\u093c\u0901\u0902\u30fc\u3099\u309a":
        return True
    spans = (("\u0300", "\u036f"), ("\u064b", "\u0655"), ("\u0591", "\u05c7"), ("\u200b", "\u200f"))
    return any(low <= char <= high for low, high in spans) or "\u2060" <= char <= "\u2064"


def _before_attribution(text: str) -> str:
    lower = text.lower()
    if len(lower) != len(text):  # a few capitals grow when lowered: then places do not agree
        lower = text
    for opener, closer in _quotes()["attributions"]:
        end = lower.find(closer)
        start = _opening(lower, opener, end) if end > 0 else -1
        if start >= 0:
            return _around_quote(text, start, end + len(closer))
    for closer in _quotes()["closers"]:
        end = lower.find(closer)
        if end > 0:
            start = lower.rfind("\n", 0, end) + 1
            if any(char.isdigit() or char in "<@" for char in text[start:end]):
                return _around_quote(text, start, end + len(closer))
    return text


def _opening(lower: str, opener: str, end: int) -> int:
    """Return where the line above a quote opens: before a date, and at a word of its own."""
    floor, start = max(0, end - ATTRIBUTION_CHARS), end
    while (start := lower.rfind(opener, floor, start)) >= 0:
        free = start == 0 or not lower[start - 1].isalnum() or not opener.isascii()
        between = lower[start + len(opener) : end]
        if free and not between[:1].isalpha() and any(char.isdigit() for char in between):
            line = lower.rfind("\n", 0, start) + 1
            # "3 May 2026 г. Acme пишет:" opens before its opener.
            return start if opener.isalpha() or " " in opener else line
    return -1


def _around_quote(text: str, start: int, end: int) -> str:
    # Who answers below a quote marks what is not theirs with ">"; who answers above, does not.
    below = text[end:].lstrip(" :：\n")
    return text[:start] + ("\n" + below if below.startswith(">") and "\n" in below else "")


def _before_original(text: str) -> str:
    lower = text.lower()
    cuts = [_original(lower), _header(lower), lower.find("\n__________")]
    found = [cut for cut in cuts if cut >= 0]
    return text[: min(found)] if found and len(lower) == len(text) else text


def _original(lower: str) -> int:
    start = lower.find("---")
    while start >= 0:
        inside = lower[start : start + 60].lstrip("- ")
        if inside.startswith(tuple(_quotes()["originals"])):
            return start
        start = lower.find("---", start + 60)
    return -1


def _header(lower: str) -> int:
    for first, second in _quotes()["headers"]:
        start = lower.find(first)
        alone = start == 0 or (start > 0 and lower[start - 1] in " \n*")
        if alone and lower.find(second, start, start + ATTRIBUTION_CHARS) > 0:
            return start
    return -1


def _unmask(word: str) -> str:
    core = word.rstrip("!?.,;:")
    if not any(char.isalpha() for char in core) and len(core) < 3:
        return word
    table = _look_alikes()
    return "".join(table.get(char, char) for char in core) + word[len(core) :]


@cache
def shared() -> Mapping[str, Any]:
    """Return what holds in every language, as it stands in `words/shared.toml`."""
    return tomllib.loads((WORDS / "shared.toml").read_text(encoding="utf-8"))


@cache
def _quotes() -> Mapping[str, list[Any]]:
    listed: Mapping[str, list[Any]] = shared()["quotes"]
    return listed


@cache
def _same() -> Mapping[str, str]:
    return {pair[0]: pair[1] for pair in shared()["same"]}


@cache
def _look_alikes() -> Mapping[str, str]:
    table = {char: latin for latin, chars in shared()["look_alikes"].items() for char in chars}
    for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):  # squared, circled, and flag letters
        table |= {chr(first + i): chr(97 + i) for i in range(26)}
    return table


@cache
def _plain() -> _Letters:
    return _Letters(marked=False)


@cache
def _marked() -> _Letters:
    return _Letters(marked=True)
