from datetime import timedelta

from integrations.models import Connection
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import rendering, vendor_facts


def seen(hours: float) -> tuple[str, str]:
    """Return what the facts say of the deletion and of the absence so long after it."""
    at = stage.AT + timedelta(hours=hours)
    found = vendor_facts.facts(connection=Connection.objects.get(), at=at)
    return found[4].word, found[5].word


def test_absence_is_whole_after_three_looks(vendor: Vendor) -> None:
    played.done(played.ordered())
    assert seen(0.1) == ("Accepted", "Gone so far")
    assert seen(3) == ("Accepted", "Look overdue")
    for hours in (1, 24):
        rendering.observe_again(at=stage.AT + timedelta(hours=hours))
    assert seen(24.1) == ("Accepted", "Gone")


def test_a_copy_that_stays_and_one_that_is_hidden_are_told_apart(vendor: Vendor) -> None:
    vendor.keeps_copies = vendor.deletes_softly = True
    played.done(played.ordered())
    assert seen(0.1) == ("Only hidden", "Still there")


def test_a_vendor_without_a_flag_or_adapter_is_said_to_be_one(vendor: Vendor) -> None:
    vendor.request_flag = ""
    account = Connection.objects.get()
    assert vendor_facts.facts(connection=account, at=stage.AT)[3].word == "Not offered"
    account.provider = "gone"
    assert vendor_facts.facts(connection=account, at=stage.AT)[2].word == "No adapter"
