"""Which rules ask more of a campaign because of what its words speak of, and by which words?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from consent import places, rulebook, topics
from consent.models import Place
from consent.rulebook import Rule
from videos import audiences, contents, languages
from videos.contents import CHILD, LABELS, Sighting
from videos.models import Campaign, Script


@dataclass(frozen=True)
class Spoken:
    """One class of content in a campaign: its words, how it came there, and who asks for more."""

    content: str
    sightings: tuple[Sighting, ...]
    is_declared: bool
    # Why the words were taken out; empty while one of them counts, and where there are none.
    dismissed: str
    rules: tuple[Rule, ...]

    @property
    def label(self) -> str:
        """Return what the class is called."""
        return LABELS[self.content]

    @property
    def counts(self) -> bool:
        """Say whether messages of the campaign are judged as speaking of this."""
        return self.is_declared or (bool(self.sightings) and not self.dismissed)

    @property
    def words(self) -> list[str]:
        """Return the words, each once."""
        return list(dict.fromkeys(one.word for one in self.sightings))


def look(*, campaign: Campaign, at: datetime) -> list[Spoken]:
    """Return what a campaign speaks of, class by class, with the rules that ask for more."""
    found = contents.sightings(campaign)
    classes = {one.content for one in found} | set(campaign.content_declared)
    asking = rules(campaign=campaign, content=classes, at=at) if classes else []
    return [
        Spoken(
            content=content,
            sightings=tuple(one for one in found if one.content == content),
            is_declared=content in campaign.content_declared,
            dismissed=contents.dismissal(campaign=campaign, content=content, found=found),
            rules=tuple(rule for rule in asking if _asks(rule, content)),
        )
        for content in LABELS
        if content in classes
    ]


def rules(*, campaign: Campaign, content: Iterable[str], at: datetime) -> list[Rule]:
    """Return the rules that ask more of such words, of every place where the audience may be."""
    wanted = frozenset(content)
    rows = Place.objects.filter(pk__in=audiences.audience(campaign).values("place"))
    found: dict[str, Rule] = {}
    for countries in {places.countries(row) for row in rows}:
        for rule in rulebook.applicable(
            countries=countries,
            purpose=campaign.purpose_code,
            channel=campaign.channel,
            content=wanted,
            at=at,
        ):
            if any(_asks(rule, one) for one in wanted):
                found[rule.id] = rule
    return [found[rule_id] for rule_id in sorted(found)]


def plain(rule: Rule) -> dict[str, object]:
    """Return a rule as a page's list of reasons shows it."""
    return {
        "text": rule.text,
        "rule": rule.id,
        "source": rule.source,
        "source_url": rule.source_url,
    }


def unread(campaign: Campaign) -> str:
    """Say, in words, in which languages a campaign has a script that no list of words knows."""
    rows = Script.objects.filter(campaign=campaign).exclude(text="").order_by("language")
    tags = rows.values_list("language", flat=True)
    names = [languages.name(tag) for tag in tags if not topics.knows(tag)]
    if not names:
        return ""
    return f"There is no list of words for {', '.join(names)}: read it yourself, and add what fits."


def _asks(rule: Rule, content: str) -> bool:
    # Whether somebody is old enough is asked of everyone; that they say so, of a child's message.
    return content in rule.content or (rule.kind == "age" and content == CHILD)
