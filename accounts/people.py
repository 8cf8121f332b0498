"""Who works here? Members of staff: made with a role, given a second factor, switched off."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts import audit
from accounts.models import User


class AlreadyKnown(Exception):
    """Somebody with this e-mail address works here already."""


@dataclass(frozen=True, repr=False)
class SecondFactor:
    """Shown once to the person it belongs to; never logged."""

    totp_secret: str
    recovery_codes: list[str]


def actor(user: User) -> audit.Actor:
    """Return the person as the trail names them: by the id of the row."""
    return audit.Actor("staff", str(user.pk))


@transaction.atomic
def create_staff(
    *,
    email: str,
    name: str,
    role: str,
    password: str,
    at: datetime,
    by: audit.Actor = audit.SYSTEM,
) -> User:
    """Make a member of staff who can sign in with an e-mail address and a password.

    :raises AlreadyKnown: the address is taken.
    """
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise AlreadyKnown
    user = User.objects.create_user(
        email=address, password=password, name=name, role=User.Role(role)
    )
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    _note("accounts.person.created", user, at=at, by=by)
    return user


@transaction.atomic
def add_second_factor(
    *, user: User, at: datetime, by: audit.Actor = audit.SYSTEM, totp_secret: str = ""
) -> SecondFactor:
    """Give a person a one-time-code generator and recovery codes, and return both to be shown."""
    secret = totp_secret or generate_totp_secret()
    TOTP.activate(user, secret)
    codes = RecoveryCodes.activate(user).get_unused_codes()
    _note("accounts.second_factor.added", user, at=at, by=by)
    return SecondFactor(secret, codes)


@transaction.atomic
def change_role(*, user: User, role: str, at: datetime, by: audit.Actor) -> None:
    """Give a person another role; their sessions end, so that no open page keeps the old one."""
    user.role = User.Role(role)
    user.save(update_fields=["role"])
    end_sessions(user=user)
    _note("accounts.role.changed", user, at=at, by=by)


@transaction.atomic
def disable(*, user: User, at: datetime, by: audit.Actor) -> None:
    """Switch a person off: their sessions end now, and no sign-in is taken."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user=user)
    _note("accounts.person.disabled", user, at=at, by=by)


@transaction.atomic
def enable(*, user: User, at: datetime, by: audit.Actor) -> None:
    """Let a person in again; they sign in afresh."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    _note("accounts.person.enabled", user, at=at, by=by)


def end_sessions(*, user: User) -> int:
    """End every session of a person and return how many there were."""
    # Sessions do not name their person outside their signed data, and staff are few.
    own = [
        session.session_key
        for session in Session.objects.iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    for session_key in own:
        SessionStore().delete(session_key)
    return len(own)


def _note(action: str, user: User, *, at: datetime, by: audit.Actor) -> None:
    audit.record(
        action=action,
        at=at,
        actor=by,
        object_type="accounts.user",
        object_id=str(user.pk),
        details={"role": user.role},
    )
