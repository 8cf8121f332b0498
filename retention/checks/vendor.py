"""Promise 3: does an AI vendor still hold a copy, and was each call written down before it?"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from retention.checks.tally import Tally
from videos import rendering
from videos.models import DeletionReceipt, EgressManifest, Incident, Render

ENDED = (Render.State.DONE, Render.State.FAILED)


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about calls and copies."""
    yield _written()
    yield _receipts()
    yield _gone()
    yield _looked(at)


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
    ended = Render.objects.filter(state__in=ENDED).exclude(vendor_job_id="")
    tally = Tally("each ended call was seen to be gone, or an incident is open", rows=ended.count())
    absent = DeletionReceipt.objects.filter(render=OuterRef("pk"), observed_absent=True)
    incident = Incident.objects.filter(object_id=OuterRef("pk"), closed_at=None)
    left = ended.exclude(Exists(absent)).exclude(Exists(incident))
    for pk in left.values_list("pk", flat=True):
        tally.blame(f"render {pk}: nobody saw that the vendor's copy is gone")
    return tally


def _looked(at: datetime) -> Tally:
    """Ask each vendor again, now, whether it still holds a copy."""
    tally = Tally("no vendor holds a copy of an ended call, asked now")
    ended = Render.objects.filter(state__in=ENDED).exclude(vendor_job_id="")
    for render in ended.select_related("connection").iterator(chunk_size=100):
        tally.saw()
        if rendering.copy_exists(render=render):
            tally.blame(f"render {render.pk}: the vendor still holds a copy")
    return tally
