"""Who lacks a value that the script asks for, and what is said to them instead?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts import keys
from accounts.audit import Actor
from consent import contacts
from consent.models import Contact
from videos import anonymisation, audiences, campaigns
from videos.models import Campaign, Script

# A value can be looked for only by opening it; of a large audience so many are opened.
LOOKED_AT = 1000


@dataclass(frozen=True)
class Gap:
    """One slot: how many people of those looked at have no value for it, and what they hear."""

    slot: str
    fallback: str | None
    missing: int
    looked_at: int

    @property
    def words(self) -> str:
        """Say what happens to those who lack the value."""
        if not self.missing:
            return f"Everyone has it ({self.looked_at} people)."
        rest = f"{self.missing} of {self.looked_at} people have no {self.slot}"
        if self.fallback is None:
            return f"{rest}: they are skipped until you write what they hear."
        if not self.fallback:
            return f"{rest}: the word is left out for them."
        return f"{rest}: they hear these words."


class BadFallback(ValueError):
    """The words cannot stand in a slot; `slot` says in which."""

    def __init__(self, slot: str) -> None:
        self.slot = slot
        super().__init__("Leave out the signs { } and |.")


def gaps(*, campaign: Campaign, at: datetime) -> dict[str, list[Gap]]:
    """Return by language each slot of the script, with how many people lack its value."""
    people = list(audiences.audience(campaign).select_related("key")[:LOOKED_AT])
    values = [values_of(contact=one, at=at) for one in people]
    found = {}
    for language, script in campaigns.scripts(campaign).items():
        slots = {slot.name: slot.fallback for slot in anonymisation.parse(script.text).slots}
        found[language] = [
            Gap(name, fallback, sum(not one.get(name) for one in values), len(values))
            for name, fallback in slots.items()
        ]
    return found


def change(*, script: Script, fallbacks: Mapping[str, str], at: datetime, actor: Actor) -> Script:
    """Write the words for those who lack a value into a script's slots; empty takes them out.

    :raises BadFallback: the words have a brace or a bar in them.
    :raises ScriptRefused: the words are personal themselves.
    :raises NotNow: the campaign is being rendered or has been started.
    """
    text = script.text
    for slot in reversed(anonymisation.parse(text).slots):
        words = " ".join(fallbacks.get(slot.name, "").split())
        if set(words) & set("{}|"):
            raise BadFallback(slot.name)
        inside = f"{slot.name}|{words}" if words else slot.name
        text = f"{text[: slot.start]}{{{{ {inside} }}}}{text[slot.end :]}"
    if text == script.text:
        return script
    return campaigns.update_script(
        campaign=script.campaign, language=script.language, text=text, at=at, actor=actor
    )


def values_of(*, contact: Contact, at: datetime) -> dict[str, str]:
    """Return a person's values for slots, opened for this machine's own use; empty when gone."""
    try:
        person = contacts.opened(contact=contact, at=at)
    except keys.KeyRefused:
        return {}
    return {"name": person.name, **person.attributes}
