"""Does an officer see what the CRMs answered, and can one that failed be told again?"""

from collections.abc import Iterator

import pytest

from accounts.models import TrailLeaf, User
from consent.models import Writeback
from tests.accounts.staff import browser
from tests.consent import crms
from tests.consent.crms import Reading
from tests.consent.test_crm_writing import erase, known, pass_on
from tests.simulators.base import json_answer

pytestmark = pytest.mark.django_db
PAGE = "/admin/crms/"


@pytest.fixture
def hub() -> Iterator[Reading]:
    with crms.reading("hubspot") as found:
        yield found


def refused(hub: Reading) -> Writeback:
    """Erase somebody whose CRM refuses to."""
    _, contact = known(hub)
    erase(hub, contact)
    hub.vendor.plant("/gdpr-delete", json_answer(403, {"category": "MISSING_SCOPES"}))
    pass_on(hub)
    return Writeback.objects.get()


def test_a_failure_is_shown_with_its_cause_and_is_told_again_at_a_press(hub: Reading) -> None:
    row, officer = refused(hub), browser("officer")
    page = officer.get(PAGE).content.decode()
    assert "MISSING_SCOPES" in page
    assert "Try again" in page
    assert "example.org" not in page
    officer.post(f"{PAGE}{row.pk}/retry/")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.problem, row.done_at) == ("waiting", 0, "", None)
    assert TrailLeaf.objects.filter(action="consent.writeback.asked_again").count() == 1
    hub.clock.move(600)
    assert pass_on(hub) == {"told": 1}
    page = officer.get(PAGE).content.decode()
    assert "Erased there for good." in page
    assert "Try again" not in page


def test_what_was_done_is_not_done_again(hub: Reading) -> None:
    _, contact = known(hub)
    row = erase(hub, contact)
    pass_on(hub)
    browser("officer").post(f"{PAGE}{row.pk}/retry/")
    row.refresh_from_db()
    assert row.state == "told"


def test_an_auditor_sees_and_changes_nothing(hub: Reading) -> None:
    row, auditor = refused(hub), browser(User.Role.AUDITOR)
    assert "Try again" not in auditor.get(PAGE).content.decode()
    assert auditor.post(f"{PAGE}{row.pk}/retry/").status_code == 403
    assert Writeback.objects.get().state == "failed"


def test_an_unsure_note_says_that_it_may_be_there_twice(hub: Reading) -> None:
    row = refused(hub)
    Writeback.objects.filter(pk=row.pk).update(kind="note", state="unknown")
    assert "written a second time" in browser("officer").get(PAGE).content.decode()


def test_the_certificates_page_names_what_each_crm_answered(hub: Reading) -> None:
    refused(hub)
    page = browser("officer").get("/admin/certificates/").content.decode()
    assert "HubSpot</bdi>: failed." in page
    assert "MISSING_SCOPES" in page
