import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from config.lib import clock
from consent import confirmation, contacts, ledger, optin, outbox, purposes
from consent.models import ConsentEvent, Contact, OptIn
from integrations import connections, inbox
from integrations.models import SandboxMessage
from tests.consent.people import NOON, act, person

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/join/confirm/([\w-]{43})")


@pytest.fixture(autouse=True)
def _house() -> None:
    purposes.ensure_defaults(at=NOON)
    connections.ensure_local(at=NOON)


def asked(contact: Contact, channel: str = "email") -> OptIn | None:
    return optin.ask(
        contact=contact, purpose_code="marketing", channel=channel, at=NOON, actor=SYSTEM
    )


def token_on_the_phone() -> str:
    message = SandboxMessage.objects.order_by("-at").first()
    assert message is not None
    found = LINK.search(message.content_sealed["text"])
    assert found is not None
    return found.group(1)


def state(contact: Contact, channel: str = "email") -> str | None:
    return ledger.state_of(
        contact=contact, purpose_code="marketing", channel=channel, at=clock.now()
    )


def claimed() -> Contact:
    contact = person()
    act(contact, "email", "claimed")
    return contact


def test_the_page_names_who_asks(client: Client) -> None:
    contact = person()
    act(contact, "email", "claimed", particulars=ledger.Particulars(seller="Lumen Telecom"))
    asked(contact)
    outbox.dispatch(at=NOON)
    OptIn.objects.update(expires_at=clock.now() + timedelta(hours=1))
    page = client.get(reverse("join:confirm", args=[token_on_the_phone()]))
    assert '<span dir="auto">Lumen Telecom</span>' in page.content.decode()


def test_a_claim_becomes_consent_by_the_persons_own_yes(client: Client) -> None:
    contact = claimed()
    asked(contact)
    assert outbox.dispatch(at=NOON).sent == 1
    token = token_on_the_phone()
    OptIn.objects.update(expires_at=clock.now() + timedelta(hours=1))
    page = reverse("join:confirm", args=[token])
    assert client.head(page).status_code == 200
    assert client.get(page).status_code == 200
    assert state(contact) == "claimed"
    assert client.post(page).status_code == 302
    assert state(contact) == "confirmed"
    event = ConsentEvent.objects.get(kind="confirmed")
    assert event.notice is not None
    assert event.evidence_sha256


def test_a_link_works_once_and_tells_nothing_afterwards(client: Client) -> None:
    contact = claimed()
    asked(contact)
    outbox.dispatch(at=NOON)
    page = reverse("join:confirm", args=[token_on_the_phone()])
    OptIn.objects.update(expires_at=clock.now() + timedelta(hours=1))
    client.post(page)
    used, wrong = client.get(page), client.get(reverse("join:confirm", args=["x" * 43]))
    assert (used.status_code, wrong.status_code) == (404, 404)
    assert used.content == wrong.content


def test_after_48_hours_the_link_is_dead() -> None:
    row = asked(claimed())
    outbox.dispatch(at=NOON)
    assert row is not None
    with pytest.raises(confirmation.NotPending):
        optin.answer(
            token=token_on_the_phone(), at=NOON + timedelta(hours=48), ip="", user_agent=""
        )


def test_only_a_keyed_hash_of_the_token_is_kept() -> None:
    row = asked(claimed())
    outbox.dispatch(at=NOON)
    assert row is not None
    assert token_on_the_phone() not in str(OptIn.objects.values())
    assert token_on_the_phone() not in str(list(TrailLeaf.objects.values()))


def test_a_yes_by_message_confirms() -> None:
    contact = person(phone="+33612349876")
    act(contact, "sms", "claimed")
    row = asked(contact, "sms")
    assert row is not None
    sandbox, _ = connections.ensure_local(at=NOON)
    inbox.store(
        connection=sandbox,
        kind="inbound_message",
        dedupe_key="yes",
        body={"channel": "sms", "from": "+33612349876", "text": "Oui !"},
        at=NOON,
    )
    outbox.dispatch(at=NOON)
    assert state(contact, "sms") == "confirmed"


def test_nobody_is_asked_without_a_ground_or_twice_or_after_a_stop() -> None:
    assert asked(person()) is None
    contact = claimed()
    assert asked(contact) is not None
    assert asked(contact) is None
    other = claimed()
    ledger.withdraw(contact=other, act="button", source="page", at=NOON, actor=SYSTEM)
    assert asked(other) is None


def join(client: Client, **fields: str) -> int:
    page = reverse("join:join", args=["marketing"])
    answer = client.post(page, {"look": "1", **fields}, headers={"accept-language": "de"})
    return answer.status_code


def test_the_web_form_gives_and_asks(client: Client) -> None:
    code = join(client, name="Ana", email="ana@example.org", phone="", agree_0="on")
    assert code == 302
    contact = contacts.find(partner=None, email="ana@example.org")
    assert contact is not None
    assert (state(contact), contact.language) == ("given", "de")
    event = ConsentEvent.objects.get()
    assert event.notice is not None
    assert event.notice.text.startswith("Ich willige ein")
    assert outbox.dispatch(at=clock.now()).sent == 1


def test_without_the_tick_nothing_is_kept(client: Client) -> None:
    assert join(client, name="Ana", email="ana@example.org", phone="") == 422
    assert Contact.objects.count() == 0
    page = client.get(reverse("join:join", args=["marketing"])).content.decode()
    assert "checked" not in page


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "<b>", "email": "a@example.org"},
        {"name": "🌟", "email": "a@example.org"},
        {"name": "Ana", "email": "not an address"},
        {"name": "Ana", "email": ""},
        {"name": "Ana", "email": "", "phone": "12"},
    ],
)
def test_a_form_that_cannot_be_used_changes_nothing(client: Client, fields: dict[str, str]) -> None:
    assert join(client, agree_0="on", **fields) == 422
    assert Contact.objects.count() == 0


def test_a_stranger_changes_nothing_of_somebody_known(client: Client) -> None:
    contact = person(name="Ana", email="ana@example.org", phone="")
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert join(client, name="Mallory", email="ana@example.org", agree_0="on") == 302
    assert contacts.opened(contact=contact, at=NOON).name == "Ana"
    assert state(contact) == "withdrawn"
    assert outbox.dispatch(at=clock.now()).sent == 0


def test_an_unknown_purpose_has_no_form(client: Client) -> None:
    assert client.get("/join/gifts").status_code == 404
