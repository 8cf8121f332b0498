"""Does a letter go through the door by SMTP, and does a mailbox that is gone get no other?"""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import audit
from consent import intake, outbox, suppression
from consent.models import ConsentState, Contact, Message
from integrations import keyed
from integrations.messaging import smtp
from tests.consent.people import NOON, agreed, person
from tests.simulators.mail import PASSWORD, USER, MailSimulator

pytestmark = pytest.mark.django_db
ANA = "ana@example.org"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSimulator]:
    with MailSimulator(tmp_path) as simulator:
        monkeypatch.setattr(smtp, "LOOPBACK_AUTHORITY", simulator.authority)
        yield simulator


def sent(server: MailSimulator, contact: Contact) -> str:
    """Queue one marketing letter, send what is due, and return what became of it."""
    account = {"host": "127.0.0.1", "port": str(server.port), "sender": "news@example.org"}
    row = keyed.connect(
        provider="smtp",
        label="Mail",
        values={**account, "username": USER, "password": PASSWORD},
        at=NOON,
        actor=audit.SYSTEM,
    )
    assert (row.hosts, row.webhook_index) == (["127.0.0.1"], None)
    _, message = outbox.queue(
        contact=contact,
        connection=row,
        purpose_code="marketing",
        channel="email",
        context_type="consent.test",
        context_id=uuid.UUID(int=7),
        idempotency_key=uuid.uuid4().hex,
        subject="Hello",
        text="Look: https://example.org/v/secret",
        at=NOON,
        actor=audit.SYSTEM,
    )
    assert message is not None
    outbox.dispatch(at=NOON)
    return Message.objects.get(pk=message.pk).state


def test_a_marketing_letter_goes_with_its_one_click_headers(server: MailSimulator) -> None:
    assert sent(server, agreed(person(email=ANA), "email")) == "sent"
    [(_, _, letter)] = server.letters
    assert b"List-Unsubscribe: <" in letter
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in letter


def test_a_letter_without_an_answer_stays_unknown(server: MailSimulator) -> None:
    server.mode = "end_closed"
    assert sent(server, agreed(person(email=ANA), "email")) == "unknown"
    server.mode = ""
    assert outbox.dispatch(at=NOON).total == 0
    assert len(server.letters) == 1


def test_a_mailbox_that_is_gone_is_kept_on_the_list(server: MailSimulator) -> None:
    server.mode, server.words = "rcpt_550", "5.1.1 no such user"
    contact = agreed(person(email=ANA), "email")
    assert sent(server, contact) == "failed"
    assert intake.take_waiting(at=NOON) == 1
    hashed = suppression.index(channel="email", address=ANA)
    assert suppression.reasons(indexes=[hashed]) == {("email", "bounced")}
    # No word of the person's: what they agreed to stands, and rests.
    assert not ConsentState.objects.filter(contact=contact, state="withdrawn").exists()
