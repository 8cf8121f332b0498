import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from accounts import audit
from accounts.models import TrailLeaf
from integrations.models import Connection
from integrations.video.base import ProviderError, refuse_redirect
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Killed, Vendor
from videos import agreements, rendering, vault, vendor_terms
from videos.anonymisation import AnonymousScript, NotAnonymous, ScriptRefused
from videos.models import (
    DeletionReceipt,
    EgressManifest,
    Incident,
    ProcessorAgreement,
    Render,
    SealedObject,
    VendorAttestation,
)

AT, SOON = stage.AT, stage.AT + timedelta(minutes=6)


def failing(outcome: str, code: str = "busy") -> Callable[[], None]:
    def act() -> None:
        raise ProviderError(outcome, code)  # type: ignore[arg-type]

    return act


def incidents() -> list[str]:
    return list(Incident.objects.filter(closed_at=None).values_list("kind", flat=True))


def test_a_render_comes_home_and_the_copy_is_seen_to_be_gone(vendor: Vendor) -> None:
    render = played.done(played.ordered())
    assert (render.state, render.problem) == (Render.State.DONE, "")
    assert vendor.jobs == {}
    manifest, receipt = EgressManifest.objects.get(), DeletionReceipt.objects.get()
    assert bytes(manifest.body) == vendor.sent[0]
    assert (manifest.agreement_id, manifest.slots) == ("dpa-7", ["name"])
    assert receipt.observed_absent
    assert receipt.manifest == manifest
    assert render.base is not None
    assert vault.read(sealed_object=render.base, at=AT) == played.film().video
    assert render.slots_ms == [[0, played.SLOT_MS]]


def test_the_trail_tells_each_step(vendor: Vendor) -> None:
    played.done(played.ordered())
    told = TrailLeaf.objects.filter(action__startswith="videos.").values_list("action", flat=True)
    assert list(told) == [
        "videos.render.ordered",
        "videos.egress.declared",
        "videos.render.submitted",
        "videos.render.fetched",
        "videos.copy.deleted",
        "videos.render.finished",
    ]


def test_the_manifest_stands_before_the_socket_opens(vendor: Vendor) -> None:
    seen: list[int] = []
    vendor.before["create"] = lambda: seen.append(EgressManifest.objects.count())
    rendering.advance(render=played.ordered(), at=AT)
    assert seen == [1]


def test_one_script_is_rendered_once(vendor: Vendor) -> None:
    first = played.done(played.ordered())
    again = rendering.start(campaign=first.campaign, language="en", at=AT, actor=audit.SYSTEM)
    assert again == first
    assert again.state == Render.State.DONE


def test_a_personal_script_is_not_ordered(vendor: Vendor) -> None:
    with pytest.raises(ScriptRefused):
        played.ordered(text="Hello {{ name }}. Write to anna@example.org.")
    assert not Render.objects.exists()


def test_without_a_script_nothing_is_ordered(vendor: Vendor) -> None:
    with pytest.raises(rendering.NoScript):
        rendering.start(campaign=stage.campaign(), language="en", at=AT, actor=audit.SYSTEM)


@pytest.mark.django_db
def test_without_a_vendor_nothing_is_ordered() -> None:
    with pytest.raises(rendering.NoVendor):
        played.ordered()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ended_at": AT}, "agreement_expired"),
        ({"expires_on": date(2026, 6, 1)}, "agreement_expired"),
        ({"signed_on": date(2026, 6, 3)}, "agreement_expired"),
        ({"region": "us"}, "other_region"),
        ({"clauses": ["a", "b", "c", "d", "e", "f", "g"]}, "clauses_missing"),
    ],
)
def test_nothing_leaves_without_a_whole_agreement(
    vendor: Vendor, changed: dict[str, Any], code: str
) -> None:
    render = played.ordered()
    ProcessorAgreement.objects.update(**changed)
    render = rendering.advance(render=render, at=AT)
    assert (render.state, render.problem) == (Render.State.FAILED, f"permanent:{code}")
    assert vendor.sent == []
    with pytest.raises(rendering.VendorNotAllowed, match=code):
        played.ordered()


def test_without_any_agreement_the_adapter_is_off(vendor: Vendor) -> None:
    ProcessorAgreement.objects.all().delete()
    with pytest.raises(rendering.VendorNotAllowed, match="no_agreement"):
        played.ordered()


def test_the_setting_of_the_account_is_read_before_each_call(vendor: Vendor) -> None:
    rendering.advance(render=played.ordered(), at=AT + timedelta(days=2))
    seen = VendorAttestation.objects.latest("at")
    assert (seen.holds, seen.means) == (True, VendorAttestation.Means.READ)
    assert EgressManifest.objects.get().attestation_id == str(seen.pk)


def test_an_account_that_keeps_copies_gets_nothing(vendor: Vendor) -> None:
    vendor.is_set_to_keep = True
    render = rendering.advance(render=played.ordered(), at=AT + timedelta(hours=2))
    assert render.problem == "permanent:setting_keeps_copies"
    assert vendor.sent == []


def test_a_vendor_that_does_not_say_gets_nothing(vendor: Vendor) -> None:
    vendor.before["keeps_nothing"] = failing("transient")
    render = rendering.advance(render=played.ordered(), at=AT + timedelta(hours=2))
    assert (render.state, render.problem) == (Render.State.WAITING, "transient:busy")
    assert vendor.sent == []


def test_what_an_officer_saw_is_known_for_a_day(vendor: Vendor) -> None:
    vendor.reads_setting = False
    assert played.ordered().state == Render.State.WAITING
    late = AT + timedelta(hours=24)
    with pytest.raises(rendering.VendorNotAllowed, match="setting_stale"):
        played.ordered(at=late)
    account = Connection.objects.get()
    agreements.attest(connection=account, holds=True, means="looked", at=late, actor=audit.SYSTEM)
    assert played.ordered(at=late).state == Render.State.WAITING


def test_an_account_nobody_looked_at_gets_nothing(vendor: Vendor) -> None:
    vendor.reads_setting = False
    account = Connection.objects.create(
        kind=Connection.Kind.VIDEO, hosts=["api.vendor.example"], created_at=AT
    )
    ProcessorAgreement.objects.update(connection=account)
    with pytest.raises(rendering.VendorNotAllowed, match="setting_not_seen"):
        vendor_terms.require(connection=account, vendor=vendor, at=AT)


def test_a_redirect_ends_all_work_with_the_vendor(vendor: Vendor) -> None:
    def sent_elsewhere() -> None:
        refuse_redirect(302)

    vendor.before["create"] = sent_elsewhere
    render = played.done(played.ordered())
    assert (render.state, render.problem) == (Render.State.FAILED, "permanent:redirected")
    assert incidents() == ["vendor_moved"]
    with pytest.raises(rendering.VendorNotAllowed, match="vendor_moved"):
        played.ordered()
    assert vendor.sent == []


def test_a_soft_deletion_is_an_incident_though_nothing_is_seen(vendor: Vendor) -> None:
    vendor.deletes_softly = True
    assert played.done(played.ordered()).state == Render.State.DONE
    assert incidents() == ["vendor_copy_soft_deleted"]
    receipt = DeletionReceipt.objects.get()
    assert (receipt.is_soft, receipt.observed_absent, receipt.residual_days) == (True, True, 30)
    assert len(receipt.request_sha256) == len(receipt.answer_sha256) == 64


def test_nothing_leaves_for_another_host(vendor: Vendor) -> None:
    vendor.endpoint = "https://api.elsewhere.example/v1"
    with pytest.raises(rendering.VendorNotAllowed, match="other_endpoint"):
        played.ordered()


def test_only_an_anonymous_script_may_leave(vendor: Vendor) -> None:
    class Forged:
        body, sha256 = b"{}", "0" * 64

    with pytest.raises(NotAnonymous):
        rendering._create(vendor, Forged())  # type: ignore[arg-type]
    with pytest.raises(NotAnonymous):
        AnonymousScript(b"{}", "0" * 64, (), "en", "", made_by=object())
    assert vendor.sent == []


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("before", "create"),
        ("after", "create"),
        ("before", "poll"),
        ("before", "fetch"),
        ("before", "delete"),
        ("after", "delete"),
        ("before", "exists"),
    ],
)
def test_a_crash_anywhere_makes_no_second_job_and_loses_no_copy(
    vendor: Vendor, when: str, what: str
) -> None:
    render = played.ordered()
    getattr(vendor, when)[what] = played.dies
    with pytest.raises(Killed):
        played.done(render)
    assert rendering.advance(render=render, at=AT).state == render.state
    render = played.done(render, at=SOON)
    assert render.state == Render.State.DONE
    assert len(vendor.sent) == 1
    assert vendor.jobs == {}
    assert DeletionReceipt.objects.get().observed_absent


def test_a_lost_answer_of_a_vendor_that_cannot_look_stops_with_an_incident(vendor: Vendor) -> None:
    vendor.can_say = False
    vendor.after["create"] = failing("unknown")
    render = played.done(played.ordered())
    assert (render.state, render.problem) == (Render.State.FAILED, "vendor_copy_unknown")
    assert incidents() == ["vendor_copy_unknown"]
    assert len(vendor.sent) == 1


def test_a_busy_vendor_is_asked_again(vendor: Vendor) -> None:
    vendor.can_say = False
    vendor.before["create"] = failing("transient")
    assert played.done(played.ordered()).state == Render.State.DONE
    assert EgressManifest.objects.count() == 2


def test_a_refusing_vendor_ends_the_render_and_it_can_be_ordered_again(vendor: Vendor) -> None:
    vendor.before["create"] = failing("permanent", "No credit left!")
    render = played.done(played.ordered())
    assert (render.state, render.problem) == (Render.State.FAILED, "permanent:no_credit_left_")
    again = rendering.start(campaign=render.campaign, language="en", at=SOON, actor=audit.SYSTEM)
    assert played.done(again, at=SOON).state == Render.State.DONE


def test_a_copy_that_stays_is_an_incident_until_it_is_gone(vendor: Vendor) -> None:
    vendor.keeps_copies = True
    render = played.done(played.ordered())
    assert render.state == Render.State.FETCHED
    assert incidents() == ["vendor_copy_present"]
    assert [row.observed_absent for row in DeletionReceipt.objects.all()] == [False]
    vendor.keeps_copies = False
    assert played.done(render, at=SOON).state == Render.State.DONE
    assert incidents() == []


def test_a_deletion_that_fails_is_an_incident_until_it_succeeds(vendor: Vendor) -> None:
    render = played.ordered()
    vendor.before["delete"] = failing("transient")
    for _ in range(3):
        render = rendering.advance(render=render, at=AT)
    assert incidents() == ["vendor_delete_failed"]
    assert rendering.advance(render=render, at=AT).state == Render.State.DONE
    assert incidents() == []


def test_an_unusable_video_is_deleted_at_the_vendor_too(vendor: Vendor) -> None:
    vendor.film = replace(played.film(), video=b"no video")
    render = played.done(played.ordered())
    assert (render.state, render.problem) == (Render.State.FAILED, "not_as_ordered:not_a_video")
    assert vendor.jobs == {}
    assert not SealedObject.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"duration_ms": 1}, "other_duration"),
        ({"slots_ms": [[0, 9000]]}, "other_slots"),
        ({"slots_ms": []}, "other_slots"),
        ({"slots_ms": [[1000, 1000 + played.SLOT_MS]]}, "other_slots"),
        ({"slots_ms": [[0, played.SLOT_MS], [4000, 7000]]}, "other_slots"),
        ({"captions_vtt": "none"}, "no_captions"),
    ],
)
def test_a_video_that_was_not_ordered_is_refused(
    vendor: Vendor, change: dict[str, object], code: str
) -> None:
    vendor.film = replace(played.film(), **change)  # type: ignore[arg-type]
    assert played.done(played.ordered()).problem == f"not_as_ordered:{code}"


def test_absence_is_looked_at_after_an_hour_and_a_day(vendor: Vendor) -> None:
    played.done(played.ordered())
    hours = [0.5, 1, 1.5, 23, 24, 25, 200]
    looks = [rendering.observe_again(at=AT + timedelta(hours=hour)) for hour in hours]
    assert looks == [0, 1, 0, 0, 1, 0, 0]
    assert DeletionReceipt.objects.filter(observed_absent=True).count() == 3


def test_a_copy_that_comes_back_is_an_incident(vendor: Vendor) -> None:
    render = played.done(played.ordered())
    vendor.jobs[render.vendor_job_id] = b""
    rendering.observe_again(at=AT + timedelta(hours=1))
    assert incidents() == ["vendor_copy_returned"]
    assert rendering.copy_exists(render=render)


def test_a_vendor_that_does_not_answer_for_a_day_is_an_incident(vendor: Vendor) -> None:
    played.done(played.ordered())
    vendor.before["exists"] = failing("transient")
    assert rendering.observe_again(at=AT + timedelta(hours=26)) == 0
    assert incidents() == ["vendor_copy_not_observed"]


def test_a_render_that_lost_its_job_is_found(vendor: Vendor) -> None:
    render = played.ordered()
    assert not rendering.waiting(at=AT).exists()
    assert list(rendering.waiting(at=SOON)) == [render]
    played.done(render, at=SOON)
    assert not rendering.waiting(at=SOON + timedelta(hours=1)).exists()


def test_the_request_holds_the_fixed_words_and_an_empty_slot_only(vendor: Vendor) -> None:
    played.done(played.ordered())
    assert json.loads(vendor.sent[0]) == {
        "language": "en",
        "width": 1280,
        "height": 720,
        "items": [
            {"slot": "s1", "ms": 3000},
            {"speech": "This part is for everybody, and it is stored only once."},
        ],
    }
