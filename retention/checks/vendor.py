"""Promise 3: does an AI vendor still hold a copy, and was each call written down before it?"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from accounts.models import TrailLeaf
from retention.checks import contracts
from retention.checks.tally import Tally
from videos import egress, rendering, vendor_facts
from videos.models import DeletionReceipt, EgressManifest, Incident, Render

ENDED = (Render.State.DONE, Render.State.FAILED)


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about contracts, calls and copies."""
    yield from contracts.check()
    yield _written()
    yield _receipts()
    yield _gone()
    yield _looked_again(at)
    yield _hidden()
    yield _incidents()
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


def _looked_again(at: datetime) -> Tally:
    """Count the looks after each deletion: at once, after an hour, after a day."""
    tally = Tally("each copy was looked for again after 1 h and after 24 h, or an incident is open")
    for render in _ended():
        for manifest_id in render.vendor_jobs:
            tally.saw()
            if not _is_known(render, manifest_id):
                for word in _looks_missing(manifest_id, at):
                    tally.blame(f"render {render.pk}: nobody looked for the copy {word}")
    return tally


def _looks_missing(manifest_id: str, at: datetime) -> Iterator[str]:
    looks = DeletionReceipt.objects.filter(manifest=uuid.UUID(manifest_id))
    deleted_at = looks.order_by("-deleted_at").values_list("deleted_at", flat=True).first()
    if deleted_at is None:
        return
    # How late each look was: one that came too late is one all the same.
    seen = looks.filter(deleted_at=deleted_at).order_by("-observed_at").first()
    longest = seen.observed_at - deleted_at if seen else timedelta(0)
    for after, word in vendor_facts.LOOKS:
        if at > deleted_at + after + vendor_facts.LATE and longest < after:
            yield word


def _hidden() -> Tally:
    """A copy that a vendor only hid is for an officer to settle, however often it was not seen."""
    soft = DeletionReceipt.objects.filter(is_soft=True)
    tally = Tally("each copy that was only hidden was put before an officer", rows=soft.count())
    told = Incident.objects.filter(kind=egress.SOFT_DELETED, object_id=OuterRef("render_id"))
    for pk in soft.exclude(Exists(told)).values_list("pk", flat=True):
        tally.blame(f"receipt {pk}: the copy was only hidden, and no officer was told")
    return tally


def _incidents() -> Tally:
    """Hold the incidents against the trail: neither closed by nobody nor gone."""
    tally = Tally("each incident was closed by somebody, or is open", rows=Incident.objects.count())
    opened, closed = (_named(f"videos.incident.{word}") for word in ("opened", "closed"))
    known = set(map(str, Incident.objects.values_list("pk", flat=True)))
    tally.blame_all(f"incident {pk}: is gone" for pk in sorted(opened - known))
    shut = Incident.objects.exclude(closed_at=None).values_list("pk", flat=True)
    for pk in sorted(set(map(str, shut)) - closed):
        tally.blame(f"incident {pk}: nobody is known to have closed it")
    return tally


def _named(action: str) -> set[str]:
    # So few that they are held: each is something that went wrong.
    leaves = TrailLeaf.objects.filter(action=action).values_list("details", flat=True)
    return {str(details.get("incident")) for details in leaves}


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
