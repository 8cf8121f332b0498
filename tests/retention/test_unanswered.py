"""The officer's page of messages without an answer: by cause, settled in the trail, never sent."""

import pytest

from accounts.models import TrailLeaf, User
from consent import outbox
from consent.models import Message
from integrations.models import SandboxMessage
from tests.consent.people import NOON, agreed, person
from tests.consent.test_dispatching import queued
from tests.retention.test_consent_pages import read
from tests.retention.test_views import signed_in, url

pytestmark = pytest.mark.django_db
SAID = {"outcome": "not_delivered", "reason": "vendor_log"}


def lost() -> Message:
    message = queued(to=agreed(person(email="x0003@example.org"), "email"))
    outbox.dispatch(at=NOON)
    return message


def state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_an_empty_house_says_so() -> None:
    assert "Every message has its answer" in read(signed_in(), "unanswered")


def test_it_lists_by_cause_and_shows_no_address() -> None:
    message, client = lost(), signed_in()
    page = read(client, "unanswered", cause="no_answer", account=str(message.connection_id))
    assert "no whole answer came back" in page
    assert message.contact.public_id[:12] in page
    assert "x0003@" not in page
    assert "Nothing is sent" in page
    other = read(client, "unanswered", cause="worker_lost", account="nonsense")
    assert "0 to be settled" in other
    assert "Messages sent without an answer" in read(client, "dashboard")


def test_only_a_provider_that_can_say_is_said_to_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost()
    client = signed_in()
    assert "Nobody will be asked any more" in read(client, "unanswered")
    monkeypatch.setattr(outbox, "teller", lambda **_: object())
    assert "Its provider is asked 5 more times" in read(client, "unanswered")


@pytest.mark.parametrize(
    ("outcome", "end"), [("delivered", "delivered"), ("not_delivered", "failed")]
)
def test_an_officer_settles_and_nothing_is_sent(outcome: str, end: str) -> None:
    message, client = lost(), signed_in()
    answer = client.post(url("settle", message.pk), {**SAID, "outcome": outcome}, follow=True)
    assert b"in your name" in answer.content
    assert state(message) == end
    leaf = TrailLeaf.objects.get(action="consent.message.settled")
    assert leaf.actor_id == str(User.objects.get().pk)
    assert SandboxMessage.objects.count() == 1
    late = client.post(url("settle", message.pk), SAID, follow=True)
    assert b"It is known meanwhile" in late.content
    assert state(message) == end


@pytest.mark.parametrize(
    "said", [{}, {**SAID, "outcome": "maybe"}, {**SAID, "reason": "a feeling"}]
)
def test_what_is_not_said_changes_nothing(said: dict[str, str]) -> None:
    message = lost()
    answer = signed_in().post(url("settle", message.pk), said, follow=True)
    assert b"Nothing was changed" in answer.content
    assert state(message) == "unknown"


def test_an_auditor_looks_and_settles_nothing() -> None:
    message, client = lost(), signed_in(User.Role.AUDITOR)
    assert "For officers" in read(client, "unanswered")
    assert client.post(url("settle", message.pk), SAID).status_code == 403
    assert state(message) == "unknown"
