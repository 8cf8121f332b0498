from datetime import timedelta

import pytest

from accounts import audit, keys
from accounts.models import DataKey, TrailLeaf
from config.lib import speech
from consent.models import Contact
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import compositing, personalising, playback, vault
from videos.anonymisation import SlotMissing
from videos.models import Asset, Campaign, Script, SealedObject
from videos.personalising import NotPersonalised, personalise

AT, SOON = stage.AT, stage.AT + timedelta(minutes=1)


@pytest.fixture
def campaign(vendor: Vendor) -> Campaign:
    made = played.done(played.ordered()).campaign
    personalising._stages._kept.clear()
    return made


def whole(asset: Asset) -> bytes:
    parts = asset.extents.select_related("sealed_object__key__parent")
    return b"".join(vault.read(sealed_object=part.sealed_object, at=SOON) for part in parts)


def rewrite(campaign: Campaign, text: str) -> None:
    Script.objects.filter(campaign=campaign).update(text=text, updated_at=SOON)


def test_a_person_gets_a_whole_labelled_video(campaign: Campaign) -> None:
    asset = personalise(campaign=campaign, contact=stage.person(), at=AT)
    assert (asset.state, asset.labelled_ai, asset.problem) == (Asset.State.READY, True, "")
    data = whole(asset)
    assert len(data) == asset.size_bytes
    base, probe = compositing.probe(data=played.film().video), compositing.probe(data=data)
    assert (probe.frame_count, probe.duration_seconds) == (base.frame_count, base.duration_seconds)
    assert playback.captions(asset=asset, at=SOON).count("Hello Zoë Ångström.") == 1
    assert asset.delete_at == AT + timedelta(hours=campaign.link_ttl_hours, days=30)
    assert list(vault.check_all(at=SOON)) == []


def test_the_head_is_the_persons_and_the_tail_is_everybodys(campaign: Campaign) -> None:
    one = personalise(campaign=campaign, contact=stage.person(), at=AT)
    other = stage.person(name="Ana Sá", email="ana@example.org", phone="+4915112345679")
    two = personalise(campaign=campaign, contact=other, at=AT)
    (head, tail), (other_head, other_tail) = one.extents.all(), two.extents.all()
    assert tail.sealed_object == other_tail.sealed_object
    assert tail.sealed_object.key == campaign.key
    assert head.sealed_object != other_head.sealed_object
    key = head.sealed_object.key
    assert (key.scope, key.parent, key.delete_at) == (
        DataKey.Scope.ASSET,
        one.contact.key,
        one.delete_at,
    )


def test_each_marked_sentence_is_the_persons_and_there_is_still_one_head(vendor: Vendor) -> None:
    vendor.film = played.film(later=True)
    made = played.done(played.ordered(text=played.LATER))
    asset = personalise(campaign=made.campaign, contact=stage.person(), at=AT)
    head, tail = asset.extents.all()
    assert (head.sealed_object.key, tail.sealed_object) == (asset.key, made.tail)
    probe, base = (compositing.probe(data=d) for d in (whole(asset), vendor.film.video))
    assert (probe.frame_count, probe.duration_seconds) == (base.frame_count, base.duration_seconds)
    cues = playback.captions(asset=asset, at=SOON).split("\n\n")
    start_ms = made.slots_ms[1][0]
    assert any(f".{start_ms % 1000:03d} --> " in c and "And Zoë Ångström, see" in c for c in cues)


def test_a_name_is_spoken_in_its_persons_language(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, str]] = []
    speak = speech.speak

    def listened(**facts: str) -> speech.Speech:
        heard.append(facts)
        return speak(text=facts["text"], language="en")

    monkeypatch.setattr(speech, "speak", listened)
    person = stage.person()
    Contact.objects.update(language="fr-CA")
    person.refresh_from_db()
    personalise(campaign=campaign, contact=person, at=AT)
    assert heard == [
        {
            "text": "Hello Zoë Ångström.",
            "language": "en",
            "name": "Zoë Ångström",
            "name_language": "fr-CA",
        }
    ]


def test_the_trail_tells_of_it_without_a_name(campaign: Campaign) -> None:
    asset = personalise(campaign=campaign, contact=stage.person(), at=AT)
    leaf = TrailLeaf.objects.get(action="videos.asset.made")
    assert (leaf.subject_id, leaf.object_id) == (asset.contact_id, str(asset.pk))


def test_making_it_twice_makes_it_once(campaign: Campaign) -> None:
    person = stage.person()
    first = personalise(campaign=campaign, contact=person, at=AT)
    assert personalise(campaign=campaign, contact=person, at=SOON) == first
    assert SealedObject.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_other_words_make_it_anew_and_the_old_one_goes(campaign: Campaign) -> None:
    person = stage.person()
    old = personalise(campaign=campaign, contact=person, at=AT)
    rewrite(campaign, played.TEXT.replace("Hello", "Hi"))
    new = personalise(campaign=campaign, contact=person, at=SOON)
    assert new.pk == old.pk
    assert "Hi Zoë" in playback.captions(asset=new, at=SOON)
    assert DataKey.objects.filter(scope="asset", destroyed_at=None).count() == 1
    assert SealedObject.objects.filter(state="deleted").count() == 1


def test_a_missing_value_leaves_a_row_that_says_which(campaign: Campaign) -> None:
    rewrite(campaign, played.TEXT.replace("{{ name }}", "{{ city }}"))
    with pytest.raises(SlotMissing):
        personalise(campaign=campaign, contact=stage.person(), at=SOON)
    asset = Asset.objects.get()
    assert (asset.state, asset.problem) == (Asset.State.FAILED, "slot_missing:city")
    rewrite(campaign, played.TEXT.replace("{{ name }}", "{{ city|neighbour }}"))
    again = personalise(campaign=campaign, contact=asset.contact, at=SOON)
    assert again.state == Asset.State.READY


def test_without_a_render_nothing_is_made(vendor: Vendor) -> None:
    render = played.ordered()
    with pytest.raises(NotPersonalised, match="not_rendered"):
        personalise(campaign=render.campaign, contact=stage.person(), at=AT)
    assert not Asset.objects.exists()


def test_without_a_script_nothing_is_made(campaign: Campaign) -> None:
    Script.objects.update(text="")
    with pytest.raises(NotPersonalised, match="no_script"):
        personalise(campaign=campaign, contact=stage.person(), at=AT)


def test_a_person_past_their_time_gets_none(campaign: Campaign) -> None:
    person, late = stage.person(), AT + timedelta(days=731)
    with pytest.raises(keys.KeyRefused):
        personalise(campaign=campaign, contact=person, at=late)
    assert Asset.objects.get().problem == "key_refused"


def test_a_campaign_whose_key_is_gone_makes_none_though_memory_has_it(campaign: Campaign) -> None:
    personalise(campaign=campaign, contact=stage.person(), at=AT)
    keys.destroy(key=campaign.key, at=SOON)
    other = stage.person(name="Ana", email="ana@example.org", phone="+4915112345679")
    with pytest.raises(NotPersonalised, match="campaign_closed"):
        personalise(campaign=campaign, contact=other, at=SOON)


def test_an_altered_base_makes_none(campaign: Campaign) -> None:
    SealedObject.objects.update(state="deleted")
    with pytest.raises(NotPersonalised, match="base_unreadable"):
        personalise(campaign=campaign, contact=stage.person(), at=AT)


def test_what_fails_again_and_again_is_given_up(campaign: Campaign) -> None:
    SealedObject.objects.update(state="deleted")
    person = stage.person()
    for _ in range(personalising.MOST_ATTEMPTS + 2):
        with pytest.raises(NotPersonalised, match="base_unreadable"):
            personalise(campaign=campaign, contact=person, at=AT)
    assert Asset.objects.get().attempts == personalising.MOST_ATTEMPTS


def test_a_worker_that_was_overtaken_changes_nothing(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = stage.person()
    speak = speech.speak

    def overtaken(**facts: str) -> object:
        Asset.objects.update(attempts=9)
        return speak(text=facts["text"], language="en")

    monkeypatch.setattr(speech, "speak", overtaken)
    with pytest.raises(NotPersonalised, match="taken_over"):
        personalise(campaign=campaign, contact=person, at=AT)
    asset = Asset.objects.get()
    assert (asset.state, asset.attempts) == (Asset.State.MAKING, 9)


@pytest.mark.parametrize(
    ("reader", "script"), [("de-AT", "de"), ("de", "de"), ("fr", "en"), ("en-GB", "en")]
)
def test_each_reader_gets_a_language_of_theirs(vendor: Vendor, reader: str, script: str) -> None:
    made = played.written()
    Script.objects.create(campaign=made, language="de", text=played.TEXT, updated_at=AT)
    found = personalising.script_for(campaign=made, language=reader)
    assert found is not None
    assert found.language == script


def test_a_preview_is_the_persons_video_and_stands_in_the_trail(campaign: Campaign) -> None:
    person: Contact = stage.person()
    staff = audit.Actor("staff", "7")
    shown = personalising.preview(campaign=campaign, contact=person, at=AT, staff=staff)
    assert personalise(campaign=campaign, contact=person, at=SOON) == shown
    leaf = TrailLeaf.objects.get(action="videos.preview.made")
    assert (leaf.actor_kind, leaf.subject_id) == ("staff", person.pk)
