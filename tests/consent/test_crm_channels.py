"""Does a CRM that can be asked tell us at once, until it is disconnected, and free nobody by it?"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from accounts.models import TrailLeaf
from consent import crm_sync, intake
from consent.models import Contact
from integrations import keyed, stand_ins
from integrations.crm import channels
from integrations.models import Connection, CrmChannel, OAuthGrant
from tests import patience
from tests.consent import crms
from tests.consent.crms import Reading
from tests.consent.test_crm_news import effects, known, send
from tests.consent.test_crm_readers import state
from tests.simulators.base import Answer, Asked, json_answer
from tests.simulators.server import Hook
from tests.simulators.zoho import Zoho

pytestmark = pytest.mark.django_db
WATCH = "/actions/watch"


@pytest.fixture
def crm() -> Iterator[Reading]:
    with crms.reading("zoho") as found:
        # Whoever asks does so after it was connected.
        found.clock.move(60)
        yield found


def zoho(crm: Reading) -> Zoho:
    assert isinstance(crm.vendor, Zoho)
    return crm.vendor


def hold(crm: Reading) -> CrmChannel:
    channels.hold_open(now=crm.clock)
    return CrmChannel.objects.get()


def asked(crm: Reading, method: str) -> list[Asked]:
    return [one for one in crm.vendor.calls if (one.method, one.path[-6:]) == (method, "/watch")]


def post(crm: Reading, *hooks: Hook) -> None:
    """Post as Zoho does, then act upon it as the workers do."""
    assert hooks
    assert {send(hook.url, hook.body, {}) for hook in hooks} == {200}
    intake.take_waiting(at=crm.clock())


def forged(crm: Reading, operation: str, record: str, **more: Any) -> Hook:
    told = {**zoho(crm).notification(operation, record), **more}
    return Hook(keyed.webhook_address(connection=crm.dance.row()), json.dumps(told).encode(), "")


def card(crm: Reading) -> str:
    return str(crm.dance.client.get("/connections/").content.decode())


def disconnect(crm: Reading) -> str:
    page = crm.dance.client.post("/connections/zoho/disconnect/", follow=True)
    return str(page.content.decode())


def near(one: datetime | None, other: datetime) -> bool:
    return one is not None and abs(one - other) < timedelta(seconds=5)


def test_a_channel_is_opened_once_fields_are_chosen_and_renewed_before_it_ends(
    crm: Reading,
) -> None:
    row = hold(crm)
    [(number, one)] = zoho(crm).open_channels().items()
    assert one["notify_url"] == keyed.webhook_address(connection=crm.dance.row())
    assert one["events"] == ["Contacts.create", "Contacts.edit", "Contacts.delete"]
    assert near(row.until_at, crm.clock.at + timedelta(days=6))
    assert channels.hold_open(now=crm.clock) == 0
    for _ in range(20):
        crm.clock.move(86_400)
        assert channels.hold_open(now=crm.clock) == 1
        assert list(zoho(crm).open_channels()) == [number]
    assert near(hold(crm).until_at, crm.clock.at + timedelta(days=6))
    assert "Told at once" in card(crm)


def test_where_it_lasts_an_hour_it_is_renewed_each_half_hour(crm: Reading) -> None:
    zoho(crm).usual_only = True
    for _ in range(4):
        assert near(hold(crm).next_at, crm.clock.at + timedelta(minutes=30))
        crm.clock.move(1801)
        assert len(zoho(crm).open_channels()) == 1


def test_a_ring_has_what_changed_read_and_a_deletion_counts_at_once(crm: Reading) -> None:
    hold(crm)
    record, contact = known(crm)
    zoho(crm).change(record, at=crm.clock.at.timestamp(), Email_Opt_Out=True)
    post(crm, *zoho(crm).hooks("edit", record))
    assert effects() == ["rung"]
    assert state(crm, contact, "email") is None
    crm.clock.move(crm_sync.RUNG.total_seconds())
    assert crm_sync.due(at=crm.clock()) == [crm.row.pk]
    crm.whole()
    assert state(crm, contact, "email") == "withdrawn"
    post(crm, *zoho(crm).hooks("delete", record))
    contact.refresh_from_db()
    assert contact.restricted_at is not None


@pytest.mark.parametrize("token", ["sealcast", "", None, 5, ["x"]])
def test_what_does_not_repeat_the_word_is_only_a_ring(crm: Reading, token: object) -> None:
    hold(crm)
    record, contact = known(crm, Email_Opt_Out="true")
    crm.clock.move(120)
    for operation in ("delete", "update", "insert"):
        post(crm, forged(crm, operation, record, token=token, Email_Opt_Out=False))
    assert set(effects()) == {"rung"}
    crm.whole()
    contact.refresh_from_db()
    assert contact.restricted_at is None
    assert state(crm, contact, "email") == "withdrawn"


def test_without_a_channel_a_deletion_is_taken_by_the_secret_of_the_address(crm: Reading) -> None:
    record, contact = known(crm)
    post(crm, forged(crm, "delete", record))
    contact.refresh_from_db()
    assert contact.restricted_at is not None
    assert Contact.objects.count() == 1


def test_whoever_disconnects_ends_it_first(crm: Reading) -> None:
    hold(crm)
    assert "posts to Sealcast no more" not in disconnect(crm)
    assert zoho(crm).open_channels() == {}
    assert crm.dance.row().state == Connection.State.NOT_CONNECTED
    crm.clock.move(86_400)
    assert channels.hold_open(now=crm.clock) == 0
    # Connected once more, it is opened at once.
    crm.clock.move(1)
    crm.dance.connect()
    OAuthGrant.objects.update(connected_at=crm.clock.at)
    crm.clock.move(1)
    assert channels.hold_open(now=crm.clock) == 1


def test_an_end_that_is_not_confirmed_holds_up_nobody(crm: Reading) -> None:
    hold(crm)
    zoho(crm).plant(WATCH, json_answer(200, {"watch": [{"status": "error", "code": "OOPS"}]}))
    assert "ends by itself within a week" in disconnect(crm)
    assert crm.dance.row().state == Connection.State.NOT_CONNECTED
    assert asked(crm, "DELETE")
    leaf = TrailLeaf.objects.get(action="integrations.channel.closed")
    assert leaf.details["passed"] is False


def test_a_permission_that_lacks_leaves_the_connection_working(crm: Reading) -> None:
    [family] = zoho(crm).families
    family.scope = family.scope.replace("ZohoCRM.notifications.CREATE", "")
    row = hold(crm)
    assert row.until_at is None
    assert "Press Reconnect" in row.problem
    assert "OAUTH_SCOPE_MISMATCH" in card(crm)
    known(crm)
    assert crm.dance.row().state == Connection.State.ACTIVE
    crm.clock.move(3600)
    assert channels.hold_open(now=crm.clock) == 0
    # Whoever reconnects allows all of it, and it is asked at once.
    crm.dance.connect()
    OAuthGrant.objects.update(connected_at=crm.clock.at)
    crm.clock.move(1)
    assert hold(crm).problem == ""
    assert len(zoho(crm).open_channels()) == 1


@pytest.mark.parametrize(
    ("answer", "again_minutes", "words"),
    [
        (json_answer(400, {"code": "INVALID_DATA", "status": "error"}), 1440, "INVALID_DATA"),
        (json_answer(201, {"watch": [{"status": "error", "code": "X y"}]}), 1440, "X_y"),
        (json_answer(201, {"watch": [{"status": "success", "details": {}}]}), 1, "unreadable"),
        (json_answer(201, {"watch": []}), 1, "unreadable"),
        (Answer(200, b"<html>"), 1, "unreadable"),
        (Answer(503), 1, "503"),
        (json_answer(429, {"code": "TOO_MANY_REQUESTS"}), 1, "TOO_MANY"),
    ],
)
def test_a_refusal_is_on_the_card_and_is_asked_again(
    crm: Reading, answer: Answer, again_minutes: int, words: str
) -> None:
    zoho(crm).plant(WATCH, answer)
    row = hold(crm)
    assert words in row.problem
    assert "every quarter of an hour" in card(crm)
    crm.clock.move(again_minutes * 60 - 1)
    assert channels.hold_open(now=crm.clock) == 0
    crm.clock.move(1)
    assert hold(crm).problem == ""


def test_a_renewal_that_fails_ends_nothing_yet(crm: Reading) -> None:
    until = hold(crm).until_at
    crm.clock.move(86_400)
    zoho(crm).plant(WATCH, Answer(503))
    row = hold(crm)
    assert row.until_at == until
    assert row.problem


def test_an_address_that_zoho_cannot_reach_is_not_told(
    crm: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_ins, "reaches_us", lambda **_: False)
    assert "SEALCAST_PUBLIC_URL" in hold(crm).problem
    assert not asked(crm, "POST")


def test_two_workers_ask_once(crm: Reading) -> None:
    hold(crm)
    crm.clock.move(86_400)
    row = CrmChannel.objects.select_related("connection").get()
    assert [channels._hold(row, crm.clock) for _ in range(2)] == [1, 0]


def test_neither_address_nor_word_is_told_to_anybody_else(crm: Reading) -> None:
    hold(crm)
    [one] = zoho(crm).open_channels().values()
    secret = keyed.webhook_secret(connection=crm.dance.row())
    told = str(list(TrailLeaf.objects.values_list("details", flat=True)))
    assert len(one["token"]) == 48
    assert one["token"] not in told
    assert secret not in told
    assert secret not in one["token"]
    assert settings.PUBLIC_URL in one["notify_url"]


def test_who_never_answers_holds_up_nobody(crm: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    patience.with_mode(monkeypatch, "stall")
    zoho(crm).mode = "stall"
    assert "asked again by itself" in hold(crm).problem
