"""Is what somebody unsubscribed from at HubSpot theirs here too, and told back as narrowly?"""

from collections.abc import Iterator

import pytest

from accounts.audit import SYSTEM
from consent import intake, ledger, propagation
from consent.models import ConsentEvent, Contact, CrmLink
from integrations.crm import mapping
from tests.consent import crms, people
from tests.consent.crms import Reading
from tests.consent.test_crm_news import effects, flag, tell, vendor
from tests.consent.test_crm_readers import add, change
from tests.simulators.base import Answer, json_answer

pytestmark = pytest.mark.django_db
NEWS, BILLS, EMAIL = 123, 456, "n1@example.org"


@pytest.fixture
def hub() -> Iterator[Reading]:
    with crms.reading("hubspot") as found:
        found.map(subscriptions=f"{NEWS}=view_analytics {BILLS}=service")
        yield found


def ended(crm: Reading, contact: Contact) -> set[str]:
    """Return the purposes of e-mail that are withdrawn."""
    rows = ConsentEvent.objects.filter(contact=contact, channel="email", kind="withdrawn")
    return set(rows.values_list("purpose_code", flat=True))


def unsubscribe(crm: Reading, number: int = NEWS, email: str = EMAIL) -> None:
    vendor(crm).statuses.setdefault(email, {})[number] = "UNSUBSCRIBED"


def test_what_a_new_person_unsubscribed_from_is_ended_here(hub: Reading) -> None:
    unsubscribe(hub)
    record = add(hub, 1, hs_legal_basis="Freely given consent from contact")
    hub.whole()
    contact = hub.contact(record)
    assert ended(hub, contact) == {"view_analytics"}
    # A no to a part is no yes to the rest.
    assert not ConsentEvent.objects.filter(kind="claimed").exists()


def test_what_somebody_known_unsubscribes_from_is_ended_once(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    people.agreed(hub.contact(record), "email", hub.clock())
    unsubscribe(hub, BILLS)
    change(hub, record)
    hub.whole()
    assert ended(hub, hub.contact(record)) == {"service"}
    events = ConsentEvent.objects.count()
    change(hub, record, firstname="Bo")
    hub.whole()
    assert ConsentEvent.objects.count() == events


def test_a_purpose_that_is_not_known_here_is_the_widest(hub: Reading) -> None:
    hub.map(subscriptions=f"{NEWS}=of_nobody")
    unsubscribe(hub)
    record = add(hub, 1)
    hub.whole()
    assert ended(hub, hub.contact(record)) == {"marketing"}


def test_whoever_is_not_answered_for_has_claimed_nothing(hub: Reading) -> None:
    add(hub, 1, hs_legal_basis="Freely given consent from contact")
    hub.vendor.plant("/batch/read", json_answer(207, {"results": [], "errors": [{}]}))
    hub.whole()
    assert not ConsentEvent.objects.exists()


def test_an_answer_that_is_none_keeps_no_page(hub: Reading) -> None:
    add(hub, 1)
    hub.vendor.plant("/batch/read", Answer(200, b"<html>"))
    hub.whole()
    assert Contact.objects.count() == 0
    hub.clock.move(60)
    hub.whole()
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("429", "reading"),
        ("403", "stuck"),
        ("400", "stuck"),
        ("200_with_error", "reading"),
        ("wrong_members", "reading"),
    ],
)
def test_a_bad_answer_keeps_no_page_and_is_of_the_right_class(
    hub: Reading, fault: str, state: str
) -> None:
    add(hub, 1)
    status, body = vendor(hub).faults[fault]
    hub.vendor.plant("/batch/read", json_answer(status, body))
    hub.whole()
    assert (Contact.objects.count(), hub.sync().state) == (0, state)
    assert "example.org" not in hub.sync().problem


def test_no_address_is_in_any_address_that_is_called(hub: Reading) -> None:
    add(hub, 1)
    hub.whole()
    calls = [call for call in hub.vendor.calls if "communication-preferences" in call.path]
    assert [call.json["inputs"] for call in calls] == [[EMAIL]]
    assert not any("@" in f"{call.path}{call.query}" for call in hub.vendor.calls)


def test_a_stop_of_one_purpose_is_told_of_its_subscription_alone(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    _stop(hub, hub.contact(record), "view_analytics")
    assert propagation.pass_on(at=hub.clock()).told == 1
    assert vendor(hub).statuses == {EMAIL: {NEWS: "UNSUBSCRIBED"}}
    assert vendor(hub).unsubscribed == []
    assert CrmLink.objects.get().stops == [f"{mapping.TOPIC}view_analytics"]


def test_a_stop_of_a_purpose_without_a_subscription_ends_all_email(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    _stop(hub, hub.contact(record), "marketing")
    assert propagation.pass_on(at=hub.clock()).told == 1
    assert vendor(hub).unsubscribed == [EMAIL]


def test_a_purpose_that_no_crm_knows_is_told_to_none(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    _stop(hub, hub.contact(record), "sharing")
    assert propagation.pass_on(at=hub.clock()) == propagation.Passed()


def test_what_hubspot_told_is_not_told_back(hub: Reading) -> None:
    unsubscribe(hub)
    add(hub, 1)
    hub.whole()
    done = propagation.pass_on(at=hub.clock())
    assert (done.told, done.not_needed) == (0, 1)


def test_an_answer_that_lacks_a_row_is_no_receipt(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    _stop(hub, hub.contact(record), "view_analytics")
    hub.vendor.plant("/batch/write", json_answer(200, {"status": "COMPLETE", "results": []}))
    assert propagation.pass_on(at=hub.clock()).later == 1


def test_a_subscription_that_is_ended_there_counts_at_once(hub: Reading) -> None:
    record = add(hub, 1)
    hub.whole()
    tell(hub, flag(hub, record, "true", f"hs_email_optout_{NEWS}"))
    assert effects() == ["withdrawn"]
    assert ended(hub, hub.contact(record)) == {"view_analytics"}
    assert intake.take_waiting(at=hub.clock()) == 0


@pytest.mark.parametrize("text", ["123", "x=marketing", "1=Marketing", "1=a,2=b", "1=a 2"])
def test_a_mapping_that_is_none_is_refused(text: str) -> None:
    chosen = {**mapping.usual(provider="hubspot"), mapping.SUBSCRIPTIONS: text}
    with pytest.raises(mapping.BadMapping, match="Types of subscription"):
        mapping.clean(provider="hubspot", chosen=chosen)


def test_no_other_crm_has_types_of_subscription() -> None:
    chosen = {**mapping.usual(provider="zoho"), mapping.SUBSCRIPTIONS: "1=marketing"}
    with pytest.raises(mapping.BadMapping):
        mapping.clean(provider="zoho", chosen=chosen)


def _stop(crm: Reading, contact: Contact, purpose: str) -> None:
    ledger.withdraw(
        contact=contact,
        act="button",
        source="page",
        at=crm.clock(),
        actor=SYSTEM,
        channels=("email",),
        purposes=(purpose,),
    )
