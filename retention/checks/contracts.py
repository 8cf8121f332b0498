"""Promise 3: did each request leave under a contract that was in force at that very instant?"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q

from retention.checks.tally import Tally
from videos import agreements, vendor_terms
from videos.models import (
    DeletionReceipt,
    EgressManifest,
    Incident,
    ProcessorAgreement,
    VendorAttestation,
)


def check() -> Iterator[Tally]:
    """Yield what was found about contracts, account settings and places."""
    yield _agreed()
    yield _seen()
    yield _stayed()
    yield _residual()


def _left() -> Iterator[EgressManifest]:
    """What works on this machine has no contract: nothing leaves it."""
    rows = EgressManifest.objects.exclude(endpoint__startswith=vendor_terms.ON_THIS_MACHINE)
    rows = rows.select_related("render__connection").defer("body").order_by("pk")
    yield from rows.iterator(chunk_size=200)


def _agreed() -> Tally:
    tally = Tally("each request left under a whole agreement in force")
    for row in _left():
        tally.saw()
        found = list(_in_force(row))
        if not found:
            tally.blame(f"manifest {row.pk}: no agreement was in force when it left")
        elif not any(set(one.clauses) == set(agreements.CLAUSES) for one in found):
            tally.blame(f"manifest {row.pk}: its agreement lacks a clause of Art. 28(3)")
        elif all(one.region != row.region for one in found):
            tally.blame(f"manifest {row.pk}: left for another region than was agreed")
    local = EgressManifest.objects.filter(endpoint__startswith=vendor_terms.ON_THIS_MACHINE)
    tally.saw(local.count())
    # Whoever changed a vendor's address into one of this machine would need no contract for it.
    named = local.exclude(agreement_id=vendor_terms.NO_AGREEMENT_NEEDED)
    for pk in named.values_list("pk", flat=True):
        tally.blame(f"manifest {pk}: names an agreement where none is needed")
    return tally


def _in_force(row: EgressManifest) -> Iterator[ProcessorAgreement]:
    day = row.at.date()
    yield from ProcessorAgreement.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=row.at),
        reference=row.agreement_id,
        connection__provider=row.vendor,
        created_at__lte=row.at,
        signed_on__lte=day,
        expires_on__gte=day,
    )


def _seen() -> Tally:
    tally = Tally("each account was seen to keep nothing within a day before")
    for row in _left():
        tally.saw()
        sight = VendorAttestation.objects.filter(
            pk__in=[row.attestation_id] if row.attestation_id else [],
            connection__provider=row.vendor,
            holds=True,
            at__gt=row.at - vendor_terms.SETTING_KNOWN_FOR,
            at__lte=row.at,
        )
        if not sight.exists():
            tally.blame(f"manifest {row.pk}: nobody had seen how the account was set")
    return tally


def _stayed() -> Tally:
    """While a vendor that answered from elsewhere waits for an officer, nothing leaves for it."""
    moved = Incident.objects.filter(kind=vendor_terms.MOVED)
    tally = Tally("nothing left for a vendor that had moved", rows=moved.count())
    for incident in moved.iterator(chunk_size=200):
        since = _between(incident.opened_at, incident.closed_at)
        late = EgressManifest.objects.filter(since, render__connection=incident.object_id)
        for pk in late.values_list("pk", flat=True):
            tally.blame(f"manifest {pk}: left for a vendor that had moved")
    return tally


def _between(opened_at: datetime, closed_at: datetime | None) -> Q:
    return Q(at__gt=opened_at, at__lt=closed_at) if closed_at else Q(at__gt=opened_at)


def _residual() -> Tally:
    tally = Tally("no vendor keeps backups for longer than was agreed")
    looks = DeletionReceipt.objects.filter(deleted_at=F("observed_at")).select_related("manifest")
    for receipt in looks.defer("manifest__body").iterator(chunk_size=200):
        tally.saw()
        agreed = [one.residual_days for one in _in_force(receipt.manifest)]
        if agreed and receipt.residual_days > max(agreed):
            tally.blame(f"receipt {receipt.pk}: backups stay longer than was agreed")
    return tally
