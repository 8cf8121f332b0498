from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts import audit, keys
from accounts.models import Partner
from consent import ledger
from consent.models import Contact, Decision, Message
from integrations import connections
from integrations.models import SandboxMessage
from tests.videos import stage
from tests.videos.stage import AT
from videos import campaigns, delivery, links
from videos.models import Asset, Campaign, Link, Recipient

pytestmark = pytest.mark.django_db
STAFF = audit.Actor("staff", "marketer")
LATER = AT + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _connected() -> None:
    connections.ensure_local(at=AT)


def people() -> Iterator[Contact]:
    for number in range(3):
        email, phone = f"p{number}@example.org", f"+49151123456{number}0"
        yield stage.agreed(stage.person(name=f"Person {number}", email=email, phone=phone))


def begun(*contacts: Contact) -> Campaign:
    made = stage.campaign()
    stage.rendered(made)
    for contact in contacts:
        # The videos are there already, as after a preview: what is tested here is the delivery.
        stage.asset(contact, made)
    return campaigns.start(campaign=made, at=AT, actor=STAFF)


def state_of(contact: Contact) -> tuple[str, str]:
    row = Recipient.objects.get(contact=contact)
    return row.state, row.reason_code


def stop(contact: Contact) -> None:
    ledger.withdraw(contact=contact, act="keyword", source="sms", at=LATER, actor=audit.SYSTEM)


def sent_texts() -> list[str]:
    rows = SandboxMessage.objects.filter(direction="to_phone")
    return [row.content_sealed["text"] for row in rows]


def token_in(text: str) -> str:
    return text.partition("/v/")[2][:43]


def test_each_person_gets_a_message_with_a_link_of_their_own() -> None:
    made = begun(*people())
    assert delivery.work(campaign_id=made.pk, at=AT).states == {"queued": 3}
    assert delivery.dispatch(at=AT).sent == 3
    found = [links.look_up(token=token_in(text), at=LATER) for text in sent_texts()]
    assert len({link.contact_id for link in found}) == 3
    for link in found:
        assert link.message is not None
        assert link.message.contact_id == link.contact_id
        assert link.expires_at == link.not_before + timedelta(hours=made.link_ttl_hours)


def test_a_campaigns_message_is_judged_at_the_instant_it_leaves() -> None:
    made = begun(next(people()))
    delivery.work(campaign_id=made.pk, at=AT)
    # The round began while the link lived; its turn comes after the link's end.
    late = AT + timedelta(hours=made.link_ttl_hours, minutes=1)
    assert delivery.dispatch(at=AT, now=lambda: late).refused == 1
    assert sent_texts() == []


def test_the_message_says_who_what_and_how_to_stop() -> None:
    made = begun(next(people()))
    delivery.work(campaign_id=made.pk, at=AT)
    delivery.dispatch(at=AT)
    row = SandboxMessage.objects.get()
    text, headers = row.content_sealed["text"], row.content_sealed["headers"]
    for words in ("Aurora Travel", "Person 0", "made with AI", "Stop"):
        assert words in text
    assert "/join/one-click/" in headers["List-Unsubscribe"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_second_round_does_nothing_twice() -> None:
    made = begun(*people())
    delivery.work(campaign_id=made.pk, at=AT)
    assert delivery.work(campaign_id=made.pk, at=LATER).total == 0
    delivery.dispatch(at=LATER)
    assert delivery.dispatch(at=LATER).total == 0
    assert (Message.objects.count(), Link.objects.count()) == (3, 3)


def test_nothing_is_made_for_a_person_who_is_refused() -> None:
    yes = next(people())
    no = stage.person(name="No", email="no@example.org", phone="")
    made = begun(yes)
    delivery.work(campaign_id=made.pk, at=AT)
    assert state_of(no) == ("refused", "no_consent")
    assert not Asset.objects.filter(contact=no).exists()
    assert not Link.objects.filter(contact=no).exists()
    decision = Decision.objects.get(contact=no)
    assert (decision.verdict, decision.context_id) == ("refuse", made.pk)


def test_a_withdrawal_before_their_turn_skips_the_person() -> None:
    first, second, third = people()
    made = begun(first, second, third)
    stop(second)
    delivery.work(campaign_id=made.pk, at=LATER)
    assert state_of(second)[0] == "refused"
    assert Message.objects.filter(contact=second).count() == 0
    assert Message.objects.count() == 2


def test_a_withdrawal_after_queueing_ends_link_and_message() -> None:
    first, second, _ = everyone = list(people())
    made = begun(*everyone)
    delivery.work(campaign_id=made.pk, at=AT)
    stop(second)
    delivery.dispatch(at=LATER)
    assert Message.objects.get(contact=second).state == "cancelled"
    assert not links.is_live(link=Link.objects.get(contact=second), at=LATER)
    assert links.is_live(link=Link.objects.get(contact=first), at=LATER)
    assert len(sent_texts()) == 2


def test_a_revoked_link_keeps_its_message_from_leaving() -> None:
    who = next(people())
    made = begun(who)
    delivery.work(campaign_id=made.pk, at=AT)
    links.revoke_all(contact=who, at=AT, actor=STAFF)
    assert delivery.dispatch(at=LATER).refused == 1
    assert Message.objects.get().problem == "link_dead"
    assert sent_texts() == []


def test_a_video_that_no_longer_opens_keeps_its_message_from_leaving() -> None:
    who = next(people())
    made = begun(who)
    delivery.work(campaign_id=made.pk, at=AT)
    key = Asset.objects.get().key
    assert key is not None
    keys.destroy(key=key, at=AT)
    assert delivery.dispatch(at=LATER).refused == 1


def test_a_pause_takes_back_and_a_resume_sends_new_links() -> None:
    everyone = list(people())
    made = begun(*everyone)
    delivery.work(campaign_id=made.pk, at=AT)
    before = set(Link.objects.values_list("token_index", flat=True))
    campaigns.pause(campaign=made, at=LATER, actor=STAFF)
    assert delivery.work(campaign_id=made.pk, at=LATER).total == 0
    assert delivery.dispatch(at=LATER).sent == 0
    campaigns.resume(campaign=made, at=LATER, actor=STAFF)
    assert delivery.work(campaign_id=made.pk, at=LATER).states == {"queued": 3}
    assert delivery.dispatch(at=LATER).sent == 3
    alive = {link.token_index for link in links.with_keys() if links.is_live(link=link, at=LATER)}
    assert len(alive) == 3
    assert not alive & before


def test_a_pause_between_two_looks_keeps_the_message() -> None:
    made = begun(next(people()))
    delivery.work(campaign_id=made.pk, at=AT)
    Campaign.objects.filter(pk=made.pk).update(state="paused")
    assert delivery.dispatch(at=LATER).refused == 1
    campaigns.resume(campaign=made, at=LATER, actor=STAFF)
    delivery.work(campaign_id=made.pk, at=LATER)
    assert delivery.dispatch(at=LATER).sent == 1


def test_a_lost_worker_costs_time_and_no_person() -> None:
    made = begun(next(people()))
    Recipient.objects.update(state="making", claimed_at=AT)
    assert delivery.recover(at=AT + timedelta(minutes=5)) == 0
    assert delivery.recover(at=AT + timedelta(minutes=16)) == 1
    assert delivery.work(campaign_id=made.pk, at=LATER).states == {"queued": 1}


def test_a_campaign_is_sent_once_nobody_waits() -> None:
    made = begun(*people())
    delivery.work(campaign_id=made.pk, at=AT)
    assert not campaigns.finish(campaign=made, at=AT)
    delivery.dispatch(at=AT)
    assert campaigns.finish(campaign=made, at=LATER)
    assert Campaign.objects.get().state == "done"


def test_without_a_connection_nobody_is_queued() -> None:
    made = begun(next(people()))
    connection = connections.usable(kind="messaging").get()
    connections.switch(connection=connection, on=False, at=AT, actor=STAFF)
    assert delivery.work(campaign_id=made.pk, at=AT).states == {"failed": 1}
    assert state_of(Contact.objects.get()) == ("failed", "no_connection")


def test_one_person_is_sent_once_however_often_it_is_asked() -> None:
    partner = Partner.objects.create(name="Partner", created_at=AT)
    who = stage.agreed(stage.person(partner=partner))
    made = stage.campaign(partner=partner)
    stage.asset(who, made)
    rows = [delivery.send_one(campaign=made, contact=who, at=AT, actor=STAFF) for _ in range(3)]
    assert len({row.pk for row in rows}) == 1
    assert delivery.work_one(recipient_id=rows[0].pk, at=AT) == "queued"
    assert delivery.work_one(recipient_id=rows[0].pk, at=AT) == "queued"
    assert delivery.dispatch(at=AT).sent == 1


def test_one_person_who_was_refused_is_judged_again_when_asked_again() -> None:
    partner = Partner.objects.create(name="Northwind", created_at=AT)
    who, made = stage.person(partner=partner), stage.campaign(partner=partner)
    row = delivery.send_one(campaign=made, contact=who, at=AT, actor=STAFF)
    assert delivery.work_one(recipient_id=row.pk, at=AT) == "refused"
    stage.asset(stage.agreed(who), made)
    again = delivery.send_one(campaign=made, contact=who, at=AT, actor=STAFF)
    assert (again.pk, again.state) == (row.pk, "waiting")
    assert delivery.work_one(recipient_id=row.pk, at=AT) == "queued"


@pytest.mark.parametrize("state", ["draft", "rendering", "paused", "cancelled"])
def test_one_person_is_not_sent_by_a_campaign_that_is_not_ready(state: str) -> None:
    who, made = stage.person(), stage.campaign(state=state)
    with pytest.raises(delivery.NotSendable):
        delivery.send_one(campaign=made, contact=who, at=AT, actor=STAFF)


def test_who_was_taken_when_a_worker_died_comes_after_the_others() -> None:
    made = begun(*people())
    first = Recipient.objects.order_by("pk")[0]
    Recipient.objects.filter(pk=first.pk).update(state="making", claimed_at=AT)
    assert delivery.recover(at=AT + timedelta(hours=1)) == 1
    assert delivery.work(campaign_id=made.pk, at=LATER, limit=2).total == 2
    assert Recipient.objects.get(state="waiting") == first
    assert delivery.work(campaign_id=made.pk, at=LATER).total == 1
