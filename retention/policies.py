"""How long is each record class kept, and by which law?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.models import DataKey, User
from config.lib.inventory import DEFAULT_DAYS
from retention import disposition, holds, inventory
from retention.models import KeptKey, Policy

FIVE_YEARS = 1827
# In any three years there are at least so many days.
THREE_YEARS = 1095
LONGEST_DAYS = 3653
TSR = "16 CFR 310.5(a): records of consent and of calls, five years"


class PolicyRefused(Exception):
    """The policy cannot be so; the text says why, in words fit for a page."""


@dataclass(frozen=True)
class Label:
    """The policy of a record class as it is before anyone changes it."""

    title: str
    legal_source: str
    # Below this no officer may go: it would erase what is still in use, or what a law wants kept.
    floor_days: int = 1
    kept_days: int = 0
    # Above this no officer may go: a law wants it gone by then.
    ceiling_days: int = LONGEST_DAYS


STORAGE = "GDPR Art. 5(1)(e): no longer than the purpose needs"
LABELS: Mapping[str, Label] = {
    "contact": Label("A person, whole", STORAGE + "; CNIL: prospects three years at most"),
    "asset": Label("A person's video, after its last link ended", STORAGE),
    "campaign_media": Label("A campaign's shared video, after its end", STORAGE),
    "message_body": Label("The text of a message, after it ended", STORAGE),
    "sandbox_message": Label("What the sandbox phones show", STORAGE),
    "inbox_item": Label("What a provider sent us, after it was acted upon", STORAGE),
    "import_rows": Label("An uploaded list and its report", STORAGE),
    "optin": Label("A question for consent that nobody answered", STORAGE),
    "link": Label("A link, after it ended", STORAGE, floor_days=30),
    "play": Label("When a video was played", STORAGE),
    "likeness": Label(
        "Who signed a release of their likeness, after it ended",
        "BIPA 740 ILCS 14/15(a): destroyed within three years at the latest",
        ceiling_days=THREE_YEARS,
    ),
    "session": Label("Sessions of staff, after their end", STORAGE),
    "task": Label("Finished jobs", STORAGE),
    "consent_event": Label("Acts of consent", TSR, FIVE_YEARS, FIVE_YEARS),
    "notice": Label("Texts shown when consent was asked", "GDPR Art. 7(1)", FIVE_YEARS, FIVE_YEARS),
    "decision": Label("The gate's decisions", TSR, FIVE_YEARS, FIVE_YEARS),
    "suppression": Label(
        "Addresses not to be written to (keyed hashes)",
        "GDPR Art. 21(3); Va. SB 1339: ten years",
        LONGEST_DAYS,
        LONGEST_DAYS,
    ),
    "egress": Label("What left for AI vendors", "GDPR Art. 5(2) and 28", FIVE_YEARS, FIVE_YEARS),
    "certificate": Label("Certificates of deletion", "11 CCR 7101", FIVE_YEARS, FIVE_YEARS),
    "trail": Label("The trail", "GDPR Art. 5(2), accountability", FIVE_YEARS, FIVE_YEARS),
}


@dataclass
class IfRunNow:
    """What a run at this instant would do with one record class."""

    erase: int = 0
    hold: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def ensure_defaults(*, at: datetime) -> None:
    """Make the policies that are missing; what an officer changed stays as it is."""
    known = set(Policy.objects.values_list("pk", flat=True))
    Policy.objects.bulk_create(
        Policy(
            record_class=name,
            title=label.title,
            period_days=label.kept_days or DEFAULT_DAYS[name],
            action=Policy.Action.KEEP if label.kept_days else Policy.Action.ERASE,
            legal_source=label.legal_source,
            updated_at=at,
        )
        for name, label in LABELS.items()
        if name not in known
    )


def days() -> dict[str, int]:
    """Return the period in days of each record class whose label ends in erasure."""
    chosen = Policy.objects.filter(action=Policy.Action.ERASE)
    return {**DEFAULT_DAYS, **dict(chosen.values_list("pk", "period_days"))}


@transaction.atomic
def change(*, record_class: str, period_days: int, at: datetime, staff: User) -> Policy:
    """Set the period of a record class; persons' and videos' keys follow at once.

    :raises PolicyRefused: there is no such policy, a law fixes it, or the period is out of bounds.
    """
    policy = Policy.objects.select_for_update().filter(pk=record_class).first()
    if policy is None:
        raise PolicyRefused("There is no such record class.")
    _check(policy, period_days)
    before, policy.period_days, policy.updated_at = policy.period_days, period_days, at
    policy.save(update_fields=["period_days", "updated_at"])
    audit.record(
        action="retention.policy.changed",
        at=at,
        actor=audit.staff(staff),
        object_type="retention.policy",
        object_id=record_class,
        details={"days_before": before, "days_after": period_days},
    )
    if record_class == "contact":
        follow(days_before=before, days_after=period_days)
    return policy


def follow(*, days_before: int, days_after: int) -> int:
    """Move the end of the persons' keys from one period to another; return how many moved."""
    if days_before == days_after:
        return 0
    alive = DataKey.objects.filter(scope=DataKey.Scope.PERSON, destroyed_at=None)
    ends = alive.filter(delete_at=F("created_at") + timedelta(days=days_before))
    moved = ends.update(delete_at=F("created_at") + timedelta(days=days_after))
    for kept in KeptKey.objects.filter(key__in=alive).select_related("key"):
        if kept.delete_at == kept.key.created_at + timedelta(days=days_before):
            kept.delete_at = kept.key.created_at + timedelta(days=days_after)
            kept.save(update_fields=["delete_at"])
    return moved


def counts_if_run_now(
    *, at: datetime, changed: Mapping[str, int] | None = None
) -> dict[str, IfRunNow]:
    """Count what a run at this instant would erase and hold, under changed periods if given."""
    counts: dict[str, IfRunNow] = {name: IfRunNow() for name in LABELS}
    held = holds.in_force()
    for item in inventory.due(at=at, days={**days(), **(changed or {})}):
        facts = disposition.Facts(due_at=item.due_at, is_held=held.covers(item))
        verdict = disposition.decide(facts=facts, at=at)
        count = counts.setdefault(item.record_class, IfRunNow())
        count.erase += verdict.act == "erase"
        count.hold += verdict.act == "hold"
        count.reasons[verdict.reason] += 1
    return counts


def _check(policy: Policy, period_days: int) -> None:
    label = LABELS.get(policy.record_class, Label("", ""))
    if policy.action == Policy.Action.KEEP:
        raise PolicyRefused(
            f"This is evidence: {policy.legal_source}. Its period cannot be changed."
        )
    if period_days < label.floor_days:
        raise PolicyRefused(
            f"The shortest period here is {label.floor_days} day(s). Nothing was changed."
        )
    if period_days > label.ceiling_days:
        raise PolicyRefused(
            f"The longest period here is {label.ceiling_days} days. Nothing was changed."
        )
