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
from consent import rulebook
from consent.models import Contact
from retention.views import replay
from tests.consent import people as consent_people
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


def test_the_past_is_judged_by_another_law() -> None:
    story.whole()
    since = (story.AT - timedelta(days=1)).date().isoformat()
    client = signed_in()
    before = TrailLeaf.objects.count()
    page = read(client, "replay", law="proposed", since=since)
    assert "Nothing changes" in page
    assert "shown by their hash" in page
    assert TrailLeaf.objects.count() == before
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    assert "Nothing to judge again" in read(client, "replay", law="proposed", since=tomorrow)


def test_what_would_change_is_told_by_rule_with_its_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    story.whole()
    since = (story.AT - timedelta(days=1)).date().isoformat()
    (tmp_path / "draft.toml").write_text(PACK)
    book = rulebook.with_pack(tmp_path / "draft.toml")
    monkeypatch.setattr(replay.replays, "book_of", lambda _name: book)
    page = read(signed_in(), "replay", law="proposed", since=since)
    assert "Would change" in page
    assert "No e-mail at all." in page
    assert "msg_" in page


def test_the_law_of_a_day_wants_its_day() -> None:
    answer = signed_in().get(url("replay"), {"law": "day", "since": "2026-01-01"})
    assert (answer.status_code, b"Choose the day" in answer.content) == (422, True)
