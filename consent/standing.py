"""Where does somebody stand after all their acts? The fold of the ledger, pure; unknown is no."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from consent import contacts
from consent.models import ConsentEvent, ConsentState, Contact

Kind = ConsentEvent.Kind
Permission = ConsentEvent.Permission
# What a person does with their own hand; a claim, an import or staff cannot undo a refusal.
OWN_ACTS = {
    ConsentEvent.Act.CHECKBOX,
    ConsentEvent.Act.KEYWORD,
    ConsentEvent.Act.BUTTON,
    ConsentEvent.Act.VOICE,
    ConsentEvent.Act.PAPER,
}
# Whoever tells it for them (a partner's API, staff) cannot undo their no either.
OTHERS = {"partner", "staff", "provider"}
NO = {Kind.WITHDRAWN, Kind.REFUSED}
AGREED = {Kind.GIVEN, Kind.CONFIRMED}
# What the gate calls an agreement that was given when the purpose had another lawful basis.
SUPERSEDED = "superseded"
# A lesser permission does not take the place of a greater one that is still in force.
RANKS = {
    Permission.IMPLIED_INQUIRY: 1,
    Permission.IMPLIED_PURCHASE: 1,
    Permission.SOFT_OPT_IN: 1,
    Permission.CONTRACT: 1,
    Permission.EXPRESS: 2,
    Permission.EXPLICIT: 3,
    Permission.HIPAA: 3,
    Permission.WRITTEN: 4,
}
FOLD_BATCH = 500


@dataclass(frozen=True)
class Standing:
    """Where a fold stands: the state, and the event that brought it there."""

    state: str
    event_id: uuid.UUID
    at: datetime
    valid_until: datetime | None
    permission: str = ""
    age_years: int | None = None
    guarded: bool = False

    def effective(self, at: datetime) -> str:
        """Return the state at an instant: a consent past its date is expired."""
        agreed = self.state in {Kind.GIVEN, Kind.CONFIRMED, Kind.CLAIMED}
        past = self.valid_until is not None and self.valid_until <= at
        return Kind.EXPIRED.value if agreed and past else self.state


def standing_of(row: ConsentState) -> Standing:
    """Return the standing that a state row holds."""
    return Standing(
        row.state,
        row.event_id,
        row.at,
        row.valid_until,
        row.permission,
        row.age_years,
        row.guarded,
    )


def fold(events: Iterable[ConsentEvent]) -> Standing | None:
    """Return where events of one person, purpose and channel lead; pure. Unknown is no."""
    standing: Standing | None = None
    for event in sorted(events, key=lambda event: event.number):
        standing = step(standing, event)
    return standing


def step(before: Standing | None, event: ConsentEvent) -> Standing | None:
    """Return where one more event leads; pure.

    Law: a refusal stands until the person's own act (GDPR Art. 7(3), 21(3)).
    """
    after = Standing(
        event.kind,
        event.id,
        event.said_at or event.at,
        event.valid_until,
        event.permission,
        event.age_years,
        event.guardian_sealed is not None,
    )
    state = before.state if before else None
    if event.kind == Kind.CLAIMED and state not in {None, Kind.CLAIMED}:
        return before
    if event.kind in AGREED and state in NO and not is_own(event):
        return before
    if event.kind == Kind.EXPIRED and (state is None or state in NO):
        return before
    if before is not None and _came_before_the_end(before, event):
        return before
    if before is None or event.kind not in AGREED or state not in AGREED:
        return after
    return _agreed_again(before, after)


def _came_before_the_end(before: Standing, event: ConsentEvent) -> bool:
    # Evidence found later of an older yes does not undo the no, or the end, that followed it.
    older = event.said_at is not None and event.said_at <= before.at
    return older and event.kind in AGREED and before.state not in {*AGREED, Kind.CLAIMED}


def _agreed_again(before: Standing, after: Standing) -> Standing:
    in_force = before.effective(after.at) in AGREED
    # A confirmation says yes to what was given: the kind of permission is that of the giving.
    permission = after.permission or before.permission
    if in_force and _rank(permission) < _rank(before.permission):
        return before
    if in_force and after.at < before.at and permission == before.permission:
        return before
    if in_force and before.state == Kind.CONFIRMED and after.state == Kind.GIVEN:
        if permission == before.permission:
            return before
        after = replace(after, state=Kind.CONFIRMED.value)
    return replace(
        after,
        permission=permission,
        age_years=before.age_years if after.age_years is None else after.age_years,
        guarded=after.guarded or before.guarded,
    )


def is_own(event: ConsentEvent) -> bool:
    """Say whether an act is the person's own, told by nobody else."""
    return event.act in OWN_ACTS and event.actor_kind not in OTHERS


def carried(stand: Standing, *, basis_then: str, basis_now: str | None) -> Standing:
    """Return what is left of a standing under the lawful basis of today; a no always carries."""
    if basis_then == basis_now or stand.state in NO:
        return stand
    return replace(stand, state=SUPERSEDED)


def disagreements(*, limit: int = 20) -> list[str]:
    """Return the state rows that are not the fold of their events, as `contact purpose channel`.

    A state without an event is one too, and so is a fold without its state.
    """
    faults: list[str] = []
    for people in contacts.in_batches(Contact.objects.only("pk"), size=FOLD_BATCH):
        faults += _disagreements({person.pk for person in people})
        if len(faults) >= limit:
            break
    return faults[:limit]


def _rank(permission: str) -> int:
    return RANKS.get(Permission(permission), 0) if permission else RANKS[Permission.EXPRESS]


def _disagreements(people: set[uuid.UUID]) -> list[str]:
    folds: dict[tuple[uuid.UUID, str, str], Standing | None] = {}
    for event in ConsentEvent.objects.filter(contact__in=people).order_by("number"):
        place = (event.contact_id, event.purpose_code, event.channel)
        folds[place] = step(folds.get(place), event)
    rows = {
        (row.contact_id, row.purpose_code, row.channel): standing_of(row)
        for row in ConsentState.objects.filter(contact__in=people)
    }
    places = sorted({*folds, *rows}, key=str)
    return [" ".join(map(str, place)) for place in places if folds.get(place) != rows.get(place)]
