"""A script is searched for everybody a partner knows, and nobody's name is opened for it."""

import pytest

from accounts import keys
from accounts.models import Partner
from consent.models import Contact
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import anonymisation, detectors, known, rendering
from videos.anonymisation import Everybody, ScriptRefused
from videos.models import EgressManifest, Render

pytestmark = pytest.mark.django_db

FOUND = [
    ("Zoë Ångström", "We asked ZOE ANGSTROM.", "ZOE ANGSTROM"),
    ("Zoë Ångström", "We asked Ångström, Zoë.", "Ångström, Zoë"),
    ("Zoë Ångström", "Write to zoe.angstrom today.", "zoe.angstrom"),
    ("Ottilie Quandt", "ottilie quandt said so.", "ottilie quandt"),
    ("Ottilie Quandt", "As Ottilie's sister knows.", "Ottilie"),
    ("Ottilie Quandt", "Ottilie told us.", "Ottilie"),
    ("Ottilie Quandt", "Ask O. Quandt about it.", "Quandt"),
    ("Ottilie Maria Quandt", "we met ottilie maria quandt", "ottilie maria quandt"),
    ("María José García López", "Pregunte a García.", "García"),
    ("Jürgen Müller", "Herr MUELLER war hier.", "MUELLER"),
    ("Grace Baker", "A. Baker helped us.", "Baker"),
    ("Grace Baker", "Grace B. helped us.", "Grace"),
    ("Paris Hill", "Ask Paris Hill.", "Paris Hill"),
    ("Will Turner", "Ask will turner.", "will turner"),
    ("王小明", "今天王小明来了", "王小明"),
    ("山田 太郎", "昨日、山田太郎さんが来た。", "山田太郎"),
    ("김민수", "어제 김민수가 왔다", "김민수"),
    ("สมชาย ใจดี", "พบกับสมชาย ใจดีที่นี่", "สมชาย ใจดี"),
    ("محمد علي", "قال محمد علي نعم", "محمد علي"),
    ("राम कुमार", "आज राम कुमार आए", "राम कुमार"),
]
# What somebody is called is a plain word here.
FREE = [
    ("Will May", "In May we will show you more. Will you come?"),
    ("Paris Young", "Visit us in Paris. Young and old are welcome."),
    ("Sommer Koch", "Der Sommer ist da, und jeder Koch freut sich."),
    ("Our New", "Our new plan saves time. New is our plan."),
    ("Ann Lee", "The Annual meeting of Leeds."),
    ("Grace Day", "A day of grace for all of us."),
]


def shown(text: str, partner: Partner | None = None) -> list[str]:
    places = Everybody(partner, stage.AT).find(detectors.plain(text))
    return [text[start:end] for _, start, end in places]


@pytest.mark.parametrize(("name", "text", "what"), FOUND)
def test_a_known_name_is_found_however_it_is_written(name: str, text: str, what: str) -> None:
    stage.person(name=name)
    assert what in shown(text)


@pytest.mark.parametrize(("name", "text"), FREE)
def test_a_plain_word_is_not_blocked_by_who_is_called_so(name: str, text: str) -> None:
    stage.person(name=name)
    assert shown(text) == []


def test_addresses_and_numbers_are_found_however_written() -> None:
    stage.person(email="a.b@example.org", phone="+4915112345678")
    text = "to A.B@Example.ORG, or call 0151 123-456-78 now"
    assert set(shown(text)) == {"A.B@Example.ORG", "0151 123-456-78"}


def test_nobody_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.person(name="Ottilie Quandt")
    monkeypatch.delattr(keys, "unseal")
    assert "Ottilie Quandt" in shown("We met Ottilie Quandt.")


def test_another_partners_people_are_not_told_of() -> None:
    partner = Partner.objects.create(name="Nordlicht", created_at=stage.AT)
    stage.person(name="Ottilie Quandt", partner=partner)
    assert shown("We met Ottilie Quandt.") == []
    assert "Ottilie Quandt" in shown("We met Ottilie Quandt.", partner)


def test_who_is_not_indexed_yet_is_opened_instead() -> None:
    stage.person(name="Ottilie Quandt")
    Contact.objects.update(name_first_index=None, name_last_index="", name_pair_index="")
    assert "Ottilie Quandt" in shown("We met Ottilie Quandt.")


def test_while_too_many_are_not_indexed_nothing_leaves(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = played.ordered()
    stage.person(name="Ottilie Quandt")
    Contact.objects.update(name_first_index=None)
    monkeypatch.setattr(known, "OPENED_AT_MOST", 0)
    with pytest.raises(ScriptRefused) as caught:
        played.ordered()
    assert caught.value.must_wait
    assert played.done(render).state == Render.State.WAITING
    assert vendor.sent == []
    monkeypatch.undo()


def test_who_came_after_the_order_is_not_named_either(vendor: Vendor) -> None:
    render = played.ordered(text="Hello {{ name }}. We thank Ottilie Quandt.")
    stage.person(name="Ottilie Quandt")
    render = rendering.advance(render=render, at=stage.AT)
    assert (render.state, render.problem) == (Render.State.FAILED, "script_refused")
    assert vendor.sent == []


def test_a_script_that_was_not_searched_cannot_leave(vendor: Vendor) -> None:
    made = anonymisation.anonymise(script_text=played.TEXT, language="en")
    with pytest.raises(anonymisation.NotAnonymous):
        rendering._create(vendor, made)
    assert vendor.sent == []


def test_the_manifest_says_by_what_was_searched(vendor: Vendor) -> None:
    rendering.advance(render=played.ordered(), at=stage.AT)
    assert EgressManifest.objects.get().detectors.endswith(" names-1")
