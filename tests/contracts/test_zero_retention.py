"""Promise 3: whatever fails and whenever we die, no copy stays at a vendor unseen."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from integrations.models import Connection
from integrations.video.base import ProviderError
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Killed, Vendor
from videos import rendering
from videos.models import DeletionReceipt, EgressManifest, Incident, ProcessorAgreement, Render

CALLS = ("create", "poll", "fetch", "delete", "exists")
FATES = ("dies", "permanent", "transient", "unknown")
STORIES, FAULTS, STEPS = 60, 4, 40


def fate(dice: random.Random) -> Callable[[], None]:
    outcome = dice.choice(FATES)

    def act() -> None:
        if outcome == "dies":
            raise Killed
        raise ProviderError(outcome, "played")  # type: ignore[arg-type]

    return act


def plant(vendor: Vendor, dice: random.Random) -> None:
    """Let something go wrong around one of the calls."""
    when, call = dice.choice([vendor.before, vendor.after]), dice.choice(CALLS)
    # A vendor that takes a job, denies it, and cannot be asked is beyond anybody's sight.
    honest = vendor.can_say or when is vendor.before or call != "create"
    when[call] = fate(dice) if honest else played.dies


def is_accounted_for(vendor: Vendor, render: Render) -> bool:
    """Say whether each copy has a manifest and is still being followed, or is an incident."""
    declared = {bytes(row.body) for row in EgressManifest.objects.filter(render=render)}
    if not set(vendor.jobs.values()) <= declared:
        return False
    followed = not rendering.is_finished(render)
    return not vendor.jobs or followed or Incident.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize("seed", range(STORIES))
def test_no_copy_is_ever_out_of_sight(vendor: Vendor, seed: int) -> None:
    dice = random.Random(seed)
    vendor.can_say, vendor.keeps_copies = dice.random() < 0.7, dice.random() < 0.2
    render, at = played.ordered(), stage.AT
    for step in range(STEPS):
        if step < FAULTS:
            plant(vendor, dice)
        if step == STEPS // 2:
            vendor.keeps_copies = False
        with suppress(Killed):
            render = rendering.advance(render=render, at=at)
        render.refresh_from_db()
        assert is_accounted_for(vendor, render)
        at += timedelta(minutes=6)
    assert rendering.is_finished(render)
    if render.state == Render.State.DONE:
        assert vendor.jobs == {}
        last = DeletionReceipt.objects.order_by("observed_at").last()
        assert last is not None
        assert last.observed_absent


def test_a_copy_is_deleted_though_the_agreement_has_ended(vendor: Vendor) -> None:
    render = rendering.advance(render=played.ordered(), at=stage.AT)
    ProcessorAgreement.objects.update(ended_at=stage.AT)
    Connection.objects.update(state=Connection.State.DISABLED)
    assert played.done(render).state == Render.State.DONE
    assert vendor.jobs == {}


def test_a_vendor_without_an_adapter_gets_nothing_and_is_followed_up(vendor: Vendor) -> None:
    render = rendering.advance(render=played.ordered(), at=stage.AT)
    Connection.objects.update(provider="gone")
    render = played.done(render)
    assert render.state == Render.State.FETCHED
    assert Incident.objects.get().kind == "vendor_delete_failed"
