"""What does the law ask of an agreement where a person may be: which kind, and from which age?"""

from collections.abc import Collection, Iterable
from datetime import datetime

from consent import purposes, rulebook
from consent.models import ConsentEvent
from consent.rulebook import Rule

Permission = ConsentEvent.Permission
# Special categories are agreed to expressly, by a statement of their own, wherever one is.
FIXED = {
    purposes.SPECIAL_DATA: Permission.EXPLICIT.value,
    purposes.PHI_CONTENT: Permission.HIPAA.value,
}


def permission(*, countries: Collection[str], purpose_code: str, channel: str, at: datetime) -> str:
    """Return the kind of permission a box must give so that it suffices in every place.

    Law: 47 CFR 64.1200(f)(9); GDPR Art. 9(2)(a); 45 CFR 164.508.
    """
    if purpose_code in FIXED:
        return FIXED[purpose_code]
    allowed = _allowed(_rules("consent", countries, purpose_code, channel, at))
    signed = allowed is not None and Permission.EXPRESS not in allowed
    if signed and Permission.WRITTEN in (allowed or ()):
        return Permission.WRITTEN.value
    return Permission.EXPRESS.value


def suffices(
    given: str, *, countries: Collection[str], purpose_code: str, channel: str, at: datetime
) -> bool:
    """Say whether a kind of permission is one that every place takes."""
    allowed = _allowed(_rules("consent", countries, purpose_code, channel, at))
    return allowed is None or (given or Permission.EXPRESS) in allowed


def age(
    *, countries: Collection[str], purpose_code: str, channels: Iterable[str], at: datetime
) -> int:
    """Return from which age a person agrees alone there; 0 where no place sets one.

    Law: GDPR Art. 8(1); COPPA, 16 CFR 312.5; the strictest of the places holds.
    """
    rules = [
        rule for channel in channels for rule in _rules("age", countries, purpose_code, channel, at)
    ]
    return max((rule.years for rule in rules), default=0)


def _rules(
    kind: str, countries: Collection[str], purpose_code: str, channel: str, at: datetime
) -> list[Rule]:
    rules = rulebook.applicable(countries=countries, purpose=purpose_code, channel=channel, at=at)
    return [rule for rule in rules if rule.kind == kind and not rule.standing]


def _allowed(rules: Iterable[Rule]) -> set[str] | None:
    """Return the kinds that all rules take; None where none of them names any."""
    named = [set(rule.permissions) for rule in rules if rule.permissions]
    return set.intersection(*named) if named else None
