"""What do we write for, on which lawful basis, and what exactly were people shown?"""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from accounts import audit
from consent.models import Notice, Purpose

MARKETING = "marketing"
PERMISSION_REQUEST = "permission_request"
SPECIAL_DATA = "special_data"
PHI_CONTENT = "phi_content"
SHARING = "sharing"
VIEW_ANALYTICS = "view_analytics"
# The agreement that marketing texts need in the United States, in place of the shorter notice.
WRITTEN = "marketing_written"
LANGUAGES = ("en", "de", "es", "fr", "pt", "hi", "ar")
NOTICES = Path(__file__).parent / "notices"
# From the first day of the GDPR, so that older consent, brought along, has a purpose as well.
FIRST_VALID = datetime(2018, 5, 25, tzinfo=UTC)
DEFAULTS = (
    (MARKETING, "Marketing", Purpose.Basis.CONSENT),
    ("service", "Service messages", Purpose.Basis.CONTRACT),
    ("ai_use", "Making the video with AI", Purpose.Basis.LEGITIMATE_INTEREST),
    (VIEW_ANALYTICS, "Counting how a video is watched", Purpose.Basis.CONSENT),
    (SHARING, "Sharing with partners", Purpose.Basis.CONSENT),
    (SPECIAL_DATA, "Using special categories of data", Purpose.Basis.CONSENT),
    (PHI_CONTENT, "Health information in messages", Purpose.Basis.CONSENT),
    (PERMISSION_REQUEST, "Asking for consent", Purpose.Basis.LEGITIMATE_INTEREST),
)


class UnknownPurpose(Exception):
    """No version of this purpose is in force."""


def ensure_defaults(*, at: datetime) -> list[Purpose]:
    """Make the first version of each purpose that does not exist yet."""
    return [_ensure(code, title, basis, at) for code, title, basis in DEFAULTS]


def current(code: str, at: datetime) -> Purpose:
    """Return the version of a purpose in force at an instant.

    :raises UnknownPurpose: there is none.
    """
    in_force = Purpose.objects.filter(code=code, valid_from__lte=at).order_by("-version").first()
    if in_force is None:
        raise UnknownPurpose(code)
    return in_force


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


def _ensure(code: str, title: str, basis: str, at: datetime) -> Purpose:
    row, is_new = Purpose.objects.get_or_create(
        code=code, version=1, defaults={"title": title, "basis": basis, "valid_from": FIRST_VALID}
    )
    if is_new:
        audit.record(
            action="consent.purpose.added",
            at=at,
            actor=audit.SYSTEM,
            object_type="consent.purpose",
            object_id=str(row.pk),
            details={"code": code, "version": 1, "basis": basis},
        )
    return row


def spoken(language: str) -> str:
    """Return in which of our languages notices ship for a tag such as `pt-BR`."""
    code = language.partition("-")[0]
    return code if code in LANGUAGES else "en"


@lru_cache(maxsize=64)
def _shipped(name: str, language: str) -> str:
    return (NOTICES / f"{name}.{language}.txt").read_text(encoding="utf-8").strip()
