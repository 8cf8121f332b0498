"""Is one group of failures tried again, and nobody else, and nothing sent twice?"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import User
from consent import outbox, unknowns
from consent.models import Message
from integrations import connections
from integrations.models import SandboxMessage
from tests.accounts.staff import member
from tests.videos import stage
from tests.videos.stage import AT
from tests.videos.test_delivery import STAFF, begun
from videos import campaigns, delivery, links, retries
from videos.models import Asset, Campaign, Link, Recipient

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=2)


@pytest.fixture
def done() -> Campaign:
    """Return a campaign with one sent, one refused by their mailbox, one that was not made."""
    connections.ensure_local(at=AT)
    good = stage.agreed(stage.person())
    bad = stage.agreed(stage.person(name="Bad", email="fails@example.org", phone=""))
    unmade = stage.agreed(stage.person(name="Un", email="un@example.org", phone=""))
    made = begun(good, bad, unmade)
    Recipient.objects.filter(contact=unmade).update(state="failed", reason_code="not_composable")
    Asset.objects.filter(contact=unmade).update(state="failed", attempts=5)
    delivery.work(campaign_id=made.pk, at=AT)
    delivery.dispatch(at=AT)
    assert campaigns.finish(campaign=made, at=LATER)
    made.refresh_from_db()
    return made


def states(campaign: Campaign) -> list[str]:
    rows = Recipient.objects.filter(campaign=campaign).order_by("contact__created_at", "pk")
    return sorted(rows.values_list("state", flat=True))


def test_one_cause_is_tried_again_and_the_campaign_goes_on(done: Campaign) -> None:
    assert retries.retry(campaign=done, code="not_composable", at=LATER, actor=STAFF) == 1
    done.refresh_from_db()
    assert (done.state, done.finished_at) == (Campaign.State.SENDING, None)
    assert states(done) == ["queued", "queued", "waiting"]
    assert Asset.objects.get(state="failed").attempts == 0


def test_a_failed_message_gets_another_number_and_another_link(done: Campaign) -> None:
    old = Link.objects.get(message__state="failed")
    assert retries.retry(campaign=done, code="address_rejected", at=LATER, actor=STAFF) == 1
    delivery.work(campaign_id=done.pk, at=LATER)
    old.refresh_from_db()
    assert old.revoked_at == LATER
    new = Link.objects.get(contact=old.contact, revoked_at=None)
    assert links.is_live(link=new, at=LATER)
    assert Message.objects.filter(contact=old.contact).count() == 2
    assert SandboxMessage.objects.filter(direction="to_phone").count() == 1


def test_a_message_without_an_answer_is_never_tried_again(done: Campaign) -> None:
    Message.objects.filter(state="failed").update(state="unknown", problem="worker_lost")
    assert retries.retry(campaign=done, code="worker_lost", at=LATER, actor=STAFF) == 0
    done.refresh_from_db()
    assert done.state == Campaign.State.DONE
    # An officer saw that it did not arrive: sending again is then a person's own act, judged anew.
    [lost] = unknowns.waiting()
    officer = member(User.Role.OFFICER)
    unknowns.settle(
        message_id=lost.pk, delivered=False, reason="vendor_log", at=LATER, staff=officer
    )
    assert retries.retry(campaign=done, code="not_delivered_vendor_log", at=LATER, actor=STAFF) == 1


def test_what_was_cancelled_stays_cancelled(done: Campaign) -> None:
    Recipient.objects.filter(state="failed").update(reason_code=campaigns.CANCELLED)
    assert retries.retry(campaign=done, code=campaigns.CANCELLED, at=LATER, actor=STAFF) == 0
    Campaign.objects.update(state="cancelled")
    with pytest.raises(campaigns.NotNow):
        retries.retry(campaign=done, code="not_composable", at=LATER, actor=STAFF)


def test_while_paused_they_wait(done: Campaign) -> None:
    Campaign.objects.update(state="paused")
    assert retries.retry(campaign=done, code="not_composable", at=LATER, actor=STAFF) == 1
    assert delivery.work(campaign_id=done.pk, at=LATER).total == 0


def test_a_pause_holds_from_the_next_person_on(
    done: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("not_composable", "address_rejected"):
        retries.retry(campaign=done, code=code, at=LATER, actor=STAFF)
    Asset.objects.update(state="ready")
    deliver = delivery._deliver

    def paused(recipient: Recipient, campaign: Campaign, at: object) -> str:
        campaigns.pause(campaign=campaign, at=LATER, actor=STAFF)
        return deliver(recipient, campaign, LATER)

    monkeypatch.setattr(delivery, "_deliver", paused)
    assert delivery.work(campaign_id=done.pk, at=LATER).total == 1
    assert states(done) == ["queued", "waiting", "waiting"]


@pytest.mark.parametrize("act", [campaigns.pause, campaigns.cancel])
def test_a_brake_holds_before_the_queue_is_emptied(
    act: Callable[..., Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.ensure_local(at=AT)
    made = begun(stage.agreed(stage.person()))
    delivery.work(campaign_id=made.pk, at=AT)

    def dies(**_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(outbox, "cancel", dies)
    with pytest.raises(InterruptedError):
        act(campaign=made, at=LATER, actor=STAFF)
    assert delivery.dispatch(at=LATER).refused == 1
    assert not SandboxMessage.objects.exists()
