import pytest
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from config.lib import clock
from consent import likeness, purposes
from consent.models import LikenessRelease
from integrations import connections
from tests.accounts.staff import browser
from tests.videos import stage
from tests.videos.test_presenters import ANNA, released
from videos.models import Campaign, Script

pytestmark = pytest.mark.django_db
HEALTH = "Hello {{ name }}. Your diabetes check-up is due."


@pytest.fixture
def marketer() -> Client:
    connections.ensure_local(at=clock.now())
    purposes.ensure_defaults(at=clock.now())
    return browser("marketer")


@pytest.fixture
def made() -> Campaign:
    now = clock.now()
    stage.agreed(stage.person(at=now), at=now)
    found = stage.campaign(state="draft")
    Script.objects.create(campaign=found, language="en", text=HEALTH, updated_at=now)
    return found


def address(made: Campaign, leaf: str) -> str:
    return f"/campaigns/{made.pk}/{leaf}/"


def said(client: Client, made: Campaign, **form: str) -> str:
    return client.post(address(made, "content"), form, follow=True).content.decode()


def test_the_script_page_shows_words_rule_source_and_whom_it_leaves(
    marketer: Client, made: Campaign
) -> None:
    page = marketer.get(address(made, "script")).content.decode()
    for words in ("diabetes", "Asks for more", "GDPR Art. 9", "of the 1 person who agreed"):
        assert words in page


def test_the_look_shows_words_before_they_are_saved(marketer: Client, made: Campaign) -> None:
    form = {"language": "en", "text": "Hello {{ name }}. Meet your union."}
    answer = marketer.post(address(made, "script/look"), form).content.decode()
    assert "Union membership" in answer
    assert "Line 1, column" in answer
    assert "Health" not in answer


def test_a_marketer_adds_and_takes_back(marketer: Client, made: Campaign) -> None:
    assert "added by hand" in said(marketer, made, declare="phi")
    assert Campaign.objects.get().content == ["health", "phi"]
    said(marketer, made, take_back="phi")
    assert Campaign.objects.get().content == ["health"]


def test_a_false_hit_is_taken_out_with_a_reason_only(marketer: Client, made: Campaign) -> None:
    assert "Choose why" in said(marketer, made, dismiss="health", reason="")
    assert Campaign.objects.get().content_dismissed == {}
    page = said(marketer, made, dismiss="health", reason="own_name")
    assert "part of a name" in page
    assert TrailLeaf.objects.filter(action="videos.campaign.content_dismissed").exists()


def test_an_unknown_class_changes_nothing(marketer: Client, made: Campaign) -> None:
    page = said(marketer, made, declare="weather")
    assert "There is no such class of content" in page
    assert Campaign.objects.get().content is None


def test_a_presenter_is_chosen_on_a_page(marketer: Client, made: Campaign) -> None:
    page = address(made, "presenter")
    assert "No presenter has a release" in marketer.get(page).content.decode()
    assert marketer.post(page, {"presenter_code": ANNA}).status_code == 400
    now = clock.now()
    released(at=now, valid_until=now.replace(year=now.year + 1))
    assert "anna-office: English; for marketing" in marketer.get(page).content.decode()
    assert marketer.post(page, {"presenter_code": ANNA}).status_code == 302
    assert Campaign.objects.get().presenter_code == ANNA


def test_a_chosen_presenter_who_took_it_back_is_said_to_be_gone(
    marketer: Client, made: Campaign
) -> None:
    now = clock.now()
    release = released(at=now, valid_until=now.replace(year=now.year + 1))
    marketer.post(address(made, "presenter"), {"presenter_code": ANNA})
    likeness.revoke(release=release, at=now, actor=SYSTEM)
    assert LikenessRelease.objects.get().revoked_at
    for leaf in ("presenter", "checks"):
        page = marketer.get(address(made, leaf)).content.decode()
        assert "The presenter took the release back" in page


@pytest.mark.parametrize("leaf", ["content", "presenter"])
@pytest.mark.parametrize("role", ["officer", "auditor"])
def test_only_a_marketer_says_what_a_campaign_is(made: Campaign, role: str, leaf: str) -> None:
    assert browser(role).post(address(made, leaf), {"declare": "phi"}).status_code == 403
