"""Do the phones live in a real browser: news comes by itself, and what is half typed stays?"""

import uuid

import pytest
from django.test import override_settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from config.lib import clock
from integrations import connections, inbox, messaging
from integrations.messaging.base import OutgoingMessage
from tests.accounts.test_pages import sign_in
from tests.integrations import dance as dances

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def send(text: str) -> None:
    sandbox, _ = connections.ensure_local(at=clock.now())
    message = OutgoingMessage(uuid.uuid4(), "sms", "+14155550100", "", text, {})
    messaging.provider_for(sandbox).send(message)


def test_news_comes_by_itself_and_what_is_half_typed_stays(
    page: Page, live_server: LiveServer
) -> None:
    send("the first message")
    sign_in(page, live_server.url, "marketer")
    page.goto(f"{live_server.url}/phones/")
    box = page.get_by_label("Answer as +14155550100")
    box.fill("STO")
    send("the second message")
    expect(page.get_by_text("the second message")).to_be_visible()
    expect(box).to_have_value("STO")


def test_stop_can_be_typed_on_a_phone(phone: Page, live_server: LiveServer) -> None:
    send("hello")
    sign_in(phone, live_server.url, "marketer")
    phone.goto(f"{live_server.url}/phones/")
    phone.get_by_label("Answer as +14155550100").fill("STOP")
    phone.get_by_role("button", name="Send").click()
    expect(phone.locator(".bubble--theirs", has_text="STOP")).to_be_visible()
    item = inbox.waiting(limit=9)[0]
    assert isinstance(item.body_sealed, dict)
    assert item.body_sealed["text"] == "STOP"
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_connections_fit_a_phone(phone: Page, live_server: LiveServer) -> None:
    connections.ensure_local(at=clock.now())
    sign_in(phone, live_server.url, "administrator")
    phone.goto(f"{live_server.url}/connections/")
    expect(phone.get_by_role("button", name="Test").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_whole_dance_in_a_browser(phone: Page, live_server: LiveServer) -> None:
    with override_settings(PUBLIC_URL=live_server.url), dances.dancing("salesforce"):
        sign_in(phone, live_server.url, "administrator")
        phone.goto(f"{live_server.url}/connections/")
        phone.locator("#salesforce").get_by_role("link", name="Connect").click()
        phone.get_by_label("Client id").fill(dances.CLIENT_ID)
        phone.get_by_label("Client secret").fill(dances.SECRET)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        phone.get_by_role("button", name="Continue").click()
        expect(phone.get_by_text("in the place of login.salesforce.com")).to_be_visible()
        phone.get_by_role("link", name="Go and sign in").click()
        phone.get_by_role("button", name="Allow").click()
        expect(phone.get_by_text("Salesforce is connected.")).to_be_visible()
        assert phone.url == f"{live_server.url}/connections/"
        phone.locator("#salesforce").get_by_role("button", name="Test").click()
        expect(phone.get_by_text("Salesforce answers.")).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
