"""Does `verify` see a row of evidence that is not as the trail tells it, or is not told of?"""

from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import TrailLeaf
from consent import proofs
from consent.models import ConsentEvent, Decision, LikenessRelease, Proof, Revocation
from retention.checks import told
from tests.consent.hearing import hear
from tests.consent.people import NOON, agreed, person
from tests.contracts.test_promises import guards_off
from tests.retention import people, story
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.test_presenters import released
from videos import personal_data
from videos.models import DeletionReceipt, EgressManifest, Link, ProcessorAgreement

pytestmark = pytest.mark.django_db(transaction=True)


def named() -> str:
    return "\n".join(violation for check in told.check() for violation in check.first)


def plant_changed_act() -> str:
    agreed(person(), "email")
    row = ConsentEvent.objects.latest("at")
    with guards_off("consent_consentevent"):
        ConsentEvent.objects.filter(pk=row.pk).update(source="somewhere")
    return f"act of consent {row.pk}: is not as the trail tells it"


def plant_lost_act() -> str:
    agreed(person(), "email")
    row = ConsentEvent.objects.latest("at")
    with guards_off("consent_consentevent"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM consent_consentstate")
        cursor.execute("DELETE FROM consent_consentevent")
    return f"act of consent {row.pk}: is gone"


def plant_changed_inputs() -> str:
    story.whole()
    row = Decision.objects.latest("at")
    with guards_off("consent_decision"):
        Decision.objects.filter(pk=row.pk).update(inputs_sha256="0" * 64)
    return f"decision {row.pk}: is not as the trail tells it"


def plant_narrowed_stop() -> str:
    agreed(person(phone="+33612341234"), "sms")
    hear("STOP", "+33612341234")
    row = Revocation.objects.get()
    with guards_off("consent_revocation"):
        Revocation.objects.update(channels=["sms"])
    return f"revocation {row.pk}: is not as the trail tells it"


def plant_swapped_paper() -> str:
    who, staff = person(), people.officer()
    row = proofs.keep(
        contact=who, file=b"%PDF-1.7", media_type="application/pdf", at=NOON, staff=staff
    )
    Proof.objects.update(file_sha256="0" * 64)
    return f"proof {row.pk}: is not as the trail tells it"


def plant_other_release() -> str:
    row = released()
    LikenessRelease.objects.update(document_sha256="0" * 64)
    return f"release {row.pk}: is not as the trail tells it"


def plant_pretended_agreement() -> str:
    played.connected()
    return f"agreement {ProcessorAgreement.objects.get().pk}: the trail does not tell of it"


def plant_smaller_manifest() -> str:
    story.whole()
    row = EgressManifest.objects.get()
    with guards_off("videos_egressmanifest"):
        EgressManifest.objects.update(size_bytes=1)
    return f"manifest {row.pk}: is not as the trail tells it"


def plant_absence_nobody_saw() -> str:
    story.whole()
    row = DeletionReceipt.objects.earliest("observed_at")
    with guards_off("videos_deletionreceipt"):
        DeletionReceipt.objects.filter(pk=row.pk).update(delete_status=500)
    return f"receipt {row.pk}: is not as the trail tells it"


def plant_link_nobody_made() -> str:
    link, _ = stage.link()
    with guards_off("accounts_trailleaf"):
        TrailLeaf.objects.filter(action="videos.link.minted").delete()
    return f"link {link.pk}: the trail does not tell of it"


PLANTED = [
    plant_changed_act,
    plant_lost_act,
    plant_changed_inputs,
    plant_narrowed_stop,
    plant_swapped_paper,
    plant_other_release,
    plant_pretended_agreement,
    plant_smaller_manifest,
    plant_absence_nobody_saw,
    plant_link_nobody_made,
]


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_violation_is_named(plant: Callable[[], str]) -> None:
    assert plant() in named()


def test_a_link_past_its_label_is_no_fault() -> None:
    _, link = story.whole()
    personal_data.erase_record(record_class="link", object_id=str(link.pk), at=NOON)
    assert not Link.objects.exists()
    assert named() == ""


def test_a_rule_that_was_taken_from_the_database_is_named() -> None:
    table = "videos_link"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO kept_aside")
        cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM kept_aside")
        found = named()
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(f"ALTER TABLE kept_aside RENAME TO {table}")
    assert f"table {table}: nothing holds link_plays_within_allowed" in found
    assert named() == ""
