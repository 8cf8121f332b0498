from datetime import timedelta

import pytest

from accounts import audit
from consent import intake, ledger, signals
from consent.models import Message
from consent.unknowns import REASONS
from integrations import connections
from tests.videos import stage
from tests.videos.stage import AT
from tests.videos.test_delivery import begun
from videos import audiences, campaigns, delivery, links, playback, progress
from videos.models import Campaign, Link, Recipient

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=2)


@pytest.fixture
def sent() -> Campaign:
    connections.ensure_local(at=AT)
    yes = stage.agreed(stage.person())
    stage.person(name="No", email="no@example.org", phone="")
    failing = stage.person(name="Bad", email="fails@example.org", phone="+4915112345679")
    made = begun(yes, stage.agreed(failing))
    delivery.work(campaign_id=made.pk, at=LATER)
    delivery.dispatch(at=LATER)
    # The receipt of the first message is taken before the second, but which is first is chance.
    intake.take_waiting(at=LATER)
    return made


def test_progress_counts_people_by_outcome(sent: Campaign) -> None:
    seen = campaigns.progress(campaign=sent)
    assert (seen.total, seen.done, seen.failed, seen.skipped, seen.deferred) == (3, 3, 1, 1, 0)
    assert seen.rate == 1.5
    assert seen.eta_seconds is None


def test_what_is_left_takes_as_long_as_what_was_done(sent: Campaign) -> None:
    Recipient.objects.filter(state="refused").update(state="waiting", settled_at=None)
    seen = campaigns.progress(campaign=sent)
    assert (seen.done, seen.rate, seen.eta_seconds) == (2, 1.0, 60)
    assert seen.phase == "personalising"


def test_the_funnel_narrows_to_those_who_played(sent: Campaign) -> None:
    link = links.with_keys().get(message__state="delivered")
    playback.start_play(link=link, at=LATER)
    stages = {one.code: one.count for one in campaigns.funnel(campaign=sent)}
    assert stages == {"audience": 3, "allowed": 2, "sent": 1, "delivered": 1, "played": 1}
    assert Link.objects.filter(plays=1).count() == 1


def test_who_asks_not_to_be_counted_is_in_no_figure(sent: Campaign) -> None:
    link = links.with_keys().get(message__state="delivered")
    playback.start_play(link=link, at=LATER)
    signals.gpc(contact=link.contact, at=LATER)
    stages = {one.code: one.count for one in campaigns.funnel(campaign=sent)}
    assert stages["played"] == 0


def test_refusals_come_with_rule_and_source(sent: Campaign) -> None:
    (cause,) = progress.refusals(campaign=sent)
    assert (cause.code, cause.count) == ("no_consent", 1)
    assert cause.rule
    assert "GDPR" in cause.source


def test_people_of_many_countries_are_not_refused_by_the_law_of_one() -> None:
    connections.ensure_local(at=AT)
    yes = stage.agreed(stage.person())
    for country in ("DE", "FR", "ES"):
        stage.person(name="No", email=f"{country}@example.org", phone="", country=country)
    made = begun(yes)
    (seen,) = audiences.outlook(campaign=made, at=AT).reasons
    delivery.work(campaign_id=made.pk, at=LATER)
    (cause,) = progress.refusals(campaign=made)
    for count, rule, text in (
        (seen["count"], seen["rule"], seen["text"]),
        (cause.count, cause.rule, cause.text),
    ):
        assert (count, rule) == (3, "house.consent")
        assert str(text).startswith("Nobody asked them")


def test_failures_are_grouped_by_cause(sent: Campaign) -> None:
    (cause,) = progress.failures(campaign=sent)
    assert cause.count == 1
    assert cause.text


@pytest.mark.parametrize("problem", ["no_answer", *(f"not_delivered_{one}" for one in REASONS)])
def test_an_unanswered_message_has_its_cause_in_words(sent: Campaign, problem: str) -> None:
    Message.objects.filter(state="failed").update(problem=problem)
    (cause,) = progress.failures(campaign=sent)
    assert len(cause.text.split()) > 5


def test_those_who_stopped_since_the_start_are_counted(sent: Campaign) -> None:
    contact = Link.objects.filter(message__state="delivered").get().contact
    ledger.withdraw(contact=contact, act="keyword", source="sms", at=LATER, actor=audit.SYSTEM)
    assert progress.stopped(campaign=sent) == 1
