"""Does the page say what is read, show nobody's data, and have it read at a press?"""

import html
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from config.lib import clock
from integrations import keyed
from integrations.crm import entries, mapping, syncs
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


def test_who_said_no_cannot_be_left_unread(hub: Dance) -> None:
    page = hub.client.get(address(hub.row(), "fields"))
    fields = page.context["form"].fields
    assert (fields["stop_email"].required, fields["email"].required) == (True, False)
    assert "" not in dict(fields["stop_email"].choices)
    hub.client.post(address(hub.row(), "fields"), form("read", stop_email=""))
    assert not CrmSync.objects.exists()


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


def test_what_to_enter_at_hubspot_stands_on_its_card_for_whoever_may_enter_it(hub: Dance) -> None:
    assert "hsmeta" not in hub.client.get("/connections/").content.decode()
    chosen = form("read", stop_phone="sms_opt_out", subscriptions="123=marketing")
    hub.client.post(address(hub.row(), "fields"), chosen)
    entry = entries.of(connection=hub.row())
    assert entry is not None
    lines = entry.events.splitlines()
    assert {"contact.privacyDeletion", "contact.deletion", "contact.merge"} <= set(lines)
    for name in ("hs_email_optout", "hs_email_optout_123", "sms_opt_out", "email"):
        assert f"contact.propertyChange {name}" in lines
    assert not any("=" in line for line in lines)
    page = html.unescape(hub.client.get("/connections/").content.decode())
    assert entry.component in page
    assert entry.address in page
    for role in ("auditor", "marketer"):
        assert "/hooks/" not in browser(role).get("/connections/").content.decode()


def test_the_file_names_each_event_once_and_in_its_section(hub: Dance) -> None:
    hub.client.post(address(hub.row(), "fields"), form("read", subscriptions="7=marketing"))
    entry = entries.of(connection=hub.row())
    assert entry is not None
    config = json.loads(entry.component)["config"]
    told = config["subscriptions"]
    assert config["settings"]["targetUrl"] == entry.address
    rows = [row for section in told.values() for row in section]
    named = [" ".join(filter(None, [r["subscriptionType"], r.get("propertyName")])) for r in rows]
    assert sorted(named) == sorted(entry.events.splitlines())
    assert len(set(named)) == len(named)
    assert all(row["active"] is True for row in rows)
    [privacy] = told["hubEvents"]
    assert privacy["subscriptionType"] == "contact.privacyDeletion"


@pytest.mark.parametrize("slug", ["zoho", "salesforce"])
def test_where_nothing_is_entered_no_address_is_shown(slug: str) -> None:
    with dances.dancing(slug) as dance:
        dance.connect()
        chosen = {**mapping.usual(provider=slug), "act": "read"}
        dance.client.post(address(dance.row(), "fields"), chosen)
        page = dance.client.get(address(dance.row(), "fields")).content.decode()
    assert "/hooks/" not in page
    assert ("it is asked by itself" in page) is (slug == "zoho")


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
