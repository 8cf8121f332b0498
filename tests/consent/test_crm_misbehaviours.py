"""Does a CRM on its bad days make us lose, double or tell anything?"""

from collections.abc import Callable, Iterator

import pytest

from accounts.models import TrailLeaf
from consent.models import Contact, CrmLink
from integrations import crm
from integrations.crm.base import Crm, CrmError, Receipt
from integrations.models import Connection, OAuthGrant
from tests import patience
from tests.consent import crms
from tests.consent.crms import Reading
from tests.simulators.server import OUTCOMES

pytestmark = [pytest.mark.django_db, pytest.mark.one_engine]
EMAIL, NAME = "ana@example.org", "Wilhelmina"
PEOPLE = {
    "hubspot": {"firstname": NAME, "email": EMAIL},
    "salesforce": {"Name": NAME, "Email": EMAIL},
    "zoho": {"First_Name": NAME, "Email": EMAIL},
}
# A question may be put again, whatever became of it; what is made may not.
READ = {**OUTCOMES, "401": "permanent", "403": "permanent"}
WRITTEN = {**READ}
# Where a success holds what is none: Zoho alone says so in words, and that is final.
SAID_SO = {"200_with_error": {"hubspot": "unknown", "salesforce": "unknown"}}


@pytest.fixture(params=PEOPLE)
def reading(request: pytest.FixtureRequest) -> Iterator[Reading]:
    with crms.reading(request.param) as found:
        yield found


def expected(table: dict[str, str], reading: Reading, mode: str) -> str:
    return SAID_SO.get(mode, {}).get(reading.row.provider, table[mode])


def reader(reading: Reading) -> Crm:
    fields = reading.sync().fields
    return crm.reader_for(connection=reading.row, fields=fields, now=reading.clock)


def again(reading: Reading) -> None:
    """Let the connection work once more, as after a person connected it anew."""
    reading.vendor.mode = ""
    Connection.objects.update(state=Connection.State.ACTIVE)
    OAuthGrant.objects.update(retry_at=None)


def failure(reading: Reading, mode: str, act: Callable[[], object]) -> CrmError:
    reading.vendor.mode = mode
    with pytest.MonkeyPatch.context() as patch, pytest.raises(CrmError) as failed:
        patience.with_mode(patch, mode)
        act()
    again(reading)
    assert EMAIL not in f"{failed.value!r} {failed.value.told}"
    return failed.value


def test_a_page_that_misbehaves_is_an_error_and_loses_nobody(reading: Reading) -> None:
    identity = reading.vendor.add(at=reading.clock.at.timestamp(), **PEOPLE[reading.row.provider])  # type: ignore[attr-defined]
    for mode in OUTCOMES:
        crm_reader = reader(reading)
        cursor = crm_reader.first(since=None)
        failed = failure(reading, mode, lambda: crm_reader.page(cursor=cursor))  # noqa: B023  called at once
        wanted = expected(READ, reading, mode)
        assert (failed.outcome == "permanent") == (wanted == "permanent"), (mode, failed.code)
    assert not Contact.objects.exists()
    assert reading.whole()["new"] == 1
    assert reading.name(identity) == NAME


def test_a_round_that_meets_each_of_them_goes_on_and_tells_nothing(reading: Reading) -> None:
    reading.vendor.add(at=reading.clock.at.timestamp(), **PEOPLE[reading.row.provider])  # type: ignore[attr-defined]
    for mode in ("429", "503", "html", "empty", "closed", "200_with_error", "403"):
        reading.map()
        reading.vendor.mode = mode
        assert not reading.page(reading.take()).more
        sync = reading.sync()
        again(reading)
        stuck = expected(READ, reading, mode) == "permanent"
        assert (sync.state == "stuck") == stuck, mode
        assert sync.problem
        assert EMAIL not in sync.problem
    assert EMAIL not in str(list(TrailLeaf.objects.values_list("details", flat=True)))
    reading.map()
    assert reading.whole() == {"new": 1, "read": 1}
    assert CrmLink.objects.count() == 1


@pytest.mark.parametrize("act", ["stop", "forget", "note"])
def test_what_is_told_is_never_called_done_by_a_bad_answer(reading: Reading, act: str) -> None:
    identity = reading.vendor.add(at=reading.clock.at.timestamp(), **PEOPLE[reading.row.provider])  # type: ignore[attr-defined]
    for mode in OUTCOMES:
        failed = failure(reading, mode, lambda: told(reading, act, identity))
        wanted = expected(WRITTEN, reading, mode)
        assert (failed.outcome == "permanent") == (wanted == "permanent"), (mode, failed.code)
        if act == "note" and wanted == "unknown":
            # Written twice it would stand there twice.
            assert failed.outcome == "unknown", (mode, failed.code)
    assert told(reading, act, identity).status in {200, 201, 204}


def told(reading: Reading, act: str, identity: str) -> Receipt:
    crm_reader = reader(reading)
    if act == "stop":
        return crm_reader.stop(
            record_id=identity, email=EMAIL, channels=["email"], at=reading.clock.at
        )
    if act == "forget":
        return crm_reader.forget(record_id=identity)
    return crm_reader.note(record_id=identity, subject="Video message sent", at=reading.clock.at)
