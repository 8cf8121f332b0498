"""Do the pages of the API work in a real browser, under our own policy?"""

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import PartnerClient
from tests.accounts.staff import browser, partner

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


def sign_in(page: Page, origin: str, role: str) -> None:
    name = settings.SESSION_COOKIE_NAME
    value = browser(role).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": origin}])


def test_the_viewer_shows_the_operations(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/api/v1/docs/")
    expect(page.locator(".opblock").first).to_be_visible()
    expect(page.get_by_text("/api/v1/me").first).to_be_visible()


def test_the_viewer_fits_a_phone(phone: Page, live_server: LiveServer) -> None:
    phone.goto(f"{live_server.url}/api/v1/docs/")
    expect(phone.locator(".opblock").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_client_is_issued_and_revoked(page: Page, live_server: LiveServer) -> None:
    made = partner("Charlie")
    sign_in(page, live_server.url, "administrator")
    page.goto(f"{live_server.url}/partners/")
    page.get_by_role("link", name="Charlie").click()
    page.get_by_label("Send a personalised video to a contact").check()
    page.get_by_role("button", name="Issue the client").click()
    secret = page.locator("#client-secret").inner_text()
    assert len(secret) == 43
    page.goto(f"{live_server.url}/partners/{made.pk}/")
    assert secret not in page.content()
    page.locator("summary", has_text="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The client was revoked")).to_be_visible()
    assert PartnerClient.objects.get().revoked_at is not None


def test_the_home_page_fits_a_phone(phone: Page, live_server: LiveServer) -> None:
    phone.goto(live_server.url)
    expect(phone.get_by_role("link", name="Sign in")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
