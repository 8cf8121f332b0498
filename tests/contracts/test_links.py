"""Promise 5: whoever is not the person may read a link as often as they like: nothing happens."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import audit, keys
from config.lib import clock
from consent import ledger, preferences
from consent import personal_data as consent_data
from tests.contracts.scanners import BEHAVIOURS, Reader
from tests.videos import stage
from tests.videos.stage import TAP
from videos import links, personal_data
from videos.models import Campaign, Link, MissCount, Play

pytestmark = pytest.mark.django_db
OPEN_GRAPH = re.compile(r'<meta (?:property|name)="(?:og|twitter):([^"]+)" content="([^"]*)"')
CARD = {
    ("title", "A video message"),
    ("description", "A private page. Open it to see who it is from."),
    ("type", "website"),
}
PERSONAL = ("Zoë", "Ångström", "zoe@", "15112345678", "Nordlicht")


def snapshot() -> dict[str, list[object]]:
    """Read every row, but those that count tries of no link in particular."""
    rows: dict[str, list[object]] = {}
    for model in apps.get_models():
        manager: models.Manager[models.Model] = model._base_manager
        if model is not MissCount:
            rows[model._meta.label] = list(manager.order_by("pk").values_list())
    return rows


def body_of(answer: HttpResponse) -> str:
    return "" if answer.streaming else answer.content.decode(errors="replace")


def policy(word: str) -> None:
    Campaign.objects.update(step_up=word)


def test_there_are_at_least_twenty_five_of_them() -> None:
    assert len({one.name for one in BEHAVIOURS}) >= 25


@pytest.mark.parametrize("step_up", ["never", "always"])
def test_no_scanner_changes_a_row_or_sees_a_name(step_up: str) -> None:
    link, token = stage.link(at=clock.now())
    policy(step_up)
    before, guilty = snapshot(), []
    for behaviour in BEHAVIOURS:
        answers = Reader(behaviour, link, token).read()
        text = " ".join(f"{body_of(one)} {dict(one.items())}" for one in answers)
        assert answers, behaviour.name
        assert all(one.status_code < 500 for one in answers), behaviour.name
        if snapshot() != before or any(word in text for word in PERSONAL):
            guilty.append(behaviour.name)
        assert set(OPEN_GRAPH.findall(text)) <= CARD, behaviour.name
    assert guilty == []


def test_after_all_of_them_the_person_still_plays() -> None:
    link, token = stage.link(plays_allowed=1, at=clock.now())
    for behaviour in BEHAVIOURS:
        Reader(behaviour, link, token).read()
    assert Client().post(f"/v/{token}/play", TAP).status_code == 303
    assert Play.objects.count() == 1


def test_reading_with_the_players_cookies_changes_nothing_either() -> None:
    link, token = stage.link(at=clock.now())
    client = Client()
    client.post(f"/v/{token}/play", TAP)
    before = snapshot()
    reader = Reader(BEHAVIOURS[-1], link, token)
    reader.client = client
    # A downloader in the very browser: it gets the bytes, and still counts nothing.
    assert 200 in {one.status_code for one in reader.read()}
    assert snapshot() == before


# Each end of a link, and the two ways in which it never was one.
def revoked(link: Link) -> None:
    links.revoke(link=link, at=clock.now(), actor=audit.SYSTEM)


def expired(link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(expires_at=clock.now() - timedelta(seconds=1))


def not_yet(link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(not_before=clock.now() + timedelta(days=1))


def withdrawn(link: Link) -> None:
    now = clock.now()
    ledger.withdraw(contact=link.contact, act="staff", source="desk", at=now, actor=audit.SYSTEM)


def erased(link: Link) -> None:
    personal_data.erase(contact_id=link.contact_id, at=clock.now())
    consent_data.erase(contact_id=link.contact_id, at=clock.now())


def key_gone(link: Link) -> None:
    keys.destroy(key=link.contact.key, at=clock.now())


def used_up(link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(plays=link.plays_allowed)


ENDS: list[Callable[[Link], None]] = [
    revoked,
    expired,
    not_yet,
    withdrawn,
    erased,
    key_gone,
    used_up,
]
ASKED = [
    ("get", "", {}),
    ("head", "", {}),
    ("post", "/play", TAP),
    ("post", "/play", {}),
    ("options", "", {}),
    ("get", "/nothing", {}),
    ("get", "/watch", {}),
    ("get", "/receipt", {}),
    ("post", "/code", TAP),
    ("post", "/report", TAP),
]


def tokens() -> dict[str, str]:
    found = {"wrong": links.new_token(), "malformed": "~" * 43}
    for number, end in enumerate(ENDS):
        who = stage.person(email=f"p{number}@example.org", phone=f"+491511234568{number}")
        link, found[end.__name__] = stage.link(contact=who, at=clock.now())
        end(link)
    return found


def whole(answer: HttpResponse, token: str) -> tuple[object, ...]:
    """Return all that an answer tells, less what only repeats the address it was asked at."""

    def bare(text: str) -> str:
        return text.replace(token, "").replace(preferences.token_behind(token), "")

    headers = sorted((name, bare(value)) for name, value in answer.items())
    return answer.status_code, bare(body_of(answer)), headers, str(answer.cookies)


def test_every_token_that_opens_nothing_gets_the_same_answer() -> None:
    asked = tokens()
    for method, leaf, fields in ASKED:
        if leaf in {"/watch", "/receipt", "/code", "/report"}:
            # Used up, it still is the person's: these lead back, or serve them.
            asked.pop("used_up", None)
        told = {}
        for name, token in asked.items():
            MissCount.objects.update(misses=0)
            answer = getattr(Client(), method)(f"/v/{token}{leaf}", fields)
            told[name] = whole(answer, token)
        assert len(set(map(str, told.values()))) == 1, (method, leaf, told)


def test_each_of_them_costs_the_database_as_much() -> None:
    counts = {}
    asked_for = tokens()
    # The first miss of a network makes its row.
    Client().get("/v/first")
    for name, token in asked_for.items():
        MissCount.objects.update(misses=0)
        with CaptureQueriesContext(connection) as asked:
            assert Client().get(f"/v/{token}").status_code == 404
        counts[name] = len(asked)
    # A malformed token is told by its letters alone.
    counts.pop("malformed")
    assert len(set(counts.values())) == 1, counts
