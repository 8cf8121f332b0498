import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.audit import SYSTEM
from consent import (
    contacts,
    facts,
    ledger,
    outbox,
    past,
    personal_data,
    purposes,
    replays,
    revocations,
    rulebook,
)
from consent.facts import Subject
from consent.models import Contact, Decision, Message, Purpose, Revocation
from consent.past import Case
from consent.replays import Replay
from consent.rulebook import Rulebook
from integrations import connections
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=30)
PACK = """
title = "A draft"
[[rule]]
id = "draft.confirmed"
kind = "consent"
where = ["FR"]
purposes = ["marketing"]
needs = ["confirmed"]
valid_from = 2099-01-01
source = "A bill"
text = "Marketing needs a confirmation."
"""


def queue(contact: Contact, at: datetime = NOON, channel: str = "email") -> Decision:
    sandbox, _ = connections.ensure_local(at=at)
    decision, _ = outbox.queue(
        contact=contact,
        connection=sandbox,
        purpose_code="marketing",
        channel=channel,
        context_type="consent.test",
        context_id=None,
        idempotency_key=uuid.uuid4().hex,
        subject="Hello",
        text="There is a video for you.",
        at=at,
        actor=SYSTEM,
    )
    return decision


def send(contact: Contact, at: datetime = NOON) -> Message:
    decision = queue(contact, at)
    assert outbox.dispatch(at=at).sent == 1
    return Message.objects.get(decision=decision)


def given(at: datetime = NOON) -> Contact:
    contact = person(at)
    act(contact, "email", "given", at)
    return contact


@pytest.fixture
def draft(tmp_path: Path) -> Rulebook:
    path = tmp_path / "draft.toml"
    path.write_text(PACK)
    return rulebook.with_pack(path)


def again(book: Rulebook, *, refusals_too: bool = False) -> Replay:
    since = NOON - timedelta(days=1)
    return replays.replay(book=book, since=since, until=LATER, at=LATER, refusals_too=refusals_too)


def test_a_rule_not_yet_in_force_says_what_it_would_change(draft: Rulebook) -> None:
    message = send(given())
    send(agreed(person(), "email"))
    found = again(draft)
    assert (found.total, found.judged, found.proven, found.changed) == (2, 2, 2, 1)
    assert found.turns == {("allow", "refuse"): 1}
    assert found.by_rule == {("not_confirmed", "draft.confirmed", "allow", "refuse"): 1}
    assert found.rules["draft.confirmed"].source == "A bill"
    assert [row.message for row in found.examples] == [message.public_id]
    assert found.by_channel == {("email", "refuse"): 1, ("email", "same"): 1}
    assert found.by_place == {("FR", "refuse"): 1, ("FR", "same"): 1}


def test_the_book_in_force_changes_nothing() -> None:
    send(given())
    found = again(rulebook.book())
    assert (found.judged, found.changed, found.otherwise_reasoned) == (1, 0, 0)


def test_what_happened_since_does_not_change_the_facts_of_then(draft: Rulebook) -> None:
    contact = given()
    send(contact)
    act(contact, "email", "confirmed", NOON + timedelta(days=1))
    ledger.withdraw(
        contact=contact, act="button", source="page", at=NOON + timedelta(days=2), actor=SYSTEM
    )
    found = again(draft)
    assert (found.proven, found.changed) == (1, 1)


def test_messages_of_one_round_count_in_the_order_they_left() -> None:
    contact = agreed(person(), "email")
    for _ in range(3):
        queue(contact)
    assert outbox.dispatch(at=NOON).sent == 3
    found = again(rulebook.book())
    assert (found.judged, found.proven) == (3, 3)


def test_refusals_are_judged_when_asked_for(draft: Rulebook) -> None:
    decision = queue(person())
    assert decision.verdict == "refuse"
    assert again(draft).total == 0
    found = again(draft, refusals_too=True)
    assert (found.total, found.proven, found.changed) == (1, 1, 0)


def test_a_refusal_that_falls_away_names_the_rule_that_fell() -> None:
    contact = person(country="DE", phone="", time_zone="Europe/Berlin")
    act(contact, "email", "given")
    decision = queue(contact)
    assert decision.verdict == "refuse"
    found = again(rulebook.as_of(date(2003, 1, 1)), refusals_too=True)
    assert found.turns == {("refuse", "allow"): 1}
    assert {rule_id for _, rule_id, _, _ in found.by_rule} == {decision.reasons[0]["rule"]}


def test_an_erased_person_is_left_out(draft: Rulebook) -> None:
    contact = given()
    send(contact)
    personal_data.erase(contact_id=contact.pk, at=NOON + timedelta(days=1))
    found = again(draft)
    assert (found.judged, found.left_out) == (0, {"gone": 1})


def test_a_replaced_address_is_left_out(draft: Rulebook) -> None:
    contact = given()
    send(contact)
    Contact.objects.filter(pk=contact.pk).update(email_set_at=NOON + timedelta(days=1))
    assert again(draft).left_out == {"gone": 1}


def test_facts_that_lead_elsewhere_today_are_left_out(draft: Rulebook) -> None:
    contact = given()
    send(contact)
    contacts.register(
        partner=None,
        name="Ana",
        email=contacts.opened(contact=contact, at=NOON).email,
        phone="",
        language="de",
        time_zone="",
        country="DE",
        attributes={},
        source="test",
        at=NOON + timedelta(days=1),
        actor=SYSTEM,
    )
    found = again(draft)
    assert (found.judged, found.left_out) == (0, {"facts": 1})


def test_a_law_that_was_changed_for_the_past_is_told_apart(draft: Rulebook) -> None:
    send(given())
    lied = Decision.objects.get(phase="hand_off")
    lied.pk, lied.reasons = uuid.uuid4(), [{"code": "consent_claimed", "rule": "old.rule"}]
    lied.save(force_insert=True)
    assert again(draft).left_out == {"law": 1}


def test_a_dead_link_is_not_the_laws_refusal(draft: Rulebook) -> None:
    contact = given()
    send(contact)
    row = Decision.objects.get(phase="hand_off")
    row.pk, row.verdict = uuid.uuid4(), "refuse"
    row.reasons = [{"code": "link_dead", "rule": "house.still_valid", "source": "x"}]
    row.save(force_insert=True)
    found = again(draft, refusals_too=True)
    assert (found.total, found.judged, found.left_out["not_of_law"]) == (2, 1, 1)


def test_the_newest_are_chosen_and_progress_is_told(draft: Rulebook) -> None:
    for hours in range(3):
        send(given(NOON + timedelta(hours=hours)), NOON + timedelta(hours=hours))
    heard: list[tuple[int, int]] = []
    found = replays.replay(
        book=draft,
        since=NOON,
        until=LATER,
        at=LATER,
        newest=2,
        heard=lambda done, total: heard.append((done, total)),
    )
    assert (found.total, heard) == (2, [(2, 2)])
    assert min(row.at for row in found.examples) == NOON + timedelta(hours=1)


def test_the_facts_of_now_are_those_of_the_gate() -> None:
    at = datetime(2026, 10, 8, 9, 0, tzinfo=UTC)
    contact = agreed(person(), "email")
    send(contact)
    act(person(), "email", "claimed")
    ledger.withdraw(
        contact=agreed(person(), "sms"), act="button", source="page", at=NOON, actor=SYSTEM
    )
    ledger.record(
        contact=contact,
        purpose_code="service",
        channel="email",
        kind="given",
        act="paper",
        source="test",
        at=NOON - timedelta(days=1),
        actor=SYSTEM,
    )
    Purpose.objects.create(
        code="service", version=2, title="Service", basis="consent", valid_from=NOON
    )
    for code in ("marketing", "permission_request", "service"):
        for channel in ("email", "sms"):
            people = list(Contact.objects.select_related("key", "place"))
            subject = Subject(purposes.current(code, at), channel, ("health",))
            built = past.gather([Case(one, subject, at) for one in people])
            assert built == facts.gather(people=people, subject=subject, at=at)


def test_memory_holds_a_batch_at_a_time(draft: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "BATCH_ROWS", 2)
    for _ in range(5):
        send(given())
    sizes: list[int] = []
    again_whole = past.gather

    def counted(cases: list[Case]) -> list[facts.Facts]:
        sizes.append(len(cases))
        return again_whole(cases)

    monkeypatch.setattr(past, "gather", counted)
    assert again(draft).changed == 5
    assert sizes == [2, 2, 1]


WIDE = """
[[rule]]
id = "draft.reach"
kind = "revocation"
where = ["FR"]
scope = "all"
valid_from = 2099-01-01
source = "A bill"
text = "One stop ends everything."
"""


@pytest.mark.parametrize(
    ("by_rule", "days", "turned"),
    [
        ("some.rule", 1, {("allow", "refuse"): 1}),
        # The person named its reach, or agreed again since.
        (revocations.AS_SAID, 1, {}),
        ("some.rule", -1, {}),
    ],
)
def test_a_stop_that_was_narrow_reaches_as_far_as_the_other_law_says(
    tmp_path: Path, by_rule: str, days: int, turned: dict[tuple[str, str], int]
) -> None:
    contact = given()
    said = NOON + timedelta(days=days)
    Revocation.objects.create(
        contact=contact,
        means="keyword",
        scope_rule=by_rule,
        channels=["sms"],
        purposes=["marketing"],
        received_at=said,
        effective_at=said,
    )
    send(contact, NOON + timedelta(days=2))
    (tmp_path / "wide.toml").write_text(WIDE)
    found = again(rulebook.with_pack(tmp_path / "wide.toml"))
    assert found.turns == turned
    assert all(rule_id == "draft.reach" for _, rule_id, _, _ in found.by_rule)


def test_the_law_of_a_day_holds_at_all_times() -> None:
    book = rulebook.as_of(date(2003, 1, 1))
    kept = {rule.id for rule in book.rules}
    assert {"house.erased", "us.tcpa.hours"} <= kept
    assert "us.whatsapp.no_marketing" not in kept
    assert book.version != rulebook.book().version


def test_a_pack_that_lies_there_already_is_not_read_twice(
    settings: Settings, tmp_path: Path
) -> None:
    settings.HOME = tmp_path
    (tmp_path / "rules").mkdir()
    path = tmp_path / "rules" / "own.toml"
    path.write_text(PACK)
    rulebook._signature.cache_clear()
    send(given())
    assert again(rulebook.with_pack(path)).changed == 1
    rulebook._signature.cache_clear()
