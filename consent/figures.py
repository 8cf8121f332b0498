"""How does consent stand and grow, in numbers? Counts only; no person is opened."""

from datetime import date, datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from consent import purposes
from consent.models import ConsentEvent, ConsentState, Contact

GROWTH_DAYS = 30
SHOWN = {"confirmed": "Confirmed", "given": "Given", "claimed": "Claimed", "withdrawn": "Withdrawn"}


def by_state() -> dict[str, int]:
    """Count people by where their marketing consent stands on any channel."""
    rows = (
        ConsentState.objects.filter(purpose_code=purposes.MARKETING, contact__erased_at=None)
        .values("state")
        .annotate(people=Count("contact", distinct=True))
    )
    return {row["state"]: row["people"] for row in rows}


def with_state(people: QuerySet[Contact], state: str) -> QuerySet[Contact]:
    """Keep people whose marketing consent stands so on some channel; `none`: nobody asked them."""
    rows = ConsentState.objects.filter(purpose_code=purposes.MARKETING)
    if state == "none":
        return people.exclude(pk__in=rows.values("contact_id"))
    return people.filter(pk__in=rows.filter(state=state).values("contact_id"))


def growth(*, at: datetime, days: int = GROWTH_DAYS) -> tuple[list[str], dict[str, list[int]]]:
    """Count the acts of each kind on each day (UTC) up to an instant."""
    first = at.date() - timedelta(days=days - 1)
    rows = (
        ConsentEvent.objects.filter(
            purpose_code=purposes.MARKETING, kind__in=SHOWN, at__date__gte=first, at__lte=at
        )
        .annotate(on=TruncDate("at"))
        .values("on", "kind")
        .annotate(acts=Count("id"))
    )
    counts: dict[tuple[date, str], int] = {(row["on"], row["kind"]): row["acts"] for row in rows}
    dates = [first + timedelta(days=offset) for offset in range(days)]
    labels = [f"{on.day} {on:%b}" for on in dates]
    series = {word: [counts.get((on, kind), 0) for on in dates] for kind, word in SHOWN.items()}
    return labels, series
