"""What exactly did the person see around the words? The rendered form, kept once by its SHA-256."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from html.parser import HTMLParser

from consent.models import Notice, RenderedForm

HTML_MAX_CHARS = 200_000
# A hidden field may name the form; what is longer is a token of the one person who loaded it.
HIDDEN_MAX_CHARS = 40
BOXES = {"checkbox", "radio"}
# Inputs that say what the page is, not what the person wrote into it.
SILENT_INPUTS = {*BOXES, "submit", "button", "reset", "image"}
UNSEEN = {"script", "style", "template", "head", "noscript"}


class NotAsShown(ValueError):
    """The form is not what a person can have been shown, or is not to be kept as it stands."""


@dataclass
class Shown:
    """What a reader of a page sees and may touch."""

    words: str = ""
    boxes: int = 0
    ticked: int = 0
    # Fields that hold an answer already: what a person typed has no place in what was shown.
    answered: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown = Shown()
        self._unseen: list[str] = []
        self._text: list[str] = []
        self._in_textarea = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen.append(tag)
        self._in_textarea = tag == "textarea"
        if tag == "input":
            self._input({name: value or "" for name, value in attrs})
        if tag == "option" and any(name == "selected" for name, _ in attrs):
            self.shown.answered.append("select")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            self._unseen.remove(tag)
        self._in_textarea = False

    def handle_data(self, data: str) -> None:
        if self._in_textarea and data.strip():
            self.shown.answered.append("textarea")
        if not self._unseen:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self.shown.words = " ".join("".join(self._text).split())

    def _input(self, attrs: dict[str, str]) -> None:
        kind = attrs.get("type", "text").lower()
        self.shown.boxes += kind in BOXES
        self.shown.ticked += kind in BOXES and "checked" in attrs
        value = attrs.get("value", "")
        if kind == "hidden" and len(value) <= HIDDEN_MAX_CHARS:
            return
        if kind not in SILENT_INPUTS and value:
            self.shown.answered.append(attrs.get("name", kind)[:40])


def keep(*, notice: Notice, html: str, at: datetime) -> RenderedForm:
    """Keep a form as it was rendered, once, under the SHA-256 of its text.

    It must show the words of its notice, tick no box beforehand, and hold nobody's answers: the
    row cannot be changed or erased.
    Law: 16 CFR 310.5(a)(8), the request as presented; CJEU C-673/17 on boxes ticked beforehand.
    :raises NotAsShown: it fails one of these; the message says which.
    """
    _check(notice, html)
    return RenderedForm.objects.get_or_create(
        sha256=hashlib.sha256(html.encode()).hexdigest(),
        defaults={"notice": notice, "html": html, "created_at": at},
    )[0]


def read(html: str) -> Shown:
    """Return what a reader of a page sees; pure."""
    return _read(html)


def shows(*, html: str, text: str) -> bool:
    """Say whether a page shows these words, however its lines are broken."""
    return _squeezed(text) in _squeezed(read(html).words)


@lru_cache(maxsize=64)
def _read(html: str) -> Shown:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.shown


def _check(notice: Notice, html: str) -> None:
    if len(html) > HTML_MAX_CHARS:
        raise NotAsShown(f"The form is longer than {HTML_MAX_CHARS:,} characters.")
    shown = read(html)
    if shown.ticked:
        raise NotAsShown("A box is ticked before anybody ticked it.")
    if shown.answered:
        raise NotAsShown(f"The field {shown.answered[0]} holds an answer. Keep the empty form.")
    if not shows(html=html, text=notice.text):
        raise NotAsShown("The form does not show the words of its notice.")


def _squeezed(text: str) -> str:
    # Tags may stand between any two letters, and a browser breaks lines where it likes.
    return re.sub(r"\s+", "", text).casefold()
