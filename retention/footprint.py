"""Where does something of this person stand, and what would an erasure do with it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import DataKey, TrailLeaf
from consent.models import ConsentEvent, Contact, CrmLink, Decision, Message, OptIn
from retention import certificates
from videos.models import Asset, Link, Play, SealedObject


@dataclass(frozen=True)
class Store:
    """One kind of record: how many, whether they go, and how or why not."""

    name: str
    count: int
    goes: bool
    why: str


def of(*, contact: Contact, at: datetime) -> list[Store]:
    """Return what an erasure would touch, store by store; nothing is changed.

    Law: GDPR Art. 17 and 19; 11 CCR 7022.
    """
    own = Q(pk=contact.key_id) | Q(parent_id=contact.key_id)
    keys = DataKey.objects.filter(own, destroyed_at=None)
    objects = SealedObject.objects.filter(key__in=keys).exclude(state="deleted")
    values = [contact.name_sealed, contact.email_sealed, contact.phone_sealed]
    sealed = [*values, contact.attributes_sealed]
    videos = Asset.objects.filter(contact=contact, deleted_at=None)
    links, mail = Link.objects.filter(contact=contact), Message.objects.filter(contact=contact)
    records_there = CrmLink.objects.filter(contact=contact).exclude(gone_how="erased")
    asked = OptIn.objects.filter(contact=contact, answered_at=None)
    backups = certificates.backups_end(at)
    return [
        _goes("Keys", keys.count(), "destroyed first: all that they sealed is unreadable"),
        _goes("Names, addresses, attributes", _there(sealed), "removed from the row"),
        _goes("Videos", videos.count(), "removed, with their captions"),
        _goes("Stored objects", objects.count(), "removed from the storage"),
        _goes("Links", links.count(), "end at once"),
        _goes("Plays", Play.objects.filter(link__in=links).count(), "removed"),
        _goes("Message texts", mail.exclude(body_sealed=None).count(), "removed"),
        _goes("Open questions for consent", asked.count(), "removed"),
        _goes("Records in CRMs", records_there.count(), "each CRM is told to erase its own"),
        _stays("Messages", mail.count(), "stay as states and hashes, without a text"),
        _stays("Acts of consent", _acts(contact), "stay by random id: 16 CFR 310.5(a)"),
        _stays("Decisions", _decisions(contact), "stay as codes: 16 CFR 310.5(a)"),
        _stays("Trail entries", _told(contact), "stay as codes and hashes: GDPR Art. 5(2)"),
        _stays("Stop list", 3, "stays as keyed hashes, so that nobody writes again"),
        _goes("AI vendor", 0, "never had anything of this person"),
        _goes("Backups", 1, f"are gone by {backups:%-d %B %Y}; a restore erases again"),
    ]


def records(stores: list[Store]) -> int:
    """Return the number that an officer types to say that it is meant."""
    return sum(store.count for store in stores if store.goes and store.name != "Backups")


def _goes(name: str, count: int, why: str) -> Store:
    return Store(name, count, goes=True, why=why)


def _stays(name: str, count: int, why: str) -> Store:
    return Store(name, count, goes=False, why=why)


def _there(values: Sequence[object]) -> int:
    return sum(value is not None for value in values)


def _acts(contact: Contact) -> int:
    return ConsentEvent.objects.filter(contact=contact).count()


def _decisions(contact: Contact) -> int:
    return Decision.objects.filter(contact=contact).count()


def _told(contact: Contact) -> int:
    return TrailLeaf.objects.filter(subject_id=contact.pk).count()
