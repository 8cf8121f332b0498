"""Does a marketer get from an empty page to sent messages by what the pages say?"""

import pytest
from django_q.models import OrmQ
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import audit
from accounts.models import TrailLeaf
from config.lib import clock
from consent import purposes
from consent.models import Message
from integrations import connections
from integrations.models import SandboxMessage
from tests.journeys import real
from tests.videos import stage
from videos import campaigns
from videos.models import Campaign, Play, Recipient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCRIPT = "Hello {{ name }}, news for {{ company }}. Spring is here, and the boats are back."


@pytest.fixture(autouse=True)
def _people() -> None:
    now = clock.now()
    connections.ensure_local(at=now)
    purposes.ensure_defaults(at=now)
    real.person(now)
    stage.person(name="Ana Lima", email="ana@example.org", phone="+4915112345679", at=now)


def begin(page: Page, live_server: LiveServer) -> None:
    real.sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/campaigns/")
    page.get_by_role("link", name="Make the first campaign").click()
    page.get_by_label("Name of the campaign").fill("Spring by the lake")
    page.get_by_label("Sender").fill("Aurora Travel")
    page.get_by_role("button", name="Go on to the script").click()


def write(page: Page) -> None:
    page.get_by_label("What the video says").fill(SCRIPT)
    expect(page.get_by_text("Nothing personal in it")).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()


def prepare(page: Page) -> None:
    page.get_by_role("button", name="Make the base video").click()
    expect(page.get_by_role("heading", name="The AI makes the base video")).to_be_visible()
    real.render(Campaign.objects.get())
    # The page goes on by itself.
    expect(page.get_by_role("heading", name="Look at a real one")).to_be_visible()


def test_from_an_empty_page_to_sent_messages(page: Page, live_server: LiveServer) -> None:
    begin(page, live_server)
    write(page)
    expect(page.get_by_text("of 2 people in the audience")).to_be_visible()
    page.get_by_role("link", name="Go on to the fallbacks").click()
    page.get_by_role("button", name="Save and go on").click()
    prepare(page)
    page.get_by_role("link", name="Go on to the checks").click()
    page.get_by_text("By reason, with the rule and its source").click()
    expect(page.get_by_text("GDPR Art. 4(11), 6(1)(a)").first).to_be_visible()
    page.get_by_role("link", name="Go on to sending").click()
    page.locator("summary", has_text="Send to 1 person").click()
    page.get_by_role("button", name="Yes, send").click()
    expect(page.get_by_text("Videos are made, person by person", exact=True)).to_be_visible()
    real.send(Campaign.objects.get())
    expect(page.get_by_text("Everybody has been dealt with", exact=True)).to_be_visible()
    expect(page.locator("#campaign-state")).to_have_text("Sent")
    assert SandboxMessage.objects.filter(direction="to_phone").count() == 1
    assert sorted(Recipient.objects.values_list("state", flat=True)) == ["queued", "refused"]


def test_a_preview_plays_the_real_video_and_stands_in_the_trail(
    page: Page, live_server: LiveServer
) -> None:
    begin(page, live_server)
    write(page)
    page.get_by_role("link", name="5. Preview").click()
    prepare(page)
    page.get_by_role("radio", name="Z•••").check()
    page.get_by_role("button", name="Show this video").click()
    expect(page.get_by_role("heading", name="The video of Zoë Ångström")).to_be_visible()
    assert page.locator("video").evaluate(
        "video => video.readyState > 1 || new Promise(done => { video.oncanplay = () => done(1) })"
    )
    expect(page.get_by_text("Hello Zoë Ångström,")).to_be_visible()
    assert TrailLeaf.objects.filter(action="videos.preview.opened").count() == 1
    assert (Play.objects.count(), Message.objects.count()) == (0, 0)


def test_what_is_personal_in_a_script_is_named_with_its_place(
    page: Page, live_server: LiveServer
) -> None:
    begin(page, live_server)
    text = "Hello {{ name }}. Write to Zoë Ångström at zoe@example.org."
    page.get_by_label("What the video says").fill(text)
    expect(page.get_by_text("Line 1, column 28").first).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 1, column")
    assert campaigns.scripts(Campaign.objects.get()) == {}


def test_the_brakes_pause_resume_and_cancel(page: Page, live_server: LiveServer) -> None:
    made = real.draft()
    real.render(campaigns.start(campaign=made, at=clock.now(), actor=audit.SYSTEM))
    real.sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/campaigns/{made.pk}/live/")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused. Nothing more leaves.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("It goes on where it stopped.")).to_be_visible()
    page.locator("summary", has_text="Cancel the rest").click()
    # Two rounds of news pass, and the question stays open.
    page.wait_for_timeout(4500)
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator("#campaign-state")).to_have_text("Cancelled")
    assert not Message.objects.exists()
    assert OrmQ.objects.exists()
