"""Does the page of templates tell a marketer in plain words what may be sent, and why not?"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django_q.models import OrmQ

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from integrations import connections, jobs, keyed
from integrations.messaging import wire
from integrations.models import Connection, MessageTemplate
from tests.accounts.staff import NOON, browser
from tests.simulators import wati

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[wati.WatiSimulator]:
    with wati.WatiSimulator() as simulator:
        monkeypatch.setitem(wire.ORIGINS, "wati", simulator.origin)
        yield simulator


@pytest.fixture
def account() -> Connection:
    values = {"token": wati.TOKEN, "whatsapp_template": "video_ready"}
    return keyed.connect(provider="wati", label="Our WATI", values=values, at=NOON, actor=SYSTEM)


def page(account: Connection, client: Client | None = None) -> str:
    client = client or browser("marketer")
    return client.get(f"/connections/{account.pk}/templates/").content.decode()


def test_a_marketer_sees_what_may_be_sent_and_where_the_link_stands(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    vendor.templates = [("other", "PAUSED"), ("video_ready", "APPROVED")]
    jobs.read_templates(str(account.pk))
    shown = page(account)
    assert "Meta approved it: campaigns by WhatsApp may be sent." in shown
    assert '<mark class="place">the link</mark>' in shown
    assert "Meta paused it: people complained" in shown
    assert "English (en)" in shown
    assert "High: hardly anybody complains" in shown
    # What is used comes first.
    assert shown.index(">video_ready</h2>") < shown.index(">other</h2>")


def test_the_template_that_asks_for_consent_is_judged_beside_it(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    jobs.read_templates(str(account.pk))
    assert "Until then ask by another channel." in page(account)
    names = {"whatsapp_template": "video_ready", "question_template": "please_confirm"}
    values = {"token": wati.TOKEN, "question_variables": "subject", **names}
    keyed.change(connection=account, values=values, at=NOON, actor=SYSTEM)
    vendor.templates += [("please_confirm", "APPROVED")]
    jobs.read_templates(str(account.pk))
    shown = page(account)
    assert "Meta approved it: people may be asked by WhatsApp." in shown
    assert "Questions of consent use this one." in shown
    assert '<mark class="place">the subject</mark>' in shown
    assert "Its words have no place for the link." in shown
    card = browser("administrator").get("/connections/").content.decode()
    assert "please_confirm: approved by Meta." in card


def test_before_it_was_read_the_page_waits_and_then_says_how(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    Connection.objects.update(templates_asked_at=None)
    shown = page(account)
    assert "Not read yet" in shown
    assert "every 1s" not in shown
    client = browser("marketer")
    client.post(f"/connections/{account.pk}/templates/refresh/")
    assert "every 1s" in page(account)
    jobs.read_templates(str(account.pk))
    part = client.get(f"/connections/{account.pk}/templates/part/").content.decode()
    assert "every 1s" not in part
    assert "video_ready" in part


def test_refresh_asks_the_provider_once(account: Connection) -> None:
    Connection.objects.update(templates_asked_at=None)
    OrmQ.objects.all().delete()
    client, address = browser("marketer"), f"/connections/{account.pk}/templates/refresh/"
    client.post(address)
    shown = client.post(address, follow=True).content.decode()
    assert "being read already" in shown
    assert OrmQ.objects.count() == 1
    leaf = TrailLeaf.objects.filter(action="integrations.template.asked").latest("pk")
    assert leaf.actor_kind == "staff"


@pytest.mark.parametrize(
    ("mode", "words"), [("401", "refuses the key"), ("500", "gave no list of its templates")]
)
def test_a_provider_that_refuses_or_breaks_is_named(
    vendor: wati.WatiSimulator, account: Connection, mode: str, words: str
) -> None:
    vendor.mode, vendor.acts = mode, frozenset({"GET"})
    jobs.read_templates(str(account.pk))
    shown = page(account)
    assert words in shown
    assert "every 1s" not in shown


def test_an_account_without_templates_says_what_to_do(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    vendor.templates = []
    jobs.read_templates(str(account.pk))
    shown = page(account)
    assert "No template yet" in shown
    assert "The account has no template of the name" in shown


def test_why_meta_rejected_it_and_what_does_not_fit_is_told(account: Connection) -> None:
    Connection.objects.update(templates_read_at=NOON, templates_asked_at=None)
    MessageTemplate.objects.create(
        connection=account,
        code="video_ready",
        title="video_ready",
        state="rejected",
        reason="TAG_CONTENT_MISMATCH",
        words="Hello {{2}}",
        changed_at=NOON,
    )
    shown = page(account)
    assert "TAG_CONTENT_MISMATCH" in shown
    assert "Nothing fills {{2}}" in shown
    assert "no place for the link" in shown


def test_what_needs_no_template_has_no_page() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    client = browser("marketer")
    assert client.get(f"/connections/{sandbox.pk}/templates/").status_code == 404
    assert "WhatsApp templates" not in client.get("/connections/").content.decode()


def test_the_card_leads_there_and_an_administrator_to_the_choice(account: Connection) -> None:
    card = browser("marketer").get("/connections/").content.decode()
    assert f"/connections/{account.pk}/templates/" in card
    assert "have not been read yet" in card
    assert "Choose another" not in page(account)
    Connection.objects.update(templates_asked_at=None)
    assert "Choose another" in page(account, browser("administrator"))


def test_an_auditor_looks_and_does_not_refresh(account: Connection) -> None:
    client = browser("auditor")
    assert "Our WATI" in page(account, client)
    assert client.post(f"/connections/{account.pk}/templates/refresh/").status_code == 403
