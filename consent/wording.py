"""In which words is a person asked? One table of languages for messages and public pages."""

import tomllib
from functools import lru_cache

from django.conf import settings

from consent import purposes
from consent.models import Channel, Contact

RIGHT_TO_LEFT = {"ar"}


def words(language: str) -> dict[str, str]:
    """Return the words of a language; one we do not have reads English."""
    return _table()[spoken(language)]


def spoken(language: str) -> str:
    """Return which of our languages serves a tag such as `pt-BR`."""
    code = language.partition("-")[0].lower()
    return code if code in _table() else "en"


def languages() -> dict[str, str]:
    """Return our languages, each by its own name."""
    return {code: own["language"] for code, own in _table().items()}


def holder(contact: Contact) -> str:
    """Return who holds a person's data and asks for agreement, by the name they know."""
    return contact.partner.name if contact.partner else str(settings.CONTROLLER["name"])


def filled(text: str, /, **values: str) -> str:
    """Return a sentence with its places filled.

    Not `str.format`: a name with braces in it is a name, not a pattern.
    """
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def question(
    *, language: str, channel: str, sender: str, url: str, choices: str
) -> tuple[str, str]:
    """Return subject and text of the message that asks for a confirmation."""
    chosen = words(language)
    subject = chosen["subject"].format(sender=sender)
    if channel != Channel.EMAIL:
        return subject, chosen["short"].format(sender=sender, url=url)
    text = chosen["long"].format(sender=sender, url=url)
    return subject, f"{text}\n\n{chosen['choices_title']}: {choices}"


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    questions, choices = (
        tomllib.loads((purposes.NOTICES / name).read_text(encoding="utf-8"))
        for name in ("words.toml", "choices.toml")
    )
    return {code: {**own, **choices[code]} for code, own in questions.items()}
