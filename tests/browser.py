"""How do the tests look at a page? In a real headless Chromium, that may not complain."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The pages have no third party: any other name is not found.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]


class Complaints:
    """What the browser held against the pages of one test."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._visited: set[str] = set()

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.lines.append(f"{page.url}: {error}"))
        page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        if request.is_navigation_request():
            self._visited.add(request.url)

    def _heard(self, message: ConsoleMessage) -> None:
        # A page that refuses (404, 410) is itself what some tests look for.
        refused_page = message.text.startswith("Failed to load resource: the server responded")
        if refused_page and message.location.get("url") in self._visited:
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self.lines.append(f"{message.location.get('url', '')}: {message.text}")


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[Page]:
    """Open a page in a fresh profile; fail at the end if the browser complained."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    complaints = Complaints()
    context.on("page", complaints.watch)
    page = context.new_page()
    page.set_default_timeout(15_000)
    try:
        yield page
    finally:
        context.close()
    assert not complaints.lines, "the browser complained:\n" + "\n".join(complaints.lines)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = subprocess.run(
        [ROOT / ".ci/ensure-browser"], check=True, capture_output=True, text=True
    ).stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with opened(chromium, viewport={"width": 1280, "height": 900}) as page:
        yield page


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    size = {"width": 390, "height": 844}
    with opened(chromium, viewport=size, has_touch=True, is_mobile=True) as page:
        yield page
