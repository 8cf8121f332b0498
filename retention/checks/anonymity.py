"""Promise 2: does anything that left for an AI vendor say who anybody is?"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts import keys
from consent import contacts
from consent.models import Contact
from retention.checks.tally import Tally
from videos import anonymisation, detectors
from videos.models import EgressManifest, Render

AUDIENCE_BATCH = 5000


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about what left."""
    yield _whole()
    yield _of_words_alone()
    yield _stayed()
    yield _detected()
    yield _known(at)


def _manifests() -> Iterator[EgressManifest]:
    rows = EgressManifest.objects.select_related("render__campaign").order_by("pk")
    yield from rows.iterator(chunk_size=200)


def _whole() -> Tally:
    tally = Tally("the bytes of each manifest are those whose hash was kept")
    for row in _manifests():
        tally.saw()
        body = bytes(row.body)
        if hashlib.sha256(body).hexdigest() != row.body_sha256 or len(body) != row.size_bytes:
            tally.blame(f"manifest {row.pk}: its bytes do not match its hash")
        if b"{{" in body:
            tally.blame(f"manifest {row.pk}: a slot left with the script")
    return tally


def _of_words_alone() -> Tally:
    """What left is what the words alone make: the order's hash is older than any contact's name."""
    tally = Tally("each manifest holds the bytes that its script alone makes")
    for row in _manifests():
        tally.saw()
        if row.body_sha256 != row.render.script_sha256:
            tally.blame(f"manifest {row.pk}: is not what the script of its order makes")
        if not row.detectors or not row.nonce:
            tally.blame(f"manifest {row.pk}: does not say what searched it")
    return tally


def _stayed() -> Tally:
    uploaded = Render.objects.exclude(made_by=Render.MadeBy.VENDOR)
    tally = Tally("nothing of an uploaded video left for a vendor", rows=uploaded.count())
    left = EgressManifest.objects.filter(render=OuterRef("pk"))
    called = Q(connection__isnull=False) | ~Q(vendor_job_id="") | Exists(left)
    for pk in uploaded.filter(called).values_list("pk", flat=True):
        tally.blame(f"render {pk}: an uploaded video left for a vendor")
    return tally


def _detected() -> Tally:
    tally = Tally("no detector finds a person in what left")
    for row in _manifests():
        tally.saw()
        kinds = anonymisation.judge_body(body=bytes(row.body), language=row.render.language)
        if kinds:
            tally.blame(f"manifest {row.pk}: holds {', '.join(kinds)}")
    return tally


def _known(at: datetime) -> Tally:
    """Search what left for the names and addresses of everyone we know, a few at a time."""
    tally = Tally("nobody whom we know is named in what left")
    bodies: dict[UUID | None, dict[str, tuple[str, detectors.Plain]]] = {}
    for row in _manifests():
        text = bytes(row.body).decode("utf-8", errors="replace")
        # Each partner's people in what that partner had rendered: others' are not theirs to meet.
        of_partner = bodies.setdefault(row.render.campaign.partner_id, {})
        of_partner.setdefault(row.body_sha256, (str(row.pk), detectors.plain(text)))
    for partner_id, of_partner in bodies.items():
        people = Contact.objects.filter(partner=partner_id, erased_at=None).select_related("key")
        for batch in contacts.in_batches(people, size=AUDIENCE_BATCH):
            tally.saw(len(batch))
            known = anonymisation.known_identifiers(contacts=_readable(batch, at), at=at)
            for name, plain in of_partner.values():
                for kind, _start, _end in known.find(plain):
                    tally.blame(f"manifest {name}: {kind} of a contact stands in it")
    return tally


def _readable(batch: list[Contact], at: datetime) -> Iterator[Contact]:
    # A value that was tampered with is promise 4's to name; it must not end this search.
    for contact in batch:
        with suppress(keys.KeyRefused):
            contacts.opened(contact=contact, at=at)
            yield contact
