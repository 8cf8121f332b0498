"""What have people and providers told us since? Taken before anything more is sent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from config.lib import logs
from consent import answers, crm_news, messages, reports, told_stops
from consent.answers import text_of
from consent.models import Taken
from integrations import inbox
from integrations.crm import hooks
from integrations.models import InboxItem

log = logs.get(__name__)
# Small, so that a stop that comes during a page waits for little.
PAGE = 200
# What systems tell of a person, by the `kind` in the body of an item.
TOLD: dict[str, Callable[..., str]] = {
    "opt_out": told_stops.by_provider,
    "crm_opt_out": told_stops.by_crm,
    hooks.NEWS: crm_news.take,
    "reassigned": told_stops.of_number,
    inbox.UNDELIVERABLE: told_stops.of_mailbox,
}


def take_waiting(*, at: datetime, limit: int = 500) -> int:
    """Act upon what waits in the inbox, in its order; return how many items were taken.

    An item that cannot be acted upon keeps no later stop from being heard. It goes on waiting,
    and nothing is sent meanwhile: it may be a stop itself.
    Law: 47 CFR 64.1200(a)(10); a stop that has arrived is never overtaken by a send.
    """
    return _take_page(inbox.waiting(limit=limit), at)


def take_all(*, now: Callable[[], datetime], until: datetime) -> int:
    """Act upon all that waits, page after page, until an instant; return how many were taken.

    A provider may tell a hundred thousand things within minutes: one page a task would leave them,
    and a stop among them, to wait for hours. What people said is taken before each page.
    """
    taken, said, reported = 0, 0, 0
    while (at := now()) < until:
        page = inbox.waiting(limit=PAGE, after=(said, reported))
        if not page:
            break
        taken += _take_page(page, at)
        told = {item.pk for item in page if item.kind == InboxItem.Kind.DELIVERY_REPORT}
        # What could not be acted upon is passed by: the next task looks at it again.
        said = max({item.pk for item in page} - told, default=said)
        reported = max(told, default=reported)
    return taken


@transaction.atomic
def set_aside(*, item_id: int, at: datetime, staff: User) -> bool:
    """Put away an event that cannot be read, on an officer's word; False when it waits no more."""
    held = inbox.stuck().select_for_update(of=("self",)).filter(pk=item_id).first()
    if held is None or not inbox.finish(item=held, outcome="set_aside", at=at):
        return False
    audit.record(
        action="consent.inbox.set_aside",
        at=at,
        actor=audit.staff(staff),
        object_type="integrations.inboxitem",
        object_id=str(held.pk),
        details={"provider": held.connection.provider, "kind": held.kind},
    )
    return True


def _take_page(page: Sequence[InboxItem], at: datetime) -> int:
    told = [item for item in page if item.kind == InboxItem.Kind.DELIVERY_REPORT]
    others = [item for item in page if item.kind != InboxItem.Kind.DELIVERY_REPORT]
    taken = sum(_try_to_take(item, at) for item in others)
    if not told:
        return taken
    try:
        together, singly = reports.take(items=told, at=at)
    except Exception as fault:  # noqa: BLE001 one of them is at fault, and hides no other
        log.warning("consent.inbox.not_taken_together", fault=type(fault).__name__)
        together, singly = 0, told
    return taken + together + sum(_try_to_take(item, at) for item in singly)


def _try_to_take(item: InboxItem, at: datetime) -> bool:
    try:
        return _take(item, at)
    except Exception as fault:  # noqa: BLE001 whatever it is, the next may be a stop
        # Its words could quote the person's: the kind alone is kept.
        log.warning("consent.inbox.not_taken", item_id=item.pk, fault=type(fault).__name__)
        inbox.stumble(item=item)
        return False


@transaction.atomic
def _take(item: InboxItem, at: datetime) -> bool:
    # Waits for whoever has it, instead of passing by: what they hold may be a stop.
    held = InboxItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if held.processed_at is not None or Taken.objects.filter(item=held).exists():
        return False
    effect = _act(held, at)
    if effect is None:
        return False
    Taken.objects.create(item=held, effect=effect, at=at)
    inbox.finish(item=held, outcome=effect, at=at)
    log.info("consent.inbox.taken", item_id=held.pk, effect=effect)
    return True


def _act(item: InboxItem, at: datetime) -> str | None:
    body = item.body_sealed
    if not isinstance(body, dict):
        return "unreadable"
    if item.kind == InboxItem.Kind.DELIVERY_REPORT:
        return _report(item, body, at)
    if item.kind == InboxItem.Kind.INBOUND_MESSAGE:
        return answers.take(item=item, body=body, at=at)
    told = TOLD.get(text_of(body, "kind"))
    return told(item=item, body=body, at=at) if told else "not_for_consent"


def _report(item: InboxItem, body: Mapping[str, object], at: datetime) -> str | None:
    effect = messages.report(
        provider_message_id=text_of(body, "provider_message_id"),
        connection_id=item.connection_id,
        status=text_of(body, "status"),
        code=text_of(body, "code"),
        message_id=text_of(body, "message_id"),
        at=at,
    )
    if effect == messages.NO_SUCH_MESSAGE and item.received_at > at - reports.REPORT_WAITS:
        return None
    if text_of(body, "code") == inbox.OPTED_OUT:
        return told_stops.by_report(item=item, body=body, at=at) or effect
    return effect
