"""How does every page look, on a phone and on a desk? `make shots` takes the pictures again.

It walks as a visitor, a marketer, an officer, an administrator and a recipient would, by links
only (a GET never changes anything), and takes each kind of page once, at both widths. A page
that the browser complains about, or that is wider than the screen, fails the walk.
"""

import io
import json
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, resolve
from PIL import Image
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.audit import SYSTEM
from accounts.models import User
from config.lib import clock
from consent import contacts, preferences
from consent import jobs as import_jobs
from integrations import keyed
from integrations.crm import mapping, syncs
from integrations.models import Connection, MessageTemplate
from retention import jobs, seeding, walk_phones
from retention.models import LawReplay
from tests.browser import opened
from tests.videos.stage import agreed
from videos import audiences
from videos.models import Campaign

EVIDENCE = (
    "address,purpose,channel,act,said_at,source,seller,notice,form_url\n"
    "guest.31@example.org,marketing,email,checkbox,2026-03-02T10:00:00+00:00,web-form,"
    "Lumen Telecom,I agree to get offers.,https://www.lumen.example/offers\n"
    "asha@example.org,marketing,email,checkbox,2026-03-02T10:00:00+00:00,web-form,Lumen Telecom,,\n"
)
SCREENS = Path(__file__).resolve().parents[1] / "docs" / "screens"
WIDTHS = {390: 844, 1280: 900}
# All pictures together stay under 10 MB: the stock console's lists go on as they begin.
TALLEST_PIXELS, TALLEST_LIST_PIXELS = 2400, 1300
COLOURS = 40
# An account at nobody's: what opens it is no secret, and nothing is sent.
TWILIO = {
    "account_sid": f"AC{'0' * 32}",
    "auth_token": "of-nobody",
    "sender": "+14155550199",
    "whatsapp_sender": "+14155550199",
    "whatsapp_template": "video_ready",
    "prices": "+1 0.0079, +49 0.0750",
    "price_per_segment": "0.05",
    "currency": "USD",
}
# Where whoever has no account comes from outside, beside the links in messages.
PUBLIC = [
    *("join/marketing", "join/f/spring", "join/f/spring/embed", "join/asked", "join/confirmed"),
    *("accounts/login/", "limits/"),
]
# Doors out, files, and pages of which there are as many as there are rows.
NOT_WALKED = re.compile(
    r"/logout/|/jsi18n/|/password_change|\?(?!step=|tab=)|/history/$|\.(json|csv)$"
    r"|/certificates/\d+/$"
)
LINKS = "links => links.map(link => link.href)"


def reduced(shown: Image.Image) -> Image.Image:
    """Return a picture in few colours: the most frequent as they are, the others by coverage."""
    counted: Any = shown.getcolors(maxcolors=shown.width * shown.height)
    frequent = [colour for _, colour in sorted(counted, reverse=True)[: COLOURS // 2]]
    rest = shown.quantize(COLOURS // 2, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in frequent for part in colour] + rest)
    return shown.quantize(palette=palette, dither=Image.Dither.NONE)


def shoot(page: Page, name: str) -> list[str]:
    """Keep a page's pictures; return where it is wider than the screen."""
    wide = []
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_load_state("networkidle")
        taken = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled")))
        tallest = TALLEST_LIST_PIXELS if name.startswith("admin-") else TALLEST_PIXELS
        shown = taken.crop((0, 0, taken.width, min(taken.height, tallest)))
        small = reduced(shown.convert("RGB"))
        small.save(SCREENS / f"{name}-{width}.png", optimize=True)
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        # One pixel is rounding.
        wide += [f"{name}: {over} pixels over {width}"] if over > 1 else []
    return wide


def kind(url: str) -> str | None:
    try:
        found = resolve(urlsplit(url).path)
    except Resolver404:
        return None
    return (found.view_name or "").replace(":", "-").replace("_", "-") or None


def walk(page: Page, starts: list[str], seen: set[str]) -> Iterator[str]:
    """Visit one page of each kind that links lead to; yield its kind while it is open."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(starts[0]))
    waiting, visited = deque(starts), set[str]()
    while waiting:
        url = urldefrag(waiting.popleft()).url
        name = kind(url)
        # A start is looked at again for each person: it shows, or leads to, another page.
        known = (name in seen and url not in starts) or url in visited
        if not url.startswith(origin) or NOT_WALKED.search(url) or not name or known:
            continue
        visited.add(url)
        answer = page.goto(url)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        # An address that leads elsewhere is not a page: the next of its kind may lead further.
        landed = kind(page.url) or name
        if landed not in seen or url in starts:
            seen.add(landed)
            yield landed
        waiting.extend(page.eval_on_selector_all("a[href]", LINKS))


def sign_in(page: Page, origin: str, email: str) -> None:
    client = Client()
    client.force_login(User.objects.get(email=email), settings.AUTHENTICATION_BACKENDS[0])
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": origin}])


def as_a_recipient(page: Page, link: str) -> Iterator[str]:
    """Do what only a gesture does: play, and stop."""
    page.goto(link)
    page.locator("form[action$='/play'] button").click()
    page.wait_for_selector("video")
    page.evaluate("document.querySelector('video').currentTime = 2.5")
    page.wait_for_timeout(700)
    yield "watch-playing"
    page.locator("form[action$='/stop'] button").first.click()
    page.wait_for_load_state("networkidle")
    yield "watch-stopped"
    page.get_by_role("link", name="Your choices").click()
    yield "choices-stopped"
    page.get_by_role("link", name="Undo").click()
    yield "choices-undo"
    page.goto(link)
    yield "watch-gone"


def signing_up(page: Page, origin: str) -> Iterator[str]:
    """Sign up with a number in the United States, where advertising by text is signed for."""
    page.goto(f"{origin}/join/marketing")
    page.get_by_label("Your name").fill("Ana Rivera")
    page.get_by_label("Your phone number").fill("+12025550144")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign up").click()
    page.get_by_text("in writing").wait_for()
    yield "join-signed"


def as_an_officer(page: Page, origin: str) -> Iterator[str]:
    """Ask whether we may write, read what was said, judge by another law, attach evidence."""
    sign_in(page, origin, "officer@sealcast.example")
    page.goto(f"{origin}/admin/may-we-write/")
    page.locator("input[name=wanted]").fill("asha@example.org")
    page.locator("main form button[type=submit], form.card button").first.click()
    page.get_by_role("heading", name="What we know").wait_for()
    yield "console-answer"
    page.goto(f"{origin}/admin/answers/")
    page.get_by_role("button", name="Read it").first.click()
    page.get_by_role("button", name="It is a stop").wait_for()
    yield "console-reply-words"
    page.get_by_role("button", name="It is none").click()
    page.get_by_text("Decided lately").click()
    yield "console-replies-decided"
    page.goto(f"{origin}/admin/another-law/")
    page.get_by_role("button", name="Judge again").click()
    page.get_by_text("A job begins in a moment").wait_for()
    yield "console-replay-progress"
    jobs.replay(str(LawReplay.objects.get().pk))
    page.get_by_text("With the very facts").wait_for()
    yield "console-replay-found"
    page.goto(f"{origin}/contacts/evidence/")
    page.locator("input[type=file]").set_input_files(
        {"name": "evidence.csv", "mimeType": "text/csv", "buffer": EVIDENCE.encode()}
    )
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/imports/**")
    import_jobs.work_on_import(page.url.rstrip("/").rpartition("/")[2])
    page.reload()
    yield "consent-evidence-checked"


def connecting(page: Page, origin: str) -> Iterator[str]:
    """Connect an account by its keys, as an administrator."""
    sign_in(page, origin, "administrator@sealcast.example")
    page.goto(f"{origin}/connections/")
    yield "integrations-managed"
    page.goto(f"{origin}/connections/add/twilio/")
    yield "integrations-add"


def over_vendors(page: Page, origin: str) -> Iterator[str]:
    """Look at a CRM's fields with its webhook, at templates, and at what a campaign costs."""
    now = clock.now()
    hub = Connection.objects.create(
        kind="crm",
        provider="hubspot",
        label="HubSpot",
        auth_kind="oauth_code",
        hosts=["api.hubapi.com"],
        created_at=now,
    )
    fields = mapping.usual(provider="hubspot")
    syncs.set_up(connection=hub, chosen=fields, at=now, actor=SYSTEM)
    sign_in(page, origin, "administrator@sealcast.example")
    page.goto(f"{origin}/connections/{hub.pk}/fields/")
    yield "integrations-fields"
    twilio = keyed.connect(provider="twilio", label="Twilio", values=TWILIO, at=now, actor=SYSTEM)
    for code, state in (("video_ready", "approved"), ("spring_news", "rejected")):
        templates = {"code": code, "title": code, "language": "en_US", "state": state}
        words = {"words": "Your video is ready: {{1}}", "category": "marketing"}
        MessageTemplate.objects.create(connection=twilio, changed_at=now, **templates, **words)
    Connection.objects.filter(pk=twilio.pk).update(templates_read_at=now, templates_asked_at=None)
    page.goto(f"{origin}/connections/{twilio.pk}/templates/")
    yield "integrations-templates"
    Connection.objects.filter(provider="sandbox").update(state="disabled")
    Campaign.objects.filter(state=Campaign.State.READY).update(
        channel="sms", partner=None, audience={"countries": ["DE", "US"]}
    )
    campaign = Campaign.objects.get(state=Campaign.State.READY)
    for contact in audiences.audience(campaign).exclude(phone_index=None):
        agreed(contact, channel="sms", at=now)
    page.goto(f"{origin}/campaigns/{campaign.pk}/checks/")
    page.get_by_role("heading", name="Length and cost").wait_for()
    yield "videos-checks-costs"


def uploading(page: Page, origin: str) -> Iterator[str]:
    """Offer a file that is no video as the base of a campaign."""
    sign_in(page, origin, "marketer@sealcast.example")
    campaign = Campaign.objects.filter(state=Campaign.State.DRAFT).first()
    assert campaign is not None
    page.goto(f"{origin}/campaigns/{campaign.pk}/script/")
    page.locator("#id_text").fill("Hello {{ name|there }}. Your new plan starts today.")
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{origin}/campaigns/{campaign.pk}/upload/")
    yield "videos-upload"
    page.locator("#id_video").set_input_files(
        {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"no film at all" * 99}
    )
    page.get_by_label("An AI made it").check()
    page.get_by_role("button", name="Upload the video").click()
    page.wait_for_load_state("networkidle")
    yield "videos-upload-refused"


def with_a_token(page: Page, origin: str) -> Iterator[str]:
    """Open what a mail program shows for the way out, and what it leads to."""
    asha = contacts.find(partner=None, email="asha@example.org")
    assert asha is not None
    now = clock.now()
    own = preferences.link(contact=asha, channel="email", message_id=None, at=now)
    token = own.rpartition("/")[2]
    page.goto(f"{origin}/choices/{token}")
    yield "choices-own"
    page.goto(f"{origin}/join/one-click/{token}")
    yield "join-one-click"
    page.locator("form button").first.click()
    page.wait_for_load_state("networkidle")
    yield "join-one-click-stopped"
    page.goto(f"{origin}/choices/{'x' * 43}")
    yield "choices-gone"


def without_keys(page: Page, origin: str) -> Iterator[str]:
    """Take the key ring away for a moment."""
    ring = settings.KEYRING_FILE
    mode = ring.stat().st_mode
    ring.chmod(0o644)
    try:
        page.goto(f"{origin}/")
        yield "sealed"
    finally:
        ring.chmod(mode)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page(live_server: LiveServer, chromium: Browser) -> None:
    origin = live_server.url
    call_command("seed")
    demo = json.loads((settings.HOME / "demo.json").read_text(encoding="utf-8"))
    SCREENS.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    wide: list[str] = []
    link = origin + urlsplit(demo["link"]).path
    asked = walk_phones.confirm_tokens(source=seeding.SOURCE)
    confirm = [f"{origin}/join/confirm/{token}" for _, token in asked]
    visits = [("", [link, *confirm[-1:], *(f"{origin}/{path}" for path in PUBLIC)])]
    visits += [(person["email"], [f"{origin}/", f"{origin}/admin/"]) for person in demo["people"]]
    for email, starts in visits:
        with opened(chromium) as page:
            if email:
                sign_in(page, origin, email)
            for name in walk(page, starts, seen):
                wide += shoot(page, name)
    with opened(chromium) as page:
        recipient, stranger = as_a_recipient(page, link), signing_up(page, origin)
        for names in (recipient, stranger, without_keys(page, origin)):
            for name in names:
                wide += shoot(page, name)
    with opened(chromium) as page:
        staff = (as_an_officer(page, origin), connecting(page, origin), uploading(page, origin))
        for names in (*staff, with_a_token(page, origin), over_vendors(page, origin)):
            for name in names:
                wide += shoot(page, name)
    assert not wide, wide
    assert len(seen) > len(visits)
