import hashlib
import random
import time
from datetime import datetime, timedelta

import pytest

from accounts import audit, keys
from accounts.models import TrailLeaf
from consent.models import CrmLink, Writeback
from integrations.models import CrmSync
from tests.consent import crms
from tests.videos import stage
from tests.videos.stage import AT, CAPTIONS, HEAD, TAIL, WHOLE
from videos import links, playback
from videos.links import NotWatchable
from videos.models import Asset, Link, Play, SealedObject

pytestmark = pytest.mark.django_db
SOON = AT + timedelta(minutes=5)


def served(asset: Asset, *, header: str = "", if_range: str = "", at: datetime = SOON) -> bytes:
    answer = playback.serve(asset=asset, range_header=header, if_range=if_range, at=at)
    return b"".join(answer.chunks)


def test_the_extents_are_served_as_one_file() -> None:
    link, _ = stage.link()
    body = served(link.asset)
    assert hashlib.sha256(body).hexdigest() == link.asset.content_sha256


def test_any_range_is_the_same_bytes_as_the_file() -> None:
    link, _ = stage.link()
    generator = random.Random(7)
    edges = [0, 1, len(HEAD) - 1, len(HEAD), len(HEAD) + 1, 65_536, len(WHOLE) - 1]
    for _ in range(40):
        start, last = sorted(generator.sample([*edges, *range(0, len(WHOLE), 999)], 2))
        body = served(link.asset, header=f"bytes={start}-{last}")
        assert body == WHOLE[start : last + 1], (start, last)


def test_a_changed_file_is_sent_whole_again() -> None:
    link, _ = stage.link()
    etag = playback.etag_of(link.asset)
    assert served(link.asset, header="bytes=0-9", if_range=etag) == WHOLE[:10]
    assert served(link.asset, header="bytes=0-9", if_range='"older"') == WHOLE


def test_the_tag_does_not_tell_the_hash_of_the_content() -> None:
    link, _ = stage.link()
    assert link.asset.content_sha256[:16] not in playback.etag_of(link.asset)


def test_a_play_counts_once_and_goes_on_in_its_session() -> None:
    link, _ = stage.link()
    first = playback.start_play(link=link, at=AT)
    session = playback.session_value(play=first)
    again = playback.start_play(link=link, at=AT + timedelta(minutes=29), session=session)
    link.refresh_from_db()
    assert again == first
    assert link.plays == 1
    assert TrailLeaf.objects.filter(action="videos.play.started").count() == 1


def test_after_the_session_a_gesture_is_a_new_play() -> None:
    link, _ = stage.link()
    session = playback.session_value(play=playback.start_play(link=link, at=AT))
    playback.start_play(link=link, at=AT + timedelta(minutes=31), session=session)
    link.refresh_from_db()
    assert link.plays == 2


def test_used_up_plays_are_refused() -> None:
    link, _ = stage.link(plays_allowed=1)
    playback.start_play(link=link, at=AT)
    with pytest.raises(NotWatchable):
        playback.start_play(link=link, at=AT)
    assert Play.objects.count() == 1


def test_a_session_may_have_the_bytes_of_its_own_link_only() -> None:
    mine, _ = stage.link()
    other = stage.person(name="Ana", email="ana@example.org", phone="+4915112345679")
    theirs, _ = stage.link(contact=other)
    session = playback.session_value(play=playback.start_play(link=mine, at=AT))
    assert playback.authorise(link_id=mine.pk, session=session, at=SOON) == mine
    with pytest.raises(NotWatchable):
        playback.authorise(link_id=theirs.pk, session=session, at=SOON)


@pytest.mark.parametrize(
    "forged", ["", "1", "1.99999999999.", "1.99999999999." + "0" * 64, "x.y.z", "²." * 3, "." * 9]
)
def test_a_forged_session_is_refused(forged: str) -> None:
    link, _ = stage.link()
    playback.start_play(link=link, at=AT)
    with pytest.raises(NotWatchable):
        playback.authorise(link_id=link.pk, session=forged, at=SOON)


def test_a_session_ends_after_its_half_hour_and_with_its_link() -> None:
    link, _ = stage.link()
    session = playback.session_value(play=playback.start_play(link=link, at=AT))
    late = link.expires_at - timedelta(minutes=5)
    short = playback.session_value(play=playback.start_play(link=link, at=late))
    with pytest.raises(NotWatchable):
        playback.authorise(link_id=link.pk, session=session, at=AT + timedelta(minutes=30))
    with pytest.raises(NotWatchable):
        playback.authorise(link_id=link.pk, session=short, at=link.expires_at)


def test_a_revoked_link_has_no_next_byte() -> None:
    link, _ = stage.link()
    session = playback.session_value(play=playback.start_play(link=link, at=AT))
    links.revoke(link=link, at=SOON, actor=audit.SYSTEM)
    with pytest.raises(NotWatchable):
        playback.authorise(link_id=link.pk, session=session, at=SOON)


def test_bytes_stop_while_they_go_out() -> None:
    chunks = iter([b"x" * 65_536] * 128)
    sent = bytearray()
    with pytest.raises(ConnectionResetError):
        for chunk in playback.while_live(chunks=chunks, still=lambda: False):
            sent += chunk
    assert len(sent) == playback.LOOK_BYTES


def test_a_slow_viewer_is_looked_at_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter([0.0, 0.5, 1.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(hours))
    out = playback.while_live(chunks=iter([b"first", b"second"]), still=lambda: False)
    assert next(out) == b"first"
    with pytest.raises(ConnectionResetError):
        next(out)


def test_the_campaigns_part_does_not_open_after_its_key() -> None:
    link, _ = stage.link()
    keys.destroy(key=link.asset.campaign.key, at=AT)
    with pytest.raises(NotWatchable):
        served(link.asset, header=f"bytes={len(HEAD)}-")


def test_swapped_objects_are_not_served() -> None:
    link, _ = stage.link()
    mine, tail = SealedObject.objects.order_by("size_bytes")
    assert mine.size_bytes < tail.size_bytes == len(TAIL)
    names = mine.name, tail.name
    SealedObject.objects.filter(pk=mine.pk).update(name="between")
    SealedObject.objects.filter(pk=tail.pk).update(name=names[0])
    SealedObject.objects.filter(pk=mine.pk).update(name=names[1])
    with pytest.raises(NotWatchable):
        served(link.asset)


def test_captions_open_with_the_persons_words() -> None:
    link, _ = stage.link()
    assert playback.captions(asset=link.asset, at=SOON) == CAPTIONS


def test_captions_of_another_row_do_not_open() -> None:
    link, _ = stage.link()
    other = stage.person(name="Ana", email="ana@example.org", phone="+4915112345679")
    theirs, _ = stage.link(contact=other)
    Asset.objects.filter(pk=link.asset_id).update(captions_sealed=theirs.asset.captions_sealed)
    with pytest.raises(NotWatchable):
        playback.captions(asset=Asset.objects.get(pk=link.asset_id), at=SOON)


def test_a_preview_by_staff_stands_in_the_trail() -> None:
    link, _ = stage.link()
    staff = audit.Actor("staff", "someone")
    playback.open_preview(asset_id=link.asset_id, at=SOON, staff=staff)
    entry = TrailLeaf.objects.get(action="videos.preview.opened")
    assert (entry.subject_id, entry.actor_id) == (link.contact_id, "someone")
    assert Link.objects.get().plays == 0


def test_the_first_view_alone_is_written_down_for_a_crm_that_may_be_told() -> None:
    with crms.reading("hubspot") as hub:
        link, _ = stage.link()
        CrmLink.objects.create(
            connection=hub.row, contact=link.contact, account_id="1", record_index="x"
        )
        for allowed, plays in ((False, 0), (True, 0), (True, 1)):
            CrmSync.objects.update(writes_notes=allowed)
            link.plays = plays
            playback.start_play(link=link, at=AT)
        told = Writeback.objects.get()
    assert (told.event, told.event_id, told.kind) == ("watched", link.pk, "note")
