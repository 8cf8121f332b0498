import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts import audit
from accounts.audit import SYSTEM, Actor
from accounts.models import TrailLeaf
from config.lib import canonical, crypto
from consent import contacts, ledger, purposes, receipts, standing, suppression
from consent.models import ConsentEvent, ConsentState, OptIn
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
KINDS = st.sampled_from(["claimed", "given", "confirmed", "refused", "withdrawn", "expired"])


def fold(*kinds: str, by: str = "checkbox") -> str | None:
    events = [
        ConsentEvent(number=number, kind=kind, act=by, at=NOON) for number, kind in enumerate(kinds)
    ]
    found = standing.fold(events)
    return found.state if found else None


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ((), None),
        (("claimed",), "claimed"),
        (("given", "claimed"), "given"),
        (("given", "confirmed", "given"), "confirmed"),
        (("confirmed", "withdrawn", "claimed"), "withdrawn"),
        (("withdrawn", "given"), "given"),
        (("withdrawn", "expired"), "withdrawn"),
        (("expired",), None),
    ],
)
def test_a_fold_of_acts(kinds: tuple[str, ...], state: str | None) -> None:
    assert fold(*kinds) == state


@pytest.mark.parametrize("by", ["api", "staff", "import"])
def test_only_the_persons_own_act_follows_a_withdrawal(by: str) -> None:
    assert fold("withdrawn", "given", by=by) == "withdrawn"


@given(st.lists(KINDS, max_size=8))
def test_after_a_withdrawal_nothing_but_an_agreement_allows(kinds: list[str]) -> None:
    state = fold(*kinds, "withdrawn", "claimed", "expired")
    assert state == "withdrawn"


def test_the_state_row_is_the_fold() -> None:
    contact = person()
    for kind in ("claimed", "given", "confirmed", "claimed"):
        act(contact, "email", kind)
    row = ConsentState.objects.get(contact=contact)
    assert row.state == "confirmed"
    assert standing.disagreements() == []


def test_a_state_row_that_was_edited_is_named() -> None:
    contact = agreed(person(), "email")
    ConsentState.objects.filter(contact=contact).update(state="withdrawn")
    assert standing.disagreements() == [f"{contact.id} marketing email"]


def test_an_event_cannot_be_changed() -> None:
    event = act(person(), "email", "given")
    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentEvent.objects.filter(pk=event.pk).update(kind="confirmed")


def test_an_import_can_only_claim() -> None:
    contact = person()
    with pytest.raises(ledger.NotAnAct):
        ledger.record(
            contact=contact,
            purpose_code="marketing",
            channel="email",
            kind="given",
            act="import",
            source="crm",
            at=NOON,
            actor=SYSTEM,
        )


def test_a_withdrawal_stops_every_channel_and_is_in_the_trail() -> None:
    contact = agreed(person(), "email")
    events = ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    contact.refresh_from_db()
    assert {event.channel for event in events} == {"email", "sms", "whatsapp"}
    assert contact.stopped_at == NOON
    address = contacts.address(contact=contact, channel="sms", at=NOON)
    index = suppression.index(channel="sms", address=address)
    assert suppression.is_suppressed(channel="sms", address_index=index)
    assert TrailLeaf.objects.filter(action="consent.contact.stopped").count() == 1


def test_a_second_withdrawal_adds_no_event() -> None:
    contact = agreed(person(), "email")
    for _ in range(2):
        ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert ConsentEvent.objects.filter(kind="withdrawn").count() == 3


def test_withdrawing_analytics_stops_no_message() -> None:
    contact = agreed(person(), "email")
    ledger.withdraw(
        contact=contact,
        act="button",
        source="page",
        at=NOON,
        actor=SYSTEM,
        purposes=["view_analytics"],
    )
    contact.refresh_from_db()
    assert contact.stopped_at is None
    assert act(contact, "email", "confirmed").kind == "confirmed"


def test_only_a_confirmation_lifts_a_suppression() -> None:
    contact = agreed(person(), "email")
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    address = contacts.address(contact=contact, channel="email", at=NOON)
    index = suppression.index(channel="email", address=address)
    act(contact, "email", "given")
    assert suppression.is_suppressed(channel="email", address_index=index)
    act(contact, "email", "confirmed")
    assert not suppression.is_suppressed(channel="email", address_index=index)


def test_a_withdrawal_closes_an_open_question() -> None:
    contact = agreed(person(), "email")
    purpose = purposes.current("marketing", NOON)
    notice = purposes.default_notice(purpose=purpose, language="fr", at=NOON)
    asked = OptIn.objects.create(
        contact=contact,
        purpose=purpose,
        channel="email",
        notice=notice,
        token_index="x",
        asked_at=NOON,
        expires_at=NOON.replace(day=9),
    )
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    asked.refresh_from_db()
    assert asked.expires_at == NOON


def test_a_receipt_is_signed_and_names_nobody() -> None:
    contact = agreed(person(), "email")
    receipt = receipts.receipt(contact=contact, at=NOON)
    signed = receipt.pop("signed")
    assert isinstance(signed, dict)
    assert crypto.signature_holds(
        public=bytes.fromhex(audit.public_key()[1]),
        signature=bytes.fromhex(signed["signature"]),
        message=canonical.encode(receipt),
    )
    assert "Müller" not in str(receipt)


def test_a_stop_of_three_channels_writes_as_few_statements_as_one_of_one_channel() -> None:
    written = []
    for channels in (["email"], ["email", "sms", "whatsapp"]):
        contact = person()
        for channel in channels:
            agreed(contact, channel)
        with CaptureQueriesContext(connection) as queries:
            events = ledger.withdraw(
                contact=contact,
                act="button",
                source="page",
                at=NOON,
                actor=Actor("recipient", contact.public_id),
                channels=channels,
                purposes=["marketing"],
            )
        assert sorted(event.channel for event in events) == channels
        written.append(len(queries))
    assert written[0] == written[1]
    assert standing.disagreements() == []


def test_nobody_takes_consent_back_by_an_unknown_act() -> None:
    contact = agreed(person(), "email")
    with pytest.raises(ledger.NotAnAct):
        ledger.withdraw(contact=contact, act="nod", source="page", at=NOON, actor=SYSTEM)
    found = ledger.state_of(contact=contact, purpose_code="marketing", channel="email", at=NOON)
    assert found == "confirmed"
