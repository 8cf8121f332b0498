"""What is a stronger permission made of? Each element by its name; one that is missing refuses.

Each kind is a frozen row of elements, left empty where nothing was said. `check` looks at all of
them, and `row` is what is written beside the event, in its transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from accounts import keys
from consent import addresses, contacts, forms_shown, gate, places, purposes, rulebook, standing
from consent.models import (
    Channel,
    ConsentEvent,
    Contact,
    HealthAuthorisation,
    ImpliedConsent,
    Notice,
    RenderedForm,
    SoftOptIn,
    WrittenConsent,
)

Act = ConsentEvent.Act
Permission = ConsentEvent.Permission
Signature = WrittenConsent.Signature
# By which act each kind of signature is made (E-SIGN, 15 USC 7006(5): a sound, symbol or process).
SIGNED_BY = {
    Signature.INK: {Act.PAPER},
    Signature.VOICE: {Act.VOICE},
    Signature.KEYWORD: {Act.KEYWORD},
    Signature.TYPED_NAME: {Act.CHECKBOX, Act.BUTTON},
    Signature.CHECKBOX: {Act.CHECKBOX, Act.BUTTON},
    Signature.DRAWN: {Act.CHECKBOX, Act.BUTTON, Act.PAPER},
}
# What a customer did is told by the shop's own systems; it is no statement of theirs.
OF_BUSINESS = frozenset({*standing.OWN_ACTS, Act.API, Act.CRM})
OWN_ACTS = frozenset(standing.OWN_ACTS)
# CASL s. 10(10); no implied consent lives longer anywhere, whatever the packs leave unsaid.
IMPLIED_MONTHS = {"purchase": 24, "inquiry": 6}
SHORT_CHARS, LONG_CHARS = 120, 2000


class MissingElement(ValueError):
    """An element that the permission needs is missing or false; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is missing, false or not what it must be")
        self.name = name


class NotAnElement(ValueError):
    """What was told belongs to another kind of permission; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no element of this permission")
        self.name = name


@dataclass(frozen=True)
class Giving:
    """The act by which a permission is given: whose, for what, where, how and when."""

    contact: Contact
    purpose_code: str
    channel: str
    act: str
    at: datetime
    # Entered by hand from a proof: the proof stands in for what a page would have kept.
    by_staff: bool = False


@dataclass(frozen=True, kw_only=True)
class Elements:
    """What every kind of permission answers; most have no end and no row of their own."""

    permission: ClassVar[str] = Permission.EXPRESS
    purpose_code: ClassVar[str] = ""
    acts: ClassVar[frozenset[str]] = OWN_ACTS

    def kind(self) -> str:
        """Return the kind of permission."""
        return self.permission

    def shown(self) -> tuple[Notice | None, RenderedForm | None]:
        """Return the text that was shown, and what was seen around it."""
        return None, None

    def said_at(self) -> datetime | None:
        """Return when it was said, where that is not the act's own time."""
        return None

    def more(self) -> dict[str, object]:
        """Return what has no column of its own, to be sealed with the event."""
        return {}

    def check(self, giving: Giving) -> None:
        """Refuse if an element is missing.

        :raises MissingElement: the first that is.
        """

    def valid_until(self, _giving: Giving) -> datetime | None:
        """Return the instant at which it ends by itself; the packs' rules judge it besides."""
        return None

    def row(self, _event: ConsentEvent) -> models.Model | None:
        """Return the row that stands beside the event, unsaved."""
        return None


@dataclass(frozen=True, kw_only=True)
class Express(Elements):
    """A plain opt-in: the words that were shown, and a clear act."""

    notice: Notice | None = None
    form: RenderedForm | None = None

    def shown(self) -> tuple[Notice | None, RenderedForm | None]:
        """Return the words and the form."""
        return self.notice, self.form

    def check(self, giving: Giving) -> None:
        """Refuse an agreement to words that nobody kept."""
        _need("notice", giving.by_staff or self.notice)
        _need_form_of(self.notice, self.form, "form", may_lack=True)


@dataclass(frozen=True, kw_only=True)
class Written(Elements):
    """Prior express written consent, with the elements of 47 CFR 64.1200(f)(9)."""

    permission: ClassVar[str] = Permission.WRITTEN
    purpose_code: ClassVar[str] = purposes.MARKETING
    seller: str = ""
    number: str = field(default="", repr=False)
    agreement: Notice | None = None
    disclosure: RenderedForm | None = None
    signature: str = field(default="", repr=False)
    signature_kind: str = ""
    authorises_advertising: bool = False
    authorises_automated: bool = False
    not_a_condition: bool = False

    def shown(self) -> tuple[Notice | None, RenderedForm | None]:
        """Return the agreement and its clear and conspicuous disclosure."""
        return self.agreement, self.disclosure

    def check(self, giving: Giving) -> None:
        """Refuse unless each element stands, and the number is the person's own."""
        _need_text(self, "seller", SHORT_CHARS)
        _need("agreement", self.agreement)
        _need_form_of(self.agreement, self.disclosure, "disclosure")
        # A seller that the person was not shown is not the one they agreed to.
        page = self.disclosure.html if self.disclosure else ""
        _need("seller", forms_shown.shows(html=page, text=self.seller))
        _need("number", giving.channel != Channel.EMAIL and _is_own(self.number, giving.contact))
        _need_text(self, "signature", LONG_CHARS)
        _need("signature_kind", giving.act in _signers(self.signature_kind))
        _need_true(self, "authorises_advertising", "authorises_automated", "not_a_condition")

    def row(self, event: ConsentEvent) -> models.Model:
        """Return the elements, each in its column."""
        number = addresses.clean_phone(self.number, country=event.contact.country)
        return WrittenConsent(
            event=event,
            agreement=self.agreement,
            disclosure=self.disclosure,
            signature_kind=self.signature_kind,
            signature_sealed=_sealed(event, "consent_writtenconsent.signature", self.signature),
            seller=self.seller,
            number_sealed=_sealed(event, "consent_writtenconsent.number", number),
            authorises_advertising=self.authorises_advertising,
            authorises_automated=self.authorises_automated,
            not_a_condition=self.not_a_condition,
            signed_at=event.said_at or event.at,
        )


@dataclass(frozen=True, kw_only=True)
class SoftOptInElements(Elements):
    """An own customer, similar goods, and a way out shown when the address was collected.

    Law: Directive 2002/58/EC Art. 13(2).
    """

    permission: ClassVar[str] = Permission.SOFT_OPT_IN
    purpose_code: ClassVar[str] = purposes.MARKETING
    acts: ClassVar[frozenset[str]] = OF_BUSINESS
    order: str = field(default="", repr=False)
    product_class: str = ""
    sold_at: datetime | None = None
    opt_out_shown: bool = False
    similar_goods: bool = False
    notice: Notice | None = None

    def shown(self) -> tuple[Notice | None, RenderedForm | None]:
        """Return the words by which the way out was shown, where they were kept."""
        return self.notice, None

    def said_at(self) -> datetime | None:
        """Return when it was sold: the address was collected then."""
        return self.sold_at

    def check(self, giving: Giving) -> None:
        """Refuse unless there was a sale, and a way out was shown at it."""
        _need_text(self, "order", SHORT_CHARS)
        _need_text(self, "product_class", 80)
        _need_past(self, "sold_at", giving.at)
        _need_true(self, "opt_out_shown", "similar_goods")

    def row(self, event: ConsentEvent) -> models.Model:
        """Return the sale and what was shown at it."""
        return SoftOptIn(
            event=event,
            order_sealed=_sealed(event, "consent_softoptin.order", self.order),
            product_class=self.product_class,
            sold_at=_told("sold_at", self.sold_at),
            opt_out_shown=self.opt_out_shown,
            similar_goods=self.similar_goods,
        )


@dataclass(frozen=True, kw_only=True)
class Implied(Elements):
    """What consent is implied by: a purchase or an inquiry, and when it was (CASL s. 10).

    Law: CASL, S.C. 2010 c. 23, s. 10(9)-(10): a purchase 24 months, an inquiry 6.
    """

    purpose_code: ClassVar[str] = purposes.MARKETING
    acts: ClassVar[frozenset[str]] = OF_BUSINESS
    relation: str = ""
    reference: str = field(default="", repr=False)
    happened_at: datetime | None = None

    def kind(self) -> str:
        """Return which of the two it is."""
        return f"implied_{self.relation}"

    def said_at(self) -> datetime | None:
        """Return when it happened: its time runs from there."""
        return self.happened_at

    def check(self, giving: Giving) -> None:
        """Refuse what did not happen, or is over already."""
        _need("relation", self.relation in IMPLIED_MONTHS)
        _need_text(self, "reference", SHORT_CHARS)
        _need_past(self, "happened_at", giving.at)
        until = self.valid_until(giving)
        _need("happened_at", until is not None and until > giving.at)

    def valid_until(self, giving: Giving) -> datetime | None:
        """Return its end by the strictest of the person's places, or by CASL's own months."""
        if self.happened_at is None:
            return None
        months = min([*_lives(giving, self.kind()), IMPLIED_MONTHS[self.relation]])
        return gate.months_before(self.happened_at, -months)

    def row(self, event: ConsentEvent) -> models.Model:
        """Return what happened, and when."""
        return ImpliedConsent(
            event=event,
            relation=self.relation,
            reference_sealed=_sealed(event, "consent_impliedconsent.reference", self.reference),
            happened_at=_told("happened_at", self.happened_at),
        )


@dataclass(frozen=True, kw_only=True)
class Explicit(Elements):
    """Explicit consent for special categories: told first, then stated in a box of its own."""

    permission: ClassVar[str] = Permission.EXPLICIT
    purpose_code: ClassVar[str] = purposes.SPECIAL_DATA
    statement: str = field(default="", repr=False)
    notice: Notice | None = None
    form: RenderedForm | None = None

    def shown(self) -> tuple[Notice | None, RenderedForm | None]:
        """Return what the person was told, and the page with the box."""
        return self.notice, self.form

    def more(self) -> dict[str, object]:
        """Return the statement as it was typed or ticked."""
        return {"statement": self.statement}

    def check(self, giving: Giving) -> None:
        """Refuse unless the person made a statement, in a box that was for nothing else."""
        _need_text(self, "statement", LONG_CHARS)
        _need("notice", giving.by_staff or self.notice)
        _need_form_of(self.notice, self.form, "form", may_lack=giving.by_staff)
        _need("form", self.form is None or forms_shown.read(self.form.html).boxes <= 1)


@dataclass(frozen=True, kw_only=True)
class Contract(Elements):
    """A contract with the person, for messages that perform it.

    Law: GDPR Art. 6(1)(b).
    """

    permission: ClassVar[str] = Permission.CONTRACT
    purpose_code: ClassVar[str] = purposes.SERVICE
    acts: ClassVar[frozenset[str]] = OF_BUSINESS
    reference: str = field(default="", repr=False)
    made_at: datetime | None = None

    def said_at(self) -> datetime | None:
        """Return when the contract was made."""
        return self.made_at

    def more(self) -> dict[str, object]:
        """Return which contract it is."""
        return {"contract": self.reference}

    def check(self, giving: Giving) -> None:
        """Refuse unless there is a contract that was made."""
        _need_text(self, "reference", SHORT_CHARS)
        _need_past(self, "made_at", giving.at)


@dataclass(frozen=True, kw_only=True)
class Health(Elements):
    """A HIPAA authorisation: the core elements and statements of 45 CFR 164.508(c).

    Law: 45 CFR 164.508(a)(3), (c).
    """

    permission: ClassVar[str] = Permission.HIPAA
    purpose_code: ClassVar[str] = purposes.PHI_CONTENT
    information: str = field(default="", repr=False)
    discloser: str = ""
    recipient: str = ""
    use: str = ""
    expires_at: datetime | None = None
    signature: str = field(default="", repr=False)
    signed_at: datetime | None = None
    says_right_to_revoke: bool = False
    says_not_a_condition: bool = False
    says_may_be_disclosed_again: bool = False
    notice: Notice | None = None

    def shown(self) -> tuple[Notice | None, RenderedForm | None]:
        """Return the authorisation's own words, where they were kept."""
        return self.notice, None

    def said_at(self) -> datetime | None:
        """Return when it was signed."""
        return self.signed_at

    def check(self, giving: Giving) -> None:
        """Refuse unless it is whole, signed and still to run."""
        _need_text(self, "information", LONG_CHARS)
        _need_text(self, "discloser", SHORT_CHARS)
        _need_text(self, "recipient", SHORT_CHARS)
        _need_text(self, "use", 200)
        _need("expires_at", self.expires_at is not None and self.expires_at > giving.at)
        _need_text(self, "signature", LONG_CHARS)
        _need_past(self, "signed_at", giving.at)
        says = ("says_right_to_revoke", "says_not_a_condition", "says_may_be_disclosed_again")
        _need_true(self, *says)

    def valid_until(self, _giving: Giving) -> datetime | None:
        """Return the end that was signed; a pack may end it earlier, nothing ends it later."""
        return self.expires_at

    def row(self, event: ConsentEvent) -> models.Model:
        """Return the elements, each in its column."""
        return HealthAuthorisation(
            event=event,
            information_sealed=_sealed(
                event, "consent_healthauthorisation.information", self.information
            ),
            discloser=self.discloser,
            recipient=self.recipient,
            use=self.use,
            expires_at=_told("expires_at", self.expires_at),
            signature_sealed=_sealed(
                event, "consent_healthauthorisation.signature", self.signature
            ),
            signed_at=_told("signed_at", self.signed_at),
            says_right_to_revoke=self.says_right_to_revoke,
            says_not_a_condition=self.says_not_a_condition,
            says_may_be_disclosed_again=self.says_may_be_disclosed_again,
        )


KINDS: dict[str, type[Elements]] = {
    Permission.EXPRESS: Express,
    Permission.WRITTEN: Written,
    Permission.EXPLICIT: Explicit,
    Permission.SOFT_OPT_IN: SoftOptInElements,
    Permission.IMPLIED_PURCHASE: Implied,
    Permission.IMPLIED_INQUIRY: Implied,
    Permission.CONTRACT: Contract,
    Permission.HIPAA: Health,
}
# Which rows stand beside events of these kinds.
ROWS: dict[str, type[models.Model]] = {
    Permission.WRITTEN: WrittenConsent,
    Permission.SOFT_OPT_IN: SoftOptIn,
    Permission.IMPLIED_PURCHASE: ImpliedConsent,
    Permission.IMPLIED_INQUIRY: ImpliedConsent,
    Permission.HIPAA: HealthAuthorisation,
}


def made(
    *,
    permission: str,
    told: Mapping[str, Any],
    notice: Notice | None = None,
    form: RenderedForm | None = None,
    seller: str = "",
) -> Elements:
    """Put together the elements of a kind of permission from what was told; nothing is checked.

    :raises MissingElement: there is no such kind.
    :raises NotAnElement: what was told is no element of it.
    """
    kind = KINDS.get(permission)
    if kind is None:
        raise MissingElement("permission")
    shown: dict[str, Any] = dict.fromkeys(("notice", "agreement"), notice)
    shown |= dict.fromkeys(("form", "disclosure"), form)
    shown |= {"seller": seller, "relation": permission.removeprefix("implied_")}
    names = {field.name for field in fields(kind)}
    if strange := sorted(set(told) - (names - set(shown))):
        raise NotAnElement(strange[0])
    return kind(**{name: value for name, value in {**shown, **told}.items() if name in names})


def _lives(giving: Giving, permission: str) -> list[int]:
    """Return after how many months each place of the person ends such a permission."""
    rules = rulebook.applicable(
        countries=places.countries(places.known_of(giving.contact)),
        purpose=giving.purpose_code,
        channel=giving.channel,
        at=giving.at,
    )
    speaking = [rule for rule in rules if rule.kind == "expiry"]
    return [
        rule.months for rule in speaking if not rule.permissions or permission in rule.permissions
    ]


def _sealed(event: ConsentEvent, place: str, text: str) -> bytes:
    key, context = event.contact.key, f"{place}:{event.pk}"
    return keys.seal(key=key, plaintext=text.encode(), context=context, at=event.at)


def _need(name: str, value: object) -> None:
    if not value:
        raise MissingElement(name)


def _need_text(elements: object, name: str, max_chars: int) -> None:
    text = getattr(elements, name).strip()
    _need(name, text and len(text) <= max_chars)


def _need_past(elements: object, name: str, at: datetime) -> None:
    when = getattr(elements, name)
    _need(name, when is not None and when <= at)


def _told(name: str, when: datetime | None) -> datetime:
    if when is None:
        raise MissingElement(name)
    return when


def _need_true(elements: object, *names: str) -> None:
    # "yes" or 1 is not what somebody declared: only a plain true is.
    for name in names:
        _need(name, getattr(elements, name) is True)


def _need_form_of(
    notice: Notice | None, form: RenderedForm | None, name: str, *, may_lack: bool = False
) -> None:
    if form is None:
        _need(name, may_lack)
    else:
        _need(name, notice is not None and form.notice_id == notice.sha256)


def _is_own(number: str, contact: Contact) -> bool:
    try:
        clean = addresses.clean_phone(number, country=contact.country)
    except addresses.NotAContact:
        return False
    index = contacts.index_of(partner_id=contact.partner_id, field="phone", value=clean)
    return bool(clean) and index == contact.phone_index


def _signers(kind: str) -> set[Act]:
    return SIGNED_BY[Signature(kind)] if kind in Signature.values else set()
