"""Is a CRM to tell us at once? A channel to our own address is opened, renewed, and closed.

Nothing stands on it: without one, what changed is read every quarter of an hour. What is refused
stands on the card with what to do, and the connection works on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import audit
from config.lib import clock
from integrations import keyed, stand_ins, trail
from integrations.crm.asking import Asker
from integrations.crm.base import CrmError
from integrations.crm.zoho_watch import Mark, ZohoWatch, mark_of
from integrations.models import Connection, CrmChannel, CrmSync, OAuthGrant
from integrations.tokens import Now

OPENERS: Mapping[str, Callable[[Asker], ZohoWatch]] = {"zoho": ZohoWatch}
# Asked for so long, and renewed each day, so that days without us end nothing.
LASTS, DAY = timedelta(days=6), timedelta(days=1)
# A worker that died in a call has lost its turn by then.
TURN = timedelta(minutes=5)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
AT_LEAST = "Until then what changed is read every quarter of an hour."
# By our code: what happened, and what to do.
PROBLEMS = {
    "forbidden": "{name} may not tell Sealcast of changes at once ({told}). Press Reconnect, and "
    f"allow all that stands there. {AT_LEAST}",
    "unreached": "{name} cannot reach this installation: its address does not begin with "
    f"https://. Have SEALCAST_PUBLIC_URL set to one that does. {AT_LEAST}",
}
WAITS = "{name} did not take our address yet ({told}). It is asked again by itself. " + AT_LEAST
REFUSED = "{name} did not take our address ({told}). Press Test; if that is well, tell us. "
REFUSED += AT_LEAST


def hold_open(*, now: Now = clock.now) -> int:
    """Open the channels that are due, or renew them; return how many were."""
    at = now()
    _ensure_rows(at)
    return sum(_hold(row, now) for row in list(_due(at)))


def close(*, connection: Connection, actor: audit.Actor, now: Now = clock.now) -> bool:
    """End a connection's channel while its tokens still work; say whether the CRM confirmed.

    One that it did not confirm ends by itself within days; what it posts frees nobody.
    """
    row = CrmChannel.objects.filter(pk=connection.pk, until_at__gt=now()).first()
    if row is None:
        return True
    try:
        _opener(connection, now).close(mark=_mark(connection))
    except CrmError as refused:
        problem = refused.code
    else:
        problem = ""
    at = now()
    with transaction.atomic(durable=True):
        CrmChannel.objects.filter(pk=row.pk).update(until_at=None, problem="", next_at=at + DAY)
        trail.note(
            "channel.closed",
            connection=connection,
            at=at,
            actor=actor,
            passed=not problem,
            code=problem,
        )
    return not problem


def of(*, connection: Connection) -> CrmChannel | None:
    """Return how the channel of a connection stands; none if it never had one."""
    return CrmChannel.objects.filter(pk=connection.pk).first()


def _ensure_rows(at: datetime) -> None:
    there = CrmSync.objects.exclude(state=CrmSync.State.OFF).exclude(
        pk__in=CrmChannel.objects.values("pk")
    )
    lacking = there.filter(connection__provider__in=OPENERS).values_list("pk", flat=True)
    rows = [CrmChannel(connection_id=pk, next_at=at) for pk in lacking]
    CrmChannel.objects.bulk_create(rows, ignore_conflicts=True)


def _due(at: datetime) -> QuerySet[CrmChannel]:
    # Whoever has connected it anew may have allowed what was not allowed before.
    anew = OAuthGrant.objects.filter(pk=OuterRef("pk"), connected_at__gt=OuterRef("asked_at"))
    usable = CrmChannel.objects.filter(connection__state=Connection.State.ACTIVE)
    return usable.filter(Q(next_at__lte=at) | Exists(anew)).select_related("connection")


def _hold(row: CrmChannel, now: Now) -> int:
    at = now()
    taken = CrmChannel.objects.filter(pk=row.pk, next_at=row.next_at)
    if not taken.update(next_at=at + TURN, asked_at=at):
        return 0
    try:
        until = _open(row.connection, at, now)
    except CrmError as refused:
        _fail(row, refused, now())
        return 0
    _keep(row, until, now())
    return 1


def _open(connection: Connection, at: datetime, now: Now) -> datetime:
    address = keyed.webhook_address(connection=connection)
    if not address or not stand_ins.reaches_us(provider=connection.provider):
        raise CrmError("permanent", "unreached")
    opener, mark = _opener(connection, now), _mark(connection)
    until = opener.open(mark=mark, address=address, until=at + LASTS)
    if until <= at:
        raise CrmError("unknown", "unreadable")
    return until


@transaction.atomic(durable=True)
def _keep(row: CrmChannel, until: datetime, at: datetime) -> None:
    # Half of what is left, where the CRM gave less than was asked for.
    next_at = at + min(DAY, (until - at) / 2)
    kept: dict[str, Any] = {"until_at": until, "next_at": next_at, "failures": 0, "problem": ""}
    CrmChannel.objects.filter(pk=row.pk).update(**kept)
    trail.note(
        "channel.opened",
        connection=row.connection,
        at=at,
        until=until.isoformat(timespec="seconds"),
    )


@transaction.atomic(durable=True)
def _fail(row: CrmChannel, refused: CrmError, at: datetime) -> None:
    final = refused.outcome == "permanent"
    pause = DAY if final else BACKOFF[min(row.failures, len(BACKOFF) - 1)]
    pause = max(pause, timedelta(seconds=refused.wait_seconds))
    words = PROBLEMS.get(refused.code, REFUSED if final else WAITS)
    problem = words.format(name=row.connection.label, told=refused.told or refused.code)
    kept: dict[str, Any] = {"next_at": at + pause, "failures": row.failures + 1}
    # What is open stays open: a renewal that failed ends nothing yet.
    CrmChannel.objects.filter(pk=row.pk).update(problem=problem[:300], **kept)
    trail.note(
        "channel.refused", connection=row.connection, at=at, code=refused.code, told=refused.told
    )


def _opener(connection: Connection, now: Now) -> ZohoWatch:
    asker = Asker(connection_id=connection.pk, provider=connection.provider, now=now)
    return OPENERS[connection.provider](asker)


def _mark(connection: Connection) -> Mark:
    return mark_of(secret=keyed.webhook_secret(connection=connection))
