"""What is read of a CRM, and when? Set up once by a person; asked for again by a press."""

import secrets
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts import audit, keys
from integrations import keyed, trail
from integrations.connections import WEBHOOK
from integrations.crm import hooks, mapping
from integrations.models import Connection, CrmSync

State = CrmSync.State


class NotSetUp(Exception):
    """Nobody has said yet which fields may be read."""


@transaction.atomic
def set_up(
    *,
    connection: Connection,
    chosen: Mapping[str, str],
    at: datetime,
    actor: audit.Actor,
    writes_notes: bool = False,
) -> CrmSync:
    """Say which fields are read; everybody is read anew, by these.

    With `writes_notes`, what was sent is noted there.

    :raises mapping.BadMapping: a field is not on the list.
    """
    fields = mapping.clean(provider=connection.provider, chosen=chosen)
    row, _ = CrmSync.objects.select_for_update().get_or_create(connection=connection)
    row.fields, row.state, row.next_at = fields, State.WAITING, at
    row.writes_notes = writes_notes
    row.cursor = row.since_at = None
    row.step += 1
    row.problem, row.failures, row.lease_id, row.lease_until = "", 0, None, None
    row.save()
    _ensure_address(connection)
    trail.note(
        "connection.mapped",
        connection=connection,
        at=at,
        actor=actor,
        fields=_named(fields),
        notes=writes_notes,
    )
    return row


@transaction.atomic
def ask_now(*, connection: Connection, at: datetime, actor: audit.Actor) -> CrmSync:
    """Have it read at once; one that is being read goes on as it is.

    :raises NotSetUp: which fields may be read was not said yet.
    """
    row = CrmSync.objects.select_for_update().filter(pk=connection.pk).first()
    if row is None or row.state == State.OFF:
        raise NotSetUp
    if row.state == State.STUCK:
        row.state = State.READING if row.cursor else State.WAITING
    row.next_at, row.problem, row.failures = at, "", 0
    row.save(update_fields=["state", "next_at", "problem", "failures"])
    trail.note("connection.sync_asked", connection=connection, at=at, actor=actor)
    return row


def of(*, connection: Connection) -> CrmSync | None:
    """Return how far the reading of a connection has come."""
    return CrmSync.objects.filter(pk=connection.pk).first()


def _named(fields: Mapping[str, str]) -> list[str]:
    topics = mapping.subscriptions(fields=fields)
    plain = {theirs for ours, theirs in fields.items() if ours != mapping.SUBSCRIPTIONS}
    return sorted(plain | {f"{number}:{code}" for number, code in topics.items()})


def _ensure_address(connection: Connection) -> None:
    """Give a CRM that posts an address that nobody can guess; one that has it keeps it."""
    held = Connection.objects.select_for_update().get(pk=connection.pk)
    if held.webhook_index or held.provider not in hooks.READERS:
        return
    secret = secrets.token_urlsafe(32)
    held.credentials_sealed = {keyed.SECRET_NAME: secret}
    held.webhook_index = keys.token_index(kind=WEBHOOK, token=secret)
    held.save(update_fields=["credentials_sealed", "webhook_index"])
