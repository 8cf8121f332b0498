"""What do providers report of many messages at once? Taken together, in one transaction.

One by one, a report costs nine statements and a commit; a provider may tell of a hundred thousand
messages within minutes, and a stop behind them would wait. Only what is plain is taken here: a
report that tells of a stop, or that only our own name for a message explains, goes its own way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from config.lib import bulk, logs
from consent import messages
from consent.answers import text_of
from consent.messages import Report
from consent.models import Taken
from integrations import inbox
from integrations.models import InboxItem

log = logs.get(__name__)
# A report can be faster than the answer to our own request: it waits for the row so long.
REPORT_WAITS = timedelta(minutes=5)


@transaction.atomic
def take(*, items: Sequence[InboxItem], at: datetime) -> tuple[int, list[InboxItem]]:
    """Act upon delivery reports; return how many were taken, and those that must go one by one.

    :raises django.db.Error: nothing of them was taken.
    """
    held = _held(items)
    plain = {item.pk: _report(item) for item in held if _is_plain(item)}
    effects = messages.report_many(reports=plain, at=at)
    early = _early([item for item in held if item.pk in plain and item.pk not in effects], at)
    bulk.insert([Taken(item_id=pk, effect=effect, at=at) for pk, effect in effects.items()])
    inbox.finish_many(effects=effects, at=at)
    log.info("consent.inbox.reports_taken", count=len(effects))
    done = {*effects, *early}
    return len(effects), [item for item in held if item.pk not in done]


def _held(items: Sequence[InboxItem]) -> list[InboxItem]:
    # Waits for whoever has one: among what they hold may be a stop, and a sender must not go on.
    wanted = [item.pk for item in items]
    rows = InboxItem.objects.select_for_update(of=("self",)).order_by("pk")
    held = list(rows.filter(pk__in=wanted, processed_at=None))
    known = set(Taken.objects.filter(item__in=wanted).values_list("item_id", flat=True))
    return [item for item in held if item.pk not in known]


def _early(strays: Sequence[InboxItem], at: datetime) -> set[int]:
    """Return those that only wait for the row of their message, and are looked at again."""
    young = [item for item in strays if item.received_at > at - REPORT_WAITS]
    lost = messages.nameless(ids={text_of(item.body_sealed, "message_id") for item in young})
    return {item.pk for item in young if text_of(item.body_sealed, "message_id") not in lost}


def _is_plain(item: InboxItem) -> bool:
    body = item.body_sealed
    return isinstance(body, dict) and body.get("code") != inbox.OPTED_OUT


def _report(item: InboxItem) -> Report:
    return Report(
        connection_id=item.connection_id,
        provider_message_id=text_of(item.body_sealed, "provider_message_id"),
        status=text_of(item.body_sealed, "status"),
        code=text_of(item.body_sealed, "code"),
    )
