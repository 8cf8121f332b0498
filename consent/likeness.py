"""May this presenter's face and voice be used now? Only by a written release that is in force.

The name and the signature are sealed under the release's own key; of the signed document only its
hash is kept. Every render of a person asks here, and so does every message at its hand-off.
"""

import hashlib
import re
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import DataKey, User
from config.lib.inventory import DEFAULT_DAYS
from consent import purposes
from consent.models import LikenessRelease

CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
# What a signed document may be, by its first bytes.
DOCUMENTS = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
LARGEST_BYTES = 5 << 20
NAME_LETTERS, SIGNATURE_LETTERS = 120, 200
TABLE = "consent_likenessrelease"
NOT_RELEASED, EXPIRED, REVOKED = "presenter_not_released", "presenter_expired", "presenter_revoked"
COVER = "presenter_cover"
LANGUAGE_MISSING, PURPOSE_MISSING = "presenter_language", "presenter_purpose"
WORDS: Mapping[str, str] = {
    NOT_RELEASED: "This presenter has signed no release that is in force",
    EXPIRED: "The presenter's release has ended",
    REVOKED: "The presenter took the release back",
    COVER: "The presenter's release does not cover both face and voice",
    LANGUAGE_MISSING: "The presenter's release does not cover this language",
    PURPOSE_MISSING: "The presenter's release does not cover what these messages are for",
}


class BadRelease(ValueError):
    """What was recorded is no release; `field` and `problem` say which part and why."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class NotReleased(Exception):
    """The presenter may not be shown; `code` says why, and `words` for a page."""

    def __init__(self, code: str) -> None:
        self.code, self.words = code, WORDS[code]
        super().__init__(code)


@transaction.atomic
def record(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    presenter_code: str,
    name: str,
    signature: str,
    document: bytes,
    covers_face: bool,
    covers_voice: bool,
    languages: Collection[str],
    purposes: Collection[str],
    signed_at: datetime,
    valid_until: datetime,
    at: datetime,
    staff: User,
) -> LikenessRelease:
    """Keep a presenter's signed release: what it covers, until when, and the document's hash.

    :raises BadRelease: a part is missing or unusable; nothing is kept.
    Law: BIPA 740 ILCS 14/15(b), a written release before collection; GDPR Art. 9(2)(a).
    """
    name, signature = " ".join(name.split()), " ".join(signature.split())
    row = LikenessRelease(
        id=uuid.uuid4(),
        presenter_code=presenter_code,
        document_sha256=hashlib.sha256(document).hexdigest(),
        covers_face=covers_face,
        covers_voice=covers_voice,
        languages=sorted(set(languages)),
        purposes=sorted(set(purposes)),
        signed_at=signed_at,
        valid_until=valid_until,
        recorded_by=staff,
        created_at=at,
    )
    _check_words(presenter_code, name, signature)
    _check_document(document)
    _check_cover(row)
    _check_times(row, at)
    row.key = keys.create(
        scope=DataKey.Scope.HOUSE, owner_id=row.id, at=at, delete_at=_delete_at(valid_until)
    )
    row.name_sealed = _seal(row, "name", name)
    row.signature_sealed = _seal(row, "signature", signature)
    row.save(force_insert=True)
    _note(row, "recorded", at, audit.staff(staff), document=row.document_sha256)
    return row


@transaction.atomic
def revoke(*, release: LikenessRelease, at: datetime, actor: Actor) -> LikenessRelease:
    """Take a release back; what was not sent yet is refused from now on. Again changes nothing.

    Law: GDPR Art. 7(3); BIPA 740 ILCS 14/15(a), destroyed three years later at the latest.
    """
    held = LikenessRelease.objects.select_for_update(of=("self",)).get(pk=release.pk)
    if held.revoked_at is None:
        held.revoked_at = release.revoked_at = at
        held.save(update_fields=["revoked_at"])
        _note(held, "revoked", at, actor)
        ends_at = held.key.delete_at
        if keys.opens(key=held.key, at=at) and (ends_at is None or _delete_at(at) < ends_at):
            keys.expire_at(
                key=held.key,
                delete_at=_delete_at(at),
                at=at,
                actor=actor,
                reason="likeness_revoked",
            )
    return held


def require(
    *, presenter_code: str, language: str, purpose_code: str, at: datetime
) -> LikenessRelease:
    """Return the release by which a presenter may be seen and heard in a language for a purpose.

    A video shows the face and lets the voice be heard: the release covers both.
    :raises NotReleased: there is none; its code says what is missing.
    Law: BIPA 740 ILCS 14/15(b) and (d); GDPR Art. 9(2)(a).
    """
    rows = LikenessRelease.objects.filter(presenter_code=presenter_code, signed_at__lte=at)
    signed = list(rows.order_by("-signed_at", "-created_at"))
    if not signed:
        raise NotReleased(NOT_RELEASED)
    standing = [row for row in signed if state_of(release=row, at=at) == "active"]
    if not standing:
        ended = state_of(release=signed[0], at=at)
        raise NotReleased(REVOKED if ended == "revoked" else EXPIRED)
    short = [_short_of(row, language, purpose_code) for row in standing]
    if all(short):
        raise NotReleased(short[0])
    return standing[short.index("")]


def state_of(*, release: LikenessRelease, at: datetime) -> str:
    """Return how a release stands at an instant: active, revoked or expired."""
    if release.revoked_at is not None and release.revoked_at <= at:
        return "revoked"
    return "active" if at < release.valid_until else "expired"


def speaks(*, release: LikenessRelease, language: str) -> bool:
    """Say whether a release covers a language: itself, or all of the language it is of."""
    return bool({language, language.partition("-")[0]} & set(release.languages))


def releases() -> QuerySet[LikenessRelease]:
    """Return every release, the newest first."""
    rows = LikenessRelease.objects.select_related("key", "recorded_by")
    return rows.order_by("-created_at", "pk")


def in_force(*, at: datetime) -> list[LikenessRelease]:
    """Return the releases of face and voice that are in force at an instant, by presenter."""
    whole = releases().filter(signed_at__lte=at, covers_face=True, covers_voice=True)
    rows = whole.order_by("presenter_code", "-valid_until")
    return [row for row in rows if state_of(release=row, at=at) == "active"]


def place(*, release: LikenessRelease, column: str) -> str:
    """Return the context under which a value of a release is sealed."""
    return f"{TABLE}.{column}:{release.pk}"


def _short_of(row: LikenessRelease, language: str, purpose_code: str) -> str:
    if not (row.covers_face and row.covers_voice):
        return COVER
    if not speaks(release=row, language=language):
        return LANGUAGE_MISSING
    return "" if purpose_code in row.purposes else PURPOSE_MISSING


def _check_words(presenter_code: str, name: str, signature: str) -> None:
    if not CODE.fullmatch(presenter_code) or presenter_code == "drawn":
        problem = "Small letters, digits, dots and dashes, up to 80; “drawn” is the drawn figure."
        raise BadRelease("presenter_code", problem)
    if not 1 <= len(name) <= NAME_LETTERS:
        raise BadRelease("name", f"Say who signed, in up to {NAME_LETTERS} letters.")
    if not 1 <= len(signature) <= SIGNATURE_LETTERS:
        raise BadRelease(
            "signature", f"Say how it is signed, in up to {SIGNATURE_LETTERS} letters."
        )


def _check_document(document: bytes) -> None:
    if len(document) > LARGEST_BYTES:
        raise BadRelease("document", "The document is larger than 5 MB. Scan it smaller.")
    if not document.startswith(DOCUMENTS):
        raise BadRelease("document", "Give the signed document as a PDF, PNG or JPEG file.")


def _check_cover(row: LikenessRelease) -> None:
    if not (row.covers_face or row.covers_voice):
        raise BadRelease("covers_face", "A release covers the face, the voice, or both.")
    if not row.languages or not all(LANGUAGE.fullmatch(one) for one in row.languages):
        raise BadRelease("languages", "Choose the languages that the presenter agreed to.")
    known = {code for code, _, _ in purposes.DEFAULTS}
    if not row.purposes or not set(row.purposes) <= known:
        raise BadRelease("purposes", "Choose what the presenter agreed to be used for.")


def _check_times(row: LikenessRelease, at: datetime) -> None:
    if row.signed_at > at:
        raise BadRelease("signed_at", "A release cannot be signed in the future.")
    if row.valid_until <= at or row.valid_until <= row.signed_at:
        raise BadRelease("valid_until", "This release has ended already.")


def _delete_at(ended_at: datetime) -> datetime:
    return ended_at + timedelta(days=DEFAULT_DAYS["likeness"])


def _seal(row: LikenessRelease, column: str, value: str) -> bytes:
    return keys.seal(
        key=row.key,
        plaintext=value.encode(),
        context=place(release=row, column=column),
        at=row.created_at,
    )


def _note(row: LikenessRelease, what: str, at: datetime, actor: Actor, **details: str) -> None:
    audit.record(
        action=f"consent.likeness.{what}",
        at=at,
        actor=actor,
        object_type="consent.likenessrelease",
        object_id=str(row.pk),
        details={"presenter": row.presenter_code, **details},
    )
