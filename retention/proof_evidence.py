"""Which rows does a proof carry beside its main chain? Permissions, stops, contracts, browsers.

Ids, codes, hashes and times, as the rows have them; what is sealed stays where it is.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Model, Q

from accounts.models import TrailLeaf
from config.lib import canonical
from consent import elements
from consent.models import (
    ConsentEvent,
    Contact,
    LikenessRelease,
    Proof,
    Propagation,
    Review,
    Revocation,
    StopConfirmation,
)
from videos.models import (
    DRAWN,
    CodeSent,
    Device,
    EgressManifest,
    Incident,
    ProcessorAgreement,
    Render,
    VendorAttestation,
)

Element = dict[str, Any]
Sections = dict[str, list[Element]]


def of_consent(contact: Contact) -> Sections:
    """Return what a person's permissions are made of, and what became of their stops."""
    events = ConsentEvent.objects.filter(contact=contact)
    stops = Revocation.objects.filter(contact=contact).order_by("effective_at", "id")
    told = Propagation.objects.filter(revocation__in=stops).order_by("id")
    texts = StopConfirmation.objects.filter(revocation__in=stops).order_by("revoked_at", "pk")
    papers = Proof.objects.filter(contact=contact).order_by("created_at", "id")
    # The trail knows whose an unsure answer was; the row names nobody.
    heard = TrailLeaf.objects.filter(subject_id=contact.pk, action="consent.review.opened")
    reviews = Review.objects.filter(pk__in=[leaf.object_id for leaf in heard])
    return {
        "elements": list(_elements(events.values_list("pk", flat=True))),
        "papers": [
            _plain(row, "id file_sha256 size_bytes media_type created_at") for row in papers
        ],
        "revocations": [
            _plain(row, "id means scope_rule channels purposes received_at effective_at")
            for row in stops
        ],
        "propagations": [
            _plain(row, "id revocation_id connection_id state due_at done_at attempts problem")
            for row in told
        ],
        "confirmations": [
            _plain(row, "revocation_id message_id revoked_at send_by") for row in texts
        ],
        "reviews": [
            _plain(row, "id channel state created_at decided_at")
            for row in reviews.order_by("created_at", "id")
        ],
    }


def of_vendors(renders: Collection[Render]) -> Sections:
    """Return under which contracts, settings and releases the base videos were made."""
    manifests = list(EgressManifest.objects.filter(render__in=renders))
    signed = ProcessorAgreement.objects.filter(
        reference__in={row.agreement_id for row in manifests},
        connection__in={row.connection_id for row in renders},
    )
    sights = VendorAttestation.objects.filter(
        pk__in={row.attestation_id for row in manifests} - {""}
    )
    shown = {row.presenter_code for row in renders} - {DRAWN}
    releases = LikenessRelease.objects.filter(presenter_code__in=shown)
    incidents = Incident.objects.filter(
        object_id__in=[*(row.pk for row in renders), *(row.pk for row in manifests)]
    )
    return {
        "agreements": [
            _plain(
                row,
                "id connection_id reference document_sha256 clauses region signed_on expires_on"
                " residual_days created_at ended_at",
            )
            for row in signed.order_by("created_at", "id")
        ],
        "attestations": [
            _plain(row, "id connection_id holds means at") for row in sights.order_by("at", "id")
        ],
        "releases": [
            _plain(
                row,
                "id presenter_code document_sha256 covers_face covers_voice languages purposes"
                " signed_at valid_until created_at revoked_at",
            )
            for row in releases.order_by("created_at", "id")
        ],
        "incidents": [
            _plain(row, "id kind object_id opened_at closed_at")
            for row in incidents.order_by("opened_at", "id")
        ],
    }


def of_browsers(contact: Contact) -> Sections:
    """Return on which browsers a person's links were opened, and by which codes."""
    devices = Device.objects.filter(link__contact=contact).order_by("id")
    sent = CodeSent.objects.filter(device__link__contact=contact).order_by("asked_at", "id")
    return {
        "devices": [_plain(row, "id link_id created_at admitted_at proved_at") for row in devices],
        "codes": [
            _plain(row, "id device_id message_id asked_at expires_at tries used_at") for row in sent
        ],
    }


def sights(sections: Sections) -> Q:
    """Return which entries of the trail tell of the settings that were seen, and no other."""
    found = Q(pk__in=[])
    for row in sections["attestations"]:
        at = datetime.fromisoformat(row["at"])
        told = Q(leaf__object_id=row["connection_id"], leaf__at=at)
        found |= told & Q(leaf__action="videos.vendor.attested")
    return found


def _elements(event_ids: Iterable[uuid.UUID]) -> Iterable[Element]:
    wanted = list(event_ids)
    for model in sorted(set(elements.ROWS.values()), key=lambda one: one.__name__):
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if not field.attname.endswith("_sealed")
        ]
        rows = model._default_manager.filter(pk__in=wanted).order_by("pk")
        yield from ({"kind": model.__name__, **_plain(row, " ".join(names))} for row in rows)


def _plain(row: Model, names: str) -> Element:
    return {name: _value(getattr(row, name)) for name in names.split()}


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return canonical.instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value
