"""What may wait to be sent? A message is written with the decision that allowed it, or not at all.

`consent.outbox` hands over what waits here; it is the way in for all who have something to send.
"""

import hashlib
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import TrailLeaf
from config.lib import canonical
from consent import contacts, gate, one_click, preferences, purposes, revocations, windows
from consent.gate import Verdict
from consent.models import Contact, Decision, Message, Revocation, StopConfirmation
from integrations.models import Connection

STOP_CONTEXT = "consent.revocation"
# What each e-mail of these carries: a way out that no page, cookie or account stands before.
WITH_WAY_OUT = {purposes.MARKETING, purposes.PERMISSION_REQUEST}


class KeyReused(ValueError):
    """The idempotency key names a message to somebody else."""


@transaction.atomic
def queue(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    contact: Contact,
    connection: Connection,
    purpose_code: str,
    channel: str,
    context_type: str,
    context_id: uuid.UUID | None,
    idempotency_key: str,
    subject: str,
    text: str,
    at: datetime,
    actor: Actor,
    headers: Mapping[str, str] | None = None,
    content: Collection[str] = (),
    behind: str = "",
) -> tuple[Decision, Message | None]:
    """Judge a message and, if it may be sent now or later, put it in the outbox.

    The same key a second time returns the first message. A refusal is kept as a decision.
    `content` names what the words are about, as the script scanner found: health, religion, ...
    A marketing e-mail gets its one-click headers here, whoever sends it. `behind` is a token that
    the words carry, such as a video's: the page of the person's choices lies behind it, too.
    Law: GDPR Art. 5(2), 7(1); the decision and the row are one transaction.
    :raises KeyReused: the key names a message to another person.
    :raises UnknownPurpose: there is no such purpose at that instant.
    """
    held = contacts.lock(contact_id=contact.id)
    before = _queued_before(idempotency_key, held)
    if before is not None:
        return before.decision, before
    verdict = gate.judge(
        contact=held, purpose_code=purpose_code, channel=channel, content=content, at=at
    )
    if purpose_code == purposes.PERMISSION_REQUEST and verdict.verdict != gate.REFUSE:
        # At once, and not at hand-off: whoever asks is there to read why.
        code = windows.unaskable(contact=held, connection=connection, channel=channel, at=at)
        verdict = gate.refusal(verdict=verdict, code=code) if code else verdict
    decision = _decide(verdict, held, purpose_code, channel, (context_type, context_id), at)
    note_decision(decision, actor)
    if decision.message_id is None:
        return decision, None
    own = dict(headers or {})
    if purpose_code in WITH_WAY_OUT:
        message_id = decision.message_id
        own |= one_click.headers(
            contact=held, channel=channel, message_id=message_id, at=at, behind=behind
        )
    if behind and not own:
        preferences.link(
            contact=held,
            channel=channel,
            message_id=decision.message_id,
            at=at,
            behind=behind,
        )
    body = canonical.encode({"subject": subject, "text": text, "headers": own})
    message = _enqueue(decision, held, connection, idempotency_key, body, content)
    return decision, message


@transaction.atomic
def confirm_stop(
    *,
    revocation: Revocation,
    connection: Connection,
    channel: str,
    idempotency_key: str,
    text: str,
    at: datetime,
) -> Message | None:
    """Put the one text that confirms a stop in the outbox; None if it may not, or no longer, go.

    The only message that passes a stop: its purpose is its own, the gate allows it for a stop said
    in words within the last minutes, and the row of `StopConfirmation` that is written with it is
    what the gate asks for at hand-off. The database holds one to a stop, and its five minutes.
    Law: 47 CFR 64.1200(a)(12).
    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises KeyRefused: the person's key does not open, so that nothing can be sealed for them.
    """
    held = contacts.lock(contact_id=revocation.contact_id)
    if Message.objects.filter(idempotency_key=idempotency_key).exists():
        return None
    code = purposes.STOP_CONFIRMATION
    verdict = gate.judge(
        contact=held, purpose_code=code, channel=channel, at=at, answering=revocation
    )
    if verdict.verdict == gate.DEFER:
        # By then its minutes are over.
        verdict = gate.refusal(verdict=verdict, code="too_late")
    decision = _decide(verdict, held, code, channel, (STOP_CONTEXT, revocation.pk), at)
    note_decision(decision, audit.SYSTEM)
    if decision.message_id is None:
        return None
    body = canonical.encode({"subject": "", "text": text, "headers": {}})
    message = _enqueue(decision, held, connection, idempotency_key, body, ())
    StopConfirmation.objects.create(
        revocation=revocation,
        message=message,
        revoked_at=revocation.received_at,
        send_by=revocation.received_at + revocations.ANSWER_WITHIN,
    )
    return message


def note_decision(decision: Decision, actor: Actor) -> None:
    """Put a decision of the gate in the trail."""
    audit.record_many([decision_leaf(decision, actor)])


def decision_leaf(decision: Decision, actor: Actor) -> TrailLeaf:
    """Return the trail's entry of a decision, unsaved."""
    return audit.leaf(
        action=f"consent.decision.{decision.verdict}",
        at=decision.at,
        actor=actor,
        subject_id=decision.contact_id,
        object_type="consent.decision",
        object_id=str(decision.pk),
        details={
            "purpose": decision.purpose_code,
            "channel": decision.channel,
            "phase": decision.phase,
            "message": str(decision.message_id) if decision.message_id else "",
            "reasons": [reason["code"] for reason in decision.reasons],
            "inputs": decision.inputs_sha256,
            "packs": decision.packs_version,
        },
    )


def body_place(message_id: uuid.UUID) -> str:
    """Return the context under which the words of a message are sealed."""
    return f"consent_message.body:{message_id}"


def _decide(  # noqa: PLR0917  the parts of one row
    verdict: Verdict,
    held: Contact,
    purpose_code: str,
    channel: str,
    context: tuple[str, uuid.UUID | None],
    at: datetime,
) -> Decision:
    decision = gate.prepare(
        verdict=verdict,
        contact=held,
        purpose_code=purpose_code,
        channel=channel,
        context_type=context[0],
        context_id=context[1],
        message_id=None if verdict.verdict == gate.REFUSE else uuid.uuid4(),
        phase=Decision.Phase.QUEUE,
        at=at,
    )
    decision.save(force_insert=True)
    return decision


def _enqueue(  # noqa: PLR0917  the parts of one row
    decision: Decision,
    held: Contact,
    connection: Connection,
    idempotency_key: str,
    body: bytes,
    content: Collection[str],
) -> Message:
    if decision.message_id is None:
        raise ValueError("a refusal has no message")
    place, at = body_place(decision.message_id), decision.at
    return Message.objects.create(
        id=decision.message_id,
        contact=held,
        connection=connection,
        decision=decision,
        purpose_code=decision.purpose_code,
        channel=decision.channel,
        context_type=decision.context_type,
        context_id=decision.context_id,
        idempotency_key=idempotency_key,
        body_sealed=keys.seal(key=held.key, plaintext=body, context=place, at=at),
        body_sha256=hashlib.sha256(body).hexdigest(),
        content=sorted(content),
        not_before=decision.defer_until or at,
        queued_at=at,
    )


def _queued_before(idempotency_key: str, held: Contact) -> Message | None:
    before = Message.objects.filter(idempotency_key=idempotency_key).first()
    if before is not None and before.contact_id != held.id:
        raise KeyReused
    return before
