"""Does `verify` see a stop undone, a law that is not what it says, a paper that names somebody?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from consent import outbox, propagation, reviews, rulebook
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
from tests.consent.test_outbox import queued
from tests.contracts.test_promises import guards_off
from tests.retention import people, story
from tests.videos import stage
from tests.videos.test_presenters import ANNA
from videos.models import Campaign, EgressManifest, Link, Render, Script

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
    silent = {check.what for check in checks if not check.rows}
    # Of those, this story has none.
    assert silent == {
        "each campaign is judged by all that its words are about",
        "each presenter had allowed what left with their face",
        "each presenter had signed before anything of them left",
        "each unsure answer was settled by somebody who read it",
    }


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


def plant_revocation_nobody_passes_on() -> str:
    stopped()
    row = Propagation.objects.earliest("pk")
    Propagation.objects.filter(pk=row.pk).delete()
    return f"revocation {row.revocation_id}: connection {row.connection_id} is not to be told"


def plant_hand_off_of_another_hour() -> str:
    stopped()
    Message.objects.update(claimed_at=NOON - MINUTE)
    return f"message {Message.objects.get().pk}: left without being judged again"


def plant_permission_that_had_ended() -> str:
    ana = agreed(person(phone=PHONE), "email")
    message = queued(ana, "email")
    outbox.dispatch(at=NOON)
    with guards_off("consent_consentevent"):
        ConsentEvent.objects.filter(channel="email").update(valid_until=NOON - MINUTE)
    return f"message {message.pk}: left after the permission had ended"


def plant_unjudged_words() -> str:
    made = stage.campaign()
    text = "Hello {{ name }}. Your diabetes check-up is due."
    Script.objects.create(campaign=made, language="en", text=text, updated_at=NOON)
    Campaign.objects.update(content=[], started_at=NOON)
    return f"campaign {made.pk}: is about health and not judged by it"


def plant_face_without_release() -> str:
    _, link = story.whole()
    Render.objects.update(presenter_code=ANNA)
    message = Message.objects.get()
    Link.objects.filter(pk=link.pk).update(message=message)
    return f"message {message.pk}: presenter_not_released when it left"


def plant_render_without_release() -> str:
    story.whole()
    Render.objects.update(presenter_code=ANNA)
    return f"manifest {EgressManifest.objects.get().pk}: its presenter had signed no release"


def settled(*, is_stop: bool) -> Review:
    return reviews.decide(
        review=doubted(), is_stop=is_stop, at=NOON + MINUTE / 2, staff=people.officer()
    )


def plant_review_settled_by_nobody() -> str:
    review = doubted()
    Review.objects.update(state="no_stop", decided_at=NOON)
    Suppression.objects.update(lifted_at=NOON, lifted_by="not_a_stop")
    return f"review {review.pk}: nobody is known to have settled it"


def plant_review_without_an_end() -> str:
    review = settled(is_stop=True)
    Review.objects.update(decided_at=None)
    return f"review {review.pk}: is settled and has no end"


def plant_stop_let_go() -> str:
    review = settled(is_stop=True)
    Suppression.objects.update(lifted_at=NOON + MINUTE, lifted_by="not_a_stop")
    return f"review {review.pk}: it was a stop, and was let go as none"


def test_a_review_that_an_officer_settled_is_no_fault() -> None:
    settled(is_stop=False)
    assert named() == ""


@pytest.mark.parametrize(
    "plant",
    [
        plant_revocation_nobody_passes_on,
        plant_hand_off_of_another_hour,
        plant_permission_that_had_ended,
        plant_unjudged_words,
        plant_face_without_release,
        plant_render_without_release,
        plant_review_settled_by_nobody,
        plant_review_without_an_end,
        plant_stop_let_go,
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
