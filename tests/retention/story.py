"""What is a whole story of one person? Consent, a message, a video, a play; made by the doors."""

import hashlib
import uuid
from datetime import datetime, timedelta

from accounts import audit
from consent import outbox
from consent.models import Contact
from integrations import connections
from tests.retention import people
from tests.videos import stage
from videos import playback
from videos.models import DeletionReceipt, EgressManifest, Link, Render

AT = stage.AT
BODY = b'{"height":720,"items":[{"ms":4000,"slot":"s1"},{"speech":"Spring is here."}],"width":1280}'


def whole() -> tuple[Contact, Link]:
    """Return a person who agreed, was written to, and played a video that was made for them."""
    people.house()
    person = stage.agreed(stage.person())
    link, _ = stage.link(contact=person)
    called(link.asset.render)
    written(person)
    playback.start_play(link=link, at=AT + timedelta(hours=1))
    return person, link


def called(render: Render, *, at: datetime = AT) -> EgressManifest:
    """Put down what left for the vendor, and that its copy is gone."""
    manifest = EgressManifest.objects.create(
        render=render,
        vendor="local",
        endpoint="local",
        region="local",
        agreement_id="none",
        slots=["name"],
        size_bytes=len(BODY),
        body_sha256=hashlib.sha256(BODY).hexdigest(),
        body=BODY,
        detectors="test",
        nonce=uuid.uuid4().hex,
        at=at,
    )
    DeletionReceipt.objects.create(
        render=render,
        manifest=manifest,
        deleted_at=at,
        delete_status=204,
        answer_sha256="0" * 64,
        observed_absent=True,
        observed_at=at,
        residual_days=0,
    )
    render.vendor_jobs = {str(manifest.pk): str(uuid.uuid4())}
    render.save(update_fields=["vendor_jobs"])
    audit.record(
        action="videos.egress.declared",
        at=at,
        actor=audit.SYSTEM,
        object_type="videos.egressmanifest",
        object_id=str(manifest.pk),
    )
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
