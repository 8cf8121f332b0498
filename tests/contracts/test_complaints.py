"""Does a page that the browser complains about fail its test?"""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import opened

QUIET = (
    "<!doctype html><meta name='viewport' content='width=device-width'><title>quiet</title>"
    "<p>nothing to say</p>"
)
BLOCKED = (
    "<!doctype html><meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
    "<p style='color: red'>styled in line</p>"
)
BROKEN = "<!doctype html><script>throw new Error('broken')</script>"


@pytest.mark.browser
def test_a_quiet_page_passes(phone: Page) -> None:
    phone.set_content(QUIET)
    assert phone.evaluate("window.innerWidth") == 390


@pytest.mark.browser
@pytest.mark.parametrize("html", [BLOCKED, BROKEN])
def test_a_page_with_a_fault_fails(chromium: Browser, html: str) -> None:
    with pytest.raises(AssertionError, match="the browser complained"), opened(chromium) as page:
        page.set_content(html)
        page.wait_for_timeout(200)
