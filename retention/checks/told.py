"""Promise 7: does each row of evidence stand as the trail tells it, and none beside or short of it?

The trail is signed and the rows are not: who changed a row, and all that points to it, is found
here by the hash of what was entered when it was written.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q

from accounts.models import TrailLeaf
from config.lib import canonical
from consent.models import ConsentEvent, Decision, LikenessRelease, Proof, Revocation
from retention.checks.tally import Tally
from videos.models import DeletionReceipt, EgressManifest, Link, ProcessorAgreement

BATCH = 500
OURS = ("accounts", "integrations", "consent", "videos", "retention")
Told = dict[str, object]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Kept:
    """A table of evidence, the acts that told of its rows, and what they said of a row."""

    what: str
    model: type[Model]
    actions: Sequence[str]
    said: Callable[[Any], Told]
    # A link is deleted when its label ends; evidence never is.
    stays: bool = True


def _event(row: ConsentEvent) -> Told:
    return {
        "action": f"consent.event.{row.kind}",
        "at": row.at,
        "subject": row.contact_id,
        "actor": (row.actor_kind, row.actor_id),
        "purpose": row.purpose_code,
        "channel": row.channel,
        "act": row.act,
        "permission": row.permission,
        "source": row.source,
        "notice": row.notice_id or "",
        "evidence": row.evidence_sha256,
    }


def _decision(row: Decision) -> Told:
    return {
        "action": f"consent.decision.{row.verdict}",
        "at": row.at,
        "subject": row.contact_id,
        "purpose": row.purpose_code,
        "channel": row.channel,
        "phase": row.phase,
        "message": str(row.message_id or ""),
        "reasons": [reason["code"] for reason in row.reasons],
        "inputs": row.inputs_sha256,
        "packs": row.packs_version,
    }


def _revocation(row: Revocation) -> Told:
    return {
        "at": row.effective_at,
        "subject": row.contact_id,
        "means": row.means,
        "channels": row.channels,
        "purposes": row.purposes or "all",
        "rule": row.scope_rule,
        "received_at": row.received_at.isoformat(),
    }


def _manifest(row: EgressManifest) -> Told:
    return {
        "at": row.at,
        "render": str(row.render_id),
        "body_sha256": row.body_sha256,
        "size_bytes": row.size_bytes,
        "vendor": row.vendor,
    }


def _receipt(row: DeletionReceipt) -> Told:
    return {
        "at": row.observed_at,
        "render": str(row.render_id),
        "absent": row.observed_absent,
        "soft": row.is_soft,
        "answer_sha256": row.answer_sha256,
        "status": row.delete_status,
    }


def _agreement(row: ProcessorAgreement) -> Told:
    return {
        "at": row.created_at,
        "connection": str(row.connection_id),
        "clauses": row.clauses,
        "region": row.region,
        "document": row.document_sha256,
    }


def _release(row: LikenessRelease) -> Told:
    return {
        "at": row.created_at,
        "presenter": row.presenter_code,
        "document": row.document_sha256,
    }


def _proof(row: Proof) -> Told:
    return {
        "at": row.created_at,
        "subject": row.contact_id,
        "file": row.file_sha256,
        "bytes": row.size_bytes,
        "media_type": row.media_type,
    }


def _link(row: Link) -> Told:
    return {"at": row.created_at, "subject": row.contact_id, "asset": str(row.asset_id)}


KEPT = (
    Kept(
        "act of consent",
        ConsentEvent,
        [f"consent.event.{kind}" for kind in ConsentEvent.Kind.values],
        _event,
    ),
    Kept(
        "decision",
        Decision,
        [f"consent.decision.{verdict}" for verdict in Decision.Verdict.values],
        _decision,
    ),
    Kept("revocation", Revocation, ["consent.revocation.recorded"], _revocation),
    Kept("proof", Proof, ["consent.proof.kept"], _proof),
    Kept("release", LikenessRelease, ["consent.likeness.recorded"], _release),
    Kept("agreement", ProcessorAgreement, ["videos.agreement.recorded"], _agreement),
    Kept("manifest", EgressManifest, ["videos.egress.declared"], _manifest),
    Kept("receipt", DeletionReceipt, ["videos.copy.deleted", "videos.copy.observed"], _receipt),
    Kept("link", Link, ["videos.link.minted"], _link, stays=False),
)


def check() -> Iterator[Tally]:
    """Yield what was found about rows of evidence and the trail, and about the database's rules."""
    for kept in KEPT:
        yield _as_told(kept)
    yield _constraints()


def _as_told(kept: Kept) -> Tally:
    tally = Tally(f"each {kept.what} is as the trail tells it", rows=_count(kept))
    leaves = TrailLeaf.objects.filter(action__in=kept.actions).order_by("id")
    found = 0
    for batch in _batches(leaves.iterator(chunk_size=BATCH)):
        rows: dict[str, Model] = {
            str(row.pk): row
            for row in kept.model._default_manager.filter(pk__in=[one.object_id for one in batch])
        }
        found += len(rows)
        for leaf in batch:
            row = rows.get(leaf.object_id)
            if row is None and kept.stays:
                tally.blame(f"{kept.what} {leaf.object_id}: is gone")
            elif row is not None and not _agrees(leaf, kept.said(row)):
                tally.blame(f"{kept.what} {leaf.object_id}: is not as the trail tells it")
    if found < tally.rows:
        tally.blame_all(f"{kept.what} {pk}: the trail does not tell of it" for pk in _untold(kept))
    return tally


def _count(kept: Kept) -> int:
    return kept.model._default_manager.count()


def _agrees(leaf: TrailLeaf, said: Told) -> bool:
    whole: Told = {
        **leaf.details,
        "action": leaf.action,
        "at": leaf.at,
        "subject": leaf.subject_id,
        "actor": (leaf.actor_kind, leaf.actor_id),
    }
    return all(_plain(whole.get(name)) == _plain(value) for name, value in said.items())


def _plain(value: object) -> object:
    return canonical.instant(value) if isinstance(value, datetime) else value


def _untold(kept: Kept) -> Iterator[str]:
    # Only where the counts do not agree: the trail is not indexed by the thing it tells of.
    numbers = kept.model._default_manager.order_by("pk").values_list("pk", flat=True)
    for batch in _batches(numbers.iterator(chunk_size=BATCH)):
        names = {str(pk) for pk in batch}
        told = TrailLeaf.objects.filter(Q(action__in=kept.actions) & Q(object_id__in=names))
        yield from sorted(names - set(told.values_list("object_id", flat=True)))


def _constraints() -> Tally:
    """Ask the database itself for each rule that the models state."""
    tally = Tally("the database holds each rule that the models state")
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model._meta.app_label not in OURS or not model._meta.constraints:
                continue
            table = model._meta.db_table
            held = connection.introspection.get_constraints(cursor, table)
            for rule in model._meta.constraints:
                tally.saw()
                if rule.name not in held:
                    tally.blame(f"table {table}: nothing holds {rule.name}")
    return tally


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    some = iter(rows)
    while batch := list(islice(some, BATCH)):
        yield batch
