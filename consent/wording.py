"""In which words is a person asked? One table of languages for messages and public pages."""

import tomllib
from functools import lru_cache

from consent import purposes
from consent.models import Channel

RIGHT_TO_LEFT = {"ar"}


def words(language: str) -> dict[str, str]:
    """Return the words of a language; one we do not have reads English."""
    return _table()[spoken(language)]


def spoken(language: str) -> str:
    """Return which of our languages serves a tag such as `pt-BR`."""
    code = language.partition("-")[0].lower()
    return code if code in _table() else "en"


def question(*, language: str, channel: str, sender: str, url: str) -> tuple[str, str]:
    """Return subject and text of the message that asks for a confirmation."""
    chosen = words(language)
    text = chosen["long" if channel == Channel.EMAIL else "short"]
    return chosen["subject"].format(sender=sender), text.format(sender=sender, url=url)


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((purposes.NOTICES / "words.toml").read_text(encoding="utf-8"))
