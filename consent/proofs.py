"""What shows an act that happened elsewhere? Paper, a recording, a letter, sealed to the person."""

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import User
from consent import contacts
from consent.models import Contact, Proof

FILE_MAX_BYTES = 5 * 1024 * 1024
# Why staff opened a proof: a code, for the trail takes no sentence.
REASON = re.compile(r"^[a-z][a-z0-9_.-]{2,39}$")
HEADER_LINE = re.compile(rb"^[A-Za-z][A-Za-z-]{1,40}:[ \t]?[^\n]*\n", re.M)
MPEG_SYNC = re.compile(rb"^\xff[\xe2\xe3\xf2-\xf7\xfa\xfb]")


class NotAProof(ValueError):
    """The file is of no kind that is kept; its message is for the person who sent it."""


class NoReason(ValueError):
    """A proof is opened for a reason that has a code, or not at all."""


@transaction.atomic
def keep(*, contact: Contact, file: bytes, media_type: str, at: datetime, staff: User) -> Proof:
    """Keep an uploaded file, sealed under the person's key; its hash is in the clear.

    The kind is told by the first bytes, and must be the one that was said.
    Law: GDPR Art. 7(1); 16 CFR 310.5(a)(8).
    :raises NotAProof: it is empty, above 5 MiB, or not of the kind it is said to be.
    :raises KeyRefused: the person's key is expired or destroyed.
    """
    _check(file, media_type)
    held = contacts.lock(contact_id=contact.id)
    proof = Proof(
        id=uuid.uuid4(),
        contact=held,
        file_sha256=hashlib.sha256(file).hexdigest(),
        size_bytes=len(file),
        media_type=media_type,
        uploaded_by=staff,
        created_at=at,
    )
    proof.file_sealed = keys.seal(key=held.key, plaintext=file, context=place(proof.id), at=at)
    proof.save(force_insert=True)
    _note("consent.proof.kept", proof, at, audit.staff(staff))
    return proof


def opened(*, proof: Proof, at: datetime, staff: User | Actor, reason: str) -> bytes:
    """Open a proof for a member of staff; the opening and its reason stand in the trail.

    `reason` is a code such as `dispute` or `regulator`.
    :raises NoReason: there is none.
    :raises KeyRefused: the person's key is expired or destroyed, or the file was erased.
    """
    if not REASON.match(reason):
        raise NoReason
    if proof.file_sealed is None:
        raise keys.KeyDestroyed
    return keys.reveal(
        key=proof.contact.key,
        sealed=bytes(proof.file_sealed),
        context=place(proof.id),
        at=at,
        staff=staff if isinstance(staff, Actor) else audit.staff(staff),
        reason=reason,
    )


def kind_of(file: bytes) -> str:
    """Return what a file is by its bytes; empty where it is of no kind that is kept. Pure."""
    return next((name for name, is_one in KINDS.items() if is_one(file)), "")


def place(proof_id: uuid.UUID) -> str:
    """Return the context under which a proof is sealed."""
    return f"consent_proof.file:{proof_id}"


def _is_text(file: bytes) -> bool:
    # Markup is refused: whoever opens a proof must not run what somebody sent.
    try:
        text = file.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return "\x00" not in text and not re.match(r"\s*<(!doctype|html|svg|script|\?xml)", text, re.I)


def _is_mail(file: bytes) -> bool:
    head = file.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    names = {line.partition(b":")[0].lower() for line in HEADER_LINE.findall(head)}
    return {b"from", b"date"} <= names and b"\x00" not in file and head[:1].isalpha()


KINDS: dict[str, Callable[[bytes], bool]] = {
    "application/pdf": lambda file: file.startswith(b"%PDF-"),
    "image/png": lambda file: file.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda file: file.startswith(b"\xff\xd8\xff"),
    "audio/wav": lambda file: file[:4] == b"RIFF" and file[8:12] == b"WAVE",
    "audio/mp4": lambda file: file[4:8] == b"ftyp" and file[8:11] in {b"M4A", b"mp4", b"iso"},
    "audio/mpeg": lambda file: file.startswith(b"ID3") or bool(MPEG_SYNC.match(file)),
    "message/rfc822": _is_mail,
    "text/plain": _is_text,
}


def _check(file: bytes, media_type: str) -> None:
    if not file.strip():
        raise NotAProof("The file is empty.")
    if len(file) > FILE_MAX_BYTES:
        raise NotAProof("The file is larger than 5 MB.")
    if media_type not in KINDS:
        raise NotAProof("Send a PDF, PNG, JPEG, MP3, M4A, WAV, EML or TXT file.")
    found = kind_of(file)
    # A letter is text as well: either name is true of it.
    if found != media_type and (found, media_type) != ("message/rfc822", "text/plain"):
        raise NotAProof(f"By its first bytes the file is no {media_type}.")


def _note(action: str, proof: Proof, at: datetime, actor: Actor) -> None:
    audit.record(
        action=action,
        at=at,
        actor=actor,
        subject_id=proof.contact_id,
        object_type="consent.proof",
        object_id=str(proof.pk),
        details={
            "file": proof.file_sha256,
            "bytes": proof.size_bytes,
            "media_type": proof.media_type,
        },
    )
