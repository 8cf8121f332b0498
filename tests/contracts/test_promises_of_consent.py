"""Does `verify` see a stop undone, a law that is not what it says, a paper that names somebody?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from consent import outbox, propagation, rulebook
from consent.models import (
    ConsentEvent,
    Contact,
    Decision,
    Message,
    Notice,
    Propagation,
    Review,
    StopConfirmation,
    Suppression,
)
from retention.checks import consent, law, trail
from tests.consent import grants
from tests.consent.hearing import hear
from tests.consent.people import NOON, act, agreed, person
from tests.contracts.test_promises import guards_off

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "+33612341234"
UNSURE = "who gave you my number?"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ROLE = "sealcast_test_meddler"


def stopped() -> Contact:
    """Let somebody agree and stop, be told so, and the other systems with them."""
    ana = agreed(person(phone=PHONE), "sms")
    hear("STOP", PHONE)
    outbox.dispatch(at=NOON)
    propagation.pass_on(at=NOON)
    return ana


def doubted() -> Review:
    agreed(person(phone=PHONE), "sms")
    hear(UNSURE, PHONE)
    return Review.objects.get()


def named(*, days: int = 0) -> str:
    checks = consent.check(at=NOON + MINUTE + days * DAY)
    return "\n".join(violation for check in checks for violation in check.first)


def test_a_stop_and_a_doubt_that_stand_are_no_fault() -> None:
    grants.written(stopped())
    hear(UNSURE, "+33612340000")
    checks = list(consent.check(at=NOON + MINUTE))
    assert [check.first for check in checks if check.first] == []
    assert [check.what for check in checks if not check.rows] == []


def plant_lost_suppression() -> str:
    stopped()
    row = Suppression.objects.get(channel="sms")
    Suppression.objects.filter(pk=row.pk).delete()
    return f"suppression {row.pk}: is gone"


def plant_lifted_suppression() -> str:
    stopped()
    row = Suppression.objects.get(channel="email")
    Suppression.objects.filter(pk=row.pk).update(lifted_at=NOON, lifted_by="confirmed")
    return f"suppression {row.pk}: nobody is known to have lifted it"


def plant_loosened_review() -> str:
    review = doubted()
    Suppression.objects.update(lifted_at=NOON, lifted_by="not_a_stop")
    return f"review {review.pk}: may be written to before anybody read it"


def plant_untold_stop() -> str:
    stopped()
    row = Propagation.objects.earliest("pk")
    Propagation.objects.update(state="waiting", done_at=None, due_at=NOON)
    return f"propagation {row.pk}: is late"


def plant_open_end() -> str:
    stopped()
    row = Propagation.objects.earliest("pk")
    Propagation.objects.update(done_at=None)
    return f"propagation {row.pk}: is closed and has no end"


def plant_pretended_telling() -> str:
    agreed(person(phone=PHONE), "sms")
    hear("STOP", PHONE)
    row = Propagation.objects.earliest("pk")
    Propagation.objects.update(state="told", done_at=NOON)
    return f"propagation {row.pk}: nobody is known to have told it"


def plant_second_confirmation() -> str:
    stopped()
    StopConfirmation.objects.all().delete()
    return f"message {Message.objects.get().pk}: confirms no stop"


def plant_late_confirmation() -> str:
    stopped()
    Message.objects.update(claimed_at=NOON + 5 * MINUTE)
    return f"message {Message.objects.get().pk}: confirmed a stop too late"


def plant_changed_reason() -> str:
    stopped()
    with guards_off("consent_decision"):
        Decision.objects.update(reasons=[])
    return "a decision: the same facts lead to another verdict"


def plant_named_source() -> str:
    ana = person(email="ana.mueller@example.org")
    act(ana, "email", "given")
    with guards_off("consent_consentevent"):
        ConsentEvent.objects.update(source="ana.mueller@example.org")
    return f"contact {ana.pk}: their receipt or record names them"


def plant_other_words() -> str:
    event = grants.written(person())
    with guards_off("consent_notice"):
        Notice.objects.update(text="You agree to everything.")
    return f"notice {str(event.notice_id)[:12]}: is not the text that was shown"


@pytest.mark.parametrize(
    "plant",
    [
        plant_lost_suppression,
        plant_lifted_suppression,
        plant_loosened_review,
        plant_untold_stop,
        plant_open_end,
        plant_pretended_telling,
        plant_second_confirmation,
        plant_late_confirmation,
        plant_changed_reason,
        plant_named_source,
        plant_other_words,
    ],
)
def test_a_planted_violation_is_named(plant: Callable[[], str]) -> None:
    assert plant() in named()


def test_who_confirmed_anew_is_not_held_back_by_an_old_doubt() -> None:
    doubted()
    ana = Contact.objects.get()
    act(ana, "sms", "confirmed", NOON + MINUTE)
    assert Suppression.objects.get(channel="sms").lifted_by == "confirmed"
    assert "may be written to before" not in named()


def test_a_rule_that_is_not_what_its_tests_say_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    book = rulebook.book()
    wrong = replace(next(row for row in book.rules if row.tests), tests=("given -> maybe",))
    rules = tuple(wrong if row.id == wrong.id else row for row in book.rules)
    monkeypatch.setattr(rulebook, "book", lambda: replace(book, rules=rules))
    assert f"rule {wrong.id}: given -> maybe came to" in named()


def test_a_database_that_would_take_a_second_confirmation_is_named() -> None:
    table = StopConfirmation._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO kept_aside")
        cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM kept_aside")
        found = named()
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(f"ALTER TABLE kept_aside RENAME TO {table}")
    assert "revocation_id may stand there twice" in found
    assert "message_id may stand there twice" in found
    assert "nothing holds the five minutes" in found
    assert named() == ""


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no roles")
def test_a_role_that_may_change_evidence_is_named() -> None:
    call_command("database_role", "--name", ROLE, stdout=StringIO())
    try:
        assert trailing() == ""
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT DELETE ON accounts_trailleaf TO {ROLE}")
        assert f"role {ROLE}: may change rows of accounts_trailleaf" in trailing()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {ROLE}")
            cursor.execute(f"DROP ROLE {ROLE}")


def trailing() -> str:
    roles = [one for one in trail.check(at=NOON) if one.what.startswith("no role")]
    return "\n".join(roles[0].first)


def test_what_other_packs_decided_is_left_to_them() -> None:
    stopped()
    with guards_off("consent_decision"):
        Decision.objects.update(reasons=[], packs_version="0" * 64)
    found = [tally for tally in law.check(at=NOON + MINUTE) if "judged again" in tally.what]
    assert [(tally.rows, tally.faults) for tally in found] == [(0, 0)]
