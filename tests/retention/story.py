"""What is a whole story of one person? Consent, a message, a video, a play; made by the doors."""

import uuid
from datetime import datetime, timedelta

from accounts import audit
from consent import outbox
from consent.models import Contact
from integrations import connections
from integrations.video.base import Deletion
from integrations.video.local import LocalProvider
from tests.retention import people
from tests.videos import stage
from videos import egress, links, marks, playback
from videos.anonymisation import anonymise
from videos.compositing import Composite
from videos.models import DeletionReceipt, EgressManifest, Link, Render
from videos.vendor_terms import NO_AGREEMENT_NEEDED, Allowed

AT = stage.AT


def whole() -> tuple[Contact, Link]:
    """Return a person who agreed, was written to, and played a video that was made for them."""
    people.house()
    person = stage.agreed(stage.person())
    link = linked(person)
    called(link.asset.render)
    written(person)
    playback.start_play(link=link, at=AT + timedelta(hours=1))
    return person, link


def linked(person: Contact, *, at: datetime = AT) -> Link:
    """Return a link to a video that is marked as AI's; its pictures are noise."""
    made = stage.campaign()
    render = stage.rendered(made)
    plain = Composite(small_film(), stage.TAIL, "", 1, 1)
    head = marks.signed(composite=plain, render=render, at=at).head
    asset = stage.asset(person, made, head=head, at=at)
    asset.mark_name = marks.read(parts=[head, stage.TAIL])
    asset.save(update_fields=["mark_name"])
    link, _ = links.mint(
        asset=asset,
        contact=person,
        not_before=at,
        expires_at=at + timedelta(days=7),
        plays_allowed=3,
        at=at,
    )
    return link


def small_film() -> bytes:
    """Return the head of the smallest MP4: three boxes, of which the tail ends the last."""

    def box(kind: bytes, content: bytes, *, more: int = 0) -> bytes:
        return (8 + len(content) + more).to_bytes(4, "big") + kind + content

    header = bytes(12) + (1000).to_bytes(4, "big") * 2 + (0x10000).to_bytes(4, "big") + bytes(76)
    return (
        box(b"ftyp", b"isom" + bytes(4) + b"isomiso2mp41")
        + box(b"moov", box(b"mvhd", header))
        + box(b"mdat", stage.HEAD, more=len(stage.TAIL))
    )


def called(render: Render, *, at: datetime = AT) -> EgressManifest:
    """Put down what left for the vendor, and that its copy was seen to be gone three times."""
    script = anonymise(script_text=stage.TEXT, language=render.language)
    manifest = egress.declare(
        render=render,
        vendor=LocalProvider(),
        script=script,
        allowed=Allowed(NO_AGREEMENT_NEEDED),
        at=at,
    )
    render.vendor_jobs = {str(manifest.pk): str(uuid.uuid4())}
    render.save(update_fields=["vendor_jobs"])
    egress.note_deletion(
        render=render, vendor=LocalProvider(), deletion=Deletion(204, b""), absent=True, at=at
    )
    first = DeletionReceipt.objects.get(manifest=manifest)
    for hours in (1, 24):
        egress.note_look(first=first, absent=True, at=at + timedelta(hours=hours))
    return manifest


def written(person: Contact, *, at: datetime = AT) -> None:
    """Send one message over the sandbox."""
    sandbox, _ = connections.ensure_local(at=at)
    outbox.queue(
        contact=person,
        connection=sandbox,
        purpose_code="marketing",
        channel="email",
        context_type="consent.test",
        context_id=None,
        idempotency_key=uuid.uuid4().hex,
        subject="Hello",
        text="There is a video for you.",
        at=at,
        actor=audit.SYSTEM,
    )
    assert outbox.dispatch(at=at).sent == 1
