import json
import uuid
from datetime import timedelta

import pytest
from django.apps import apps

from accounts import keys
from accounts.models import DataKey
from config.lib.inventory import DEFAULT_DAYS, Due
from tests.videos import stage
from videos import links, personal_data, playback, vault
from videos.links import NotWatchable
from videos.models import Asset, Campaign, Extent, Link, Play, Render, SealedObject

pytestmark = pytest.mark.django_db(transaction=True)
AT = stage.AT


def due(days: float, **changed: int) -> list[Due]:
    at = AT + timedelta(days=days)
    return list(personal_data.due(at=at, days={**DEFAULT_DAYS, **changed}))


def erase(item: Due) -> None:
    personal_data.erase_record(
        record_class=item.record_class, object_id=item.object_id, at=item.due_at
    )


def played() -> Link:
    link, _ = stage.link()
    playback.start_play(link=link, at=AT)
    return link


def test_every_column_is_declared() -> None:
    for model in apps.get_app_config("videos").get_models():
        declared = personal_data.DECLARATIONS[model._meta.label_lower]
        assert set(declared) == {field.name for field in model._meta.local_fields}


def test_a_person_gets_what_is_said_in_their_video() -> None:
    link = played()
    told = personal_data.export(contact_id=link.contact_id, at=AT)
    assert "Hello Zoë" in json.dumps(told, ensure_ascii=False)
    assert {name: len(rows) for name, rows in told.items()} == {  # type: ignore[arg-type]
        "videos": 1,
        "links": 1,
        "plays": 1,
        "devices": 1,
        "codes": 0,
        "campaigns": 0,
    }
    assert personal_data.export(contact_id=uuid.uuid4(), at=AT)["videos"] == []


def test_what_no_longer_opens_is_told_without_its_words() -> None:
    link = played()
    told = personal_data.export(contact_id=link.contact_id, at=AT + timedelta(days=400))
    assert "Hello" not in json.dumps(told)


def test_erasing_a_person_leaves_nothing_that_opens_or_lies_about() -> None:
    link = played()
    counts = personal_data.erase(contact_id=link.contact_id, at=AT)
    assert counts == {"videos": 1, "links": 1, "plays": 1, "objects": 1}
    asset = Asset.objects.get()
    assert (asset.state, asset.captions_sealed, asset.content_sha256) == ("deleted", None, "")
    assert not Play.objects.exists()
    assert not Extent.objects.exists()
    assert SealedObject.objects.get(state="deleted").key.destroyed_at == AT
    link.refresh_from_db()
    assert link.revoked_at == AT
    assert not links.plays(asset=asset, at=AT)
    with pytest.raises(NotWatchable):
        playback.start_play(link=Link.objects.get(), at=AT)


def test_erasing_twice_erases_once() -> None:
    link = played()
    personal_data.erase(contact_id=link.contact_id, at=AT)
    assert not any(personal_data.erase(contact_id=link.contact_id, at=AT).values())


def test_erasing_one_person_leaves_the_others() -> None:
    kept, _ = stage.link(contact=stage.person(name="Ana", email="a@example.org", phone=""))
    personal_data.erase(contact_id=played().contact_id, at=AT)
    assert links.is_live(link=Link.objects.get(pk=kept.pk), at=AT)
    assert b"".join(playback.stream(asset=kept.asset, start=0, end=9, at=AT)) == stage.HEAD[:9]


def test_a_video_is_due_with_its_key() -> None:
    asset = played().asset
    assert "asset" not in [item.record_class for item in due(29.9)]
    (item,) = [item for item in due(30) if item.record_class == "asset"]
    assert item == Due("asset", str(asset.pk), asset.contact_id, asset.delete_at)
    erase(item)
    assert Asset.objects.get().state == "deleted"
    assert [item.record_class for item in due(30)] == ["play"]


def test_a_shorter_label_counts_from_the_last_link() -> None:
    played()
    assert [item.record_class for item in due(8, asset=1)] == ["asset"]
    assert due(7.9, asset=1) == []


def test_shared_media_go_when_the_campaign_is_over_and_nobody_needs_them() -> None:
    played()
    Campaign.objects.update(finished_at=AT)
    assert "campaign_media" not in [item.record_class for item in due(90)]
    for item in due(90):
        erase(item)
    (item,) = due(90)
    assert (item.record_class, item.due_at) == ("campaign_media", AT + timedelta(days=90))
    erase(item)
    assert Render.objects.get().tail is None
    assert not SealedObject.objects.exclude(state="deleted").exists()
    assert DataKey.objects.get(scope="campaign").destroyed_at is not None
    assert due(90) == []


def test_plays_and_links_go_in_their_time() -> None:
    played()
    for item in due(30):
        erase(item)
    assert not Play.objects.exists()
    (item,) = due(372)
    assert item.record_class == "link"
    erase(item)
    assert not Link.objects.exists()


def test_erasing_an_absent_record_is_done_already() -> None:
    for record_class in ("asset", "campaign_media", "link"):
        personal_data.erase_record(record_class=record_class, object_id=str(uuid.uuid4()), at=AT)
    personal_data.erase_record(record_class="play", object_id="7", at=AT)


def test_a_destroyed_key_leaves_its_bytes_to_the_sweep() -> None:
    asset = played().asset
    assert asset.key is not None
    keys.destroy(key=asset.key, at=AT)
    assert vault.sweep(at=AT + timedelta(hours=2)) == 1
