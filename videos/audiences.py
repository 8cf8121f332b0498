"""Whom is a campaign for, and how many of them may be written to now?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, QuerySet

from accounts.models import Partner
from consent import contacts, forecast, gate
from consent.models import Contact
from videos import contents
from videos.models import Campaign

# A verdict as a state that pages know how to show.
SHOWN = {gate.REFUSE: "refused", gate.DEFER: "deferred"}
FILTERS = {"languages": "language", "countries": "country", "sources": "source"}


@dataclass
class Outlook:
    """What the gate would say of a whole audience at this instant; nothing of it is kept."""

    total: int = 0
    allowed: int = 0
    refused: int = 0
    deferred: int = 0
    # One row a reason, the most frequent first: code, state, rule, source, text, count.
    reasons: list[dict[str, object]] = field(default_factory=list)

    @property
    def reachable(self) -> int:
        """Return how many get the message, now or at their hour."""
        return self.allowed + self.deferred


def audience(campaign: Campaign) -> QuerySet[Contact]:
    """Return the people a campaign is for; who of them may be written to is the gate's to say."""
    people = contacts.for_partner(campaign.partner)
    for name, column in FILTERS.items():
        if chosen := campaign.audience.get(name):
            people = people.filter(**{f"{column}__in": chosen})
    return people


def choices(*, partner: Partner | None) -> dict[str, list[tuple[str, int]]]:
    """Return what an audience can be chosen by: each value with how many people have it."""
    people = contacts.for_partner(partner)
    return {
        name: list(
            people.exclude(**{column: ""})
            .values_list(column)
            .annotate(people=Count("pk"))
            .order_by("-people", column)[:40]
        )
        for name, column in FILTERS.items()
    }


def outlook(*, campaign: Campaign, at: datetime, content: Collection[str] | None = None) -> Outlook:
    """Judge the whole audience as the gate would, set-wise, and count by reason.

    `content` is what the words speak of, if not what the campaign's own do.
    """
    seen = Outlook()
    counts: dict[tuple[str, ...], dict[str, object]] = {}
    for case in forecast.counts(
        people=audience(campaign),
        purpose_code=campaign.purpose_code,
        channel=campaign.channel,
        content=contents.of(campaign) if content is None else content,
        at=at,
    ):
        verdict = case.verdict
        seen.total += case.people
        seen.allowed += case.people * (verdict.verdict == gate.ALLOW)
        seen.refused += case.people * (verdict.verdict == gate.REFUSE)
        seen.deferred += case.people * (verdict.verdict == gate.DEFER)
        if verdict.verdict != gate.ALLOW:
            _add(counts, case)
    seen.reasons = _most_first(counts)
    return seen


def languages(campaign: Campaign) -> dict[str, int]:
    """Return how many people of the audience read each language."""
    found = audience(campaign).values_list("language").annotate(people=Count("pk"))
    return dict(found.order_by("-people", "language"))


def clean(filters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the filters that a campaign keeps; an empty one means everyone."""
    kept = {name: sorted({str(value) for value in filters.get(name, [])}) for name in FILTERS}
    return {name: values for name, values in kept.items() if values}


def _add(counts: dict[tuple[str, ...], dict[str, object]], case: forecast.Case) -> None:
    # One person is counted once, under the first reason: the numbers add up to the audience.
    verdict, code = case.verdict, case.verdict.reasons[0].code
    same = [reason.plain() for reason in verdict.reasons if reason.code == code]
    # Without a rule of the house each country's stands for itself.
    told = gate.common(same) or gate.worded(same)[0]
    row = counts.setdefault(
        (verdict.verdict, code, told["rule"]),
        {**told, "state": SHOWN[verdict.verdict], "count": 0},
    )
    row["count"] = int(str(row["count"])) + case.people


def _most_first(counts: dict[tuple[str, ...], dict[str, object]]) -> list[dict[str, object]]:
    return sorted(counts.values(), key=lambda row: -int(str(row["count"])))
