"""Does `verify` see a request without a contract, a look that nobody took, a copy only hidden?"""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from accounts import audit
from accounts.models import TrailLeaf
from integrations.video import providers
from retention.checks import anonymity
from retention.checks import vendor as check
from tests.contracts.test_promises import guards_off
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import incidents, rendering, vendor_terms
from videos.models import (
    DeletionReceipt,
    EgressManifest,
    Incident,
    ProcessorAgreement,
    Render,
    VendorAttestation,
)

pytestmark = pytest.mark.django_db(transaction=True)
AT, HOUR, DAY = stage.AT, timedelta(hours=1), timedelta(days=1)
LATER = AT + DAY + 2 * HOUR


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """A vendor of our own, with one request that left, came back and was looked for twice."""
    made = Vendor()
    monkeypatch.setitem(providers.PROVIDERS, "played", made)
    played.connected()
    played.done(played.ordered())
    for later in (HOUR, DAY):
        rendering.observe_again(at=AT + later)
    return made


def named() -> str:
    checks = [*check.check(at=LATER), *anonymity.check(at=LATER)]
    return "\n".join(violation for one in checks for violation in one.first)


def manifest() -> EgressManifest:
    return EgressManifest.objects.get()


def test_a_request_under_a_contract_that_was_looked_for_is_no_fault() -> None:
    assert DeletionReceipt.objects.count() == 3
    assert named() == ""


def plant_no_agreement() -> str:
    ProcessorAgreement.objects.update(ended_at=AT - HOUR)
    return f"manifest {manifest().pk}: no agreement was in force when it left"


def plant_agreement_of_later() -> str:
    ProcessorAgreement.objects.update(created_at=AT + HOUR)
    return f"manifest {manifest().pk}: no agreement was in force when it left"


def plant_expired_agreement() -> str:
    ProcessorAgreement.objects.update(expires_on=date(2026, 6, 1))
    return f"manifest {manifest().pk}: no agreement was in force when it left"


def plant_missing_clause() -> str:
    ProcessorAgreement.objects.update(clauses=["a", "b"])
    return f"manifest {manifest().pk}: its agreement lacks a clause"


def plant_other_region() -> str:
    ProcessorAgreement.objects.update(region="us")
    return f"manifest {manifest().pk}: left for another region"


def plant_invented_contract_here() -> str:
    with guards_off("videos_egressmanifest"):
        EgressManifest.objects.update(endpoint="local:studio")
    return f"manifest {manifest().pk}: names an agreement where none is needed"


def plant_setting_that_keeps() -> str:
    with guards_off("videos_vendorattestation"):
        VendorAttestation.objects.update(holds=False)
    return f"manifest {manifest().pk}: nobody had seen how the account was set"


def plant_setting_of_last_week() -> str:
    with guards_off("videos_vendorattestation"):
        VendorAttestation.objects.update(at=AT - DAY)
    return f"manifest {manifest().pk}: nobody had seen how the account was set"


def plant_moved_vendor() -> str:
    account = Render.objects.get().connection
    assert account is not None
    incidents.open_once(
        kind=vendor_terms.MOVED,
        object_type="integrations.connection",
        object_id=account.pk,
        at=AT - HOUR,
    )
    return f"manifest {manifest().pk}: left for a vendor that had moved"


def plant_long_backups() -> str:
    ProcessorAgreement.objects.update(residual_days=7)
    row = DeletionReceipt.objects.earliest("observed_at")
    return f"receipt {row.pk}: backups stay longer than was agreed"


def plant_no_look_after_a_day() -> str:
    with guards_off("videos_deletionreceipt"):
        DeletionReceipt.objects.filter(observed_at=AT + DAY).delete()
    return f"render {Render.objects.get().pk}: nobody looked for the copy 24 h"


def plant_no_look_at_all() -> str:
    with guards_off("videos_deletionreceipt"):
        DeletionReceipt.objects.filter(observed_at__gt=AT).delete()
    return f"render {Render.objects.get().pk}: nobody looked for the copy after 1 h"


def plant_hidden_copy() -> str:
    with guards_off("videos_deletionreceipt"):
        DeletionReceipt.objects.update(is_soft=True)
    row = DeletionReceipt.objects.latest("observed_at")
    return f"receipt {row.pk}: the copy was only hidden, and no officer was told"


def opened() -> Incident:
    return incidents.open_once(
        kind="vendor_delete_failed",
        object_type="videos.render",
        object_id=Render.objects.get().pk,
        at=AT,
    )


def plant_incident_closed_by_nobody() -> str:
    row = opened()
    Incident.objects.update(closed_at=AT)
    return f"incident {row.pk}: nobody is known to have closed it"


def plant_lost_incident() -> str:
    row = opened()
    Incident.objects.filter(pk=row.pk).delete()
    return f"incident {row.pk}: is gone"


def plant_other_words() -> str:
    Render.objects.update(script_sha256="0" * 64)
    return f"manifest {manifest().pk}: is not what the script of its order makes"


def plant_unsearched() -> str:
    with guards_off("videos_egressmanifest"):
        EgressManifest.objects.update(detectors="")
    return f"manifest {manifest().pk}: does not say what searched it"


def plant_upload_that_left() -> str:
    Render.objects.update(made_by=Render.MadeBy.HUMAN)
    return f"render {Render.objects.get().pk}: an uploaded video left for a vendor"


PLANTED = [
    plant_no_agreement,
    plant_agreement_of_later,
    plant_expired_agreement,
    plant_missing_clause,
    plant_other_region,
    plant_invented_contract_here,
    plant_setting_that_keeps,
    plant_setting_of_last_week,
    plant_moved_vendor,
    plant_long_backups,
    plant_no_look_after_a_day,
    plant_no_look_at_all,
    plant_hidden_copy,
    plant_incident_closed_by_nobody,
    plant_lost_incident,
    plant_other_words,
    plant_unsearched,
    plant_upload_that_left,
]


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_violation_is_named(plant: Callable[[], str]) -> None:
    assert plant() in named()


def test_an_open_incident_says_what_was_not_seen() -> None:
    plant_no_look_at_all()
    opened()
    assert "nobody looked" not in named()


def test_a_look_that_no_worker_took_is_taken_late() -> None:
    plant_no_look_at_all()
    assert rendering.observe_again(at=AT + 30 * DAY) == 1
    assert "nobody looked" not in named()
    assert TrailLeaf.objects.filter(action="videos.copy.observed").exists()


def test_an_officers_close_is_no_fault() -> None:
    row = opened()
    incidents.close(kinds=[row.kind], object_id=row.object_id, at=AT, actor=audit.SYSTEM)
    assert named() == ""
