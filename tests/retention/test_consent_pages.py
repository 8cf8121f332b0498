"""The console's pages on consent: the answer with its law, growth, another law."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Partner, TrailLeaf, User
from config.lib import clock
from consent import purposes, replays, reviews, rulebook
from consent.models import Contact, Propagation, Purpose, Review
from integrations.models import InboxItem
from retention import jobs
from retention.models import LawReplay
from tests.consent import people as consent_people
from tests.consent.hearing import hear
from tests.retention import story
from tests.retention.test_views import signed_in, url

PACK = """
[[rule]]
id = "draft.block"
kind = "block"
where = ["*"]
channels = ["email"]
valid_from = 2099-01-01
source = "A bill"
text = "No e-mail at all."
"""
pytestmark = pytest.mark.django_db(transaction=True)
ASKED = {"purpose": "marketing", "channel": "email"}


def read(client: Client, name: str, *args: object, **query: str) -> str:
    answer = client.get(url(name, *args), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", ["may_write", "growth", "growth_csv", "replay"])
def test_a_marketer_has_no_business_here(name: str) -> None:
    assert signed_in(User.Role.MARKETER).get(url(name)).status_code in {302, 403}


def test_a_person_is_found_by_an_address_that_stands_in_no_query() -> None:
    person, _ = story.whole()
    answer = signed_in().post(url("may_write"), {"wanted": "zoe@example.org", **ASKED})
    wanted = url("answer", person.public_id) + "?purpose=marketing&channel=email"
    assert answer["Location"] == wanted


def test_nobody_is_told_to_be_nobody() -> None:
    consent_people.person()
    answer = signed_in().post(url("may_write"), {"wanted": "no@example.org", **ASKED})
    assert (answer.status_code, b"We know nobody" in answer.content) == (422, True)


def test_one_of_many_under_an_address_is_chosen() -> None:
    other = Partner.objects.create(name="Other", created_at=story.AT)
    for partner in (None, other):
        consent_people.person(email="twin@example.org", partner=partner)
    page = signed_in().post(url("may_write"), {"wanted": "twin@example.org", **ASKED})
    assert page.content.decode().count("/may-we-write/?purpose=marketing&amp;channel=email") == 2


@pytest.mark.parametrize("role", [User.Role.OFFICER, User.Role.AUDITOR])
def test_the_answer_stands_in_one_word_with_its_law(role: str) -> None:
    person, _ = story.whole()
    page = read(signed_in(role), "answer", person.public_id, **ASKED)
    assert "<span>Yes</span>" in page
    assert "house.consent" in page
    assert "Confirmed: marketing" in page
    assert "zoe@example.org" not in page


def test_a_no_says_what_would_change_it() -> None:
    person, _ = story.whole()
    Contact.objects.filter(pk=person.pk).update(restricted_at=story.AT)
    page = read(signed_in(), "answer", person.public_id, **ASKED)
    assert "<span>No</span>" in page
    assert "They let us use their data again." in page


def test_an_instant_and_the_words_may_be_asked_about() -> None:
    person, _ = story.whole()
    before = (story.AT - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    asked = {**ASKED, "at": before, "content": "health"}
    page = read(signed_in(), "answer", person.public_id, **asked)
    assert "words about health" in page
    assert "They acted again after this instant" in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"channel": "pigeon"}, "Select a valid choice"),
        ({"at": "1999-01-01T10:00"}, "did not exist then"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(wrong: dict[str, str], told: str) -> None:
    person, _ = story.whole()
    answer = signed_in().get(url("answer", person.public_id), {**ASKED, **wrong})
    assert (answer.status_code, told in answer.content.decode()) == (422, True)


def test_the_answer_is_printed_and_kept_as_a_file() -> None:
    person, _ = story.whole()
    client = signed_in()
    page = read(client, "answer", person.public_id, **ASKED, view="print")
    assert "officer@example.org" in page
    assert 'id="nav-sidebar"' not in page
    found = json.loads(read(client, "answer", person.public_id, **ASKED, view="file"))
    assert (found["contact"], found["answer"]) == (person.public_id, "Yes")


def test_the_growth_is_drawn_and_given_as_a_file() -> None:
    story.whole()
    client = signed_in()
    asked = {"days": "365", "step": "month", "purpose": "marketing", "channel": "email"}
    assert "Agreements in force" in read(client, "growth", **asked)
    rows = list(csv.DictReader(io.StringIO(read(client, "growth_csv", **asked))))
    assert len(rows) == 13
    assert rows[-1]["in_force"] == "1"


def test_a_growth_that_cannot_be_read_is_refused() -> None:
    assert signed_in().get(url("growth"), {"days": "7"}).status_code == 422


def ask_again(client: Client, **asked: str) -> LawReplay:
    answer = client.post(url("replay"), {"law": "proposed", **asked})
    report = LawReplay.objects.latest("started_at")
    assert answer["Location"] == url("replayed", report.pk)
    return report


def test_the_past_is_judged_by_another_law() -> None:
    story.whole()
    since = (story.AT - timedelta(days=1)).date().isoformat()
    client = signed_in()
    before = TrailLeaf.objects.count()
    report = ask_again(client, since=since)
    page = read(client, "replayed", report.pk)
    assert "A job begins in a moment" in page
    assert 'hx-trigger="every 2s"' in page
    assert ask_again(client, since=since) == report
    jobs.replay(str(report.pk))
    page = read(client, "replayed", report.pk)
    assert "Nothing changes" in page
    assert "shown by their hash" in page
    assert 'hx-trigger="every 2s"' not in page
    assert TrailLeaf.objects.count() == before
    assert "Asked before" in read(client, "replay")


def test_where_nothing_was_sent_there_is_nothing_to_judge() -> None:
    client = signed_in()
    report = ask_again(client, since=(clock.now() + timedelta(days=1)).date().isoformat())
    jobs.replay(str(report.pk))
    assert "Nothing to judge again" in read(client, "replayed", report.pk)


def test_what_would_change_is_told_by_rule_with_its_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    story.whole()
    since = (story.AT - timedelta(days=1)).date().isoformat()
    (tmp_path / "draft.toml").write_text(PACK)
    book = rulebook.with_pack(tmp_path / "draft.toml")
    monkeypatch.setattr(replays, "book_of", lambda _name: book)
    client = signed_in()
    report = ask_again(client, since=since)
    jobs.replay(str(report.pk))
    page = read(client, "replayed", report.pk)
    assert "Would change" in page
    assert "No e-mail at all." in page
    assert "msg_" in page


def test_a_replay_whose_worker_died_is_not_waited_for() -> None:
    client = signed_in()
    report = ask_again(client, since="2026-01-01")
    LawReplay.objects.update(started_at=clock.now() - timedelta(hours=1))
    assert "It stopped half-way" in read(client, "replayed", report.pk)
    assert ask_again(client, since="2026-01-01") != report


def test_a_pack_that_cannot_be_read_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in()
    report = ask_again(client, since="2026-01-01")
    LawReplay.objects.update(law="nowhere")
    jobs.replay(str(report.pk))
    assert "The rules cannot be read" in read(client, "replayed", report.pk)


def test_the_law_of_a_day_wants_its_day() -> None:
    answer = signed_in().post(url("replay"), {"law": "day", "since": "2026-01-01"})
    assert (answer.status_code, b"Choose the day" in answer.content) == (422, True)
    assert not LawReplay.objects.exists()


UNSURE = "who gave you my number?"


def heard() -> Review:
    consent_people.agreed(consent_people.person(phone="+33612341234"), "sms")
    hear(UNSURE, "+33612341234")
    return reviews.waiting()[0]


def test_no_answer_waits_in_an_empty_house() -> None:
    assert "Nothing waits to be read" in read(signed_in(), "replies")


def test_an_answer_is_read_on_demand_and_the_trail_says_so() -> None:
    review = heard()
    client = signed_in()
    page = read(client, "replies")
    assert UNSURE not in page
    assert "French" in page
    page = client.post(url("reply_words", review.pk)).content.decode()
    assert UNSURE in page
    assert page.index(UNSURE) < page.index("It is a stop") < page.index("It is none")
    assert TrailLeaf.objects.filter(action="accounts.plaintext.revealed").count() == 1


@pytest.mark.parametrize(("answer", "state"), [("yes", "stop"), ("no", "no_stop")])
def test_an_officer_decides_what_it_was(answer: str, state: str) -> None:
    review = heard()
    client = signed_in()
    client.post(url("reply_decide", review.pk), {"is_stop": answer})
    review.refresh_from_db()
    assert review.state == state
    late = client.post(url("reply_decide", review.pk), {"is_stop": "yes"}, follow=True)
    assert b"A colleague has decided this one" in late.content
    assert b"Decided lately" in late.content
    review.refresh_from_db()
    assert review.state == state


def test_an_event_that_cannot_be_read_is_a_concern_and_put_away_here() -> None:
    item = hear("When do you open?", "+33612340998")
    InboxItem.objects.filter(pk=item.pk).update(processed_at=None, attempts=3)
    client = signed_in()
    assert "Events that cannot be read" in read(client, "dashboard")
    assert "Put it away" in read(client, "replies")
    answer = client.post(url("set_aside", item.pk), follow=True)
    assert "Put away." in answer.content.decode()
    answer = client.post(url("set_aside", item.pk), follow=True)
    assert "It waits no more" in answer.content.decode()


def test_no_answer_decides_nothing() -> None:
    review = heard()
    said = signed_in().post(url("reply_decide", review.pk), follow=True)
    assert b"Choose one of the two" in said.content
    review.refresh_from_db()
    assert review.state == "open"


def test_an_auditor_sees_the_queue_and_no_words() -> None:
    review = heard()
    client = signed_in(User.Role.AUDITOR)
    assert "Read it" not in read(client, "replies")
    assert client.post(url("reply_words", review.pk)).status_code == 403
    assert client.post(url("reply_decide", review.pk), {"is_stop": "yes"}).status_code == 403


def test_words_that_are_past_their_time_are_said_to_be() -> None:
    review = heard()
    InboxItem.objects.update(body_sealed=None)
    page = signed_in().post(url("reply_words", review.pk)).content.decode()
    assert "past their time" in page
    assert "It is a stop" in page


def test_how_long_others_took_to_know_is_shown_with_who_is_late() -> None:
    review, now = heard(), clock.now()
    client = signed_in()
    assert "No system had to be told yet" in read(client, "stops")
    reviews.decide(review=review, is_stop=True, at=now, staff=User.objects.get())
    row = Propagation.objects.get()
    row.state, row.done_at = "told", row.revocation.received_at + timedelta(minutes=4)
    row.save()
    page = read(client, "stops")
    assert "Nobody is late" in page
    assert "4 min" in page
    row.state, row.done_at, row.due_at = "waiting", None, now - timedelta(hours=1)
    row.save()
    assert "1 late" in read(client, "stops")


def test_the_first_page_counts_what_waits_of_consent() -> None:
    assert "None waits" in read(signed_in(), "dashboard")
    heard()
    page = read(signed_in(User.Role.AUDITOR), "dashboard")
    assert "Held back" in page
    assert "Agreements in force" in page


def amend(client: Client, **changed: str) -> int:
    whole = {
        "code": "view_analytics",
        "title": "Counting views",
        "basis": "consent",
        "valid_from": (clock.now() + timedelta(days=2)).date().isoformat(),
        **changed,
    }
    return client.post(url("purposes"), whole).status_code


def test_an_officer_gives_a_purpose_its_next_version() -> None:
    purposes.ensure_defaults(at=story.AT)
    client = signed_in()
    assert amend(client) == 302
    page = read(client, "purposes")
    assert "has version 2, in force from" in page
    assert "Planned" in page
    assert Purpose.objects.get(code="view_analytics", version=1).title != "Counting views"
    leaf = TrailLeaf.objects.get(action="consent.purpose.amended")
    assert leaf.actor_id == str(User.objects.get().pk)


@pytest.mark.parametrize(
    "wrong", [{"valid_from": "2026-01-01"}, {"code": "pigeons"}, {"title": ""}]
)
def test_a_version_that_cannot_be_changes_nothing(wrong: dict[str, str]) -> None:
    purposes.ensure_defaults(at=story.AT)
    assert amend(signed_in(), **wrong) == 422
    assert not Purpose.objects.filter(version=2).exists()


def test_an_auditor_reads_the_purposes_and_changes_none() -> None:
    purposes.ensure_defaults(at=story.AT)
    client = signed_in(User.Role.AUDITOR)
    assert "Add this version" not in read(client, "purposes")
    assert amend(client) == 403
