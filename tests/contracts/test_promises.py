"""Does `verify` see each promise broken? One violation is planted for each, past every guard."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import audit
from accounts.models import DataKey, TrailLeaf
from consent.models import Contact, Decision, Message
from integrations.models import LocalVideoJob
from retention import holds, runs, verification
from retention.checks import links
from retention.models import Certificate
from retention.verification import PromiseReport
from tests.retention import story
from videos.models import DeletionReceipt, EgressManifest, Link, Render, SealedObject

pytestmark = pytest.mark.django_db(transaction=True)
NOW = story.AT + timedelta(days=1)


def look(number: int, *, days: int = 0) -> PromiseReport:
    [report] = verification.verify(at=NOW + timedelta(days=days), numbers={number})
    return report


def named(report: PromiseReport) -> str:
    return "\n".join(violation for check in report.checks for violation in check.first)


@contextmanager
def guards_off(table: str) -> Iterator[None]:
    """Do what an attacker with the rights of the owner could: take the triggers away."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='trigger' AND tbl_name=%s", [table]
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _, sql in triggers:
            cursor.execute(sql)


def test_all_seven_hold_on_a_whole_story() -> None:
    story.whole()
    reports = verification.verify(at=NOW)
    assert [named(report) for report in reports] == [""] * 7
    assert all(report.rows for report in reports)


def plant_refused_message() -> str:
    message = Message.objects.get()
    with guards_off("consent_decision"):
        Decision.objects.filter(pk=message.decision_id).update(verdict="refuse")
    return f"message {message.pk}: no decision of its own allowed it"


def plant_unjudged_message() -> str:
    message = Message.objects.get()
    with guards_off("consent_decision"):
        Decision.objects.filter(message_id=message.pk, phase="hand_off").update(
            verdict="defer", defer_until=NOW
        )
    return f"message {message.pk}: left without being judged again"


def plant_identifier() -> str:
    manifest = EgressManifest.objects.get()
    body = b'{"items":[{"speech":"Spring is here, Zo\xc3\xab \xc3\x85ngstr\xc3\xb6m."}]}'
    with guards_off("videos_egressmanifest"):
        EgressManifest.objects.update(body=body)
    return f"manifest {manifest.pk}: known_name of a contact stands in it"


def plant_missing_receipt() -> str:
    render = Render.objects.get()
    with guards_off("videos_deletionreceipt"):
        DeletionReceipt.objects.all().delete()
    return f"render {render.pk}: nobody saw that the vendor's copy is gone"


def plant_copy_at_the_vendor() -> str:
    render, manifest = Render.objects.get(), EgressManifest.objects.get()
    job = LocalVideoJob.objects.create(request={}, created_at=story.AT)
    Render.objects.update(vendor_jobs={str(manifest.pk): str(job.pk)})
    return f"render {render.pk}: the vendor still holds a copy"


def plant_plain_value() -> str:
    person = Contact.objects.get()
    Contact.objects.update(source="zoe@example.org")
    return f"consent_contact.source: holds in plain what names contact {person.pk}"


def plant_unsealed_column() -> str:
    person = Contact.objects.get()
    Contact.objects.update(name_sealed=b"nobody at all")
    return f"consent_contact.name_sealed of row {person.pk}: is not sealed"


def plant_swapped_column() -> str:
    person = Contact.objects.get()
    Contact.objects.update(phone_sealed=person.email_sealed)
    return f"consent_contact.phone_sealed of row {person.pk}: does not authenticate"


def plant_lost_object() -> str:
    row = SealedObject.objects.first()
    assert row is not None
    SealedObject.objects.filter(pk=row.pk).update(name="nowhere")
    return "object nowhere: missing"


def plant_long_link() -> str:
    link = Link.objects.get()
    Link.objects.update(expires_at=link.asset.delete_at + timedelta(seconds=1))
    return f"link {link.pk}: outlives its video"


def plant_late_play() -> str:
    link = Link.objects.get()
    Link.objects.update(revoked_at=story.AT)
    return f"of link {link.pk}: outside its time"


def plant_half_erasure() -> str:
    person = Contact.objects.get()
    Contact.objects.update(
        erased_at=NOW,
        name_sealed=None,
        email_sealed=None,
        phone_sealed=None,
        attributes_sealed=None,
        email_index=None,
        phone_index=None,
        name_first_index=None,
        name_middle_index="",
        name_last_index="",
        name_pair_index="",
        email_stop_index="",
        sms_stop_index="",
        whatsapp_stop_index="",
    )
    return f"contact {person.pk}: erased, but has a key that was not destroyed"


def plant_edited_act() -> str:
    leaf = TrailLeaf.objects.order_by("id")[1]
    audit.seal(at=NOW)
    with guards_off("accounts_trailleaf"):
        TrailLeaf.objects.filter(pk=leaf.pk).update(actor_id="somebody_else")
    return f"trail entry {leaf.entry.position}: the act was changed"


def plant_dropped_act() -> str:
    audit.seal(at=NOW)
    leaf = TrailLeaf.objects.order_by("id")[1]
    with guards_off("accounts_trailentry"), guards_off("accounts_trailleaf"):
        leaf.entry.delete()
        TrailLeaf.objects.filter(pk=leaf.pk).delete()
    return "block 1: entries are missing"


PLANTED: list[tuple[int, Callable[[], str]]] = [
    (1, plant_refused_message),
    (1, plant_unjudged_message),
    (2, plant_identifier),
    (3, plant_missing_receipt),
    (3, plant_copy_at_the_vendor),
    (4, plant_plain_value),
    (4, plant_unsealed_column),
    (4, plant_swapped_column),
    (4, plant_lost_object),
    (5, plant_long_link),
    (5, plant_late_play),
    (6, plant_half_erasure),
    (7, plant_edited_act),
    (7, plant_dropped_act),
]


@pytest.mark.parametrize(("number", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
def test_a_planted_violation_is_named(number: int, plant: Callable[[], str]) -> None:
    story.whole()
    violation = plant()
    report = look(number)
    assert not report.is_kept
    assert violation in named(report)


def test_a_record_past_its_label_is_named() -> None:
    person, _ = story.whole()
    assert f"contact {person.pk}: past its label" in named(look(6, days=732))


def test_a_key_that_a_hold_should_keep_open_is_named() -> None:
    person, _ = story.whole()
    holds.place(record_class="contact", object_id=person.pk, reason="regulator", at=NOW, staff=None)
    DataKey.objects.filter(pk=person.key_id).update(delete_at=NOW)
    assert f"key {person.key_id}: on hold and shut" in named(look(6))


def test_a_forged_certificate_is_named() -> None:
    story.whole()
    run = runs.plan(at=NOW, trigger="officer")
    Certificate.objects.create(
        number=1,
        run=run,
        document={"number": 1, "previous": "0" * 64},
        previous_hash="0" * 64,
        document_hash="1" * 64,
        signing_id="x",
        signature="00",
        issued_at=NOW,
    )
    assert "certificate 1: was changed" in named(look(7))


def test_evidence_that_nothing_guards_is_named() -> None:
    with guards_off("consent_decision"):
        report = look(7)
    assert "table consent_decision: nothing keeps its rows from being changed" in named(report)


def test_a_check_that_stops_is_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "check", lambda at: iter([1 // 0]))
    assert named(look(5)) == "check: stopped by ZeroDivisionError"


def test_the_command_says_which_promise_is_broken_and_exits_with_one() -> None:
    story.whole()
    plant_long_link()
    said = io.StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("verify", stdout=said)
    assert "BROKEN 5" in said.getvalue()


def test_the_command_speaks_json_too() -> None:
    story.whole()
    said = io.StringIO()
    with suppress(SystemExit):
        call_command("verify", "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert [promise["number"] for promise in answer["promises"]] == [1, 2, 3, 4, 5, 6, 7]


def test_the_command_looks_at_the_promises_that_are_named() -> None:
    story.whole()
    plant_long_link()
    said = io.StringIO()
    call_command("verify", "--promise", "1", "--promise", "2", stdout=said)
    assert said.getvalue().splitlines()[-1] == "LOOKED AT: 1, 2. HOLDS."
