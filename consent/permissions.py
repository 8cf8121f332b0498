"""On what kind of permission may we write? Each given whole, in one transaction, or not at all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from accounts.models import User
from consent import contacts, elements, ledger, places, purposes, rulebook
from consent.elements import Elements, Giving, MissingElement
from consent.ledger import NOTHING_MORE, NotAnAct, Particulars
from consent.models import ConsentEvent, Contact, Notice, Proof, RenderedForm

Act = ConsentEvent.Act
# What staff may enter: it happened on paper, was recorded, or was told to them.
STAFF_ACTS = frozenset({Act.PAPER, Act.VOICE, Act.STAFF, Act.CALL})
__all__ = ["MissingElement", "give", "give_written"]


def give(  # noqa: PLR0913  the facts of one act, all named by the caller
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    permission: Elements,
    source: str,
    act: str,
    at: datetime,
    actor: Actor,
    evidence: Mapping[str, object] | None = None,
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Record a permission with all its elements: the event and its row, or nothing.

    Law: GDPR Art. 7(1), 8(1).
    :raises MissingElement: the first element that is missing or false, by its name.
    :raises NotAnAct: it cannot be given by such an act, or for such a purpose.
    :raises OneBoxTwoPurposes: the text that was shown asks for something else.
    """
    if act not in permission.acts:
        raise NotAnAct(f"{permission.kind()} is not given by {act}")
    giving = Giving(contact, purpose_code, channel, act, at)
    return _written_down(giving, permission, source, actor, evidence, particulars)


def give_express(  # noqa: PLR0913  the facts of one act, all named by the caller
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    notice: Notice,
    source: str,
    act: str,
    at: datetime,
    actor: Actor,
    form: RenderedForm | None = None,
    evidence: Mapping[str, object] | None = None,
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Record a plain opt-in to the words of a notice.

    :raises MissingElement: as `give`; a child without a guardian lacks `guardian`.
    """
    return give(
        contact=contact,
        purpose_code=purpose_code,
        channel=channel,
        permission=elements.Express(notice=notice, form=form),
        source=source,
        act=act,
        at=at,
        actor=actor,
        evidence=evidence,
        particulars=particulars,
    )


def give_written(  # noqa: PLR0913  each element of the law is a parameter
    *,
    contact: Contact,
    channel: str,
    seller: str,
    number: str,
    agreement: Notice,
    disclosure: RenderedForm,
    signature: str,
    signature_kind: str,
    authorises_advertising: bool,
    authorises_automated: bool,
    not_a_condition: bool,
    source: str,
    act: str,
    at: datetime,
    actor: Actor,
    evidence: Mapping[str, object] | None = None,
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Record prior express written consent, signed for this seller and this number.

    Law: 47 CFR 64.1200(f)(9); E-SIGN Act, 15 USC 7001.
    :raises MissingElement: the first of its elements that is missing or false, by its name.
    """
    return give(
        contact=contact,
        purpose_code=purposes.MARKETING,
        channel=channel,
        permission=elements.Written(
            seller=seller,
            number=number,
            agreement=agreement,
            disclosure=disclosure,
            signature=signature,
            signature_kind=signature_kind,
            authorises_advertising=authorises_advertising,
            authorises_automated=authorises_automated,
            not_a_condition=not_a_condition,
        ),
        source=source,
        act=act,
        at=at,
        actor=actor,
        evidence=evidence,
        particulars=particulars,
    )


def give_explicit(  # noqa: PLR0913  each element of the law is a parameter
    *,
    contact: Contact,
    channel: str,
    statement: str,
    notice: Notice,
    form: RenderedForm,
    source: str,
    act: str,
    at: datetime,
    actor: Actor,
    evidence: Mapping[str, object] | None = None,
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Record explicit consent to special categories: told first, then stated in a box of its own.

    Law: GDPR Art. 9(2)(a); EDPB Guidelines 05/2020, 93-98.
    :raises MissingElement: the first of its elements that is missing or false, by its name.
    """
    return give(
        contact=contact,
        purpose_code=purposes.SPECIAL_DATA,
        channel=channel,
        permission=elements.Explicit(statement=statement, notice=notice, form=form),
        source=source,
        act=act,
        at=at,
        actor=actor,
        evidence=evidence,
        particulars=particulars,
    )


def enter_by_staff(  # noqa: PLR0913  the facts of one act, all named by the caller
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    permission: str,
    act: str,
    said_at: datetime,
    proof: Proof,
    note: str,
    at: datetime,
    staff: User,
    made_of: Elements | None = None,
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Enter what a person agreed to on paper, on a recording or in a call, with its proof.

    It is weaker evidence: it counts as given and never as confirmed, it does not undo a no that
    came after it was said, and it makes no earlier message lawful.
    Law: GDPR Art. 7(1); TSR, 16 CFR 310.5(a)(8).
    :raises MissingElement: the proof, or an element of the permission, is missing or false.
    :raises NotAnAct: staff cannot enter such an act.
    """
    if act not in STAFF_ACTS:
        raise NotAnAct(f"staff cannot enter {act}")
    if proof is None or proof.contact_id != contact.pk:
        raise MissingElement("proof")
    if said_at > at:
        raise MissingElement("said_at")
    chosen = made_of or empty(permission)
    if chosen.kind() != permission:
        raise MissingElement("permission")
    return _written_down(
        Giving(contact, purpose_code, channel, act, at, by_staff=True),
        chosen,
        "staff",
        audit.staff(staff),
        {"note": note},
        replace(particulars, said_at=said_at, proof=proof),
    )


def is_weaker(event: ConsentEvent) -> bool:
    """Say whether an event rests on what staff entered, not on the person's own act with us."""
    return event.actor_kind == "staff"


def needs_guardian(
    *, contact: Contact, purpose_code: str, channel: str, age_years: int | None, at: datetime
) -> bool:
    """Say whether somebody of this age cannot agree alone where they may be.

    Law: GDPR Art. 8(1); COPPA, 16 CFR 312.5.
    """
    if age_years is None:
        return False
    rules = rulebook.applicable(
        countries=places.countries(places.known_of(contact)),
        purpose=purpose_code,
        channel=channel,
        at=at,
    )
    return any(rule.kind == "age" and age_years < rule.years for rule in rules)


def without_elements(*, limit: int = 20) -> list[str]:
    """Return the events of a stronger permission beside which no elements stand."""
    faults: list[str] = []
    for permission, row in elements.ROWS.items():
        events = ConsentEvent.objects.filter(
            permission=permission, kind=ConsentEvent.Kind.GIVEN
        ).exclude(pk__in=row._default_manager.values("pk"))
        faults += [str(pk) for pk in events.values_list("pk", flat=True)[:limit]]
    return faults[:limit]


def check(giving: Giving, permission: Elements, particulars: Particulars) -> None:
    """Look at everything that a permission needs, and write nothing.

    :raises MissingElement: the first element that is missing or false, by its name.
    :raises NotAnAct: it cannot be given for such a purpose.
    :raises OneBoxTwoPurposes: the text that was shown asks for something else.
    """
    if permission.purpose_code not in {"", giving.purpose_code}:
        raise NotAnAct(f"{permission.kind()} is for {permission.purpose_code} only")
    permission.check(giving)
    notice, _ = permission.shown()
    if notice is not None:
        purposes.require_own_text(notice=notice, purpose_code=giving.purpose_code)
    alone = not particulars.guardian.strip() and needs_guardian(
        contact=giving.contact,
        purpose_code=giving.purpose_code,
        channel=giving.channel,
        age_years=particulars.age_years,
        at=giving.at,
    )
    if alone:
        raise MissingElement("guardian")


def completed(permission: Elements, particulars: Particulars) -> Particulars:
    """Return what is known of an act with what its elements say of it."""
    _, form = permission.shown()
    return replace(
        particulars,
        permission=permission.kind(),
        form=particulars.form or form,
        seller=particulars.seller or getattr(permission, "seller", ""),
        said_at=particulars.said_at or permission.said_at(),
    )


def empty(permission: str) -> Elements:
    """Return the elements of a kind of permission with nothing said yet.

    :raises MissingElement: there is no such kind.
    """
    return elements.made(permission=permission, told={})


@transaction.atomic
def _written_down(  # noqa: PLR0917  the parts of one act
    giving: Giving,
    permission: Elements,
    source: str,
    actor: Actor,
    evidence: Mapping[str, object] | None,
    particulars: Particulars,
) -> ConsentEvent:
    held = contacts.lock(contact_id=giving.contact.pk)
    giving = replace(giving, contact=held)
    check(giving, permission, particulars)
    event = ledger.record(
        contact=held,
        purpose_code=giving.purpose_code,
        channel=giving.channel,
        kind=ConsentEvent.Kind.GIVEN,
        act=giving.act,
        source=source,
        at=giving.at,
        actor=actor,
        notice=permission.shown()[0],
        evidence={**(evidence or {}), **permission.more()},
        valid_until=permission.valid_until(giving),
        particulars=completed(permission, particulars),
    )
    row = permission.row(event)
    if row is not None:
        row.save(force_insert=True)
    return event
