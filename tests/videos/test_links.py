import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import audit, keys
from accounts.models import TrailLeaf
from consent import ledger
from tests.videos import stage
from tests.videos.stage import AT
from videos import links, lookups
from videos.links import NotWatchable
from videos.models import Asset, Link

pytestmark = pytest.mark.django_db
SOON = AT + timedelta(hours=1)
OFFICER = audit.Actor("staff", "officer")


def end_by_withdrawal(link: Link) -> None:
    ledger.withdraw(contact=link.contact, act="keyword", source="sms", at=AT, actor=audit.SYSTEM)


def end_by_erasure(link: Link) -> None:
    contact = link.contact
    contact.name_sealed = contact.email_sealed = contact.phone_sealed = None
    contact.attributes_sealed = contact.email_index = contact.phone_index = None
    contact.email_stop_index = contact.sms_stop_index = contact.whatsapp_stop_index = ""
    contact.name_pair_index = contact.name_middle_index = contact.name_last_index = ""
    contact.name_first_index = None
    contact.erased_at = AT
    contact.save()


def end_by_deletion(link: Link) -> None:
    Asset.objects.filter(pk=link.asset_id).update(state=Asset.State.DELETED)


def end_the_videos_key(link: Link) -> None:
    assert link.asset.key
    keys.destroy(key=link.asset.key, at=AT)


def end_the_persons_key(link: Link) -> None:
    keys.destroy(key=link.contact.key, at=AT)


def end_by_revocation(link: Link) -> None:
    links.revoke(link=link, at=AT, actor=OFFICER)


ENDS = [
    end_by_withdrawal,
    end_by_erasure,
    end_by_deletion,
    end_the_videos_key,
    end_the_persons_key,
    end_by_revocation,
]


def test_a_token_opens_its_link() -> None:
    link, token = stage.link()
    found = links.look_up(token=token, at=SOON)
    assert found == link
    assert len(token) == 43


def test_the_token_is_nowhere_in_the_row_or_in_the_trail() -> None:
    link, token = stage.link()
    row = {str(value) for value in Link.objects.filter(pk=link.pk).values_list().get()}
    assert token not in row
    assert all(token not in str(leaf.details) + leaf.object_id for leaf in TrailLeaf.objects.all())


def test_a_living_link_is_told_in_one_query(
    django_assert_num_queries: Callable[[int], object],
) -> None:
    _, token = stage.link()
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        links.look_up(token=token, at=SOON)


@pytest.mark.parametrize("end", ENDS)
def test_an_ended_link_opens_no_more(end: Callable[[Link], None]) -> None:
    link, token = stage.link()
    links.look_up(token=token, at=SOON)
    end(link)
    with pytest.raises(NotWatchable):
        links.look_up(token=token, at=SOON)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 10_000, "../../etc", "é" * 43])
def test_a_wrong_token_opens_nothing(token: str) -> None:
    stage.link()
    with pytest.raises(NotWatchable):
        links.look_up(token=token, at=SOON)


def test_a_link_opens_between_its_two_instants_only() -> None:
    link, token = stage.link()
    for at in (link.not_before - timedelta(seconds=1), link.expires_at):
        with pytest.raises(NotWatchable):
            links.look_up(token=token, at=at)
    links.look_up(token=token, at=link.expires_at - timedelta(seconds=1))


def test_a_link_ends_with_its_video_at_the_latest() -> None:
    who = stage.person()
    video = stage.asset(who, stage.campaign())
    late = video.delete_at + timedelta(days=400)
    link, _ = links.mint(
        asset=video, contact=who, not_before=AT, expires_at=late, plays_allowed=1, at=AT
    )
    assert link.expires_at == video.delete_at


def test_a_link_made_after_a_withdrawal_and_a_fresh_yes_opens() -> None:
    who = stage.person()
    ledger.withdraw(contact=who, act="keyword", source="sms", at=AT, actor=audit.SYSTEM)
    _, token = stage.link(contact=who, at=SOON)
    assert links.look_up(token=token, at=SOON).revoked_at is None


def test_nobody_gets_a_link_to_another_persons_video() -> None:
    video = stage.asset(stage.person(), stage.campaign())
    other = stage.person(name="Ana", email="ana@example.org", phone="+4915112345679")
    with pytest.raises(links.NotTheirVideo):
        links.mint(
            asset=video, contact=other, not_before=AT, expires_at=SOON, plays_allowed=1, at=AT
        )


def test_all_links_of_a_person_end_at_once_and_stand_in_the_trail() -> None:
    who = stage.person()
    video = stage.asset(who, stage.campaign())
    for _ in range(3):
        links.mint(asset=video, contact=who, not_before=AT, expires_at=SOON, plays_allowed=1, at=AT)
    assert links.revoke_all(contact=who, at=AT, actor=OFFICER) == 3
    assert links.revoke_all(campaign=video.campaign, at=AT, actor=OFFICER) == 0
    assert TrailLeaf.objects.filter(action="videos.link.revoked", subject_id=who.pk).count() == 3


def test_ending_every_link_of_everybody_is_refused() -> None:
    with pytest.raises(ValueError, match="contact or a campaign"):
        links.revoke_all(at=AT, actor=OFFICER)


def test_stop_withdraws_and_ends_the_link_though_it_has_expired() -> None:
    who = stage.agreed(stage.person())
    link, token = stage.link(contact=who)
    links.stop(token=token, at=link.expires_at + timedelta(days=90))
    later = link.expires_at + timedelta(days=91)
    state = ledger.state_of(contact=who, purpose_code="marketing", channel="email", at=later)
    assert state == "withdrawn"


def test_stop_with_an_unknown_token_changes_nothing() -> None:
    stage.link()
    before = TrailLeaf.objects.count()
    links.stop(token="B" * 43, at=AT)
    assert TrailLeaf.objects.count() == before


def test_the_database_refuses_more_plays_than_allowed() -> None:
    link, _ = stage.link(plays_allowed=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Link.objects.filter(pk=link.pk).update(plays=3)


def test_two_tokens_are_never_the_same() -> None:
    assert len({links.new_token() for _ in range(1000)} | {str(uuid.uuid4())}) == 1001


def test_a_wrong_token_reads_another_link_and_never_gets_it() -> None:
    stage.link()
    wrong = keys.token_index(kind=links.KIND, token=links.new_token())
    with CaptureQueriesContext(connection) as asked:
        assert lookups.by_token(token_index=wrong) is None
    assert len(asked) == 1
    Link.objects.all().delete()
    assert lookups.by_token(token_index=wrong) is None
