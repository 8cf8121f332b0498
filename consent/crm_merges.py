"""What follows when a CRM merges, deletes or brings back a record? The stricter choice holds."""

from datetime import datetime

from accounts import audit
from accounts.audit import SYSTEM
from consent import contacts, ledger, purposes, suppression
from consent.import_rows import Origin
from consent.models import Channel, ConsentEvent, ConsentState, Contact, CrmLink, Revocation
from consent.standing import NO

EVERYTHING = None


def merge(*, old: CrmLink, new: CrmLink | None, into: str, origin: Origin, at: datetime) -> None:
    """Follow a merge: what the one who goes refused, the one who stays has refused as well.

    A yes is not passed on: it was given for another address. Without a link of the record that
    stays, the link of the one that goes becomes it.
    Law: GDPR Art. 21(3); the stricter of two answers.
    """
    # What was read last was read of another record.
    old.content_index = ""
    if new is None:
        return
    if new.contact_id != old.contact_id:
        lost = contacts.lock(contact_id=old.contact_id)
        _pass_on_stops(lost, new.contact, origin, into, at)
    end(link=old, how=CrmLink.Gone.MERGED, at=at)


def end(*, link: CrmLink, how: str, at: datetime) -> None:
    """Note that a record is no more; who stands in no other source is not written to any longer.

    They are restricted and not erased: erasing has its own door, and a record may come back.
    """
    link.gone_at, link.gone_how = at, how
    link.save(update_fields=["gone_at", "gone_how", "content_index"])
    contact = contacts.lock(contact_id=link.contact_id)
    if is_known_elsewhere(contact=contact, link=link):
        return
    if how == CrmLink.Gone.MERGED:
        # The record that stays brings the addresses again, and they have one owner.
        contacts.release(contact)
    Contact.objects.filter(pk=contact.pk).update(restricted_at=contact.restricted_at or at)
    _note("restricted", contact, how, at)


def bring_back(*, link: CrmLink, at: datetime) -> None:
    """Note that a deleted record is there again; the restriction that its end brought ends."""
    link.gone_at, link.gone_how = None, ""
    unrestrict(contact=link.contact, at=at)


def unrestrict(*, contact: Contact, at: datetime) -> None:
    """End the restriction of somebody whom a record names again."""
    contact.restricted_at = None
    Contact.objects.filter(pk=contact.pk).update(restricted_at=None)
    _note("unrestricted", contact, "restored", at)


def take_over(*, lost: Contact, kept: Contact, into: str, origin: Origin, at: datetime) -> None:
    """Give the addresses of somebody whose records are all gone to who has them now.

    What the one refused, the other has refused as well.
    """
    _pass_on_stops(lost, kept, origin, into, at)
    contacts.release(lost)


def is_retired(*, contact: Contact) -> bool:
    """Say whether somebody is restricted because every record of theirs is gone."""
    links = CrmLink.objects.filter(contact=contact)
    return bool(contact.restricted_at) and links.exists() and not links.filter(gone_how="").exists()


def is_known_elsewhere(*, contact: Contact, link: CrmLink) -> bool:
    """Say whether somebody came from elsewhere too, or is in another record that lives."""
    others = CrmLink.objects.filter(contact=contact, gone_how="").exclude(pk=link.pk)
    return contact.source != link.connection.provider or others.exists()


def _pass_on_stops(
    lost: Contact, kept: Contact, origin: Origin, record_id: str, at: datetime
) -> None:
    for channels, codes in _refused(lost):
        ledger.withdraw(
            contact=kept,
            act=ConsentEvent.Act.CRM,
            means=Revocation.Means.CRM_FLAG,
            channels=channels,
            purposes=codes,
            source=origin.source,
            at=at,
            actor=SYSTEM,
            evidence={**origin.evidence, "merged_into": record_id},
        )


def _refused(contact: Contact) -> list[tuple[tuple[str, ...], tuple[str, ...] | None]]:
    """Return what somebody refused: channels, and for which purposes (none: for all)."""
    states = ConsentState.objects.filter(contact=contact, state__in=NO)
    pairs = set(states.values_list("channel", "purpose_code"))
    indexes = {contacts.stop_index(contact, channel) for channel in Channel.values} - {""}
    stopped = {
        channel
        for channel, reason in suppression.reasons(indexes=indexes)
        if reason != suppression.PROVISIONAL
    }
    whole = stopped | {channel for channel, code in pairs if code == purposes.MARKETING}
    found: list[tuple[tuple[str, ...], tuple[str, ...] | None]] = []
    if whole:
        found.append((tuple(sorted(whole)), EVERYTHING))
    for channel, code in sorted(pairs):
        if channel not in whole:
            found.append(((channel,), (code,)))
    return found


def _note(what: str, contact: Contact, why: str, at: datetime) -> None:
    audit.record(
        action=f"consent.contact.{what}",
        at=at,
        actor=SYSTEM,
        subject_id=contact.pk,
        details={"why": why},
    )
