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
        "country": st.sampled_from(["", "FR", "DE", "US", "IN", "CA", "JP"]),
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
        # Hours ago.
        "sent": st.lists(st.sampled_from([0, 3, 12, 30]), max_size=4),
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
    contact = person(NOON, country=world["country"], time_zone=world["zone"])
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
    rows = Contact.objects.filter(pk__in=[contact.pk for contact in people])
    ask = {"purpose_code": purpose, "channel": channel, "content": content}
    at = NOON.replace(hour=hour)
    found = {pk: plain(row) for pk, row in forecast.rows(people=rows, at=at, **ask)}  # type: ignore[arg-type]
    one_by_one = {row.pk: plain(gate.judge(contact=row, at=at, **ask)) for row in rows}  # type: ignore[arg-type]
    assert found == one_by_one
    counted = Counter[tuple[object, ...]]()
    for case in forecast.counts(people=rows, at=at, **ask):  # type: ignore[arg-type]
        counted[plain(case.verdict)] += case.people
    assert counted == Counter(one_by_one.values())


def test_who_stands_in_more_registers_than_a_case_holds_is_judged_all_the_same() -> None:
    names = ["ae.dncr", "bd.dnd", "hk.dnc", "in.dnd", "kw.dnd", "ng.dnd", "tr.iys"]
    people = []
    for name in names:
        contact = person(NOON, country=name[:2].upper(), time_zone="Etc/UTC")
        act(contact, "sms", "confirmed", NOON)
        listed = {"address_index": contact.sms_stop_index, "answer": "listed", "checked_at": NOON}
        RegisterEntry.objects.create(register=name, **listed)
        people.append(contact)
    rows = Contact.objects.filter(pk__in=[contact.pk for contact in people])
    found = forecast.rows(people=rows, purpose_code="marketing", channel="sms", at=NOON)
    refused = {pk for pk, row in found if "listed" in {reason.code for reason in row.reasons}}
    # An own opt-in is stronger than the registers of Hong Kong and India.
    assert refused == {one.pk for one in people if one.country not in {"HK", "IN"}}
