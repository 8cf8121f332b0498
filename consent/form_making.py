"""How does a marketer make a sign-up form, and what may stand in it?"""

import hashlib
import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from accounts import audit
from accounts.models import Partner, User
from config.lib import canonical
from consent import purposes
from consent.models import Channel, ConsentEvent, ConsentState, HostedForm, Notice, RenderedForm
from consent.needs import FIXED

State = HostedForm.State
Permission = ConsentEvent.Permission
SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,33}[a-z0-9])?$")
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"^(?:{LABEL}\.)*{LABEL}$")
LOCAL = {"localhost", "127.0.0.1"}
BOXES_MAX, ORIGINS_MAX, TEXT_MAX_CHARS = 4, 20, 4000
# What a box may ask for: what rests on consent, but no authorisation that is signed on paper.
PURPOSES = (
    purposes.MARKETING,
    purposes.VIEW_ANALYTICS,
    purposes.SHARING,
    purposes.SPECIAL_DATA,
)
PERMISSIONS = (Permission.EXPRESS, Permission.WRITTEN, Permission.EXPLICIT)


class FormRefused(ValueError):
    """The form cannot be so: `field` says where, `problem` why, in words fit for a page."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True)
class Draft:
    """What a marketer wrote of a form."""

    title: str
    slug: str
    seller: str
    boxes: Sequence[Mapping[str, Any]]
    asks_age: bool
    origins: Sequence[str]
    partner: Partner | None = None


@dataclass(frozen=True)
class Figures:
    """How many people signed up by a form, and how many of them confirmed."""

    signed_up: int
    confirmed: int


@transaction.atomic
def make(*, draft: Draft, at: datetime, staff: User) -> HostedForm:
    """Make a form that nobody sees yet.

    :raises FormRefused: it cannot be so.
    """
    check(draft)
    if HostedForm.objects.filter(slug=draft.slug).exists():
        raise FormRefused("slug", "Another form has this address. Choose another one.")
    row = HostedForm(id=uuid.uuid4(), created_by=staff, created_at=at)
    _write(row, draft, at)
    row.save(force_insert=True)
    _note("made", row, at, staff)
    return row


@transaction.atomic
def edit(*, form: HostedForm, draft: Draft, at: datetime, staff: User) -> HostedForm:
    """Change a form; one that people have seen gets a new version, and what they saw stays.

    :raises FormRefused: it cannot be so, or its address was given out already.
    """
    check(draft)
    row = HostedForm.objects.select_for_update().get(pk=form.pk)
    seen = row.state != State.DRAFT
    if seen and (row.slug, row.partner) != (draft.slug, draft.partner):
        raise FormRefused("slug", "The address was given out already, and stays as it is.")
    if HostedForm.objects.filter(slug=draft.slug).exclude(pk=row.pk).exists():
        raise FormRefused("slug", "Another form has this address. Choose another one.")
    before = content(row)
    _write(row, draft, at)
    if content(row) == before:
        return row
    row.version += seen
    row.save()
    _note("edited", row, at, staff)
    return row


def publish(*, form: HostedForm, at: datetime, staff: User) -> HostedForm:
    """Open a form to the public."""
    return _move(form, State.OPEN, "published", at, staff)


def close(*, form: HostedForm, at: datetime, staff: User) -> HostedForm:
    """Close a form: nobody can sign up any more, and what was agreed to stands."""
    return _move(form, State.CLOSED, "closed", at, staff)


def check(draft: Draft) -> None:
    """Refuse what a form must not be.

    Law: GDPR Art. 7(2), one box one purpose; CJEU C-673/17, none ticked beforehand.
    :raises FormRefused: the first thing that is wrong.
    """
    if not draft.seller.strip():
        raise FormRefused("seller", "Say who asks: people agree to a sender they can name.")
    if not SLUG.match(draft.slug):
        raise FormRefused("slug", "Use small letters, digits and hyphens, at most 35.")
    if not 1 <= len(draft.boxes) <= BOXES_MAX:
        raise FormRefused("boxes", f"A form has one box at least and {BOXES_MAX} at most.")
    _check_boxes(draft.boxes)
    for origin in draft.origins:
        if not is_origin(origin):
            raise FormRefused(
                "origins", f"{origin[:80]} is no address such as https://example.org."
            )
    if len(draft.origins) > ORIGINS_MAX:
        raise FormRefused("origins", f"At most {ORIGINS_MAX} sites may embed it.")


def is_origin(text: str) -> bool:
    """Say whether a text is a plain web origin: it stands in a security header as it is."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    plain = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL)
    return text == plain and secure and bool(HOST.match(host))


def snippet(form: HostedForm) -> str:
    """Return what a site pastes to show the form: one frame, and no script."""
    seller = form.seller.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return (
        f'<iframe src="{settings.PUBLIC_URL}/join/f/{form.slug}/embed" title="{seller}" '
        'width="100%" height="900" loading="lazy" referrerpolicy="no-referrer"></iframe>'
    )


def figures(*, form: HostedForm) -> dict[int, Figures]:
    """Count sign-ups by the version of the form that people saw, newest first."""
    by_version: dict[int, set[str]] = {}
    # The kept fragment begins with its mark, so that a version's are found by their first letters.
    begins = f'<section class="card box" data-form="{form.slug} '
    for sha256, html in RenderedForm.objects.filter(html__startswith=begins).values_list(
        "sha256", "html"
    ):
        version = html[len(begins) :].partition('"')[0]
        by_version.setdefault(int(version), set()).add(sha256)
    return {version: _counted(by_version[version]) for version in sorted(by_version, reverse=True)}


def content(form: HostedForm) -> dict[str, object]:
    """Return what makes one version of a form differ from another."""
    return {
        "slug": form.slug,
        "title": form.title,
        "seller": form.seller,
        "boxes": form.boxes,
        "asks_age": form.asks_age,
        "origins": form.origins,
        "partner": str(form.partner_id or ""),
    }


def _check_boxes(boxes: Sequence[Mapping[str, Any]]) -> None:
    try:
        purposes.one_box_one_purpose(boxes)
    except purposes.OneBoxTwoPurposes as fault:
        raise FormRefused("boxes", f"{str(fault).capitalize()}.") from None
    taken: set[tuple[str, str]] = set()
    for box in boxes:
        _check_box(box)
        pairs = {(box["purpose"], channel) for channel in box["channels"]}
        if taken & pairs:
            raise FormRefused("boxes", "Two boxes ask for the same purpose on the same channel.")
        taken |= pairs


def _check_box(box: Mapping[str, Any]) -> None:
    code, channels, permission = box["purpose"], box["channels"], box["permission"]
    if code not in PURPOSES or permission not in PERMISSIONS:
        raise FormRefused("boxes", "A box cannot ask for this.")
    if not channels or not set(channels) <= set(Channel.values):
        raise FormRefused("boxes", "Say on which channels each box counts.")
    if (code == purposes.SPECIAL_DATA) != (permission == FIXED[purposes.SPECIAL_DATA]):
        raise FormRefused("boxes", "Sensitive data need explicit consent, and nothing else does.")
    if permission == Permission.WRITTEN and (
        code != purposes.MARKETING or Channel.EMAIL in channels
    ):
        raise FormRefused("boxes", "Written consent is for advertising by SMS or WhatsApp only.")
    _check_texts(code, box["texts"])


def _check_texts(code: str, texts: Mapping[str, str]) -> None:
    if not set(texts) <= set(purposes.LANGUAGES):
        raise FormRefused("boxes", "This language is not offered.")
    if any(len(text) > TEXT_MAX_CHARS for text in texts.values()):
        raise FormRefused("boxes", f"A text has at most {TEXT_MAX_CHARS} letters.")
    hashes = [hashlib.sha256(text.strip().encode()).hexdigest() for text in texts.values()]
    others = Notice.objects.filter(sha256__in=hashes).exclude(purpose__code=code)
    shipped = {
        purposes.shipped_text(language=language, name=other)
        for other in PURPOSES
        for language in purposes.LANGUAGES
        if other != code
    }
    if others.exists() or shipped & {text.strip() for text in texts.values()}:
        raise FormRefused("boxes", "One of the texts was used for another purpose. Word it anew.")


def _write(row: HostedForm, draft: Draft, at: datetime) -> None:
    row.title, row.slug, row.seller = draft.title.strip(), draft.slug, draft.seller.strip()
    row.boxes = [_plain(box) for box in draft.boxes]
    row.asks_age, row.origins = draft.asks_age, sorted(set(draft.origins))
    row.partner, row.updated_at = draft.partner, at


def _plain(box: Mapping[str, Any]) -> dict[str, Any]:
    texts = {code: text.strip() for code, text in box["texts"].items() if text.strip()}
    return {
        "purpose": str(box["purpose"]),
        "channels": [code for code in Channel.values if code in box["channels"]],
        "permission": str(box["permission"]),
        "texts": texts,
    }


def _counted(forms: Collection[str]) -> Figures:
    given = ConsentEvent.objects.filter(form__in=forms, kind=ConsentEvent.Kind.GIVEN)
    people = given.aggregate(people=Count("contact", distinct=True))["people"]
    confirmed = ConsentState.objects.filter(
        state=ConsentEvent.Kind.CONFIRMED, contact__in=given.values("contact")
    ).aggregate(people=Count("contact", distinct=True))["people"]
    return Figures(people, confirmed)


@transaction.atomic
def _move(form: HostedForm, state: str, word: str, at: datetime, staff: User) -> HostedForm:
    row = HostedForm.objects.select_for_update().get(pk=form.pk)
    if row.state != state:
        row.state, row.updated_at = state, at
        row.save(update_fields=["state", "updated_at"])
        _note(word, row, at, staff)
    return row


def _note(word: str, row: HostedForm, at: datetime, staff: User) -> None:
    audit.record(
        action=f"consent.form.{word}",
        at=at,
        actor=audit.staff(staff),
        object_type="consent.hostedform",
        object_id=str(row.pk),
        details={
            "version": row.version,
            "state": row.state,
            "sha256": canonical.digest(content(row)),
            "purposes": _codes(row.boxes),
        },
    )


def _codes(boxes: Iterable[Mapping[str, Any]]) -> list[str]:
    return [box["purpose"] for box in boxes]
