"""What the gate says of each kind of permission, under rules that ask for one or another."""

from datetime import datetime, timedelta

import pytest

from accounts.audit import SYSTEM
from consent import gate, ledger, purposes, standing
from consent.models import Contact, RegisterEntry
from tests.consent import grants
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
RULE = """
[[rule]]
id = "{id}"
kind = "{kind}"
where = ["FR"]
valid_from = 2018-05-25
source = "test"
text = "A rule of this test."
{more}
"""
HEAD = 'title = "one country"\ncountries = ["FR"]\n'
AGREE = 'purposes = ["marketing"]\nneeds = ["given", "confirmed"]\n'
HEALTH = 'needs = ["given", "confirmed"]\nstanding = "{}"\ncontent = ["{}"]\npermissions = ["{}"]'


@pytest.fixture(autouse=True)
def _law(monkeypatch: pytest.MonkeyPatch) -> None:
    soft = 'channels = ["email"]\npermissions = ["express", "written", "soft_opt_in"]'
    rules = [
        ("sms", "consent", AGREE + 'channels = ["sms"]\npermissions = ["written"]'),
        ("email", "consent", AGREE + soft),
        ("whatsapp", "consent", AGREE + 'channels = ["whatsapp"]'),
        ("purchase", "expiry", 'months = 24\npermissions = ["implied_purchase"]'),
        ("inquiry", "expiry", 'months = 6\npermissions = ["implied_inquiry"]'),
        ("special", "consent", HEALTH.format("special_data", "health", "explicit")),
        ("phi", "consent", HEALTH.format("phi_content", "phi", "hipaa_authorization")),
        ("listed", "register", 'register = "us.dnc"\nunless = ["written"]\nchannels = ["sms"]'),
    ]
    parts = [RULE.format(id=f"t.{name}", kind=kind, more=more) for name, kind, more in rules]
    grants.law(monkeypatch, HEAD + "".join(parts))


def codes(
    contact: Contact, channel: str, *content: str, at: datetime = NOON, purpose: str = "marketing"
) -> set[str]:
    verdict = gate.judge(
        contact=contact, purpose_code=purpose, channel=channel, at=at, content=content
    )
    return {reason.code for reason in verdict.reasons} if verdict.verdict == "refuse" else {"ok"}


def test_only_written_consent_opens_a_channel_that_asks_for_it() -> None:
    contact = agreed(person(), "sms")
    assert codes(contact, "sms") == {"basis_insufficient"}
    grants.written(contact)
    assert codes(contact, "sms") == {"ok"}


def test_written_consent_outweighs_a_register() -> None:
    contact = agreed(person(), "sms")
    RegisterEntry.objects.create(
        register="us.dnc",
        address_index=contact.sms_stop_index,
        answer="listed",
        checked_at=NOON,
    )
    assert codes(contact, "sms") == {"basis_insufficient", "listed"}
    grants.written(contact)
    assert codes(contact, "sms") == {"ok"}


def test_a_soft_opt_in_opens_what_takes_it_and_no_more() -> None:
    contact = person()
    for channel in ("email", "sms"):
        grants.soft_opt_in(contact, channel=channel)
    assert codes(contact, "email") == {"ok"}
    assert codes(contact, "sms") == {"basis_insufficient"}


@pytest.mark.parametrize(("relation", "months"), [("purchase", 24), ("inquiry", 6)])
def test_implied_consent_lives_its_months_from_what_happened(relation: str, months: int) -> None:
    contact = person()
    happened_at = NOON - timedelta(days=1)
    grants.implied(contact, channel="whatsapp", relation=relation, happened_at=happened_at)
    until = gate.months_before(happened_at, -months)
    assert codes(contact, "whatsapp", at=until - timedelta(seconds=1)) == {"ok"}
    assert "expired" in codes(contact, "whatsapp", at=until)
    assert codes(contact, "email") == {"no_consent"}


def test_words_about_health_need_explicit_consent_beside_the_ordinary_one() -> None:
    contact = agreed(person(), "email")
    assert codes(contact, "email", "health") == {"no_consent"}
    grants.explicit(contact, channel="email")
    assert codes(contact, "email", "health") == {"ok"}
    assert codes(person(), "email", "health") == {"no_consent"}


def test_health_information_needs_an_authorisation_that_has_not_ended() -> None:
    contact = agreed(person(), "email")
    grants.explicit(contact, channel="email")
    assert codes(contact, "email", "phi") == {"no_consent"}
    grants.health(contact, channel="email", expires_at=NOON + timedelta(days=2))
    assert codes(contact, "email", "phi") == {"ok"}
    assert codes(contact, "email", "phi", at=NOON + timedelta(days=2)) != {"ok"}
    ledger.withdraw(
        contact=contact,
        act="button",
        source="page",
        at=NOON,
        actor=SYSTEM,
        purposes=["phi_content"],
    )
    assert codes(contact, "email", "phi") != {"ok"}


def test_a_contract_allows_service_and_not_marketing() -> None:
    contact = person()
    grants.contract(contact, channel="email")
    assert codes(contact, "email", purpose="service") == {"ok"}
    assert codes(contact, "email") == {"no_consent"}


def test_what_was_agreed_to_on_another_basis_does_not_carry_over() -> None:
    contact = agreed(person(), "email")
    refused = act(person(), "email", "refused").contact
    later = NOON + timedelta(days=1)
    for day, basis in ((later, "legitimate_interest"), (later + timedelta(days=1), "consent")):
        purposes.amend(
            code="marketing",
            title="Marketing",
            basis=basis,
            valid_from=day,
            at=NOON,
            actor=SYSTEM,
        )
    assert codes(contact, "email") == {"ok"}
    assert codes(contact, "email", at=later) == {"basis_changed"}
    assert codes(refused, "email", at=later) == {"refused"}
    # Under the old basis again, the old agreement is one to the same thing.
    assert codes(contact, "email", at=later + timedelta(days=1)) == {"ok"}


def test_an_agreement_under_the_new_basis_counts() -> None:
    contact = agreed(person(), "email")
    at = NOON + timedelta(days=1)
    purposes.amend(
        code="marketing",
        title="Marketing",
        basis="legitimate_interest",
        valid_from=at,
        at=NOON,
        actor=SYSTEM,
    )
    act(contact, "email", "given", at)
    assert codes(contact, "email", at=at) == {"ok"}
    assert standing.disagreements() == []
