"""What is a story in which all happens that a proof tells of? One person, made by the doors."""

from datetime import date, timedelta

from accounts import audit
from consent import outbox, proofs, propagation, reviews
from consent.models import Contact, Review
from integrations import connections
from integrations.models import Connection
from integrations.video.base import Deletion
from tests.accounts.staff import member
from tests.consent import grants
from tests.consent.hearing import hear
from tests.consent.people import NOON
from tests.retention import people, story
from tests.videos import stage
from tests.videos.test_codes import read
from tests.videos.test_presenters import ANNA, released
from tests.videos.vendor import Vendor
from videos import agreements, codes, egress, playback
from videos.anonymisation import anonymise
from videos.models import Campaign, DeletionReceipt, Link, Render
from videos.vendor_terms import Allowed

AT, MINUTE = stage.AT, timedelta(minutes=1)
END = NOON + timedelta(hours=1)
PHONE = "+4915112345678"


def person() -> Contact:
    """Return somebody with papers, a stop, a doubt, a presenter's video, a code and a play."""
    people.house()
    connections.ensure_local(at=AT - MINUTE)
    who = stage.agreed(stage.person())
    made_by_a_vendor(story.linked(who))
    story.written(who)
    shown_by_a_code(Link.objects.get())
    proofs.keep(
        contact=who,
        file=b"%PDF-1.7",
        media_type="application/pdf",
        at=NOON,
        staff=member("officer"),
    )
    grants.written(who)
    doubted_and_stopped()
    return who


def made_by_a_vendor(link: Link) -> Render:
    """Have the link's video made elsewhere, of a presenter, under a contract; and gone again."""
    released()
    account = Connection.objects.create(
        kind=Connection.Kind.VIDEO,
        provider="played",
        label="Played vendor",
        auth_kind=Connection.AuthKind.KEY,
        hosts=["api.vendor.example"],
        created_at=AT,
    )
    agreements.record(
        connection=account,
        reference="dpa-7",
        document=b"%PDF-1.7",
        clauses=agreements.CLAUSES,
        sub_processors=["none"],
        region="eu",
        signed_on=date(2026, 1, 1),
        expires_on=date(2027, 1, 1),
        residual_days=30,
        at=AT,
        staff=member("officer"),
    )
    sight = agreements.attest(
        connection=account, holds=True, means="read", at=AT, actor=audit.SYSTEM
    )
    render = link.asset.render
    render.connection, render.presenter_code = account, ANNA
    render.save(update_fields=["connection", "presenter_code"])
    script, vendor = anonymise(script_text=stage.TEXT, language="en"), Vendor()
    allowed = Allowed("dpa-7", str(sight.pk))
    egress.declare(render=render, vendor=vendor, script=script, allowed=allowed, at=AT)
    # Refused once, which an incident tells; then gone.
    egress.open_incident(egress.DELETE_FAILED, render, AT)
    egress.note_deletion(
        render=render, vendor=vendor, deletion=Deletion(204, b""), absent=True, at=AT
    )
    first = DeletionReceipt.objects.get()
    for hours in (1, 24):
        egress.note_look(first=first, absent=True, at=AT + timedelta(hours=hours))
    return render


def shown_by_a_code(link: Link) -> None:
    """Let the person show that a browser is theirs, and play."""
    Campaign.objects.update(step_up="always")
    link = Link.objects.get(pk=link.pk)
    device, code = read(link)
    assert codes.enter(link=link, device=device, code=code, at=AT + MINUTE)
    device.refresh_from_db()
    playback.start_play(link=link, at=AT + 2 * MINUTE, device=device)


def doubted_and_stopped() -> None:
    """Let the person write what nobody is sure of, then STOP; all others are told."""
    hear("who gave you my number?", PHONE, received_at=NOON + MINUTE)
    reviews.decide(
        review=Review.objects.get(),
        is_stop=False,
        at=NOON + 2 * MINUTE,
        staff=member("officer"),
    )
    hear("STOP", PHONE, received_at=NOON + 3 * MINUTE)
    outbox.dispatch(at=NOON + 3 * MINUTE)
    propagation.pass_on(at=NOON + 4 * MINUTE)
