"""What stands beside one box that a person may tick, and what does ticking it record?

One box, one purpose. What was shown is kept as it was rendered, empty, before anybody filled it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from accounts.audit import Actor
from consent import contacts, forms_shown, permissions, purposes, wording
from consent.ledger import Particulars
from consent.models import ConsentEvent, Contact, Notice, RenderedForm, WrittenConsent

Permission = ConsentEvent.Permission
SIGNED = {Permission.WRITTEN}


@dataclass(frozen=True)
class Box:
    """One box: what for, by which channels, which kind of permission, in whose words."""

    key: str
    purpose_code: str
    channels: tuple[str, ...]
    permission: str
    language: str
    text: str
    seller: str
    # What the kept form is found by, such as the form and version it belongs to.
    mark: str = ""

    @property
    def is_signed(self) -> bool:
        """Say whether a typed name makes it an agreement in writing."""
        return self.permission in SIGNED


@dataclass(frozen=True)
class Answer:
    """What a person ticked and typed; never kept as it stands."""

    ticked: frozenset[str]
    signatures: Mapping[str, str] = field(default_factory=dict, repr=False)
    age_years: int | None = None
    guardian: str = field(default="", repr=False)
    evidence: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Kept:
    """The words and the form of a box, as they were shown."""

    notice: Notice
    form: RenderedForm


def text(*, purpose_code: str, permission: str, language: str, seller: str, own: str = "") -> str:
    """Return the words beside a box: its maker's own, or those that ship.

    An agreement in writing always carries all that the law wants said, after any own words.
    Law: 47 CFR 64.1200(f)(9)(i).
    """
    if permission == Permission.WRITTEN:
        shipped = purposes.shipped_text(language=language, name=purposes.WRITTEN)
        return " ".join(filter(None, [own.strip(), wording.filled(shipped, seller=seller)]))
    return own.strip() or purposes.shipped_text(language=language, name=purpose_code)


def html(box: Box) -> str:
    """Render a box as a person first sees it: unticked, with nothing filled in."""
    context = {"box": box, "words": wording.words(box.language), **lines(box)}
    with translation.override(box.language):
        return render_to_string("consent/box.html", context).strip()


def lines(box: Box) -> dict[str, str]:
    """Return who asks, and by which channels: the line above a box."""
    words = wording.words(box.language)
    channels = ", ".join(words[f"channel_{channel}"] for channel in box.channels)
    return {
        "asked": wording.filled(words["asked_by"], seller=box.seller),
        "by": wording.filled(words["by_channels"], channels=channels),
    }


def keep(*, box: Box, at: datetime) -> Kept:
    """Keep the words and the form of a box, once for all who were shown them.

    Law: GDPR Art. 7(1); 16 CFR 310.5(a)(8), the request as presented.
    """
    notice = purposes.notice(
        purpose=purposes.current(box.purpose_code, at),
        language=box.language,
        text=box.text,
        at=at,
    )
    return Kept(notice, forms_shown.keep(notice=notice, html=html(box), at=at))


def give(
    *,
    box: Box,
    channel: str,
    contact: Contact,
    answer: Answer,
    source: str,
    at: datetime,
    actor: Actor,
) -> ConsentEvent:
    """Record what one ticked box gives on one of its channels.

    :raises MissingElement: something is missing that this kind of permission needs.
    """
    kept = keep(box=box, at=at)
    common: dict[str, Any] = {
        "contact": contact,
        "channel": channel,
        "source": source,
        "act": ConsentEvent.Act.CHECKBOX,
        "at": at,
        "actor": actor,
        "evidence": answer.evidence,
        "particulars": particulars(box, kept, answer),
    }
    if box.permission == Permission.WRITTEN:
        # Each of the three stands in the words of the agreement, which ship and are not edited.
        return permissions.give_written(
            seller=box.seller,
            number=contacts.address(contact=contact, channel=channel, at=at),
            agreement=kept.notice,
            disclosure=kept.form,
            signature=answer.signatures.get(box.key, ""),
            signature_kind=WrittenConsent.Signature.TYPED_NAME,
            authorises_advertising=True,
            authorises_automated=True,
            not_a_condition=True,
            **common,
        )
    if box.permission == Permission.EXPLICIT:
        return permissions.give_explicit(
            statement=box.text, notice=kept.notice, form=kept.form, **common
        )
    return permissions.give_express(
        purpose_code=box.purpose_code, notice=kept.notice, form=kept.form, **common
    )


def particulars(box: Box, kept: Kept, answer: Answer) -> Particulars:
    """Return what is known of an act by a box beside who, what and when."""
    return Particulars(
        permission=box.permission,
        form=kept.form,
        seller=box.seller,
        locale=box.language,
        age_years=answer.age_years,
        guardian=answer.guardian,
    )
