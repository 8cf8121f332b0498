"""Promise 6: does anything stay past its time, and is everyone erased who was to be?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from accounts import keys
from accounts.models import DataKey
from consent.models import Contact, Message, Proof
from retention import holds, inventory, policies, tombstones
from retention.checks.tally import Tally
from retention.models import Certificate, Hold, KeptKey
from videos.models import Asset, Render, SealedObject

# The runs come every hour; what is a day late is late.
GRACE = timedelta(days=1)
CONTENT = Q(name_sealed=None, email_sealed=None, phone_sealed=None, attributes_sealed=None)


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about periods, holds and erasures."""
    yield _keys(at)
    yield _labels(at)
    yield _erased(at)
    yield _originals(at)
    yield _returned()
    yield _held(at)


def _keys(at: datetime) -> Tally:
    tally = Tally("no key opens past its time", rows=DataKey.objects.count())
    past = DataKey.objects.filter(delete_at__lte=at).select_related("parent")
    for key in past.iterator(chunk_size=500):
        if keys.opens(key=key, at=at):
            tally.blame(f"key {key.pk}: opens past its time")
    late = DataKey.objects.filter(
        parent__delete_at__isnull=False, delete_at__gt=F("parent__delete_at"), destroyed_at=None
    )
    for key in late.select_related("parent").iterator(chunk_size=500):
        if key.parent and keys.opens(key=key, at=key.parent.delete_at or at):
            tally.blame(f"key {key.pk}: outlives the key it is under")
    return tally


def _labels(at: datetime) -> Tally:
    tally = Tally("no record is past its label, unless it is on hold")
    held = holds.in_force()
    for item in inventory.due(at=at, days=policies.days()):
        tally.saw()
        if item.due_at <= at - GRACE and not held.covers(item):
            tally.blame(f"{item.record_class} {item.object_id}: past its label")
    return tally


def _erased(at: datetime) -> Tally:
    erased = Contact.objects.exclude(erased_at=None)
    tally = Tally("nothing is left of who was erased, but the certificate", rows=erased.count())
    certified = Certificate.objects.exclude(contact_id=None).values("contact_id")
    for what, rows in (
        ("is still in the row", erased.exclude(CONTENT)),
        ("has a key that was not destroyed", erased.filter(key__destroyed_at=None)),
        ("has no certificate", erased.exclude(pk__in=certified)),
        ("has messages with a text", _owners(Message.objects.exclude(body_sealed=None))),
        ("has a proof with its file", _owners(Proof.objects.exclude(file_sealed=None))),
        ("has videos", _owners(Asset.objects.filter(deleted_at=None).exclude(state="failed"))),
    ):
        ids = rows.values_list("pk", flat=True).iterator(chunk_size=500)
        tally.blame_all(f"contact {pk}: erased, but {what}" for pk in ids)
    stored = SealedObject.objects.exclude(state="deleted")
    dead = Q(key__destroyed_at__isnull=False) | Q(key__parent__destroyed_at__isnull=False)
    for pk in stored.filter(dead, created_at__lte=at - GRACE).values_list("pk", flat=True):
        tally.blame(f"object {pk}: its key is destroyed and its bytes are still stored")
    return tally


def _owners(rows: QuerySet[Message] | QuerySet[Asset] | QuerySet[Proof]) -> QuerySet[Contact]:
    owners = rows.values_list("contact_id", flat=True)
    return Contact.objects.exclude(erased_at=None).filter(pk__in=owners)


def _originals(at: datetime) -> Tally:
    """Of an uploaded video only what was coded again is kept: the file itself goes at once."""
    ended = Render.objects.exclude(made_by=Render.MadeBy.VENDOR).exclude(finished_at=None)
    tally = Tally("no uploaded file is kept once it was judged", rows=ended.count())
    for render in ended.filter(finished_at__lte=at - GRACE).iterator(chunk_size=500):
        original = render.script_sha256.partition(":")[2]
        if SealedObject.objects.filter(pk=original, state=SealedObject.State.STORED).exists():
            tally.blame(f"object {original}: is an uploaded file that was judged long ago")
    return tally


def _returned() -> Tally:
    tally = Tally("nobody who was erased is back", rows=len(tombstones.everyone()))
    for contact in tombstones.returned():
        tally.blame(f"contact {contact.pk}: was erased, and a restore brought them back")
    return tally


def _held(at: datetime) -> Tally:
    tally = Tally(
        "what is on hold is not deleted", rows=Hold.objects.filter(released_at=None).count()
    )
    gone = Contact.objects.filter(
        pk__in=Hold.objects.filter(released_at=None).values("contact_id")
    ).filter(Q(erased_at__isnull=False) | Q(key__destroyed_at__isnull=False))
    tally.blame_all(f"contact {pk}: on hold and erased" for pk in gone.values_list("pk", flat=True))
    shut = KeptKey.objects.filter(Q(key__delete_at__lte=at) | Q(key__destroyed_at__isnull=False))
    tally.blame_all(f"key {pk}: on hold and shut" for pk in shut.values_list("pk", flat=True))
    return tally
