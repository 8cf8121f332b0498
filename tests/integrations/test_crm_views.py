"""Does the page say what is read, show nobody's data, and have it read at a press?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from config.lib import clock
from integrations import keyed
from integrations.crm import mapping, syncs
from integrations.models import Connection, CrmSync
from tests.accounts.staff import browser
from tests.integrations import dance as dances
from tests.integrations.dance import Dance
from tests.simulators.base import json_answer
from tests.simulators.hubspot import HubSpot

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub() -> Iterator[Dance]:
    with dances.dancing("hubspot") as found:
        found.connect()
        yield found


def form(act: str, **more: str) -> dict[str, str]:
    return {**mapping.usual(provider="hubspot"), "act": act, **more}


def address(row: Connection, what: str) -> str:
    return f"/connections/{row.pk}/{what}/"


def test_the_preview_shows_what_is_asked_for_and_hides_who_it_is(hub: Dance) -> None:
    assert isinstance(hub.vendor, HubSpot)
    hub.vendor.add(firstname="Wilhelmina", lastname="Nobody", email="w@example.org")
    page = hub.client.post(address(hub.row(), "fields"), form("look")).content.decode()
    assert "W•••" in page
    assert "hs_email_optout" in page
    assert "Wilhelmina" not in page
    assert "w@example.org" not in page
    assert not CrmSync.objects.exists()
    asked = hub.vendor.calls[-1].query["properties"].split(",")
    usual = mapping.usual(provider="hubspot").values()
    assert set(asked) == {*usual, "hs_merged_object_ids", "lastmodifieddate"}


def test_saving_the_fields_has_everybody_read(hub: Dance) -> None:
    hub.client.post(address(hub.row(), "fields"), form("read", stop_phone="sms_opt_out"))
    sync = CrmSync.objects.get()
    assert (sync.state, sync.fields["stop_phone"]) == ("waiting", "sms_opt_out")
    page = hub.client.get("/connections/").content.decode()
    assert "Sync now" in page


def test_the_address_for_its_posts_is_shown_once_it_is_read_and_stays(hub: Dance) -> None:
    where = address(hub.row(), "fields")
    assert "/hooks/" not in hub.client.get(where).content.decode()
    hub.client.post(where, form("read"))
    told = keyed.webhook_address(connection=hub.row())
    assert told in hub.client.get(where).content.decode()
    hub.client.post(where, form("read", subscriptions="123=marketing"))
    assert keyed.webhook_address(connection=hub.row()) == told
    assert browser("auditor").get(where).status_code == 403


def test_a_field_off_the_list_is_refused_in_words(hub: Dance) -> None:
    page = hub.client.post(address(hub.row(), "fields"), form("read", plan="hs_secret"))
    assert "cannot be read from that field" in page.content.decode()
    assert not CrmSync.objects.exists()


def test_a_refusal_of_the_preview_says_so(hub: Dance) -> None:
    hub.vendor.plant("/contacts", json_answer(403, {"category": "MISSING_SCOPES"}))
    page = hub.client.post(address(hub.row(), "fields"), form("look")).content.decode()
    assert "Nothing was read" in page


def test_a_marketer_may_ask_for_a_sync_and_not_choose_the_fields(hub: Dance) -> None:
    row, marketer = hub.row(), browser("marketer")
    marketer.post(address(row, "sync"))
    assert syncs.of(connection=row) is None
    hub.client.post(address(row, "fields"), form("read"))
    CrmSync.objects.update(state="stuck", next_at=None, problem="It refused.", cursor=None)
    assert "It refused." in marketer.get("/connections/").content.decode()
    marketer.post(address(row, "sync"))
    sync = CrmSync.objects.get()
    assert (sync.state, sync.problem, sync.next_at is None) == ("waiting", "", False)
    assert marketer.get(address(row, "fields")).status_code == 403


def test_the_card_follows_a_reading_and_stops_when_it_is_done(hub: Dance) -> None:
    row = hub.row()
    hub.client.post(address(row, "fields"), form("read"))
    assert 'hx-trigger="every 3s"' in hub.client.get("/connections/").content.decode()
    CrmSync.objects.update(state="reading", cursor={"phase": "list"}, counts={"read": 4200})
    moving = hub.client.get(address(row, "reading"))
    assert "4,200 records" in moving.content.decode()
    assert "hx-get" in moving.content.decode()
    assert "HX-Refresh" not in moving.headers
    later = clock.now() + timedelta(minutes=15)
    CrmSync.objects.update(state="waiting", cursor=None, next_at=later, finished_at=clock.now())
    done = hub.client.get(address(row, "reading"))
    assert "hx-get" not in done.content.decode()
    assert done.headers["HX-Refresh"] == "true"
    assert 'hx-trigger="every 3s"' not in hub.client.get("/connections/").content.decode()
