"""Which template may be used, who says so, and what when nobody does?"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django_q.models import OrmQ

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from integrations import connections, jobs, keyed, templates
from integrations.messaging import wire
from integrations.models import Connection, MessageTemplate
from tests.simulators import wati

AT = datetime(2026, 10, 7, 14, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[wati.WatiSimulator]:
    with wati.WatiSimulator() as simulator:
        monkeypatch.setitem(wire.ORIGINS, "wati", simulator.origin)
        yield simulator


@pytest.fixture
def account() -> Connection:
    values = {"token": wati.TOKEN, "whatsapp_template": "video_ready"}
    return keyed.connect(provider="wati", label="WATI", values=values, at=AT, actor=SYSTEM)


def code(account: Connection) -> str:
    account.refresh_from_db()
    return templates.standing(connection=account).code


def test_a_new_account_s_templates_are_read_by_a_job_at_once(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    assert code(account) == "template_unread"
    assert OrmQ.objects.count() == 1
    assert jobs.read_templates(str(account.pk)) == ""
    assert code(account) == ""
    [row] = templates.listed(connection=account)
    assert (row.title, row.category, row.quality) == ("video_ready", "marketing", "green")


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("APPROVED", ""),
        ("PENDING", "template_pending"),
        ("REJECTED", "template_rejected"),
        ("PAUSED", "template_paused"),
        ("DISABLED", "template_disabled"),
        ("WHATEVER", "template_unknown"),
        ("", "template_unknown"),
    ],
)
def test_only_what_is_told_as_approved_is(
    vendor: wati.WatiSimulator, account: Connection, state: str, found: str
) -> None:
    vendor.templates = [("video_ready", state)]
    assert templates.refresh_all(at=AT) == 1
    assert code(account) == found
    assert bool(templates.standing(connection=account).words) == bool(found)


def test_a_change_of_state_is_in_the_trail(vendor: wati.WatiSimulator, account: Connection) -> None:
    for state in ("APPROVED", "APPROVED", "PAUSED"):
        vendor.templates = [("video_ready", state)]
        templates.refresh(connection=account, at=AT)
    leaves = TrailLeaf.objects.filter(action="integrations.template.changed").order_by("pk")
    assert [leaf.details["state"] for leaf in leaves] == ["approved", "paused"]


def test_one_that_is_no_longer_there_is_not_used(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    templates.refresh(connection=account, at=AT)
    vendor.templates = [("other", "APPROVED")]
    templates.refresh(connection=account, at=AT)
    assert code(account) == "template_gone"
    assert [row.code for row in templates.listed(connection=account)] == ["other"]
    keyed.change(connection=account, values={"whatsapp_template": "third"}, at=AT, actor=SYSTEM)
    assert code(account) == "template_unread"
    templates.refresh(connection=account, at=AT)
    assert code(account) == "template_missing"


def test_without_an_answer_all_stays_as_it_was(
    vendor: wati.WatiSimulator, account: Connection
) -> None:
    templates.refresh(connection=account, at=AT)
    vendor.mode, vendor.acts = "500", frozenset({"GET"})
    assert "http_500" in templates.refresh(connection=account, at=AT)
    assert code(account) == ""
    assert "as of the last time" in account.templates_problem
    vendor.mode = "401"
    assert "refuses the key" in templates.refresh(connection=account, at=AT)


def test_a_language_that_is_not_approved_stops_all(account: Connection) -> None:
    Connection.objects.update(templates_read_at=AT)
    for language, state in (("en", "approved"), ("fr", "paused")):
        MessageTemplate.objects.create(
            connection=account,
            code="video_ready",
            title="x",
            language=language,
            state=state,
            changed_at=AT,
        )
    assert code(account) == "template_paused"


def test_the_sandbox_asks_for_none() -> None:
    sandbox, _ = connections.ensure_local(at=AT)
    assert not templates.keeps(connection=sandbox)
    assert templates.refresh(connection=sandbox, at=AT) == ""
    assert templates.refresh_all(at=AT) == 0
