from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from consent import ledger, revocations, rulebook, suppression
from consent.models import Contact, Propagation, Revocation
from integrations import connections
from integrations.models import Connection
from tests.consent.people import NOON, agreed, person

pytestmark = pytest.mark.django_db
EVERY = ["email", "sms", "whatsapp"]


def stop(contact: Contact, at: datetime = NOON, **more: object) -> list[object]:
    said = {"contact": contact, "act": "button", "source": "page", "at": at, "actor": SYSTEM}
    return list(ledger.withdraw(**{**said, **more}))  # type: ignore[arg-type]


def scoped(monkeypatch: pytest.MonkeyPatch, *scopes: str) -> None:
    """Let the law of the person's places say how far a stop reaches."""
    base = rulebook.rule("house.stop_reach")
    rules = [replace(base, id=f"law.{scope}", kind="revocation", scope=scope) for scope in scopes]
    monkeypatch.setattr(rulebook, "told", lambda *_args, **_more: rules)


@pytest.fixture
def ana() -> Contact:
    return agreed(agreed(person(), "email"), "sms")


def test_a_stop_is_one_row_with_its_means_and_its_times(ana: Contact) -> None:
    stop(ana, means="free_text", via="sms", received_at=NOON - timedelta(minutes=2))
    row = Revocation.objects.get()
    assert (row.means, row.channels, row.purposes) == ("free_text", EVERY, None)
    assert (row.received_at, row.effective_at) == (NOON - timedelta(minutes=2), NOON)
    assert rulebook.rule(row.scope_rule).source
    assert TrailLeaf.objects.filter(action="consent.revocation.recorded").count() == 1


def test_a_second_stop_is_no_second_row(ana: Contact) -> None:
    for minute in range(3):
        stop(ana, at=NOON + timedelta(minutes=minute))
    assert Revocation.objects.count() == 1


def test_unknown_means_are_refused(ana: Contact) -> None:
    with pytest.raises(ledger.NotAnAct):
        stop(ana, means="smoke signal")


@pytest.mark.parametrize(
    ("scopes", "channels", "purposes"),
    [
        ([], EVERY, None),
        (["all", "channel"], EVERY, None),
        (["purpose", "channel"], EVERY, None),
        (["channel"], ["sms"], None),
        (["purpose"], EVERY, ["marketing"]),
    ],
)
def test_the_widest_law_of_all_places_says_how_far_it_reaches(
    ana: Contact,
    monkeypatch: pytest.MonkeyPatch,
    scopes: list[str],
    channels: list[str],
    purposes: list[str] | None,
) -> None:
    scoped(monkeypatch, *scopes)
    stop(ana, via="sms")
    row = Revocation.objects.get()
    assert (row.channels, row.purposes) == (channels, purposes)


def test_what_the_person_named_goes_before_the_law(
    ana: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoped(monkeypatch, "all")
    stop(ana, channels=["sms"])
    row = Revocation.objects.get()
    assert (row.channels, row.scope_rule) == (["sms"], "house.stop_as_said")
    state = ledger.state_of(contact=ana, purpose_code="marketing", channel="email", at=NOON)
    assert state == "confirmed"


def test_a_pack_that_cannot_be_read_narrows_no_stop(
    ana: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> list[rulebook.Rule]:
        raise rulebook.BadRule("half a law")

    monkeypatch.setattr(rulebook, "told", broken)
    stop(ana)
    assert Revocation.objects.get().scope_rule == "house.stop_reach"


def test_ending_one_purpose_leaves_the_address_to_the_others(ana: Contact) -> None:
    stop(ana, purposes=["marketing"])
    assert not suppression.is_suppressed(channel="email", address_index=ana.email_stop_index)
    state = ledger.state_of(contact=ana, purpose_code="marketing", channel="email", at=NOON)
    assert state == "withdrawn"


def test_a_stop_counts_when_the_persons_key_no_longer_opens(ana: Contact) -> None:
    keys.destroy(key=ana.key, at=NOON)
    assert stop(ana, evidence={"text": "stop"})
    assert Revocation.objects.count() == 1


def test_each_system_that_could_write_is_to_be_told(ana: Contact) -> None:
    sandbox, studio = connections.ensure_local(at=NOON)
    crm = Connection.objects.create(
        kind="crm", provider="hubspot", label="CRM", auth_kind="key", created_at=NOON
    )
    stop(ana)
    told = set(Propagation.objects.values_list("connection", flat=True))
    assert told == {sandbox.pk, crm.pk}
    assert studio.pk not in told


def test_what_ends_no_messages_is_told_to_nobody(ana: Contact) -> None:
    connections.ensure_local(at=NOON)
    stop(ana, purposes=["view_analytics"], means="signal")
    assert Revocation.objects.count() == 1
    assert not Propagation.objects.exists()


@pytest.mark.parametrize(
    ("country", "by_mail", "due"),
    [
        # From a Wednesday over two weekends to a Wednesday.
        ("US", False, datetime(2026, 10, 21, 14, tzinfo=UTC)),
        ("US", True, NOON + timedelta(days=2)),
        ("FR", False, NOON + timedelta(days=2)),
    ],
)
def test_others_must_know_within_the_time_of_the_law(
    country: str, by_mail: bool, due: datetime
) -> None:
    number = {"US": "+12025550123", "FR": "+33612340123"}[country]
    contact = person(country=country, phone=number, time_zone="")
    assert revocations.due_at(contact=contact, by_mail=by_mail, received_at=NOON) == due
