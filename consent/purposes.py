"""What do we write for, on which lawful basis, and what exactly were people shown?"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Actor
from accounts.models import TrailLeaf
from consent.models import Notice, Purpose

MARKETING = "marketing"
SERVICE = "service"
PERMISSION_REQUEST = "permission_request"
SPECIAL_DATA = "special_data"
PHI_CONTENT = "phi_content"
SHARING = "sharing"
VIEW_ANALYTICS = "view_analytics"
# The agreement that marketing texts need in the United States, in place of the shorter notice.
WRITTEN = "marketing_written"
# What the law lets us answer to somebody who said stop, and to somebody who asked for help.
STOP_CONFIRMATION = "stop_confirmation"
HELP_ANSWER = "help_answer"
LANGUAGES = ("en", "de", "es", "fr", "pt", "hi", "ar")
NOTICES = Path(__file__).parent / "notices"
# From the first day of the GDPR, so that older consent, brought along, has a purpose as well.
FIRST_VALID = datetime(2018, 5, 25, tzinfo=UTC)
DEFAULTS = (
    (MARKETING, "Marketing", Purpose.Basis.CONSENT),
    (SERVICE, "Service messages", Purpose.Basis.CONTRACT),
    ("ai_use", "Making the video with AI", Purpose.Basis.LEGITIMATE_INTEREST),
    (VIEW_ANALYTICS, "Counting how a video is watched", Purpose.Basis.CONSENT),
    (SHARING, "Sharing with partners", Purpose.Basis.CONSENT),
    (SPECIAL_DATA, "Using special categories of data", Purpose.Basis.CONSENT),
    (PHI_CONTENT, "Health information in messages", Purpose.Basis.CONSENT),
    (PERMISSION_REQUEST, "Asking for consent", Purpose.Basis.LEGITIMATE_INTEREST),
    (STOP_CONFIRMATION, "Confirming a stop", Purpose.Basis.LEGITIMATE_INTEREST),
    (HELP_ANSWER, "Answering a call for help", Purpose.Basis.LEGITIMATE_INTEREST),
)
ADDED = "consent.purpose.added"
# What nobody consents to: it is how we ask, and how we answer.
OURS = frozenset({PERMISSION_REQUEST, STOP_CONFIRMATION, HELP_ANSWER})


class UnknownPurpose(Exception):
    """No version of this purpose is in force."""


class NoNewVersion(ValueError):
    """The change of a purpose changes nothing, or begins before what holds already."""


class OneBoxTwoPurposes(ValueError):
    """One box, or one text, asks for two purposes at once; or a box is ticked beforehand."""


def ensure_defaults(*, at: datetime) -> list[Purpose]:
    """Make the first version of each purpose that does not exist yet."""
    there = _first_versions()
    missing = [_first(*known) for known in DEFAULTS if known[0] not in there]
    if missing:
        try:
            with transaction.atomic():
                Purpose.objects.bulk_create(missing)
                audit.record_many([_leaf(ADDED, row, at, audit.SYSTEM) for row in missing])
        except IntegrityError:
            # Another process makes them at this moment: what is not there by now is made singly.
            for row in missing:
                _ensure(row, at)
        there = _first_versions()
    return [there[code] for code, _, _ in DEFAULTS]


def current(code: str, at: datetime) -> Purpose:
    """Return the version of a purpose in force at an instant.

    :raises UnknownPurpose: there is none.
    """
    in_force = Purpose.objects.filter(code=code, valid_from__lte=at).order_by("-version").first()
    if in_force is None:
        raise UnknownPurpose(code)
    return in_force


@transaction.atomic
def amend(
    *, code: str, title: str, basis: str, valid_from: datetime, at: datetime, actor: Actor
) -> Purpose:
    """Give a purpose a new version, in force from `valid_from`; the older ones stay as they were.

    What was agreed to under another lawful basis does not count under the new one.
    Law: GDPR Art. 6(1); EDPB Guidelines 05/2020, 121-123, the basis is not swapped.
    :raises UnknownPurpose: there is no such purpose yet.
    :raises NoNewVersion: it begins in the past or before the newest, or changes nothing.
    """
    newest = Purpose.objects.filter(code=code).order_by("-version").first()
    if newest is None:
        raise UnknownPurpose(code)
    if basis not in Purpose.Basis.values:
        raise NoNewVersion("there is no such lawful basis")
    if valid_from < at or valid_from <= newest.valid_from:
        raise NoNewVersion("a version cannot begin in the past, nor before the one it follows")
    if (title, basis) == (newest.title, newest.basis):
        raise NoNewVersion("it says what the newest version says")
    row = Purpose.objects.create(
        code=code, version=newest.version + 1, title=title, basis=basis, valid_from=valid_from
    )
    _note("consent.purpose.amended", row, at, actor)
    return row


def of_another_basis(code: str, at: datetime) -> list[int]:
    """Return the versions of a purpose whose basis is not the one in force at an instant."""
    versions = Purpose.objects.filter(code=code)
    held = versions.filter(valid_from__lte=at).order_by("-version").first()
    others = versions.exclude(basis=held.basis) if held else versions
    return list(others.values_list("pk", flat=True))


def one_box_one_purpose(boxes: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a form, or a call, in which one box covers two purposes or is ticked beforehand.

    A box names its `purpose`, may name the `texts` it shows (language to text or hash), and may
    say `ticked`. One text under two purposes is one box for both.
    Law: GDPR Art. 4(11), 7(2), Rec. 32, 43; CJEU C-673/17 (Planet49).
    :raises OneBoxTwoPurposes: which box, and why.
    """
    asked: dict[str, str] = {}
    for number, box in enumerate(boxes, start=1):
        codes = box.get("purposes", box.get("purpose"))
        if not isinstance(codes, str) or not codes or "," in codes:
            raise OneBoxTwoPurposes(f"box {number} must be for one purpose, and name it")
        if any(box.get(word) for word in ("ticked", "checked", "selected", "default")):
            raise OneBoxTwoPurposes(f"box {number} is ticked before anybody ticked it")
        texts = box.get("texts") or {}
        for text in texts.values() if isinstance(texts, Mapping) else texts:
            if asked.setdefault(str(text), codes) != codes:
                raise OneBoxTwoPurposes(f"box {number} shows the text of another purpose")


def require_own_text(*, notice: Notice, purpose_code: str) -> None:
    """Refuse a text that was shown for another purpose.

    :raises OneBoxTwoPurposes: it was.
    """
    if notice.purpose.code != purpose_code:
        raise OneBoxTwoPurposes(f"this text asks for {notice.purpose.code}, not {purpose_code}")


def notice(*, purpose: Purpose, language: str, text: str, at: datetime) -> Notice:
    """Keep the exact text a person is shown, once, under its SHA-256.

    Law: GDPR Art. 7(1), the consent must be demonstrable; ISO/IEC TS 27560 notice.
    """
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Notice.objects.get_or_create(
        sha256=sha256,
        defaults={"purpose": purpose, "language": language, "text": text, "created_at": at},
    )[0]


def default_notice(*, purpose: Purpose, language: str, at: datetime) -> Notice:
    """Return the notice that ships with Sealcast, in the person's language or in English."""
    chosen = spoken(language)
    text = shipped_text(language=chosen, name=purpose.code)
    return notice(purpose=purpose, language=chosen, text=text, at=at)


def shipped_text(*, language: str, name: str = MARKETING) -> str:
    """Return the words of a shipped notice, for a form that shows it, keeping nothing.

    `name` is a purpose, or `WRITTEN`, whose words leave a place for the `{seller}`.
    :raises FileNotFoundError: none ships for this purpose.
    """
    return _shipped(name, spoken(language))


def _first(code: str, title: str, basis: str) -> Purpose:
    return Purpose(code=code, version=1, title=title, basis=basis, valid_from=FIRST_VALID)


def _first_versions() -> dict[str, Purpose]:
    codes = [code for code, _, _ in DEFAULTS]
    return {row.code: row for row in Purpose.objects.filter(version=1, code__in=codes)}


@transaction.atomic
def _ensure(first: Purpose, at: datetime) -> None:
    told = {"title": first.title, "basis": first.basis, "valid_from": first.valid_from}
    row, is_new = Purpose.objects.get_or_create(code=first.code, version=1, defaults=told)
    if is_new:
        _note(ADDED, row, at, audit.SYSTEM)


def _note(action: str, row: Purpose, at: datetime, actor: Actor) -> None:
    audit.record_many([_leaf(action, row, at, actor)])


def _leaf(action: str, row: Purpose, at: datetime, actor: Actor) -> TrailLeaf:
    return audit.leaf(
        action=action,
        at=at,
        actor=actor,
        object_type="consent.purpose",
        object_id=str(row.pk),
        details={"code": row.code, "version": row.version, "basis": row.basis},
    )


def spoken(language: str) -> str:
    """Return in which of our languages notices ship for a tag such as `pt-BR`."""
    code = language.partition("-")[0]
    return code if code in LANGUAGES else "en"


@lru_cache(maxsize=64)
def _shipped(name: str, language: str) -> str:
    return (NOTICES / f"{name}.{language}.txt").read_text(encoding="utf-8").strip()
