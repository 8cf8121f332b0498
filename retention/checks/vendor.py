"""Promise 3: does an AI vendor still hold a copy, and was each call written down before it?"""

import uuid
from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q

from retention.checks.tally import Tally
from videos import rendering
from videos.models import DeletionReceipt, EgressManifest, Incident, Render

ENDED = (Render.State.DONE, Render.State.FAILED)


def check() -> Iterator[Tally]:
    """Yield what was found about calls and copies."""
    yield _written()
    yield _receipts()
    yield _gone()
    yield _looked()


def _written() -> Tally:
    called = Render.objects.exclude(vendor_job_id="")
    tally = Tally("each call has a manifest from before it", rows=called.count())
    manifest = EgressManifest.objects.filter(render=OuterRef("pk"))
    for pk in called.exclude(Exists(manifest)).values_list("pk", flat=True):
        tally.blame(f"render {pk}: a request left without a manifest")
    return tally


def _receipts() -> Tally:
    tally = Tally("each receipt is of a manifest before it", rows=DeletionReceipt.objects.count())
    wrong = DeletionReceipt.objects.filter(
        ~Q(render_id=F("manifest__render_id"))
        | Q(deleted_at__lt=F("manifest__at"))
        | Q(observed_at__lt=F("deleted_at"))
    )
    tally.blame_all(f"receipt {pk}: fits no manifest" for pk in wrong.values_list("pk", flat=True))
    return tally


def _gone() -> Tally:
    tally = Tally("each ended call was last seen to be gone, or an incident is open")
    for render in _ended():
        for manifest_id in render.vendor_jobs:
            tally.saw()
            looks = DeletionReceipt.objects.filter(manifest_id=manifest_id)
            last = looks.order_by("-observed_at", "-deleted_at").first()
            is_gone = last is not None and last.observed_absent
            if not is_gone and not _is_known(render, manifest_id):
                tally.blame(f"render {render.pk}: nobody saw that the vendor's copy is gone")
    return tally


def _looked() -> Tally:
    """Ask each vendor again, now, whether it still holds a copy."""
    tally = Tally("no vendor holds a copy of an ended call, asked now")
    for render in _ended():
        tally.saw()
        if rendering.copy_exists(render=render) and not _is_known(render):
            tally.blame(f"render {render.pk}: the vendor still holds a copy")
    return tally


def _ended() -> Iterator[Render]:
    ended = Render.objects.filter(state__in=ENDED).exclude(vendor_jobs={})
    yield from ended.select_related("connection").order_by("pk").iterator(chunk_size=100)


def _is_known(render: Render, *others: str) -> bool:
    # An officer sees it already: the promise is a copy gone or an incident open.
    about = [render.pk, *map(uuid.UUID, others)]
    return Incident.objects.filter(object_id__in=about, closed_at=None).exists()
