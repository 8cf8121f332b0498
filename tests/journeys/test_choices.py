"""Is withdrawing as easy as giving? Real pages in a real browser, each click and field counted."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from config.lib import clock
from consent import contacts, intake, ledger, outbox, preferences, purposes
from consent.models import Contact
from integrations import connections
from integrations.models import SandboxMessage
from tests.browser import opened
from tests.journeys import real
from tests.videos import stage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
EMAIL = "ana@example.org"


@dataclass
class Effort:
    """What a person had to do: how often they pressed, and how much they filled in."""

    clicks: int = 0
    fields: int = 0

    def press(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def fill(self, what: Locator, text: str) -> None:
        what.fill(text)
        self.fields += 1

    def no_more_than(self, other: "Effort") -> bool:
        return self.clicks <= other.clicks and self.fields <= other.fields


@pytest.fixture
def house() -> None:
    connections.ensure_local(at=clock.now())
    purposes.ensure_defaults(at=clock.now())


def state(contact: Contact, channel: str = "email") -> str | None:
    return ledger.state_of(
        contact=contact, purpose_code="marketing", channel=channel, at=clock.now()
    )


def ana() -> Contact:
    found = contacts.find(partner=None, email=EMAIL)
    assert found is not None
    return found


def mailed() -> str:
    """Let the question leave, and return the path of the link in it."""
    assert outbox.dispatch(at=clock.now()).sent == 1
    message = SandboxMessage.objects.filter(direction="to_phone").latest("at")
    found = re.search(r"/join/confirm/[\w-]{43}", message.content_sealed["text"])
    assert found is not None
    return found[0]


def sign_up(page: Page, origin: str) -> Effort:
    """Agree as a person does: the form, then the link in the message."""
    effort = Effort()
    page.goto(f"{origin}/join/marketing")
    effort.fill(page.get_by_label("Your name"), "Ana Rivera")
    effort.fill(page.get_by_label("Your e-mail address"), EMAIL)
    effort.press(page.get_by_role("checkbox"))
    effort.press(page.get_by_role("button", name="Sign up"))
    page.goto(origin + mailed())
    effort.clicks += 1
    effort.press(page.get_by_role("button", name="Yes, I agree"))
    expect(page.get_by_role("heading", name="Thank you. You have agreed.")).to_be_visible()
    return effort


def watched_and_stopped(page: Page, origin: str) -> Effort:
    """Stop on the page of a video, and find the choices behind it."""
    now, effort = clock.now(), Effort()
    link, token = stage.link(contact=stage.agreed(stage.person()), at=now)
    contact = link.contact
    preferences.link(contact=contact, channel="email", message_id=None, at=now, behind=token)
    page.goto(f"{origin}/v/{token}")
    effort.press(page.get_by_role("button", name="Stop messages like this"))
    assert state(contact) == "withdrawn"
    page.get_by_role("link", name="Your choices").click()
    expect(page.get_by_text("Everything is stopped.")).to_be_visible()
    return effort


@pytest.mark.usefixtures("house")
def test_withdrawing_takes_no_more_than_giving_did(
    chromium: Browser, live_server: LiveServer
) -> None:
    with opened(chromium, java_script_enabled=False, **PHONE) as page:
        given = sign_up(page, live_server.url)
        assert state(ana()) == "confirmed"
        stopped = Effort()
        # On the page of the choices, reached from the one that says thank you.
        stopped.press(page.get_by_role("link", name="Your choices"))
        stopped.press(page.get_by_role("button", name=re.compile("Stop ?: Advertising, E-mail")))
        assert state(ana()) == "withdrawn"
        assert stopped.no_more_than(given)
        again, all_of_it = Effort(), Effort()
        again.press(page.get_by_role("link", name="Undo"))
        again.press(page.get_by_role("checkbox"))
        again.press(page.get_by_role("button", name="Allow what I ticked"))
        assert state(ana()) == "confirmed"
        all_of_it.press(page.get_by_role("button", name="Stop everything"))
        expect(page.get_by_role("heading", name="Done")).to_be_visible()
        assert state(ana()) == "withdrawn"
        assert (all_of_it.clicks, all_of_it.fields) == (1, 0)
        assert all_of_it.no_more_than(again)
        assert watched_and_stopped(page, live_server.url).no_more_than(given)


@pytest.mark.usefixtures("house")
def test_stop_by_a_reply_is_as_short_as_yes_by_a_reply(page: Page, live_server: LiveServer) -> None:
    with opened(page.context.browser, java_script_enabled=False, **PHONE) as own:  # type: ignore[arg-type]
        own.goto(f"{live_server.url}/join/marketing")
        own.get_by_label("Your name").fill("Ana Rivera")
        own.get_by_label("Your e-mail address").fill(EMAIL)
        own.get_by_role("checkbox").click()
        own.get_by_role("button", name="Sign up").click()
    mailed()
    real.sign_in(page, live_server.url)
    efforts = {}
    for word, becomes in (("Yes", "confirmed"), ("Stop", "withdrawn")):
        page.goto(f"{live_server.url}/phones/")
        efforts[word] = Effort()
        efforts[word].fill(page.get_by_role("textbox").first, word)
        efforts[word].press(page.get_by_role("button", name="Send").first)
        intake.take_waiting(at=clock.now())
        assert state(ana()) == becomes
    assert efforts["Stop"].no_more_than(efforts["Yes"])
