"""Can anyone connect each stand-in, send, have a film made and gone, and take none for a vendor?"""

import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client, override_settings

from config.lib import http
from integrations import keyed, messaging, stand_ins
from integrations.messaging.base import OutgoingMessage, ProviderError
from integrations.models import Connection, InboxItem
from integrations.video import providers
from tests.accounts.staff import browser
from tests.integrations.video import accounts
from tests.simulators import __main__ as started
from tests.simulators import demo, desk, desks, sendgrid
from tests.simulators.base import Family, Simulator
from tests.simulators.crm_desk import CrmDesk
from tests.simulators.desk import Desk, FilmDesk, MessageDesk
from tests.simulators.front import TAKEN
from tests.simulators.server import Hook
from tests.simulators.zoho import Zoho

pytestmark = pytest.mark.django_db
SENT_TO = {"sendgrid": ("email", "ana@example.org")}
Opened = tuple[str, Desk]
WAITING: list[Callable[[], None]] = []


@pytest.fixture(params=desks.SLUGS)
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    made = desks.made(request.param, public_url=settings.PUBLIC_URL)
    # What follows by itself is done when the test says; posts go to the views a server would reach.
    WAITING.clear()
    made.later = lambda _seconds, act: WAITING.append(act)
    made.post = posted
    monkeypatch.setattr(desk, "film_of", lambda _order: b"a film of its own")
    with override_settings(SIMULATORS={request.param: made.start()}):
        yield request.param, made
    made.stop()


def follow() -> None:
    """Do what follows by itself, on the thread that has the database."""
    while WAITING:
        WAITING.pop(0)()


def posted(hook: Hook) -> int:
    path = hook.url.removeprefix(settings.PUBLIC_URL)
    headers = dict(hook.headers)
    answer = Client().post(path, hook.body, content_type=hook.content_type, headers=headers)
    return answer.status_code


def connected(slug: str) -> tuple[Client, Connection]:
    """Press Connect on the page as it is filled in."""
    client = browser("administrator")
    form = client.get(f"/connections/add/{slug}/").context["form"]
    typed = {field.name: field.value() or "" for field in form if field.value() is not True}
    client.post(f"/connections/add/{slug}/", typed)
    return client, Connection.objects.get(provider=slug)


def test_each_is_connected_as_filled_in_and_answers_a_test(opened: Opened) -> None:
    slug, _ = opened
    client, row = connected(slug)
    page = client.post(f"/connections/{row.pk}/test/", follow=True).content.decode()
    assert "Nothing was sent to anybody" in page
    assert "Stand-in</span>" in page
    client.post(f"/connections/{row.pk}/switch/", {"on": "0"})
    row.refresh_from_db()
    assert row.state == Connection.State.DISABLED


def test_no_page_lets_it_pass_for_the_vendor(opened: Opened) -> None:
    slug, made = opened
    title = keyed.PROVIDERS[slug].title
    page = browser("administrator").get(f"/connections/add/{slug}/").content.decode()
    assert f"A stand-in on this machine answers instead of {title}" in page
    assert f"This is not {title}." in made.page()


def test_without_stand_ins_nothing_is_filled_in() -> None:
    page = browser("administrator").get("/connections/add/twilio/")
    assert "stand-in" not in page.content.decode()
    assert page.context["form"]["auth_token"].value() is None
    assert stand_ins.keys(provider="twilio") == {}


@pytest.mark.parametrize("opened", list(desks.SLUGS)[:4], indirect=True)
def test_a_message_is_reported_by_the_vendors_own_posts(opened: Opened) -> None:
    slug, made = opened
    assert isinstance(made, MessageDesk)
    _, row = connected(slug)
    made.done({"webhook": keyed.webhook_address(connection=row)})
    channel, address = SENT_TO.get(slug, ("whatsapp", "+14155550100"))
    text = "Your video: https://example.org/v/abc. Reply STOP to end"
    message = OutgoingMessage(uuid.uuid4(), channel, address, "Your video", text, {})
    sent = messaging.provider_for(row).send(message)
    follow()
    assert [one.reported for one in made.taken] == ["delivered, told"]
    assert "https://example.org/v/abc" in made.page()
    reports = InboxItem.objects.filter(kind=InboxItem.Kind.DELIVERY_REPORT)
    # Who signs nothing is not believed about a delivery.
    names = {str(one.body_sealed["provider_message_id"]) for one in reports if one.body_sealed}
    assert names == ({sent.provider_message_id} if made.teller.signs else set())
    before = InboxItem.objects.count()
    made.done({"row": "0", "words": "STOP"})
    assert made.said == "Sealcast took the answer."
    assert InboxItem.objects.count() == before + 1


@pytest.mark.parametrize("opened", list(desks.SLUGS)[:4], indirect=True)
def test_it_misbehaves_when_it_is_told_to(opened: Opened) -> None:
    slug, made = opened
    _, row = connected(slug)
    channel, address = SENT_TO.get(slug, ("whatsapp", "+14155550100"))
    message = OutgoingMessage(uuid.uuid4(), channel, address, "A", "https://example.org/v/a", {})
    for mood, outcome, kept in (("429", "transient", 0), ("closed", "unknown", 0)):
        made.done({"mood": mood})
        with pytest.raises(ProviderError) as refused:
            messaging.provider_for(row).send(message)
        assert (refused.value.outcome, len(made.vendor.messages)) == (outcome, kept)
    made.done({"mood": TAKEN})
    with pytest.raises(ProviderError):
        messaging.provider_for(row).send(message)
    assert len(made.vendor.messages) == 1
    made.done({"mood": ""})
    assert messaging.provider_for(row).send(message).provider_message_id


@pytest.mark.parametrize(("slug", "crm"), started.VENDORS)
def test_a_crm_has_a_page_where_people_opt_out_and_are_deleted(
    slug: str, crm: type[Simulator]
) -> None:
    vendor = crm(client_id="c", secret="s", redirect_uri=f"{settings.PUBLIC_URL}/r/")
    first, second = demo.fill(vendor)[:2]
    made = CrmDesk(vendor, public_url=settings.PUBLIC_URL)
    told: list[Hook] = []
    made.post = lambda hook: told.append(hook) or 200  # type: ignore[func-returns-value]
    where = f"{settings.PUBLIC_URL}/hooks/secret/"
    made.done({"webhook": where})
    if isinstance(vendor, Zoho):
        until, events = "2999-01-01T00:00:00+00:00", ["Contacts.edit", "Contacts.delete"]
        vendor.channels["1"] = {"notify_url": where, "events": events, "channel_expiry": until}
    made.done({"row": "0", "act": "Opts out"})
    made.done({"row": "1", "act": "Delete"})
    assert f"This is not {vendor.name}." in made.page()
    assert made.row(first)[2] == "opted out"
    assert second not in made.ids() or made.row(second)[2] == "deleted"
    assert len(told) == (0 if slug == "salesforce" else 2)
    assert all((first if n == 0 else second).encode() in one.body for n, one in enumerate(told))
    vendor.families.append(Family("c", "scope", "host"))
    made.done({"act": "Take the permission back"})
    assert all(family.revoked for family in vendor.families)


@pytest.mark.parametrize("opened", list(desks.SLUGS)[4:], indirect=True)
def test_a_film_is_made_told_of_fetched_and_gone(opened: Opened) -> None:
    slug, made = opened
    assert isinstance(made, FilmDesk)
    _, row = connected(slug)
    made.done({"webhook": keyed.webhook_address(connection=row)})
    vendor = providers.provider_for(row)
    name = vendor.create(body=accounts.body())
    assert vendor.poll(job_id=name).state == "rendering"
    follow()
    # Its post was signed where the vendor signs, and believed.
    assert InboxItem.objects.filter(outcome="woken").count() == 1
    assert vendor.poll(job_id=name).state == "done"
    assert vendor.fetch(job_id=name, body=accounts.body()).video == b"a film of its own"
    vendor.delete(job_id=name)
    assert not vendor.exists(job_id=name)
    assert made.rows()[-1] == (name, "deleted: nothing of it is held")


def test_it_posts_to_one_installation_alone() -> None:
    made = desks.made("wati", public_url=settings.PUBLIC_URL)
    made.post = lambda _hook: pytest.fail("it posted elsewhere")
    made.done({"webhook": "https://elsewhere.example.org/hooks/x/"})
    assert made.webhook == ""
    assert made.tell(Hook("https://elsewhere.example.org/hooks/x/", b"", "")) == 0


def test_a_script_is_read_with_its_silences() -> None:
    items = desk.items_of('Hello <break time="3s"/> you.<break time="500ms"/>')
    told = [getattr(item, "text", getattr(item, "seconds", None)) for item in items]
    assert told == ["Hello", 3.0, "you.", 0.5]


def test_heygens_sign_in_is_at_the_same_stand_in() -> None:
    made = desks.made("heygen", public_url=settings.PUBLIC_URL)
    client = http.Client(hosts=["127.0.0.1"], loopback=True)
    origin = made.start()
    asked = f"{origin}/app.heygen.com/oauth/authorize?client_id=demo-client&response_type=code"
    answer = client.call("GET", asked)
    made.stop()
    assert (answer.status, b"redirect address" in answer.body) == (400, True)


def test_ports_and_keys_are_those_of_the_settings() -> None:
    slugs = [slug for slug, _ in started.VENDORS] + list(desks.SLUGS)
    assert tuple(slugs) == settings.STAND_INS
    assert list(stand_ins.KEYS) == list(desks.SLUGS)
    assert stand_ins.VERIFICATION_KEY == sendgrid.VERIFICATION
    assert desk.SIGNING_SECRET == stand_ins.SIGNING_SECRET
    assert urlsplit(settings.PUBLIC_URL).hostname
