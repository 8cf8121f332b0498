"""What happened to this person, newest first? Read from the trail, which is what can be proven."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import TrailLeaf, User
from consent.models import Contact

# What an action is called, and the state whose picture it carries.
WORDS = {
    "consent.contact.registered": ("Registered", "new"),
    "consent.contact.updated": ("Details updated", "plain"),
    "consent.contact.stopped": ("Stopped: no more messages", "stopped"),
    "consent.contact.delete_at_set": ("End of keeping set", "expired"),
    "consent.event.claimed": ("Consent claimed by another system", "claimed"),
    "consent.event.given": ("Consent given", "given"),
    "consent.event.confirmed": ("Consent confirmed", "confirmed"),
    "consent.event.refused": ("Consent refused", "refused"),
    "consent.event.withdrawn": ("Consent withdrawn", "withdrawn"),
    "consent.event.expired": ("Consent expired", "expired"),
    "consent.decision.allow": ("The gate allowed a message", "allowed"),
    "consent.decision.refuse": ("The gate refused a message", "refused"),
    "consent.decision.defer": ("The gate put a message off", "deferred"),
    "consent.message.sent": ("Message sent", "sent"),
    "consent.message.delivered": ("Message delivered", "delivered"),
    "consent.message.failed": ("Message failed", "failed"),
    "consent.message.refused": ("Message refused at hand-off", "refused"),
    "consent.message.cancelled": ("Message cancelled", "cancelled"),
    "consent.message.unknown": ("Message sent, no answer came", "unknown"),
    "consent.message.settled": ("An officer said what became of a message", "answered"),
    "consent.suppression.added": ("Address put on the stop list", "suppressed"),
    "consent.suppression.lifted": ("Address taken off the stop list", "good"),
    "consent.suppression.hardened": ("Held back for good: it was a stop", "suppressed"),
    "consent.revocation.recorded": ("Took consent back", "withdrawn"),
    "consent.review.opened": ("Held back until an officer has read the answer", "held"),
    "consent.review.decided": ("An officer has read the answer", "checked"),
    "consent.propagation.told": ("Another system was told of the stop", "sent"),
    "consent.propagation.not_needed": ("Another system needs no telling of the stop", "plain"),
    "consent.propagation.failed": ("Another system could not be told of the stop", "failed"),
    "videos.asset.personalised": ("Video made", "rendered"),
    "videos.link.minted": ("Link made", "created"),
    "videos.link.revoked": ("Link revoked", "revoked"),
    "videos.play.started": ("Video played", "played"),
    "videos.code.sent": ("Code sent to a second address", "sent"),
    "videos.code.entered": ("Code entered, the device is known", "checked"),
    "videos.code.mistaken": ("Wrong code entered", "refused"),
    "videos.link.reported": ("Person reported a problem with the video", "requested"),
    "videos.preview.opened": ("Video previewed by staff", "opened"),
    "accounts.plaintext.revealed": ("Personal data read by staff", "opened"),
    "accounts.key.destroyed": ("Key destroyed", "destroyed"),
    "accounts.key.expiry_set": ("End of the key moved", "expired"),
    "retention.hold.placed": ("Hold placed", "hold"),
    "retention.hold.released": ("Hold released", "good"),
    "retention.request.opened": ("Request received", "requested"),
    "retention.request.done": ("Request answered", "answered"),
    "retention.request.refused": ("Request refused", "refused"),
    "retention.request.deferred": ("Request deferred by a hold", "deferred"),
    "retention.run.planned": ("Erasure planned", "scheduled"),
    "retention.run.started": ("Erasure begun", "running"),
    "retention.run.executed": ("Erasure executed", "done"),
    "retention.person.erasing": ("Tombstone written", "erased"),
    "retention.certificate.issued": ("Certificate of deletion issued", "certified"),
    "retention.access.exported": ("Copy of all data given out", "down"),
}
ACTORS = {
    "staff": "Staff",
    "partner": "Partner",
    "recipient": "The person",
    "provider": "Provider",
    "system": "Sealcast",
}
# Of the details of an act, those that a reader asks for; the rest are hashes and ids.
TOLD = (
    *("provider", "purpose", "channel", "channels", "act", "source"),
    *("reasons", "reason", "kind", "problem"),
)


@dataclass(frozen=True)
class Event:
    """One act, as the timeline shows it."""

    title: str
    at: datetime
    state: str
    detail: str
    actor: str
    hash: str


def of(*, contact: Contact, start: int, count: int) -> tuple[list[Event], int]:
    """Return a stretch of a person's acts, newest first, and how many there are in all."""
    rows = TrailLeaf.objects.filter(subject_id=contact.pk).select_related("entry")
    chosen = list(rows.order_by("-id")[start : start + count])
    staff = _staff(chosen)
    return [_event(row, staff) for row in chosen], rows.count()


def worded(action: str) -> tuple[str, str]:
    """Return what an action is called, and the state whose picture it carries."""
    return WORDS.get(action, (action.partition(".")[2].replace(".", " ").capitalize(), "plain"))


def _event(row: TrailLeaf, staff: dict[str, str]) -> Event:
    title, state = worded(row.action)
    entry = getattr(row, "entry", None)
    return Event(
        title=title,
        at=row.at,
        state=state,
        detail=_detail(row.details),
        actor=staff.get(row.actor_id, ACTORS.get(row.actor_kind, row.actor_kind)),
        hash=entry.entry_hash if entry else "not yet sealed",
    )


def _detail(details: dict[str, object]) -> str:
    parts = [details[name] for name in TOLD if details.get(name)]
    words = [", ".join(part) if isinstance(part, list) else str(part) for part in parts]
    return " · ".join(word.replace("_", " ") for word in words)


def _staff(rows: Sequence[TrailLeaf]) -> dict[str, str]:
    ids = {row.actor_id for row in rows if row.actor_kind == "staff"}
    return {str(user.pk): user.get_full_name() for user in User.objects.filter(pk__in=ids)}
