"""Does a film come home from each AI vendor by the door, and nothing leave without contract?"""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from accounts import audit
from config.lib import clock
from integrations import keyed
from integrations.models import Connection
from integrations.video import wire
from tests.integrations.video.accounts import VENDORS
from tests.simulators.studios import StudioSimulator
from tests.videos import stage
from tests.videos import vendor as played
from videos import agreements, jobs, rendering, vendor_terms
from videos.models import (
    DeletionReceipt,
    EgressManifest,
    Incident,
    ProcessorAgreement,
    Render,
    VendorAttestation,
)

pytestmark = pytest.mark.django_db
Vendor = tuple[Connection, StudioSimulator]


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    row = keyed.connect(
        provider=request.param,
        label="Ours",
        values=VENDORS[request.param][1],
        at=stage.AT,
        actor=audit.SYSTEM,
    )
    with VENDORS[request.param][0](played.film().video) as simulator:
        monkeypatch.setitem(wire.STAND_INS, request.param, simulator.origin)
        yield row, simulator


def agree(row: Connection) -> None:
    """Record a whole agreement in force, and that the account was seen to keep nothing."""
    vendor = rendering.vendor_of(row)
    assert vendor is not None
    ProcessorAgreement.objects.create(
        connection=row,
        reference="dpa-7",
        document_sha256="0" * 64,
        clauses=sorted(agreements.CLAUSES),
        sub_processors=["none"],
        region=vendor.region,
        signed_on=date(2026, 1, 1),
        expires_on=date(2027, 1, 1),
        residual_days=90,
        created_at=stage.AT,
    )
    VendorAttestation.objects.create(
        connection=row, holds=True, means=VendorAttestation.Means.READ, at=stage.AT
    )


def finish(render: Render) -> Render:
    """Take every step of a render, at the vendor's pace."""
    for minute in range(12):
        render = rendering.advance(render=render, at=stage.AT + timedelta(minutes=2 * minute))
    return render


def test_without_an_agreement_nothing_leaves(vendor: Vendor) -> None:
    row, simulator = vendor
    assert (row.kind, row.state) == ("video", "active")
    with pytest.raises(vendor_terms.VendorNotAllowed, match="no_agreement"):
        played.ordered()
    assert not simulator.calls


def test_a_film_is_made_fetched_once_and_seen_to_be_gone(vendor: Vendor) -> None:
    row, simulator = vendor
    agree(row)
    render = finish(played.ordered())
    assert (render.state, render.problem) == (Render.State.DONE, "")
    assert render.slots_ms == [[0, played.SLOT_MS]]
    assert "for everybody" in render.captions
    receipt = DeletionReceipt.objects.get()
    assert (receipt.observed_absent, receipt.is_soft, receipt.residual_days) == (True, False, 90)
    assert (len(simulator.films_fetched), simulator.jobs) == (1, {})
    assert EgressManifest.objects.get().vendor == row.provider
    assert not Incident.objects.filter(closed_at=None).exists()


def test_a_copy_that_stays_is_before_the_officer(vendor: Vendor) -> None:
    row, simulator = vendor
    agree(row)
    simulator.keeps = True
    render = finish(played.ordered())
    assert render.state == Render.State.FETCHED
    assert Incident.objects.filter(kind="vendor_copy_present", closed_at=None).exists()


def test_a_film_that_lies_elsewhere_stops_the_vendor_and_is_deleted(vendor: Vendor) -> None:
    row, simulator = vendor
    agree(row)
    simulator.film_host = simulator.origin.replace("127.0.0.1", "localhost")
    render = finish(played.ordered())
    assert (render.state, simulator.jobs) == (Render.State.FAILED, {})
    assert Incident.objects.filter(kind=vendor_terms.MOVED, closed_at=None).exists()


def test_an_order_whose_answer_was_lost_is_found_again(vendor: Vendor) -> None:
    row, simulator = vendor
    agree(row)
    simulator.mode, simulator.takes = "reset", True
    render = rendering.advance(render=played.ordered(), at=stage.AT)
    assert render.problem == "unknown:no_answer"
    simulator.mode = ""
    render = finish(render)
    assert (render.state, len(simulator.jobs)) == (Render.State.DONE, 0)
    assert [call.method for call in simulator.calls].count("POST") == 1


def test_news_take_one_step_of_the_render_they_name(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, simulator = vendor
    monkeypatch.setattr(clock, "now", lambda: stage.AT)
    agree(row)
    render = rendering.advance(render=played.ordered(), at=stage.AT)
    jobs.vendor_news(str(row.pk), "job-9")
    assert len(simulator.calls) == 1
    jobs.vendor_news(str(row.pk), render.vendor_job_id)
    assert [call.method for call in simulator.calls] == ["POST", "GET"]


def polls(simulator: StudioSimulator) -> int:
    return [call.method for call in simulator.calls].count("GET")


def test_a_vendor_is_asked_at_its_own_pace(vendor: Vendor) -> None:
    row, simulator = vendor
    agree(row)
    render = rendering.advance(render=played.ordered(), at=stage.AT)
    for second in range(1, 20):
        render = rendering.advance(render=render, at=stage.AT + timedelta(seconds=second))
    assert polls(simulator) == 1


def test_a_vendor_that_is_busy_for_a_minute_is_not_given_up(vendor: Vendor) -> None:
    row, simulator = vendor
    agree(row)
    render = rendering.advance(render=played.ordered(), at=stage.AT)
    simulator.mode, simulator.acts = "429", frozenset({"GET"})
    for second in range(1, 61):
        render = rendering.advance(render=render, at=stage.AT + timedelta(seconds=second))
    assert polls(simulator) == 2
    assert (render.state, len(simulator.jobs)) == (Render.State.SUBMITTED, 1)
    simulator.mode = ""
    assert finish(render).state == Render.State.DONE
