import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.audit import SYSTEM
from consent import contacts, explanations, gate, ledger, purposes, rulebook, suppression
from consent.explanations import Explanation
from consent.models import Contact, RegisterEntry
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 10, 8, 3, 0, tzinfo=UTC)
COMING = """
title = "A draft"
[[rule]]
id = "draft.begins"
kind = "consent"
where = ["FR"]
purposes = ["marketing"]
needs = ["confirmed"]
valid_from = 2027-01-31
source = "An act"
text = "Marketing needs a confirmation."

[[rule]]
id = "draft.proposed"
kind = "block"
where = ["FR"]
channels = ["email"]
valid_from = 2026-01-01
status = "proposed"
source = "A bill"
text = "No e-mail at all."
"""


def floridian() -> Contact:
    return person(country="US", region="FL", phone="+19045550123", time_zone="")


def signed(contact: Contact) -> Contact:
    written = ledger.Particulars(permission="written")
    act(contact, "sms", "given", NOON - timedelta(days=1), particulars=written)
    act(contact, "sms", "confirmed", NOON - timedelta(days=1))
    return contact


def why(
    contact: Contact,
    channel: str = "email",
    at: datetime = NOON,
    purpose: str = "marketing",
    content: tuple[str, ...] = (),
) -> Explanation:
    return explanations.explain(
        contact=contact, purpose_code=purpose, channel=channel, at=at, content=content
    )


def outcome(found: Explanation, rule_id: str) -> tuple[str, str]:
    return next((row.outcome, row.why) for row in found.looked if row.rule.id == rule_id)


def fact(found: Explanation, term: str) -> str:
    return next(f"{row.words}; {row.why}" for row in found.facts if row.term == term)


@pytest.mark.parametrize("purpose", ["marketing", "service", "permission_request", "sharing"])
@pytest.mark.parametrize("channel", ["email", "sms", "whatsapp"])
def test_the_answer_is_the_gates_own_of_the_same_facts(purpose: str, channel: str) -> None:
    contact = floridian()
    act(contact, channel, "claimed")
    agreed(contact, channel)
    for at in (NOON, NIGHT):
        judged = gate.judge(contact=contact, purpose_code=purpose, channel=channel, at=at)
        assert why(contact, channel, at, purpose).verdict == judged


def test_a_yes_cites_its_grounds_and_needs_nothing() -> None:
    found = why(agreed(person(), "email"))
    assert (found.answer, found.next_at, found.remedies) == ("Yes", NOON, ())
    assert "house.consent" in {rule.id for _, rule in found.reasons}
    assert outcome(found, "house.consent") == ("met", "Confirmed on 7 Oct 2026, plain opt-in.")


def test_a_no_says_what_would_make_it_a_yes_and_who_can() -> None:
    found = why(person())
    assert (found.answer, found.next_at) == ("No", None)
    assert [row.who for row in found.remedies] == ["the person"]
    assert outcome(found, "house.consent") == ("not_met", "They were never asked.")


def test_a_withdrawal_is_told_on_every_rule_that_asks_for_consent() -> None:
    contact = agreed(person(), "email")
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    found = why(contact)
    assert outcome(found, "eu.eprivacy.consent")[0] == "not_met"
    assert {row.code for row in found.remedies} == {"withdrawn", "suppressed"}
    assert fact(found, "Stop list") == "On it; Reason: page"


def test_what_waits_says_until_when_and_on_which_clock() -> None:
    found = why(signed(floridian()), "sms", NIGHT)
    opens = datetime(2026, 10, 8, 12, 0, tzinfo=UTC)
    assert (found.answer, found.next_at) == ("Not yet", opens)
    assert outcome(found, "us.tcpa.hours")[0] == "waits"
    assert found.clocks[0].local.strftime("%H:%M") == "23:00"
    assert "08:00" in {f"{row.local:%H:%M}" for row in why(floridian(), "sms", opens).clocks}


def test_a_no_at_night_still_says_when_its_hours_open() -> None:
    found = why(floridian(), "sms", NIGHT)
    assert (found.answer, found.next_at) == ("No", None)
    assert found.opens_at == datetime(2026, 10, 8, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule_id", "told"),
    [
        ("us.tcpa.express_consent", "Speaks of service only."),
        ("us.whatsapp.no_marketing", "Speaks of WhatsApp only."),
        ("house.ask_ground", "Asked only where the message asks for consent."),
        ("house.still_valid", "Asked at hand-off only: does the message still lead to something?"),
    ],
)
def test_a_rule_that_does_not_apply_says_why(rule_id: str, told: str) -> None:
    assert outcome(why(floridian(), "sms"), rule_id) == ("not_applicable", told)


def test_rules_of_other_places_are_counted_only() -> None:
    found = why(person())
    assert not any(row.rule.where == {"US-FL"} for row in found.looked)
    assert found.elsewhere + len(found.looked) == len(rulebook.book().rules)


def test_places_say_why_we_think_so() -> None:
    found = why(person(country="DE", phone="+33612340001"))
    told = {row.words: row.why for row in found.facts if row.term == "Place"}
    assert told == {
        "DE": "We hold it as their home",
        "FR": "Their number begins with its code",
    }
    assert fact(why(person(country="", phone="")), "Place").startswith("Not known")


def test_a_coming_rule_is_told_with_what_it_would_say(settings: Settings, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.toml").write_text(COMING)
    contact = person()
    act(contact, "email", "given")
    rulebook._signature.cache_clear()
    try:
        found = why(contact)
    finally:
        rulebook._signature.cache_clear()
    assert found.answer == "Yes"
    told = [
        (row.on and row.on.isoformat(), row.verdict, row.codes)
        for row in found.changes
        if any(rule.source in {"An act", "A bill"} for _, rule in row.rules)
    ]
    assert told == [
        ("2027-01-31", "refuse", ("not_confirmed",)),
        (None, "refuse", ("channel_blocked",)),
    ]


def test_an_instant_that_has_passed_is_answered_as_it_stood() -> None:
    contact = agreed(person(), "email")
    later = NOON + timedelta(days=3)
    ledger.withdraw(contact=contact, act="button", source="page", at=later, actor=SYSTEM)
    then, now = why(contact), why(contact, at=later)
    assert (then.answer, now.answer) == ("Yes", "No")
    assert then.caveats == ("They acted again after this instant; those acts do not count here.",)
    assert len(then.acts) == 2
    assert now.acts[0].title == "Withdrawn: marketing"


def test_a_record_that_was_changed_since_is_said_to_be() -> None:
    contact = agreed(person(), "email")
    for column in ("updated_at", "email_set_at"):
        Contact.objects.filter(pk=contact.pk).update(**{column: NOON + timedelta(days=1)})
        contact.refresh_from_db()
        assert len(why(contact).caveats) == 1
    assert "replaced" in why(contact).caveats[0]


def test_what_the_words_speak_of_and_the_registers_are_told() -> None:
    contact = agreed(floridian(), "sms")
    RegisterEntry.objects.create(
        register="us.dnc",
        address_index=contacts.stop_index(contact, "sms"),
        answer="clear",
        checked_at=NOON,
    )
    found = why(contact, "sms", content=("health",))
    assert fact(found, "Words") == "They speak of health; "
    assert fact(found, "special data") == "No act at all; "
    told = [row.words for row in found.facts if row.term == "Register"]
    assert "us.dnc: Not listed" in told
    assert "us.fl.dnc: not asked" in told


def test_what_is_held_back_may_be_let_go_by_reading_it() -> None:
    contact = agreed(person(), "email")
    suppression.suppress(contact=contact, channel="email", reason=suppression.PROVISIONAL, at=NOON)
    remedy = why(contact).remedies[0]
    assert (remedy.code, remedy.who) == ("held_back", "us")


def test_other_channels_are_answered_beside_it() -> None:
    found = why(agreed(person(), "email"), "sms")
    assert dict(found.channels) == {"email": "allow", "whatsapp": "refuse"}


def test_the_whole_is_given_to_a_machine_without_a_name_or_an_address() -> None:
    contact = agreed(person(), "email")
    text = json.dumps(why(contact).plain())
    plain = contacts.opened(contact=contact, at=NOON)
    assert plain.name not in text
    assert plain.email not in text
    assert json.loads(text)["inputs_sha256"] == why(contact).verdict.inputs_sha256


def test_an_unknown_purpose_is_none() -> None:
    with pytest.raises(purposes.UnknownPurpose):
        why(person(), purpose="nothing")
