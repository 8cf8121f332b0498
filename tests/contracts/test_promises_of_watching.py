"""Does `verify` see a link that was opened by whom it must not, or a video that is another?"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts import audit
from consent import proofs
from consent.models import Contact, Message, Proof
from integrations import connections
from retention.checks import links as check
from retention.checks import periods, sealed
from tests.retention import people, story
from tests.videos import stage
from tests.videos.test_codes import linked, read
from videos import codes, links, playback
from videos.models import Asset, Campaign, CodeSent, Device, Link, Play, Render

pytestmark = pytest.mark.django_db(transaction=True)
AT, MINUTE, HOUR = stage.AT, timedelta(minutes=1), timedelta(hours=1)
LATER = AT + timedelta(days=2)


def named() -> str:
    checks = [*check.check(at=LATER), *sealed.check(at=LATER), *periods.check(at=LATER)]
    return "\n".join(violation for one in checks for violation in one.first)


def proved() -> Play:
    """Let a person show by a code that a browser is theirs, and watch what asks for it."""
    connections.ensure_local(at=AT)
    link = linked()
    Campaign.objects.update(started_at=AT)
    device, code = read(link)
    assert codes.enter(link=link, device=device, code=code, at=AT + MINUTE)
    device.refresh_from_db()
    return playback.start_play(link=link, at=AT + 2 * MINUTE, device=device)


def test_what_was_shown_by_a_code_is_no_fault() -> None:
    proved()
    story_of_links = [one.first for one in check.check(at=LATER) if one.first]
    assert story_of_links == []


def plant_link_given_back() -> str:
    _, link = story.whole()
    links.revoke(link=link, at=LATER, actor=audit.SYSTEM)
    Link.objects.update(revoked_at=None)
    return f"link {link.pk}: was ended, and opens again"


def plant_play_after_a_stop() -> str:
    _, link = story.whole()
    Contact.objects.update(stopped_at=AT + MINUTE)
    return f"of link {link.pk}: came after the person or the video had ended"


def plant_play_after_the_video() -> str:
    _, link = story.whole()
    Asset.objects.update(delete_at=AT + MINUTE)
    return f"of link {link.pk}: came after the person or the video had ended"


def plant_many_browsers() -> str:
    _, link = story.whole()
    Campaign.objects.update(devices_allowed=1)
    Device.objects.create(link=link, created_at=AT, admitted_at=AT)
    return f"link {link.pk}: let in 2 browsers by itself"


def plant_browser_of_another() -> str:
    story.whole()
    other, _ = stage.link(contact=stage.person(email="b@example.org", phone="+4915112345679"))
    Play.objects.update(device=Device.objects.create(link=other, created_at=AT, admitted_at=AT))
    return f"play {Play.objects.get().pk}: was on a browser of another link"


def plant_browser_never_let_in() -> str:
    story.whole()
    Device.objects.update(admitted_at=None)
    return f"play {Play.objects.get().pk}: was on a browser that was never let in"


def plant_health_without_a_code() -> str:
    story.whole()
    Campaign.objects.update(content=["health"], started_at=AT)
    return f"play {Play.objects.get().pk}: opened without a code what needs one"


def plant_code_after_the_play() -> str:
    play = proved()
    Device.objects.update(proved_at=AT + HOUR)
    return f"play {play.pk}: opened without a code what needs one"


def plant_long_code() -> str:
    proved()
    CodeSent.objects.update(expires_at=AT + HOUR)
    return f"code {CodeSent.objects.get().pk}: was good for too long"


def plant_many_tries() -> str:
    proved()
    CodeSent.objects.update(tries=6)
    return f"code {CodeSent.objects.get().pk}: was good for too long, or for too many tries"


def plant_code_by_the_same_way() -> str:
    proved()
    Message.objects.update(channel="email")
    return f"code {CodeSent.objects.get().pk}: did not go to another address of the person"


def plant_proof_without_a_code() -> str:
    proved()
    CodeSent.objects.update(used_at=None)
    return f"browser {Device.objects.get().pk}: no code was used on it"


def plant_plain_token() -> str:
    _, link = story.whole()
    Link.objects.update(token_index=links.new_token())
    return f"videos_link.token_index of row {link.pk}: is no keyed hash"


def plant_plain_code() -> str:
    proved()
    CodeSent.objects.update(code_index="123456")
    return f"videos_codesent.code_index of row {CodeSent.objects.get().pk}: is no keyed hash"


def plant_paper_of_another() -> str:
    person, _ = story.whole()
    row = proofs.keep(
        contact=person,
        file=b"%PDF-1.7",
        media_type="application/pdf",
        at=AT,
        staff=people.officer(),
    )
    Proof.objects.update(file_sha256="0" * 64)
    return f"consent_proof.file_sealed of row {row.pk}: is not what its hash says"


def plant_unmarked_video() -> str:
    person, _ = story.whole()
    other = stage.asset(person, stage.campaign())
    return f"video {other.pk}: is not marked: there is no mark in the video"


def plant_other_tail() -> str:
    story.whole()
    asset = Asset.objects.get()
    shared = stage.stored(asset.campaign.key, bytes(len(stage.TAIL)))
    asset.extents.filter(number=1).update(sealed_object=shared)
    return f"video {asset.pk}: is not the one whose hash was kept"


def plant_mark_of_another() -> str:
    story.whole()
    Asset.objects.update(mark_name="urn:c2pa:another")
    return f"video {Asset.objects.get().pk}: carries the mark of another"


def plant_late_mark() -> str:
    _, link = story.whole()
    Asset.objects.update(mark_read_at=AT + MINUTE)
    return f"link {link.pk}: led to a video that was not marked yet"


def plant_kept_upload() -> str:
    story.whole()
    raw = stage.stored(Campaign.objects.get().key, b"an upload")
    Render.objects.update(
        made_by=Render.MadeBy.HUMAN, script_sha256=f"upload:{raw.pk}", finished_at=AT
    )
    return f"object {raw.pk}: is an uploaded file that was judged long ago"


PLANTED = [
    plant_link_given_back,
    plant_play_after_a_stop,
    plant_play_after_the_video,
    plant_many_browsers,
    plant_browser_of_another,
    plant_browser_never_let_in,
    plant_health_without_a_code,
    plant_code_after_the_play,
    plant_long_code,
    plant_many_tries,
    plant_code_by_the_same_way,
    plant_proof_without_a_code,
    plant_plain_token,
    plant_plain_code,
    plant_paper_of_another,
    plant_unmarked_video,
    plant_other_tail,
    plant_mark_of_another,
    plant_late_mark,
    plant_kept_upload,
]


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_violation_is_named(plant: Callable[[], str]) -> None:
    assert plant() in named()


def test_words_that_were_declared_later_break_no_play() -> None:
    story.whole()
    Campaign.objects.update(content=["health"], started_at=AT)
    audit.record(
        action="videos.campaign.content_declared",
        at=LATER,
        actor=audit.SYSTEM,
        object_type="videos.campaign",
        object_id=str(Campaign.objects.get().pk),
    )
    assert "needs one" not in named()
