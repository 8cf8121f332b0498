"""Are keys typed once, sealed, and shown to nobody again?"""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import TrailLeaf
from integrations import connections, keyed
from integrations.messaging import wire
from integrations.models import Connection
from integrations.video import wire as video_wire
from tests.accounts.staff import NOON, browser
from tests.simulators.studios import KEY
from tests.simulators.tavus import TavusSimulator
from tests.simulators.wati import TOKEN, WatiSimulator

pytestmark = pytest.mark.django_db
FORM = {"label": "Our WATI", "token": TOKEN, "whatsapp_template": "video_ready"}


def add() -> tuple[Client, Connection]:
    client = browser("administrator")
    client.post("/connections/add/wati/", FORM)
    return client, Connection.objects.get()


def held(row: Connection) -> dict[str, str]:
    row.refresh_from_db()
    assert isinstance(row.credentials_sealed, dict)
    return row.credentials_sealed


@pytest.mark.parametrize("provider", keyed.PROVIDERS)
def test_each_provider_has_its_form(provider: str) -> None:
    page = browser("administrator").get(f"/connections/add/{provider}/").content.decode()
    for field in keyed.PROVIDERS[provider].fields:
        assert field.label in page


def test_an_account_is_kept_with_its_pinned_host() -> None:
    client, row = add()
    assert (row.label, row.hosts, row.scopes) == (
        "Our WATI",
        [wire.ORIGINS["wati"][8:]],
        ["whatsapp"],
    )
    assert held(row)["token"] == TOKEN
    assert TOKEN not in str(list(TrailLeaf.objects.values()))
    page = client.get(f"/connections/{row.pk}/keys/").content.decode()
    assert TOKEN not in page
    assert "video_ready" in page
    secret = page.partition("/hooks/")[2].partition("/")[0]
    assert connections.by_webhook(secret=secret) == row


def test_what_is_missing_is_asked_for() -> None:
    answer = browser("administrator").post("/connections/add/wati/", {"label": "x"})
    assert answer.context["form"].errors.keys() == {"token", "whatsapp_template"}
    assert not Connection.objects.exists()


def test_a_secret_left_empty_stays_and_the_rest_changes() -> None:
    client, row = add()
    before = held(row)
    client.post(f"/connections/{row.pk}/keys/", {"token": "", "whatsapp_template": "other"})
    after = held(row)
    assert after["whatsapp_template"] == "other"
    assert after["token"] == TOKEN
    assert after["webhook_secret"] == before["webhook_secret"]
    client.post(f"/connections/{row.pk}/keys/", {"token": "new", "whatsapp_template": "other"})
    assert held(row)["token"] == "new"


def test_what_takes_no_keys_has_no_form() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    client = browser("administrator")
    assert client.get("/connections/add/sandbox/").status_code == 404
    assert client.get(f"/connections/{sandbox.pk}/keys/").status_code == 404


def test_the_command_asks_and_says_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _, row = add()
    out = StringIO()
    with WatiSimulator() as simulator:
        monkeypatch.setitem(wire.ORIGINS, "wati", simulator.origin)
        call_command("providers", "test", "wati", stdout=out)
        assert "Our WATI: answers" in out.getvalue()
        row.credentials_sealed = {**held(row), "whatsapp_template": "gone"}
        row.save()
        with pytest.raises(CommandError, match="1 of 1"):
            call_command("providers", "test", "Our WATI", stdout=out)
    assert "no template of this name" in out.getvalue()


def test_the_command_refuses_a_name_that_is_none() -> None:
    with pytest.raises(CommandError, match="no connection"):
        call_command("providers", "test", "nobody")


def test_the_cost_of_a_text_message_is_shown() -> None:
    client = browser("administrator")
    keys = {"account_sid": "AC1", "auth_token": "x", "price_per_segment": "0.0079"}
    client.post("/connections/add/twilio/", {"label": "Our Twilio", **keys})
    page = client.get("/connections/").content.decode()
    assert "0.0158 up to 306" in page


def test_a_sender_s_registration_is_verified_and_shown_on_its_card() -> None:
    client = browser("administrator")
    keys = {"label": "T", "account_sid": "AC1", "auth_token": "x", "us_brand": "mine"}
    answer = client.post("/connections/add/twilio/", {**keys, "prices": "+44 cheap"})
    assert answer.context["form"].errors.keys() == {"us_brand", "prices"}
    brand, entity = "BN" + "0" * 32, "1" * 19
    keys |= {"us_brand": brand, "in_entity": entity, "in_template": entity}
    client.post("/connections/add/twilio/", keys)
    page = client.get("/connections/").content.decode()
    assert f"India: {entity}, {entity}; United States: {brand}, no campaign" in page


def test_the_command_asks_an_ai_vendor_too(monkeypatch: pytest.MonkeyPatch) -> None:
    client, out = browser("administrator"), StringIO()
    client.post("/connections/add/tavus/", {"label": "Ours", "api_key": KEY, "replica_id": "r1"})
    row = Connection.objects.get()
    assert (row.kind, row.hosts) == ("video", ["tavusapi.com", "stream.mux.com"])
    with TavusSimulator() as simulator:
        monkeypatch.setitem(video_wire.STAND_INS, "tavus", simulator.origin)
        call_command("providers", "test", "tavus", stdout=out)
    assert "Ours: answers" in out.getvalue()


def test_a_mail_server_gets_no_webhook() -> None:
    client = browser("administrator")
    mail = {"host": "Mail.example.org", "username": "u", "password": "p", "sender": "a@example.org"}
    client.post("/connections/add/smtp/", {"label": "Mail", **mail})
    row = Connection.objects.get()
    assert (row.hosts, row.webhook_index) == (["mail.example.org"], None)
    page = client.get(f"/connections/{row.pk}/keys/").content.decode()
    assert "/hooks/" not in page
    assert "Webhook address" not in page


def test_an_account_in_the_eu_pins_its_host() -> None:
    client = browser("administrator")
    keys = {"api_key": "SG.x", "sender": "a@example.org", "eu": "on"}
    client.post("/connections/add/sendgrid/", {"label": "Mail", **keys})
    assert Connection.objects.get().hosts == ["api.eu.sendgrid.com"]


def test_what_most_accounts_leave_alone_is_folded_until_something_stands_in_it() -> None:
    client = browser("administrator")

    def folds(page: str) -> dict[str, bool]:
        found = re.findall(r'<details class="disclosure"( open)?><summary>(.*?)<', page)
        return {words: bool(is_open) for is_open, words in found}

    page = client.get("/connections/add/twilio/").content.decode()
    assert len(folds(page)) == 4
    assert not any(folds(page).values())
    assert page.index("id_account_sid") < page.index('<details class="disclosure"')
    page = client.get("/connections/add/wati/").content.decode()
    assert folds(page) == {"WhatsApp templates": True}
    typed = {"label": "T", "account_sid": "AC1", "auth_token": "x", "us_brand": "no brand"}
    page = client.post("/connections/add/twilio/", typed).content.decode()
    assert [words for words, is_open in folds(page).items() if is_open] == [
        "Registration of the sender in the United States and India"
    ]
