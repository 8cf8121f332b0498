"""Which accounts at which providers may be used, and do they answer?"""

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, keys
from config.lib import clock
from integrations import messaging, tokens, trail
from integrations.models import Connection
from integrations.video import providers

# One row each: a second set-up, even at the same instant, finds the first one's.
SANDBOX_ID = uuid.UUID("5ea1ca57-0000-4000-8000-000000000001")
LOCAL_VIDEO_ID = uuid.UUID("5ea1ca57-0000-4000-8000-000000000002")
WEBHOOK = "webhook"


class NeedsSignIn(Exception):
    """A person has to sign in at the provider: a switch is not enough."""


@transaction.atomic
def ensure_local(*, at: datetime) -> tuple[Connection, Connection]:
    """Return the two connections that stay on this machine: sandbox messaging and local video."""
    return _ensure_sandbox(at), _ensure_video(at)


def usable(*, kind: str) -> QuerySet[Connection]:
    """Return the connections of a kind that are switched on and need no attention."""
    return Connection.objects.filter(kind=kind, state=Connection.State.ACTIVE).order_by(
        "created_at", "pk"
    )


def carrier(*, channel: str) -> Connection | None:
    """Return the messaging connection in use that carries a channel; the oldest of several."""
    rows = usable(kind=Connection.Kind.MESSAGING)
    return next((row for row in rows if channel in row.scopes), None)


def by_webhook(*, secret: str) -> Connection | None:
    """Find the connection whose webhook address holds this secret, switched off or not.

    Law: 47 CFR 64.1200(a)(10); who says stop is heard, whatever has become of our account.
    """
    return Connection.objects.filter(webhook_index=webhook_index(secret=secret)).first()


def webhook_index(*, secret: str) -> str:
    """Return the keyed hash under which a webhook's address is kept."""
    return keys.token_index(kind=WEBHOOK, token=secret)


@transaction.atomic
def switch(*, connection: Connection, on: bool, at: datetime, actor: audit.Actor) -> Connection:
    """Switch a connection on or off; what was sent stays, nothing more goes out over it.

    :raises NeedsSignIn: it is not connected, or has to be connected again.
    """
    if connection.state not in {Connection.State.ACTIVE, Connection.State.DISABLED}:
        raise NeedsSignIn(str(connection.pk))
    connection.state = Connection.State.ACTIVE if on else Connection.State.DISABLED
    connection.save(update_fields=["state"])
    trail.note(
        "connection.enabled" if on else "connection.disabled",
        connection=connection,
        at=at,
        actor=actor,
    )
    return connection


def check(
    *,
    connection: Connection,
    at: datetime,
    actor: audit.Actor = audit.SYSTEM,
    now: Callable[[], datetime] = clock.now,
) -> Connection:
    """Ask the provider whether the account works, and keep its answer in plain words.

    `now` is asked while a token is being renewed.
    """
    # The provider is asked before the transaction: none is open while a wire is.
    if connection.auth_kind == Connection.AuthKind.OAUTH_CODE:
        problem = tokens.problem(connection_id=connection.pk, now=now, actor=actor)
    else:
        problem = _ask(connection)
    with transaction.atomic():
        connection.tested_at, connection.problem = at, problem[:200]
        connection.save(update_fields=["tested_at", "problem"])
        trail.note(
            "connection.tested", connection=connection, at=at, actor=actor, passed=not problem
        )
    return connection


def _ask(connection: Connection) -> str:
    try:
        if connection.kind == Connection.Kind.VIDEO:
            return providers.provider_for(connection).check()
        return messaging.provider_for(connection).check()
    except (messaging.NoSuchProvider, providers.NoSuchProvider):
        return "This version of Sealcast has no adapter for it. Switch the connection off."


def _ensure_sandbox(at: datetime) -> Connection:
    secret = secrets.token_urlsafe(32)
    row, created = Connection.objects.get_or_create(
        pk=SANDBOX_ID,
        defaults={
            "kind": Connection.Kind.MESSAGING,
            "provider": "sandbox",
            "label": "Sandbox phones",
            "auth_kind": Connection.AuthKind.NONE,
            "scopes": ["sms", "whatsapp", "email"],
            "credentials_sealed": {"webhook_secret": secret},
            "webhook_index": keys.token_index(kind=WEBHOOK, token=secret),
            "created_at": at,
        },
    )
    if created:
        trail.note("connection.added", connection=row, at=at)
    return row


def _ensure_video(at: datetime) -> Connection:
    row, created = Connection.objects.get_or_create(
        pk=LOCAL_VIDEO_ID,
        defaults={
            "kind": Connection.Kind.VIDEO,
            "provider": "local",
            "label": "Studio on this machine",
            "auth_kind": Connection.AuthKind.NONE,
            "scopes": ["render", "delete"],
            # No processor: nothing leaves the machine.
            "terms": {"agreement_id": "none-needed", "region": "local", "expires_on": None},
            "created_at": at,
        },
    )
    if created:
        trail.note("connection.added", connection=row, at=at)
    return row
