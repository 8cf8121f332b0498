"""Do reports that are taken together come to what they come to one by one?"""

from datetime import timedelta

import pytest

from accounts.models import TrailLeaf
from consent import intake, messages, reports
from consent.models import ConsentEvent, Message, Taken
from integrations import connections, inbox
from integrations.models import Connection, InboxItem
from tests.consent.people import NOON, agreed, person
from tests.consent.test_outbox import queued

pytestmark = pytest.mark.django_db
KINDS = (("sent", "delivered"), ("sent", "failed"), ("delivered", "failed"), ("cancelled", "odd"))


@pytest.fixture
def account() -> Connection:
    return connections.ensure_local(at=NOON)[0]


def left(name: str, *, state: str = "sent") -> Message:
    message = queued(agreed(person(email=f"{name or 'lost'}@example.org"), "email"))
    rows = Message.objects.filter(pk=message.pk)
    rows.update(state=state, hand_off_decision=message.decision, provider_message_id=name)
    return message


def told(account: Connection, name: str, status: str, **more: str) -> InboxItem:
    body = {"provider_message_id": name, "status": status, "code": "30003", **more}
    key = f"{name}:{status}"
    item = inbox.store(
        connection=account, kind="delivery_report", dedupe_key=key, body=body, at=NOON
    )
    assert item is not None
    return item


def test_together_is_as_one_by_one(account: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [left(f"a{number}", state=before) for number, (before, _) in enumerate(KINDS)]
    theirs = [left(f"b{number}", state=before) for number, (before, _) in enumerate(KINDS)]
    for number, (_, status) in enumerate(KINDS):
        told(account, f"a{number}", status)
    assert intake.take_waiting(at=NOON) == len(KINDS)
    for number, (_, status) in enumerate(KINDS):
        told(account, f"b{number}", status)
    monkeypatch.setattr(reports, "take", lambda items, at: (0, items))
    assert intake.take_waiting(at=NOON) == len(KINDS)
    assert [_outcome(row) for row in ours] == [_outcome(row) for row in theirs]
    effects = Taken.objects.order_by("item").values_list("effect", flat=True)
    assert list(effects[: len(KINDS)]) == list(effects[len(KINDS) :])


def _outcome(message: Message) -> list[object]:
    row = Message.objects.get(pk=message.pk)
    leaves = TrailLeaf.objects.filter(object_id=str(row.pk), actor_kind="provider")
    acts = [(leaf.action, leaf.details, leaf.at) for leaf in leaves]
    return [row.state, row.problem, row.delivered_at, row.body_sealed is None, acts]


def test_of_two_reports_of_one_message_the_first_moves_it(account: Connection) -> None:
    message = left("p1")
    first, second = told(account, "p1", "delivered"), told(account, "p1", "failed")
    assert reports.take(items=[first, second], at=NOON) == (2, [])
    assert Message.objects.get(pk=message.pk).state == "delivered"
    assert list(Taken.objects.order_by("item").values_list("effect", flat=True)) == [
        "delivered",
        "report_ignored",
    ]
    assert reports.take(items=[first, second], at=NOON) == (0, [])


def test_a_report_that_tells_of_a_stop_goes_its_own_way(account: Connection) -> None:
    left("p1")
    item = told(account, "p1", "failed", code=inbox.OPTED_OUT)
    assert reports.take(items=[item], at=NOON) == (0, [item])
    assert intake.take_waiting(at=NOON) == 1
    assert ConsentEvent.objects.filter(kind="withdrawn").exists()


def test_only_what_may_still_come_waits(account: Connection) -> None:
    lost = left("", state="unknown")
    early = told(account, "unheard", "delivered")
    ours = told(account, "named", "delivered", message_id=lost.pk.hex)
    assert reports.take(items=[early, ours], at=NOON) == (0, [ours])
    late = NOON + reports.REPORT_WAITS + timedelta(seconds=1)
    assert reports.take(items=[early], at=late) == (0, [early])
    assert intake.take_waiting(at=NOON) == 1
    assert Message.objects.get(pk=lost.pk).state == "delivered"


def test_where_one_breaks_the_others_are_taken_singly(
    account: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    left("p1")
    told(account, "p1", "delivered")

    def broken(**_named: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(messages, "report_many", broken)
    assert intake.take_waiting(at=NOON) == 1
    assert Message.objects.get().state == "delivered"


def test_the_name_of_another_account_moves_nothing(account: Connection) -> None:
    message = left("p1")
    other = Connection.objects.create(
        kind="messaging", provider="x", label="x", auth_kind="key", created_at=NOON
    )
    told(other, "p1", "delivered")
    assert intake.take_waiting(at=NOON) == 0
    assert Message.objects.get(pk=message.pk).state == "sent"
