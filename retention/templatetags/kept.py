"""How long is each kind of record kept? For pages of the storeys below, which cannot ask."""

from collections.abc import Mapping

from django import template

from retention import policies
from retention.models import Policy

register = template.Library()
# What a person is told of, in this order; an officer's policy says how long.
SHOWN = ("message_body", "play", "link", "consent_event", "suppression")
DAYS_A_YEAR = 365


@register.simple_tag
def kept_times(words: Mapping[str, str]) -> list[dict[str, object]]:
    days = {name: label.kept_days for name, label in policies.LABELS.items()}
    days |= policies.days() | dict(Policy.objects.values_list("pk", "period_days"))
    return [{"term": words[f"kept_{name}"], **_spoken(days[name], words)} for name in SHOWN]


def _spoken(days: int, words: Mapping[str, str]) -> dict[str, object]:
    if days >= 2 * DAYS_A_YEAR:
        return {"number": days // DAYS_A_YEAR, "unit": words["years"]}
    return {"number": days, "unit": words["days"]}
