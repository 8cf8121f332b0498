import html

import pytest
from django.test import Client

from accounts import audit
from accounts.models import TrailLeaf
from config.lib import clock
from consent import purposes
from integrations import connections, keyed
from integrations.models import Connection
from tests.accounts.staff import browser, partner
from tests.videos import stage
from tests.videos.stage import HEAD, TEXT
from videos import campaigns
from videos.models import Campaign, Recipient, Script

pytestmark = pytest.mark.django_db
PAGES = ("script", "audience", "fallbacks", "preview", "checks", "send", "settings", "live")
ACTS = ("pause", "resume", "retry", "cancel", "preview/prepare", "preview/choose", "script/look")


@pytest.fixture
def marketer() -> Client:
    connections.ensure_local(at=clock.now())
    purposes.ensure_defaults(at=clock.now())
    return browser("marketer")


@pytest.fixture
def made(marketer: Client) -> Campaign:
    now = clock.now()
    stage.agreed(stage.person(at=now), at=now)
    found = stage.campaign()
    stage.rendered(found)
    return found


def address(made: Campaign, leaf: str) -> str:
    return f"/campaigns/{made.pk}/{leaf}/"


@pytest.mark.parametrize("leaf", PAGES)
def test_every_page_of_a_campaign_opens(marketer: Client, made: Campaign, leaf: str) -> None:
    assert marketer.get(address(made, leaf)).status_code == 200


def test_the_script_is_shown_as_the_vendor_gets_it(marketer: Client, made: Campaign) -> None:
    path = address(made, "script/look")
    told = {"text": "Hello {{ name }}. This is for everybody.", "language": "en"}
    assert "as HeyGen gets it" not in marketer.post(path, told).content.decode()
    Connection.objects.filter(kind="video").update(state="disabled")
    typed = {"api_key": "k", "template_id": "tpl-1"}
    now, staff = clock.now(), audit.Actor("staff", "1")
    keyed.connect(provider="heygen", label="HeyGen", values=typed, at=now, actor=staff)
    page = html.unescape(marketer.post(path, told).content.decode())
    assert "as HeyGen gets it" in page
    assert '"variables": {"script"' in page


@pytest.mark.parametrize("leaf", ["", *PAGES])
def test_every_page_opens_for_a_campaign_with_nothing_in_it(marketer: Client, leaf: str) -> None:
    empty = stage.campaign(state="draft")
    path = address(empty, leaf) if leaf else "/campaigns/"
    assert marketer.get(path).status_code == 200


@pytest.mark.parametrize("leaf", PAGES[:-1])
def test_an_auditor_changes_nothing(made: Campaign, leaf: str) -> None:
    expected = 200 if leaf == "checks" else 403
    assert browser("auditor").get(address(made, leaf)).status_code == expected


@pytest.mark.parametrize("role", ["officer", "auditor"])
@pytest.mark.parametrize("leaf", [*ACTS, "send"])
def test_only_those_who_may_send_act(made: Campaign, role: str, leaf: str) -> None:
    assert browser(role).post(address(made, leaf)).status_code == 403


def test_nobody_who_is_signed_out_sees_anything(made: Campaign) -> None:
    for leaf in PAGES:
        assert browser().get(address(made, leaf)).status_code == 302


@pytest.mark.parametrize("leaf", ACTS)
def test_an_act_is_a_post(marketer: Client, made: Campaign, leaf: str) -> None:
    assert marketer.get(address(made, leaf)).status_code == 405


def test_a_new_campaign_is_made_for_a_partner_too(marketer: Client) -> None:
    of = partner()
    form = {
        "name": "Spring",
        "sender_name": "Aurora",
        "channel": "sms",
        "purpose_code": "marketing",
        "default_language": "de",
        "partner": str(of.pk),
        "link_ttl_hours": "72",
        "plays_allowed": "3",
    }
    marketer.post("/campaigns/new/", form)
    row = Campaign.objects.get()
    assert (row.partner, row.channel, row.link_ttl_hours) == (of, "sms", 72)
    bad = marketer.post("/campaigns/new/", {**form, "sender_name": "<b>"})
    assert (bad.status_code, Campaign.objects.count()) == (400, 1)
    assert "Say who sends it" in bad.content.decode()


def test_a_refused_script_says_where_and_keeps_the_old_one(
    marketer: Client, made: Campaign
) -> None:
    form = {"language": "en", "text": "Hello {{ nickname }}. Spring is here."}
    answer = marketer.post(address(made, "script"), form)
    assert answer.status_code == 400
    assert "Line 1, column 7" in answer.content.decode()
    assert Script.objects.get().text == TEXT


def test_a_language_is_taken_out_by_its_button(marketer: Client, made: Campaign) -> None:
    marketer.post(address(made, "script") + "?language=en", {"remove": "1"})
    assert campaigns.scripts(made) == {}


def test_the_look_shows_the_bytes_and_saves_nothing(marketer: Client, made: Campaign) -> None:
    form = {"language": "en", "text": "Hello {{ name }}. Other words."}
    answer = marketer.post(address(made, "script/look"), form).content.decode()
    assert "&quot;speech&quot;:&quot;Other words.&quot;" in answer
    assert Script.objects.get().text == TEXT


def test_fallbacks_are_written_into_the_slots(marketer: Client, made: Campaign) -> None:
    marketer.post(address(made, "fallbacks"), {"en-name": "there"})
    assert Script.objects.get().text == TEXT.replace("{{ name }}", "{{ name|there }}")
    bad = marketer.post(address(made, "fallbacks"), {"en-name": "a|b"})
    assert bad.status_code == 400


def test_an_audience_is_chosen_from_what_there_is(marketer: Client, made: Campaign) -> None:
    marketer.post(address(made, "audience"), {"languages": ["en"]})
    assert Campaign.objects.get().audience == {"languages": ["en"]}
    assert marketer.post(address(made, "audience"), {"languages": ["xx"]}).status_code == 400


def test_a_red_check_leads_back_to_the_checks(marketer: Client, made: Campaign) -> None:
    Script.objects.update(text="")
    answer = marketer.post(address(made, "send"))
    assert answer["Location"] == address(made, "checks")
    assert Campaign.objects.get().started_at is None


def test_a_preview_is_served_to_who_opened_it_and_stands_in_the_trail(
    marketer: Client, made: Campaign
) -> None:
    asset = stage.asset(stage.person(), made, at=clock.now())
    video = f"/campaigns/{made.pk}/preview/{asset.pk}/video.mp4"
    assert marketer.get(video).status_code == 404
    form = {"contact": asset.contact.public_id}
    marketer.post(address(made, "preview/choose"), form)
    part = marketer.get(video, headers={"Range": "bytes=0-99"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == HEAD[:100]  # type: ignore[attr-defined]
    assert marketer.get(video.replace("video.mp4", "captions.vtt")).status_code == 200
    assert TrailLeaf.objects.filter(action="videos.preview.opened").count() == 1
    assert browser("marketer").get(video).status_code == 404


def test_a_preview_is_of_somebody_in_the_audience(marketer: Client, made: Campaign) -> None:
    for name in ("", "con_" + "0" * 32, "zoe@example.org"):
        answer = marketer.post(address(made, "preview/choose"), {"contact": name})
        assert answer.status_code == 404


def test_the_live_part_brings_its_own_state(marketer: Client, made: Campaign) -> None:
    marketer.post(address(made, "send"))
    part = marketer.get(address(made, "live/part")).content.decode()
    assert 'hx-swap-oob="true"' in part
    assert "<html" not in part
    assert marketer.get(address(made, "live/results")).status_code == 200


def test_a_group_of_failures_is_tried_again_from_the_page(marketer: Client, made: Campaign) -> None:
    campaigns.start(campaign=made, at=clock.now(), actor=audit.SYSTEM)
    Recipient.objects.update(state="failed", reason_code="not_composable")
    assert "Retry these 1" in marketer.get(address(made, "live")).content.decode()
    marketer.post(address(made, "retry"), {"code": "not_composable"})
    assert Recipient.objects.get().state == "waiting"
    assert "Retry these" not in marketer.get(address(made, "live")).content.decode()
