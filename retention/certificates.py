"""How is a deletion proven? By a numbered, chained, signed document that refuses to be early."""

import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery

from accounts import audit, keys
from accounts.models import DataKey
from config.lib import canonical
from consent import crm_writing
from consent.models import Contact, Writeback
from retention import holds
from retention.models import Certificate, Hold, Policy, Run, RunItem
from videos.models import DeletionReceipt, Link, Render, SealedObject

# Form 1 said nothing of the CRMs that were told; `verify_proof.py` reads both.
FORMAT = "sealcast-certificate/2"
PERSON, ANSWERS = "person", "answers"
GENESIS = "0" * 64
# How long a backup of the database may be kept; it goes into the certificate as a date.
BACKUPS_KEPT_DAYS = 30
CRYPTOGRAPHIC = "cryptographic erase (NIST SP 800-88r2), then removal"
REMOVAL = "removal of rows and objects"
RESIDUE = {
    "suppression": "keyed hashes of addresses, GDPR Art. 17(3)(b) and 21(3)",
    "consent_event": "acts of consent by random id, without evidence, 16 CFR 310.5(a)",
    "trail": "ids, codes and hashes, GDPR Art. 5(2)",
}
CONTENT = ("name_sealed", "email_sealed", "phone_sealed", "attributes_sealed")


class NotCertified(Exception):
    """No certificate is given; the name of the kind says why."""


class Unfinished(NotCertified):
    """A part of the house has not finished erasing."""


class StillReadable(NotCertified):
    """A key still opens, or a value still stands."""


def issue_for_person(*, item: RunItem, at: datetime) -> Certificate:
    """Certify that a person is erased, once every part of the house is done and this was checked.

    Law: GDPR Art. 5(2) and 17; 11 CCR 7022 (record of the deletion).
    :raises Unfinished: a part is not done, or a hold is in force.
    :raises StillReadable: something of the person can still be read.
    """
    contact = Contact.objects.select_related("key").get(pk=item.object_id)
    parts = {"keys", "retention", "videos", "consent", "integrations", "accounts"}
    if item.state != RunItem.State.ERASED or not parts <= set(item.parts):
        raise Unfinished
    if holds.is_held(contact_id=contact.pk):
        raise Unfinished
    return _sign(item.run, contact.pk, _person(item, contact, at), at)


def issue_for_run(*, run: Run, at: datetime) -> Certificate | None:
    """Certify what a run of the policies erased beside persons; return None if it was nothing.

    :raises Unfinished: a record is neither erased nor held.
    """
    if run.items.exclude(state__in=[RunItem.State.ERASED, RunItem.State.HELD]).exists():
        raise Unfinished
    erased = run.items.filter(state=RunItem.State.ERASED).exclude(record_class=holds.CONTACT)
    if not erased.exists():
        return None
    return _sign(run, None, _records(run), at)


def follow_up(*, at: datetime, limit: int = 200) -> int:
    """Certify what the CRMs answered that were told of an erasure; return how many were issued.

    They are told after the erasure, which waits for nobody. Once all have answered, or were given
    up, a further certificate says so; one that is tried again later brings another.
    Law: GDPR Art. 5(2), 17(2) and 19.
    """
    return sum(_certify_answers(contact_id, at) for contact_id in _answered()[:limit])


def _answered() -> list[uuid.UUID]:
    erasures = Writeback.objects.filter(kind=Writeback.Kind.ERASE)
    waiting = erasures.filter(state=Writeback.State.WAITING)
    last = Certificate.objects.filter(contact_id=OuterRef("contact_id")).order_by("-number")
    known = erasures.annotate(issued_at=Subquery(last.values("issued_at")[:1]))
    ended = known.filter(done_at__gte=F("issued_at")).exclude(contact__in=waiting.values("contact"))
    return list(ended.order_by("contact_id").values_list("contact_id", flat=True).distinct())


def _certify_answers(contact_id: uuid.UUID, at: datetime) -> bool:
    rows = Certificate.objects.filter(contact_id=contact_id)
    last, told = rows.order_by("-number").select_related("run").first(), _told(contact_id)
    if last is None or last.document.get("told") == told:
        return False
    content: dict[str, object] = {
        "scope": ANSWERS,
        "method": "erasure at the systems that had the person from us, or we from them",
        "stores": {},
        "keys_destroyed": [],
        "processor_receipts": [],
        "links_ended": 0,
        "told": told,
        "held": [],
        "residue": {},
        "checked": {"targets_that_wait": 0},
    }
    _sign(last.run, contact_id, content, at)
    return True


def _told(contact_id: uuid.UUID) -> list[dict[str, object]]:
    """Return which CRMs are told of the erasure, when they answered, and what."""
    erasures = crm_writing.erasures_of(contact_ids=[contact_id])
    rows = sorted(erasures.get(contact_id, []), key=lambda row: str(row.pk))
    return [_target(row) for row in rows]


def _target(row: Writeback) -> dict[str, object]:
    receipt = row.receipt or {}
    return {
        "id": str(row.pk),
        "provider": row.connection.provider,
        "connection": str(row.connection_id),
        "asked_at": canonical.instant(row.happened_at),
        "due_at": canonical.instant(row.due_at),
        "state": row.state,
        "answered_at": canonical.instant(row.done_at) if row.done_at else None,
        "receipt": str(receipt.get("code", "")),
        "status": int(receipt.get("status", 0)),
        "reference": str(receipt.get("reference", "")),
        "problem": row.problem,
    }


def backups_end(at: datetime) -> datetime:
    """Return when the last backup that may hold what is erased now is gone."""
    return at + timedelta(days=BACKUPS_KEPT_DAYS)


def _person(item: RunItem, contact: Contact, at: datetime) -> dict[str, object]:
    own = DataKey.objects.filter(Q(pk=contact.key_id) | Q(parent_id=contact.key_id))
    open_keys = [key for key in own.select_related("parent") if keys.opens(key=key, at=at)]
    left = [name for name in CONTENT if getattr(contact, name) is not None]
    stored = SealedObject.objects.filter(key__in=own).exclude(state="deleted").count()
    if open_keys or left or stored or contact.erased_at is None:
        raise StillReadable
    renders = Render.objects.filter(campaign__in=_campaigns(contact))
    receipts = DeletionReceipt.objects.filter(render__in=renders).order_by("deleted_at", "id")
    links = Link.objects.filter(contact=contact)
    return {
        "scope": PERSON,
        "method": CRYPTOGRAPHIC,
        "stores": {name: counts for name, counts in item.parts.items() if name != "keys"},
        "keys_destroyed": sorted(str(pk) for pk in own.values_list("pk", flat=True)),
        "processor_receipts": [str(pk) for pk in receipts.values_list("pk", flat=True)],
        "links_ended": links.count(),
        "told": _told(contact.pk),
        "held": [],
        "residue": RESIDUE,
        "checked": {"keys_that_open": 0, "values_left": 0, "objects_left": 0},
    }


def _records(run: Run) -> dict[str, object]:
    erased = run.items.filter(state=RunItem.State.ERASED).exclude(record_class=holds.CONTACT)
    rows = erased.order_by("record_class", "object_id").values_list("record_class", "object_id")
    pairs = [list(row) for row in rows]
    counts = Counter(record_class for record_class, _ in pairs)
    held = run.items.filter(state=RunItem.State.HELD).order_by("record_class", "object_id")
    return {
        "scope": "policies",
        "method": REMOVAL,
        "stores": dict(sorted(counts.items())),
        "records_sha256": canonical.digest(pairs),
        "keys_destroyed": [],
        "processor_receipts": [],
        "links_ended": 0,
        "told": [],
        "held": [_held(row) for row in held],
        "residue": {},
        "checked": {"records_unfinished": 0},
    }


def _held(item: RunItem) -> dict[str, str]:
    wanted = Q(object_id=item.contact_id or uuid.UUID(int=0), record_class=holds.CONTACT)
    reason = Hold.objects.filter(wanted, released_at=None).values_list("reason", flat=True).first()
    return {
        "record_class": item.record_class,
        "object_id": item.object_id,
        "reason": reason or "hold on the item",
    }


def _campaigns(contact: Contact) -> Any:
    return Link.objects.filter(contact=contact).values("asset__campaign_id")


@transaction.atomic
def _sign(
    run: Run, contact_id: uuid.UUID | None, content: dict[str, object], at: datetime
) -> Certificate:
    # The policy of certificates is the turnstile: two at once must not take one number.
    Policy.objects.select_for_update().filter(pk="certificate").first()
    before = Certificate.objects.filter(run=run, contact_id=contact_id)
    if known := next((row for row in before if _says_so(row, content)), None):
        return known
    last = Certificate.objects.order_by("-number").first()
    identity, number = uuid.uuid4(), last.number + 1 if last else 1
    previous = last.document_hash if last else GENESIS
    document: dict[str, object] = {
        "format": FORMAT,
        "id": str(identity),
        "number": number,
        "previous": previous,
        "issued_at": canonical.instant(at),
        "subject": str(contact_id) if contact_id else None,
        "run": _run(run),
        "policies_sha256": _policies(),
        "backups_until": canonical.instant(backups_end(at)),
        **content,
    }
    signed = audit.sign(document)
    certificate = Certificate.objects.create(
        id=identity,
        number=number,
        run=run,
        contact_id=contact_id,
        document=document,
        previous_hash=previous,
        document_hash=canonical.digest(document),
        signing_id=signed["signing_id"],
        signature=signed["signature"],
        issued_at=at,
    )
    _record(certificate, at)
    return certificate


def _says_so(certificate: Certificate, content: dict[str, object]) -> bool:
    known = certificate.document
    same = known["scope"] == content["scope"]
    return bool(same and (known["scope"] != ANSWERS or known["told"] == content["told"]))


def _run(run: Run) -> dict[str, object]:
    return {
        "id": str(run.pk),
        "trigger": run.trigger,
        "plan_sha256": run.plan_sha256,
        "planned_at": canonical.instant(run.planned_at),
        "started_at": canonical.instant(run.started_at) if run.started_at else None,
        "actor": str(run.actor_id) if run.actor_id else audit.SYSTEM.id,
    }


def _policies() -> str:
    rows = Policy.objects.order_by("pk").values_list("pk", "period_days", "action")
    return canonical.digest([list(row) for row in rows])


def _record(certificate: Certificate, at: datetime) -> None:
    audit.record(
        action="retention.certificate.issued",
        at=at,
        actor=audit.SYSTEM,
        subject_id=certificate.contact_id,
        object_type="retention.certificate",
        object_id=str(certificate.pk),
        details={"number": certificate.number, "sha256": certificate.document_hash},
    )
