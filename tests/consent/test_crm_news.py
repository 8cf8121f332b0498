"""Does what a CRM posts stop somebody at once, and never free anybody?"""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from consent import crm_sync, intake
from consent.models import ConsentEvent, Contact, CrmLink
from integrations import keyed
from integrations.models import CrmSync, InboxItem
from tests.consent import crms, people
from tests.consent.crms import Reading
from tests.consent.test_crm_readers import add, state
from tests.integrations.dance import SECRET
from tests.simulators.hubspot import HubSpot
from tests.simulators.zoho import Zoho

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub() -> Iterator[Reading]:
    with crms.reading("hubspot") as found:
        yield found


@pytest.fixture
def zoho() -> Iterator[Reading]:
    with crms.reading("zoho") as found:
        yield found


def known(crm: Reading, number: int = 1, **more: str) -> tuple[str, Contact]:
    record = add(crm, number, **more)
    crm.whole()
    return record, crm.contact(record)


def address(crm: Reading) -> str:
    return keyed.webhook_address(connection=crm.dance.row())


def vendor(crm: Reading) -> HubSpot:
    assert isinstance(crm.vendor, HubSpot)
    return crm.vendor


def send(address: str, body: bytes, headers: dict[str, str]) -> int:
    path = "/hooks/" + address.rpartition("/hooks/")[2]
    told: Any = {"content_type": "application/json", "headers": headers}
    return Client(enforce_csrf_checks=True).post(path, body, **told).status_code


def tell(crm: Reading, *events: dict[str, Any], seconds: float = 0) -> int:
    """Post events as HubSpot does, then act upon them as the workers do."""
    at = time.time() + seconds
    status = send(address(crm), *vendor(crm).signed(address(crm), list(events), at=at))
    intake.take_waiting(at=crm.clock())
    return status


def flag(crm: Reading, record: str, value: str, name: str = "hs_email_optout") -> dict[str, Any]:
    told = {"propertyName": name, "propertyValue": value}
    return vendor(crm).event("propertyChange", record, **told)


def effects() -> list[str]:
    return list(InboxItem.objects.order_by("pk").values_list("outcome", flat=True))


def test_an_opt_out_counts_at_once_and_comes_back_as_no_new_act(hub: Reading) -> None:
    record, contact = known(hub)
    assert tell(hub, flag(hub, record, "true")) == 200
    assert effects() == ["withdrawn"]
    assert state(hub, contact, "email") == "withdrawn"
    assert state(hub, contact, "sms") is None
    events = ConsentEvent.objects.count()
    vendor(hub).change(record, at=hub.clock.at.timestamp(), hs_email_optout="true")
    hub.whole()
    assert ConsentEvent.objects.count() == events


def test_a_repeat_and_a_replay_do_nothing_twice(hub: Reading) -> None:
    record, _ = known(hub)
    event = flag(hub, record, "true")
    tell(hub, event, event)
    tell(hub, {**event, "attemptNumber": 1})
    assert InboxItem.objects.count() == 1
    assert effects() == ["withdrawn"]


def test_a_flag_that_was_taken_away_frees_nobody(hub: Reading) -> None:
    record, contact = known(hub)
    tell(hub, flag(hub, record, "true"))
    tell(hub, flag(hub, record, "false"))
    assert state(hub, contact, "email") == "withdrawn"
    # A second no after it is an act of its own, though they had agreed here meanwhile.
    _agree(contact, hub)
    tell(hub, flag(hub, record, "true"))
    assert effects() == ["withdrawn", "rung", "withdrawn"]
    assert state(hub, contact, "email") == "withdrawn"


def test_a_flag_that_is_known_does_not_end_what_was_agreed_to_since(hub: Reading) -> None:
    record, contact = known(hub, hs_email_optout="true")
    _agree(contact, hub)
    tell(hub, flag(hub, record, "true"))
    assert effects() == ["rung"]
    assert state(hub, contact, "email") == "confirmed"


def test_a_no_that_overtook_its_yes_is_read_again(hub: Reading) -> None:
    record, contact = known(hub)
    vendor(hub).change(record, at=hub.clock.at.timestamp(), hs_email_optout="true")
    tell(hub, flag(hub, record, "true"))
    tell(hub, flag(hub, record, "false"))
    _agree(contact, hub)
    hub.whole()
    assert state(hub, contact, "email") == "withdrawn"


def test_whoever_is_deleted_is_written_to_no_more(hub: Reading) -> None:
    record, contact = known(hub)
    tell(hub, vendor(hub).event("deletion", record))
    contact.refresh_from_db()
    assert effects() == ["deleted"]
    assert contact.restricted_at == hub.clock.at


def test_a_privacy_deletion_stops_everything_and_asks_for_the_erasure(hub: Reading) -> None:
    record, contact = known(hub, mobilephone="+14155550101")
    tell(hub, vendor(hub).event("privacyDeletion", record))
    link = CrmLink.objects.get()
    assert effects() == ["to_forget"]
    assert (link.forget_at, link.gone_how) == (hub.clock.at, "deleted")
    assert {state(hub, contact, one) for one in ("email", "sms", "whatsapp")} == {"withdrawn"}


def test_of_a_merge_the_stricter_choice_holds_for_the_one_who_stays(hub: Reading) -> None:
    lost, _ = known(hub, 1, hs_email_optout="true")
    kept, contact = known(hub, 2)
    told = {"primaryObjectId": int(kept), "mergedObjectIds": [int(lost)]}
    tell(hub, vendor(hub).event("merge", kept, **told))
    assert effects() == ["merged"]
    assert state(hub, contact, "email") == "withdrawn"


def test_of_a_merge_into_a_new_record_both_are_followed(hub: Reading) -> None:
    lost, _ = known(hub, 1, hs_email_optout="true")
    kept, contact = known(hub, 2)
    told = {"primaryObjectId": int(kept), "mergedObjectIds": [int(lost)], "newObjectId": 999}
    tell(hub, vendor(hub).event("merge", kept, **told))
    assert hub.contact("999") == contact
    assert state(hub, contact, "email") == "withdrawn"


def test_an_id_of_an_account_that_is_not_read_yet_names_nobody(hub: Reading) -> None:
    record, contact = known(hub)
    hub.dance.client.post("/connections/hubspot/disconnect/")
    vendor(hub).hub_id = 5
    hub.dance.connect()
    tell(hub, flag(hub, record, "true"))
    assert effects() == ["another_account"]
    assert state(hub, contact, "email") is None


def test_anything_else_only_rings_and_once_a_minute(hub: Reading) -> None:
    record, _ = known(hub)
    before = CrmSync.objects.get().next_at
    tell(hub, vendor(hub).event("creation", "777"), flag(hub, record, "Bo", "firstname"))
    assert effects() == ["rung"]
    after = CrmSync.objects.get().next_at
    assert before is not None
    assert after == hub.clock.at + crm_sync.RUNG < before


@pytest.mark.parametrize(("told", "pause"), [(True, crm_sync.RUNG), (False, crm_sync.EVERY)])
def test_what_is_told_during_a_reading_is_read_soon_after_it(
    hub: Reading, told: bool, pause: timedelta
) -> None:
    add(hub, 1)
    lease = hub.take()
    assert hub.page(lease).more
    if told:
        tell(hub, vendor(hub).event("creation", "777"))
    assert not hub.page(lease).more
    assert CrmSync.objects.get().next_at == hub.clock.at + pause


def test_a_record_nobody_has_read_is_none_of_ours(hub: Reading) -> None:
    known(hub)
    tell(hub, flag(hub, "777", "true"), vendor(hub).event("deletion", "778"))
    assert effects() == ["unknown_record", "unknown_record"]


def test_events_of_another_account_are_passed_over(hub: Reading) -> None:
    record, contact = known(hub)
    assert tell(hub, {**flag(hub, record, "true"), "portalId": 5}) == 200
    assert effects() == []
    assert state(hub, contact, "email") is None


@pytest.mark.parametrize(("seconds", "status"), [(-295, 200), (-301, 403), (55, 200), (65, 403)])
def test_the_stamp_is_bound_on_both_sides(hub: Reading, seconds: float, status: int) -> None:
    record, _ = known(hub)
    assert tell(hub, flag(hub, record, "true"), seconds=seconds) == status


@pytest.mark.parametrize("what", ["body", "address", "secret", "stamp", "none", "older"])
def test_what_is_not_signed_by_the_app_is_refused(hub: Reading, what: str) -> None:
    record, contact = known(hub)
    url, secret = address(hub), SECRET
    vendor(hub).secret = "of-another-app" if what == "secret" else secret
    signed_for = f"{url}?a=1" if what == "address" else url
    body, headers = vendor(hub).signed(signed_for, [flag(hub, record, "true")], at=time.time())
    body += b" " if what == "body" else b""
    if what == "stamp":
        headers["X-HubSpot-Request-Timestamp"] += "1"
    if what == "none":
        headers = {}
    if what == "older":
        headers = {"X-HubSpot-Signature": headers["X-HubSpot-Signature-v3"]}
    assert send(url, body, headers) == 403
    assert not InboxItem.objects.exists()
    assert state(hub, contact, "email") is None


def test_nothing_is_believed_once_it_is_disconnected(hub: Reading) -> None:
    record, _ = known(hub)
    hub.dance.client.post("/connections/hubspot/disconnect/")
    assert tell(hub, flag(hub, record, "true")) == 403


def test_the_vendors_own_checker_takes_what_the_stand_in_signs(hub: Reading) -> None:
    record, _ = known(hub)
    events = [flag(hub, record, "true")]
    body, headers = vendor(hub).signed(address(hub), events, at=time.time())
    checker = pytest.importorskip("hubspot.utils.signature").Signature
    assert checker.is_valid(
        signature=headers["X-HubSpot-Signature-v3"],
        client_secret=SECRET,
        request_body=body.decode(),
        http_uri=address(hub),
        http_method="POST",
        signature_version="v3",
        timestamp=headers["X-HubSpot-Request-Timestamp"],
    )


@pytest.mark.parametrize("body", [b"{}", b"[5]", b"no", b'["x"]', b"[" * 5000])
def test_a_signed_post_that_is_no_list_of_events_is_refused(hub: Reading, body: bytes) -> None:
    known(hub)
    plain, headers = vendor(hub).signed(address(hub), [], at=time.time())
    assert send(address(hub), plain, headers) == 200
    assert send(address(hub), body, headers) == 403


def test_zoho_may_stop_and_never_free_anybody(zoho: Reading) -> None:
    record, contact = known(zoho, Email_Opt_Out="true")
    assert isinstance(zoho.vendor, Zoho)
    for operation in ("update", "insert", "delete"):
        told = zoho.vendor.notification(operation, record)
        assert send(address(zoho), json.dumps(told).encode(), {}) == 200
    intake.take_waiting(at=zoho.clock())
    contact.refresh_from_db()
    assert effects() == ["rung", "deleted"]
    assert contact.restricted_at == zoho.clock.at
    assert state(zoho, contact, "email") == "withdrawn"


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no", b'{"ids": "1"}'])
def test_what_is_not_in_zohos_format_is_refused(zoho: Reading, body: bytes) -> None:
    assert send(address(zoho), body, {}) == 400


def test_of_another_module_of_zoho_nothing_is_kept(zoho: Reading) -> None:
    assert isinstance(zoho.vendor, Zoho)
    told = {**zoho.vendor.notification("delete", "12345"), "module": "Leads"}
    assert send(address(zoho), json.dumps(told).encode(), {}) == 200
    assert not InboxItem.objects.exists()


def test_a_crm_that_posts_nothing_has_no_address() -> None:
    with crms.reading("salesforce") as found:
        assert address(found) == ""


def _agree(contact: Contact, crm: Reading) -> None:
    crm.clock.move(1)
    people.agreed(contact, "email", crm.clock())
    assert state(crm, contact, "email") == "confirmed"
