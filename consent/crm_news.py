"""What follows when a CRM tells us by itself? A no counts at once; all else is read, and soon.

Nothing here makes anything allowed: that a flag was taken away is known once the API has said so.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from accounts.audit import Actor
from consent import contacts, crm_pages, crm_sync, ledger
from consent.answers import text_of
from consent.models import ConsentEvent, CrmLink, Revocation
from integrations.crm.base import Page
from integrations.models import CrmSync, InboxItem

ALL = "all"
RUNG, UNKNOWN_RECORD = "rung", "unknown_record"
Body = Mapping[str, object]


def take(*, item: InboxItem, body: Body, at: datetime) -> str:
    """Act upon one thing that a CRM posted; twice is the same.

    Law: GDPR Art. 21(3); 47 CFR 64.1200(a)(10): what has arrived is not overtaken by a send.
    """
    sync = CrmSync.objects.filter(pk=item.connection_id).first()
    if sync is None:
        return "not_read"
    crm_sync.ring(connection_id=item.connection_id, at=at)
    account = crm_sync.account_of(connection_id=item.connection_id)
    if account and account != sync.account_id:
        # An id would name somebody else there. All of that account are read first.
        return "another_account"
    act = ACTS.get(text_of(body, "what"))
    return act(item, sync, body, at) if act else RUNG


def _gone(item: InboxItem, sync: CrmSync, body: Body, at: datetime) -> str:
    page = Page(None, gone=(text_of(body, "record"),))
    return _keep(item, sync, page, at) or UNKNOWN_RECORD


def _merged(item: InboxItem, sync: CrmSync, body: Body, at: datetime) -> str:
    page = Page(None, merged=((text_of(body, "record"), text_of(body, "into")),))
    return _keep(item, sync, page, at) or UNKNOWN_RECORD


def _forgotten(item: InboxItem, sync: CrmSync, body: Body, at: datetime) -> str:
    """Stop everything, and have retention erase whom the CRM was asked to forget."""
    link = _held(item, sync, text_of(body, "record"))
    if link is None:
        return UNKNOWN_RECORD
    link.stops, link.content_index = sorted({*link.stops, ALL}), ""
    link.forget_at = link.forget_at or at
    link.save(update_fields=["stops", "content_index", "forget_at"])
    _withdraw(item, link, ALL, at)
    _keep(item, sync, Page(None, gone=(link.record_id,)), at)
    return "to_forget"


def _flag(item: InboxItem, sync: CrmSync, body: Body, at: datetime) -> str:
    """Take a flag as the person's stop if it is new; one that was taken away frees nobody."""
    flag, says = text_of(body, "flag"), text_of(body, "says")
    link = _held(item, sync, text_of(body, "record"))
    if link is None:
        return UNKNOWN_RECORD
    before = set(link.stops)
    # Without it the next yes there is a new act again. What is read then is compared anew.
    link.stops = sorted(before | {flag} if says == "yes" else before - {flag})
    link.content_index = ""
    link.save(update_fields=["stops", "content_index"])
    if says != "yes" or flag in before:
        return RUNG
    _withdraw(item, link, flag, at)
    return "withdrawn"


def _keep(item: InboxItem, sync: CrmSync, page: Page, at: datetime) -> str:
    came = crm_pages.keep(connection=item.connection, account_id=sync.account_id, page=page, at=at)
    return next(iter(came), "")


def _withdraw(item: InboxItem, link: CrmLink, flag: str, at: datetime) -> None:
    for channels, codes in crm_pages.scopes_of([flag]):
        ledger.withdraw(
            contact=link.contact,
            act=ConsentEvent.Act.CRM,
            means=Revocation.Means.CRM_FLAG,
            channels=channels,
            purposes=codes,
            source=item.connection.provider,
            received_at=item.received_at,
            at=at,
            actor=Actor("provider", str(item.connection_id)),
            evidence={"inbox_item": item.pk},
        )


def _held(item: InboxItem, sync: CrmSync, record_id: str) -> CrmLink | None:
    """Lock the person of a record, then the record, in the order of everybody who holds both."""
    index = crm_pages.index_of(account_id=sync.account_id, record_id=record_id)
    rows = CrmLink.objects.filter(connection=item.connection_id, record_index=index)
    known = rows.exclude(gone_how=CrmLink.Gone.ERASED).first()
    if known is None:
        return None
    contact = contacts.lock(contact_id=known.contact_id)
    link = CrmLink.objects.select_for_update(of=("self",)).get(pk=known.pk)
    link.contact = contact
    return link


ACTS: dict[str, Callable[[InboxItem, CrmSync, Body, datetime], str]] = {
    "gone": _gone,
    "merged": _merged,
    "forgotten": _forgotten,
    "flag": _flag,
}
