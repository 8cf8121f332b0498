"""What does this storey hold of people: staff, partners, keys, the trail, packages' own tables?"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.db.models.functions import TruncDate
from django_q.models import Task

from accounts import keys
from accounts.models import DataKey, TrailLeaf
from config.lib import canonical
from config.lib.inventory import TECHNICAL, Column, Declarations, Due

STAFF = Column("staff", "contract", "keep", personal=True)
SIGN_IN = Column("staff", "legitimate interest", "session", personal=True)
SECRET = Column("key", "legitimate interest", "keep", personal=False)
PARTNER = Column("partner", "contract", "keep", personal=False)
PSEUDONYM = Column("pseudonym", "legal obligation", "keep", personal=True)
KEY = Column("key", "legal obligation", "contact", personal=True)
# Tasks carry ids only; the columns are named for what a mistake could put there.
TASK = Column("technical", "none", "task", personal=False)


def _technical(names: str) -> dict[str, Column]:
    return dict.fromkeys(names.split(), TECHNICAL)


def _as(column: Column, names: str) -> dict[str, Column]:
    return dict.fromkeys(names.split(), column)


OWN: Declarations = {
    "accounts.user": {
        **_as(STAFF, "id email name role is_active is_superuser date_joined last_login"),
        "password": SECRET,
    },
    "accounts.user_groups": _as(STAFF, "id user group"),
    "accounts.user_user_permissions": _as(STAFF, "id user permission"),
    "accounts.partner": _as(PARTNER, "id name is_active created_at"),
    "accounts.partnerclient": _as(PARTNER, "client partner created_at last_used_at revoked_at"),
    "accounts.datakey": {
        **_technical("id scope parent root_key_id created_at delete_at destroyed_at"),
        "owner_id": PSEUDONYM,
        "wrapped": KEY,
    },
    "accounts.trailleaf": {
        **_technical("id uid at action object_type leaf_hash"),
        **_as(PSEUDONYM, "actor_kind actor_id subject_id object_id details"),
    },
    "accounts.trailseal": _technical(
        "number sealed_at first_position leaf_count merkle_root previous_hash seal_hash "
        "signing_id signature"
    ),
    "accounts.trailentry": {
        **_technical("position leaf seal subject_previous_hash entry_hash"),
        **_as(PSEUDONYM, "subject_id subject_number"),
    },
    "accounts.pulse": _technical("id asked_at answered_at"),
}
PACKAGES: Declarations = {
    "admin.logentry": {
        **_technical("id action_time content_type action_flag"),
        **_as(STAFF, "user object_id object_repr change_message"),
    },
    "auth.permission": _technical("id name content_type codename"),
    "auth.group": _technical("id name"),
    "auth.group_permissions": _technical("id group permission"),
    "contenttypes.contenttype": _technical("id app_label model"),
    "sessions.session": _as(SIGN_IN, "session_key session_data expire_date"),
    "account.emailaddress": _as(STAFF, "id user email verified primary"),
    "account.emailconfirmation": _as(STAFF, "id email_address created sent key"),
    "mfa.authenticator": {**_as(STAFF, "id user type created_at last_used_at"), "data": SECRET},
    "allauth_idp_oidc.client": {
        **_as(PARTNER, "id name scopes default_scopes type grant_types redirect_uris"),
        **_as(PARTNER, "cors_origins allow_uri_wildcards response_types skip_consent data"),
        **_as(PARTNER, "owner created_at"),
        "secret": SECRET,
    },
    "allauth_idp_oidc.token": {
        **_as(PARTNER, "id type client user data created_at expires_at scopes"),
        "hash": SECRET,
    },
    "django_q.task": _as(
        TASK,
        "id name func hook args kwargs result group cluster started stopped success attempt_count",
    ),
    "django_q.schedule": _technical(
        "id name func hook args kwargs schedule_type minutes repeats next_run cron task cluster "
        "intended_date_kwarg"
    ),
    "django_q.ormq": _as(TASK, "id key payload lock"),
}
DECLARATIONS: Declarations = {**OWN, **PACKAGES}


def export(*, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """Return a person's keys, without their material, and what the trail says of them."""
    rows = TrailLeaf.objects.filter(subject_id=contact_id).order_by("pk")
    own = DataKey.objects.filter(_keys_of(contact_id)).order_by("created_at")
    return {
        "keys": [
            {
                "scope": key.scope,
                "created_at": canonical.instant(key.created_at),
                "delete_at": canonical.instant(key.delete_at) if key.delete_at else None,
                "destroyed_at": canonical.instant(key.destroyed_at) if key.destroyed_at else None,
            }
            for key in own
        ],
        "trail": [{"at": canonical.instant(row.at), "action": row.action} for row in rows],
    }


def erase(*, contact_id: uuid.UUID, at: datetime) -> dict[str, int]:
    """Destroy a person's keys and those of their videos: the last step, which ends all copies.

    Law: NIST SP 800-88r2, cryptographic erase; GDPR Art. 17.
    """
    living = list(DataKey.objects.filter(_keys_of(contact_id), destroyed_at=None))
    for key in living:
        keys.destroy(key=key, at=at)
    return {"keys": len(living)}


def due(*, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
    """Yield the days whose ended sessions and finished tasks are past their label."""
    # One record a day: a session's key is a secret, and tasks are too many to be named.
    yield from _due_days("session", Session.objects.all(), "expire_date", at, days)
    yield from _due_days("task", Task.objects.all(), "stopped", at, days)


def erase_record(*, record_class: str, object_id: str, at: datetime) -> None:
    """Delete the ended sessions, or the finished tasks, of one day (`2026-11-23`)."""
    start = datetime.combine(date.fromisoformat(object_id), time(), UTC)
    end = min(start + timedelta(days=1), at)
    if record_class == "session":
        Session.objects.filter(expire_date__gte=start, expire_date__lt=end).delete()
    elif record_class == "task":
        Task.objects.filter(stopped__gte=start, stopped__lt=end).delete()


def _keys_of(contact_id: uuid.UUID) -> Q:
    person = Q(scope=DataKey.Scope.PERSON, owner_id=contact_id)
    return person | Q(parent__scope=DataKey.Scope.PERSON, parent__owner_id=contact_id)


def _due_days(
    record_class: str,
    found: "QuerySet[Any]",
    field: str,
    at: datetime,
    days: Mapping[str, int],
) -> Iterator[Due]:
    kept = timedelta(days=days[record_class])
    # Whole days only: on the last one some rows would still have hours to stay.
    ended = found.filter(**{f"{field}__lt": at - kept - timedelta(days=1)})
    own_days = ended.annotate(day=TruncDate(field, tzinfo=UTC)).order_by("day")
    for day in own_days.values_list("day", flat=True).distinct():
        due_at = datetime.combine(day, time(), UTC) + timedelta(days=1) + kept
        if due_at <= at:
            yield Due(record_class, day.isoformat(), None, due_at)
