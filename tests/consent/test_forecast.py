"""The set-wise answer is the gate's own, for every row of generated worlds."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.audit import SYSTEM, Actor
from consent import forecast, gate, ledger, purposes
from consent.models import Contact, RegisterEntry
from tests.consent.people import NOON, act, person, sent

pytestmark = pytest.mark.django_db
PERMISSIONS = ["express", "written", "soft_opt_in", "implied_purchase", "explicit"]
PERSON = st.fixed_dictionaries(
    {
        # One message a day fills the caps of Colombia and of a place that is not known; in Maine
        # one in eight hours, beside three a day.
        "place": st.sampled_from(["", "FR", "DE", "US", "US-ME", "CO", "IN", "CA", "JP"]),
        "zone": st.sampled_from(["", "Europe/Paris", "America/Denver", "Asia/Kolkata"]),
        "acts": st.lists(
            st.tuples(
                st.sampled_from(["claimed", "given", "confirmed", "withdrawn", "refused"]),
                st.sampled_from(PERMISSIONS),
                st.sampled_from([0, 5, 200, 800, 1200]),
                st.sampled_from([None, 12, 17, 40]),
            ),
            max_size=3,
        ),
        "moved": st.booleans(),
        "stopped": st.booleans(),
        "restricted": st.booleans(),
        "listed": st.sampled_from(["", "us.dnc", "ca.dncl", "co.rne"]),
        # Hours ago; what is queued for later counts too. Four are more than a case can tell.
        "sent": st.lists(st.sampled_from([-20, 0, 3, 9.5, 12, 23, 24, 30]), max_size=4),
    }
)


@pytest.fixture(autouse=True)
def _marketing_had_another_basis_for_a_while() -> None:
    """What was agreed to 200 days before NOON was agreed to on a basis that holds no more."""
    purposes.ensure_defaults(at=NOON)
    for days, basis in ((300, "legitimate_interest"), (100, "consent")):
        begins = NOON - timedelta(days=days)
        purposes.amend(
            code="marketing",
            title="Marketing",
            basis=basis,
            valid_from=begins,
            at=begins,
            actor=SYSTEM,
        )


def settle(world: dict[str, object], channel: str) -> Contact:
    country, _, region = str(world["place"]).partition("-")
    contact = person(NOON, country=country, region=region, time_zone=world["zone"])
    acts = sorted(world["acts"], key=lambda one: -one[2])  # type: ignore[call-overload]
    for kind, permission, days, age in acts:
        particulars = ledger.Particulars(permission=permission, age_years=age)
        act(contact, channel, kind, NOON - timedelta(days=days), particulars=particulars)
    if world["stopped"]:
        ledger.withdraw(
            contact=contact,
            act="button",
            source="page",
            at=NOON,
            actor=Actor("recipient", contact.public_id),
            purposes=["marketing"],
            channels=["email"],
        )
    if world["listed"]:
        RegisterEntry.objects.create(
            register=str(world["listed"]),
            address_index=contact.sms_stop_index,
            answer="listed",
            checked_at=NOON,
        )
    for hours in world["sent"]:  # type: ignore[attr-defined]
        sent(contact, channel, NOON - timedelta(hours=hours))
    Contact.objects.filter(pk=contact.pk).update(
        restricted_at=NOON if world["restricted"] else None,
        phone_set_at=NOON - timedelta(days=100) if world["moved"] else None,
    )
    return contact


def plain(verdict: gate.Verdict) -> tuple[object, ...]:
    reasons = tuple((row.code, row.rule, row.source) for row in verdict.reasons)
    return verdict.verdict, reasons, verdict.defer_until, verdict.packs_version


def forecast_of(people: list[Contact], **ask: object) -> Counter[tuple[object, ...]]:
    told = Counter[tuple[object, ...]]()
    rows = Contact.objects.filter(pk__in=[contact.pk for contact in people])
    for case in forecast.counts(people=rows, **ask):  # type: ignore[arg-type]
        told[plain(case.verdict)] += case.people
    return told


def gate_on(people: list[Contact], **ask: object) -> list[tuple[object, ...]]:
    return [plain(gate.judge(contact=row, **ask)) for row in people]  # type: ignore[arg-type]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(PERSON, min_size=1, max_size=4),
    st.integers(0, 23),
    st.sampled_from(["email", "sms", "whatsapp"]),
    st.sampled_from(["marketing", "service", "view_analytics", "permission_request"]),
    st.sampled_from([(), ("health",), ("child_directed",), ("phi",)]),
)
def test_the_forecast_says_what_the_gate_says(
    worlds: list[dict[str, object]], hour: int, channel: str, purpose: str, content: tuple[str]
) -> None:
    people = [settle(world, channel) for world in worlds]
    for person_ in people:
        person_.refresh_from_db()
    ask = {"purpose_code": purpose, "channel": channel, "content": content}
    ask["at"] = NOON.replace(hour=hour)  # type: ignore[assignment]
    one_by_one = gate_on(people, **ask)
    assert [forecast_of([contact], **ask) for contact in people] == [
        Counter([verdict]) for verdict in one_by_one
    ]
    rows = Contact.objects.filter(pk__in=[contact.pk for contact in people])
    reached = forecast.reached(people=rows, **ask)  # type: ignore[arg-type]
    assert sum(reached.values()) == sum(verdict[0] != gate.REFUSE for verdict in one_by_one)
    assert forecast_of(people, **ask) == Counter(one_by_one)


CAPPED = st.fixed_dictionaries(
    {
        "place": st.sampled_from(["", "FR", "US-FL", "US-ME", "CO"]),
        "zone": st.sampled_from(["Europe/Paris", "America/New_York"]),
        "acts": st.just([("confirmed", "written", 5, 40)]),
        **dict.fromkeys(["moved", "stopped", "restricted"], st.just(False)),
        "listed": st.just(""),
        "sent": st.lists(st.sampled_from([-20, 0, 3, 9.5, 12, 23, 24, 30]), min_size=1, max_size=3),
    }
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(CAPPED, min_size=1, max_size=4), st.integers(0, 23))
def test_a_full_cap_is_judged_by_case_and_each_waits_as_long_as_the_gate_says(
    worlds: list[dict[str, object]], hour: int
) -> None:
    people = [settle(world, "sms") for world in worlds]
    for person_ in people:
        person_.refresh_from_db()
    ask: dict[str, object] = {"purpose_code": "marketing", "channel": "sms"}
    ask["at"] = NOON.replace(hour=hour)
    one_by_one = gate_on(people, **ask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "_of_those_alone", lambda *_: pytest.fail("judged alone"))
        assert forecast_of(people, **ask) == Counter(one_by_one)


def test_more_messages_than_a_case_can_tell_are_judged_all_the_same() -> None:
    contact = person(NOON)
    act(contact, "sms", "confirmed", NOON)
    for hours in (1, 5, 9, 13):
        sent(contact, "sms", NOON - timedelta(hours=hours))
    ask: dict[str, object] = {"purpose_code": "marketing", "channel": "sms", "at": NOON}
    (verdict,) = forecast_of([contact], **ask)
    assert [verdict] == gate_on([contact], **ask)
    # The third newest left nine hours ago: the day is over in fifteen, long after hours in Paris.
    assert verdict[0] == "defer"
    assert {reason[0] for reason in verdict[1]} == {"too_many"}  # type: ignore[attr-defined]


def test_who_stands_in_more_registers_than_a_case_holds_is_judged_all_the_same() -> None:
    names = ["ae.dncr", "bd.dnd", "hk.dnc", "in.dnd", "kw.dnd", "ng.dnd", "tr.iys"]
    people = []
    for name in names:
        contact = person(NOON, country=name[:2].upper(), time_zone="Etc/UTC")
        act(contact, "sms", "confirmed", NOON)
        listed = {"address_index": contact.sms_stop_index, "answer": "listed", "checked_at": NOON}
        RegisterEntry.objects.create(register=name, **listed)
        people.append(contact)
    ask: dict[str, object] = {"purpose_code": "marketing", "channel": "sms", "at": NOON}
    refused = set()
    for contact in people:
        (verdict,) = forecast_of([contact], **ask)
        if "listed" in {reason[0] for reason in verdict[1]}:  # type: ignore[attr-defined]
            refused.add(contact.country)
    # An own opt-in is stronger than the registers of Hong Kong and India.
    assert refused == {one.country for one in people} - {"HK", "IN"}
