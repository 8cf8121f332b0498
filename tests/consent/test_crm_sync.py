"""Are a CRM's people read once each, whatever happens between two pages?"""

import random
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from consent import contacts, crm_pages, crm_sync, jobs, ledger, suppression
from consent.crm_ahead import Ahead
from consent.models import ConsentEvent, Contact, CrmLink, Revocation
from integrations.crm import mapping, syncs
from integrations.crm.base import Page, Record, joined
from tests.consent import crms
from tests.consent.crms import Reading
from tests.simulators.base import Answer, Asked, Family, json_answer
from tests.simulators.hubspot import HubSpot

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub() -> Iterator[Reading]:
    with crms.reading("hubspot") as found:
        yield found


def vendor(hub: Reading) -> HubSpot:
    assert isinstance(hub.vendor, HubSpot)
    return hub.vendor


def add(hub: Reading, number: int, **more: str) -> str:
    told = {"firstname": "Ana", "lastname": "Nobody", "email": f"n{number}@example.org", **more}
    return vendor(hub).add(at=hub.clock.at.timestamp(), **told)


def change(hub: Reading, record_id: str, **more: str) -> None:
    vendor(hub).change(record_id, at=hub.clock.at.timestamp(), **more)


def state(contact: Contact, channel: str, hub: Reading) -> str | None:
    return ledger.state_of(
        contact=contact, purpose_code="marketing", channel=channel, at=hub.clock()
    )


def test_everybody_is_read_once_over_several_pages(hub: Reading) -> None:
    ids = [add(hub, n, mobilephone=f"+1415555{100 + n:04d}") for n in range(99)]
    ids += [add(hub, 200 + n) for n in range(130)]
    assert hub.whole() == {"new": 229, "read": 229}
    assert Contact.objects.count() == CrmLink.objects.count() == 229
    assert hub.name(ids[3]) == "Ana Nobody"
    sync = hub.sync()
    assert (sync.state, sync.mode, sync.cursor, sync.problem) == ("waiting", "full", None, "")


def test_the_next_round_asks_for_what_changed_only(hub: Reading) -> None:
    first, *_ = [add(hub, n) for n in range(5)]
    hub.whole()
    hub.clock.move(3600)
    hub.whole()
    assert hub.sync().mode == "delta"
    assert hub.sync().counts.get("updated", 0) == 0
    hub.clock.move(3600)
    change(hub, first, firstname="Zoë", email="zoe@example.org")
    add(hub, 9)
    assert hub.whole() == {"new": 1, "read": 2, "updated": 1}
    assert hub.name(first) == "Zoë Nobody"
    assert Contact.objects.count() == 6


def test_a_worker_killed_between_any_two_pages_loses_and_doubles_nothing(
    hub: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck, whole = random.Random(5), crm_pages.keep

    def killed(**page: object) -> object:
        found = whole(**page)  # type: ignore[arg-type]
        if luck.random() < 0.5:
            raise KeyboardInterrupt
        return found

    for n in range(330):
        add(hub, n)
    monkeypatch.setattr(crm_pages, "keep", killed)
    for _ in range(60):
        # Who was killed holds the turn until its lease ends.
        hub.clock.move(crm_sync.LEASE.total_seconds() + 1)
        lease = hub.take()
        try:
            while hub.page(lease).more:
                pass
        except KeyboardInterrupt:
            continue
        break
    assert hub.sync().counts["new"] == Contact.objects.count() == 330
    assert CrmLink.objects.count() == 330


def test_two_workers_do_not_read_one_connection(hub: Reading) -> None:
    add(hub, 1)
    lease = hub.take()
    assert lease is not None
    assert hub.take() is None
    hub.clock.move(crm_sync.LEASE.total_seconds() + 1)
    other = hub.take()
    # The first one wakes up: its page is not kept.
    assert hub.page(lease) == crm_sync.Step(more=False)
    assert Contact.objects.count() == 0
    assert hub.page(other).more


def test_a_late_page_of_a_lost_turn_is_not_kept(
    hub: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(hub, 1)
    lease, keep = hub.take(), crm_sync._keep

    def overtaken(*told: object) -> crm_sync.Step:
        hub.clock.move(crm_sync.LEASE.total_seconds() + 1)
        other = hub.take()
        monkeypatch.setattr(crm_sync, "_keep", keep)
        hub.page(other)
        return keep(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(crm_sync, "_keep", overtaken)
    assert not hub.page(lease).more
    assert (hub.sync().step, hub.sync().counts["new"]) == (2, 1)


def test_a_flag_of_no_stops_the_channel_it_names(hub: Reading) -> None:
    new = add(hub, 1, hs_email_optout="true", mobilephone="+14155550101")
    known = add(hub, 2)
    hub.whole()
    assert state(hub.contact(new), "email", hub) == "withdrawn"
    assert state(hub.contact(new), "sms", hub) is None
    change(hub, known, hs_email_optout="true")
    assert hub.whole()["stopped"] == 1
    assert state(hub.contact(known), "email", hub) == "withdrawn"
    means = set(Revocation.objects.values_list("means", flat=True))
    assert (means, Revocation.objects.count()) == ({"crm_flag"}, 2)


def test_a_flag_of_yes_is_a_claim_and_never_consent(hub: Reading) -> None:
    told = add(hub, 1, hs_legal_basis="Freely given consent from contact")
    hub.whole()
    assert state(hub.contact(told), "email", hub) == "claimed"
    kinds = set(ConsentEvent.objects.values_list("kind", "act"))
    assert kinds == {("claimed", "crm")}


def test_an_old_no_does_not_undo_what_the_person_confirmed_here(hub: Reading) -> None:
    record = add(hub, 1, hs_email_optout="true")
    hub.whole()
    contact = hub.contact(record)
    for kind in ("given", "confirmed"):
        ledger.record(
            contact=contact,
            purpose_code="marketing",
            channel="email",
            kind=kind,
            act="checkbox",
            source="page",
            at=hub.clock(),
            actor=SYSTEM,
        )
    change(hub, record, city="Paris")
    hub.whole()
    assert state(contact, "email", hub) == "confirmed"
    change(hub, record, hs_email_optout="")
    hub.whole()
    change(hub, record, hs_email_optout="true")
    hub.whole()
    assert state(contact, "email", hub) == "withdrawn"


def test_the_no_of_a_record_that_cannot_be_kept_counts(hub: Reading) -> None:
    add(hub, 1, firstname="", lastname="", hs_email_optout="true")
    assert hub.whole()["bad"] == 1
    index = suppression.index(channel="email", address="n1@example.org")
    assert suppression.is_suppressed(channel="email", address_index=index)


def test_whoever_is_deleted_there_is_not_written_to_until_they_are_back(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    vendor(hub).archive(record)
    assert hub.whole()["deleted"] == 1
    assert hub.contact(record).restricted_at is not None
    vendor(hub).people[int(record)]["archived"] = False
    change(hub, record)
    hub.whole()
    assert hub.contact(record).restricted_at is None


@pytest.mark.parametrize("stricter", ["lost", "kept"])
def test_a_merge_keeps_the_stricter_choice(hub: Reading, stricter: str) -> None:
    lost = add(hub, 1, mobilephone="+14155550101")
    kept = add(hub, 2)
    hub.whole()
    people = {"lost": hub.contact(lost), "kept": hub.contact(kept)}
    ledger.withdraw(
        contact=people[stricter], act="button", source="page", at=hub.clock(), actor=SYSTEM
    )
    vendor(hub).merge(lost, kept)
    change(hub, kept, mobilephone="+14155550101")
    assert hub.whole()["merged"] == 1
    assert state(people["kept"], "email", hub) == "withdrawn"
    assert CrmLink.objects.get(record_id=lost).gone_how == "merged"
    # The number is the one's who stays; the other is not written to.
    people["kept"].refresh_from_db()
    people["lost"].refresh_from_db()
    assert people["kept"].phone_index is not None
    assert (people["lost"].phone_index, people["lost"].restricted_at is None) == (None, False)
    assert hub.whole().get("merged", 0) == 0


def test_a_merge_into_a_new_record_takes_the_person_along(hub: Reading) -> None:
    lost = add(hub, 1)
    hub.whole()
    person = hub.contact(lost)
    kept = add(hub, 7, lastname="Merged")
    vendor(hub).merge(lost, kept)
    change(hub, kept)
    hub.whole()
    assert hub.contact(kept) == person
    assert (Contact.objects.count(), hub.name(kept)) == (1, "Ana Merged")


def test_addresses_that_move_within_a_page_do_not_mix_people(hub: Reading) -> None:
    first = add(hub, 1)
    hub.whole()
    change(hub, first, email="n5@example.org")
    second, double = add(hub, 1, firstname="Second"), add(hub, 1, firstname="Double")
    hub.whole()
    assert hub.contact(first) != hub.contact(second)
    assert hub.contact(double) == hub.contact(second)
    assert Contact.objects.count() == 2


def test_changes_during_the_search_hide_nobody(hub: Reading) -> None:
    hub.whole()
    hub.clock.move(600)
    ids = [add(hub, n) for n in range(250)]
    for number, record in enumerate(ids):
        vendor(hub).change(record, at=hub.clock.at.timestamp() + number / 10)
    hub.clock.move(3600)
    lease = hub.take()
    hub.page(lease)
    # Who was on the first page changes again, and everybody behind moves up.
    for record in ids[:60]:
        change(hub, record, city="Paris")
    while hub.page(lease).more:
        pass
    assert CrmLink.objects.count() == 250


def test_more_changes_at_one_instant_than_a_search_tells_are_read_anew(
    hub: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.crm.hubspot.SEARCH_MAX", 300)
    hub.whole()
    for n in range(450):
        add(hub, n)
    hub.whole()
    assert CrmLink.objects.count() == 450


def test_a_limit_that_is_near_makes_the_next_page_wait(hub: Reading) -> None:
    for n in range(150):
        add(hub, n)
    vendor(hub).remaining = 3
    step = hub.page(hub.take())
    assert step == crm_sync.Step(more=True, wait_seconds=10)
    assert hub.sync().next_at == hub.clock() + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (Answer(500, b"{}"), "reading", "does not answer"),
        (Answer(200, b"{"), "reading", "answer that is none"),
        (Answer(200, b'{"results": 5}'), "reading", "answer that is none"),
        (json_answer(429, {"message": "slow"}, Retry_After="77"), "reading", "slow down"),
        (json_answer(403, {"category": "MISSING_SCOPES"}), "stuck", "MISSING_SCOPES"),
        (json_answer(400, {"category": "VALIDATION_ERROR"}), "stuck", "look at the fields"),
    ],
)
def test_a_page_that_cannot_be_read_says_why_and_what_to_do(
    hub: Reading, answer: Answer, state: str, words: str
) -> None:
    add(hub, 1)
    vendor(hub).plant("/contacts", answer)
    assert not hub.page(hub.take()).more
    sync = hub.sync()
    assert (sync.state, words in sync.problem, sync.lease_id) == (state, True, None)
    if answer.status == 429:
        assert (sync.next_at, sync.failures) == (hub.clock() + timedelta(seconds=77), 0)
    syncs.ask_now(connection=hub.row, at=hub.clock(), actor=SYSTEM)
    assert hub.whole()["new"] == 1
    assert hub.sync().problem == ""


def test_a_dead_permission_pauses_and_goes_on_after_reconnecting(hub: Reading) -> None:
    add(hub, 1)
    vendor(hub).end_all()
    hub.clock.move(3600)
    assert not hub.page(hub.take()).more
    assert crm_sync.due(at=hub.clock()) == []
    hub.dance.connect()
    assert hub.whole()["new"] == 1


@pytest.mark.django_db(transaction=True)
def test_the_job_reads_to_the_end(hub: Reading) -> None:
    for n in range(120):
        add(hub, n)
    assert jobs.read_crms()
    assert (Contact.objects.count(), hub.sync().lease_id) == (120, None)
    assert jobs.read_crms() == 0


@pytest.mark.django_db(transaction=True)
def test_the_next_page_is_asked_for_while_one_is_written(hub: Reading) -> None:
    for n in range(250):
        add(hub, n)
    lease, before = hub.take(), len(hub.vendor.calls)
    with Ahead() as ahead:
        crm_sync.read_page(connection_id=hub.row.pk, lease=lease, now=hub.clock, ahead=ahead)
    assert len(hub.vendor.calls) >= before + 2
    assert Contact.objects.count() == 100
    assert hub.whole() == {"new": 250, "read": 250}


@pytest.mark.django_db(transaction=True)
def test_a_page_asked_for_ahead_is_dropped_when_the_fields_changed(hub: Reading) -> None:
    for n in range(150):
        add(hub, n, nickname="Nobody")
    with Ahead() as ahead:
        page = partial(crm_sync.read_page, connection_id=hub.row.pk, now=hub.clock, ahead=ahead)
        page(lease=hub.take())
        hub.map(plan="nickname")
        lease = hub.take()
        while page(lease=lease).more:
            pass
    assert hub.sync().counts["read"] == 150
    told = contacts.opened(contact=Contact.objects.all()[0], at=hub.clock()).attributes
    assert told["plan"] == "Nobody"


@pytest.mark.django_db(transaction=True)
def test_a_page_asked_for_ahead_that_fails_is_asked_for_again(hub: Reading) -> None:
    for n in range(150):
        add(hub, n)
    lease = hub.take()
    with Ahead() as ahead:
        page = partial(crm_sync.read_page, connection_id=hub.row.pk, now=hub.clock, ahead=ahead)
        asked_once(hub)
        assert page(lease=lease).more
        assert not page(lease=lease).more
    assert (hub.sync().failures, Contact.objects.count()) == (1, 100)
    assert hub.whole()["read"] == 150


def asked_once(hub: Reading) -> None:
    """Let the second answer be none."""
    answers = iter([None, Answer(502, b"<html>")])
    true = hub.vendor.api

    def api(asked: Asked, family: Family) -> Answer:
        return next(answers, None) or true(asked, family)

    hub.vendor.api = api  # type: ignore[method-assign]


def test_no_name_and_no_address_stands_in_the_trail_or_the_place(hub: Reading) -> None:
    add(hub, 1, firstname="Wilhelmina", hs_email_optout="true")
    lease = hub.take()
    hub.page(lease)
    leaves = str(list(TrailLeaf.objects.values_list("details", flat=True)))
    kept = leaves + str(hub.sync().cursor) + str(list(CrmLink.objects.values()))
    assert "Wilhelmina" not in kept
    assert "n1@example.org" not in kept


@pytest.mark.parametrize(
    "chosen",
    [
        {"email": "hs_calculated_secret"},
        {"password": "firstname"},
        {"stop_email": ""},
        {"first_name": "", "last_name": ""},
        {"plan": "hs_object_source"},
        {"plan": "a&b=c"},
    ],
)
def test_what_is_not_on_the_list_is_never_asked_for(hub: Reading, chosen: dict[str, str]) -> None:
    with pytest.raises(mapping.BadMapping):
        hub.map(**chosen)


def test_pages_that_came_are_one_until_a_record_comes_again() -> None:
    def page(after: int, *ids: str, gone: tuple[str, ...] = ()) -> Page:
        return Page({"after": after}, tuple(Record(one, {}) for one in ids), gone, unreadable=1)

    pages = [page(1, "a", "b"), page(2, "c"), page(3, "d", "b"), page(4, gone=("a",))]
    told = [
        ([record.id for record in one.records], one.gone, one.cursor, one.unreadable)
        for one in joined(pages)
    ]
    assert told == [
        (["a", "b", "c"], (), {"after": 2}, 2),
        (["d", "b"], ("a",), {"after": 4}, 2),
    ]


@pytest.mark.django_db(transaction=True)
def test_many_pages_read_ahead_lose_and_double_nobody(hub: Reading) -> None:
    for n in range(750):
        add(hub, n)
    lease, steps = hub.take(), 1
    with Ahead() as ahead:
        page = partial(crm_sync.read_page, connection_id=hub.row.pk, now=hub.clock, ahead=ahead)
        page(lease=lease)
        # Here the pages that the first write leaves time for are written together.
        while page(lease=lease).more:
            steps += 1
    counts = hub.sync().counts
    assert (counts["pages"], counts["new"], counts["read"]) == (9, 750, 750)
    assert hub.sync().step - 1 == steps + 1 <= 9
    assert Contact.objects.count() == CrmLink.objects.count() == 750
