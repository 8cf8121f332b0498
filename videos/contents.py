"""What do a campaign's words speak of that asks for more than plain consent, and why?

The scanner's hits in all scripts, less those that a marketer took out with a reason, and what they
added by hand. A health hit beside a slot other than the name says something about one person's
health: that is PHI, which no list of words can show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from consent import topics
from videos import grammar
from videos.models import Campaign, Script

PHI, CHILD, HEALTH = "phi", "child_directed", "health"
# In the words of the pages: what each class is called, and what it means for a message.
LABELS: Mapping[str, str] = {
    "health": "Health",
    "religion": "Religion or belief",
    "politics": "Politics",
    "union": "Union membership",
    "orientation": "Sexual orientation",
    "biometrics": "Biometrics",
    PHI: "A person's own health information (PHI)",
    CHILD: "Said to children",
}
# Why a word that was found is none. A code, since the trail holds codes: no words of anybody's.
REASONS: Mapping[str, str] = {
    "other_meaning": "The word means something else here",
    "own_name": "It is part of a name, such as our company's",
    "no_person": "It says nothing about the person who gets it",
}
NAME_SLOT = "name"


@dataclass(frozen=True)
class Sighting:
    """One word that shows a class, and where it stands in the script of a language."""

    content: str
    language: str
    word: str
    line: int
    column: int

    @property
    def label(self) -> str:
        """Return what the class is called."""
        return LABELS[self.content]

    @property
    def key(self) -> str:
        """Return what the word is known by when it is taken out."""
        return f"{self.language}:{' '.join(self.word.casefold().split())}"


def of(campaign: Campaign) -> tuple[str, ...]:
    """Return the classes by which each message of a campaign is judged."""
    if campaign.content is not None:
        return tuple(campaign.content)
    return judged(campaign)


def judged(campaign: Campaign) -> tuple[str, ...]:
    """Read all scripts anew and return the classes that count."""
    found = {one.content for one in sightings(campaign) if not _is_out(campaign, one)}
    return tuple(sorted(found | set(campaign.content_declared)))


def sightings(campaign: Campaign) -> list[Sighting]:
    """Return every word in the scripts of a campaign that shows a class, taken out or not."""
    rows = Script.objects.filter(campaign=campaign).exclude(text="").order_by("language")
    return [
        one
        for row in rows
        for one in seen(text=row.text, language=row.language, out=_out(campaign, HEALTH))
    ]


def seen(*, text: str, language: str, out: Iterable[str] = ()) -> list[Sighting]:
    """Return the words of one text that show a class; `out` are health words that are none.

    Law: 45 CFR 160.103, health information about an individual.
    """
    found = [
        _sighting(text, hit.content, language, hit.start, hit.end)
        for hit in topics.hits(text, language)
    ]
    if any(one.content == HEALTH and one.key not in set(out) for one in found):
        slots = [slot for slot in grammar.parse(text).slots if slot.name != NAME_SLOT]
        found += [_sighting(text, PHI, language, slot.start, slot.end) for slot in slots]
    return found


def dismissal(*, campaign: Campaign, content: str, found: Sequence[Sighting]) -> str:
    """Return why all words of a class were taken out, in words; empty while one of them counts."""
    mine = [one for one in found if one.content == content]
    if not mine or not all(_is_out(campaign, one) for one in mine):
        return ""
    return REASONS.get(campaign.content_dismissed[content]["reason"], "")


def _sighting(text: str, content: str, language: str, start: int, end: int) -> Sighting:
    line_start = text.rfind("\n", 0, start) + 1
    line = text.count("\n", 0, start) + 1
    return Sighting(content, language, text[start:end], line, start - line_start + 1)


def _is_out(campaign: Campaign, one: Sighting) -> bool:
    return one.key in _out(campaign, one.content)


def _out(campaign: Campaign, content: str) -> frozenset[str]:
    # By word, so that another word of the class, written later, counts again.
    return frozenset(campaign.content_dismissed.get(content, {}).get("words", []))
