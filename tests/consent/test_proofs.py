import hashlib

import pytest

from accounts import keys
from accounts.models import TrailLeaf
from consent import personal_data, proofs
from consent.models import Contact, Proof
from tests.accounts.staff import member
from tests.consent.people import NOON, person

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nsigned by hand"
MAIL = b"From: ana@example.org\r\nDate: Wed, 7 Oct 2026 12:00:00 +0000\r\n\r\nYes, write to me."
SAMPLES = {
    "application/pdf": PDF,
    "image/png": b"\x89PNG\r\n\x1a\n....",
    "image/jpeg": b"\xff\xd8\xff\xe0....",
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "audio/mp4": b"\x00\x00\x00\x20ftypM4A \x00",
    "audio/mpeg": b"\xff\xfb\x90\x44....",
    "message/rfc822": MAIL,
    "text/plain": "Ja, gern. Müller".encode(),
}


def kept(contact: Contact, file: bytes = PDF, media_type: str = "application/pdf") -> Proof:
    return proofs.keep(
        contact=contact, file=file, media_type=media_type, at=NOON, staff=member("officer")
    )


def test_a_proof_is_sealed_and_its_hash_kept() -> None:
    proof = kept(person())
    assert proof.file_sha256 == hashlib.sha256(PDF).hexdigest()
    assert PDF not in bytes(proof.file_sealed or b"")
    leaf = TrailLeaf.objects.get(action="consent.proof.kept")
    assert leaf.details["file"] == proof.file_sha256


def test_staff_open_it_with_a_reason_and_the_trail_says_so() -> None:
    contact, officer = person(), member("officer")
    proof = kept(contact)
    assert proofs.opened(proof=proof, at=NOON, staff=officer, reason="dispute") == PDF
    leaf = TrailLeaf.objects.get(action="accounts.plaintext.revealed")
    assert (leaf.actor_id, leaf.subject_id) == (str(officer.pk), contact.pk)
    assert leaf.details == {"place": "consent_proof.file", "reason": "dispute"}


@pytest.mark.parametrize("reason", ["", "x", "because Ana asked"])
def test_without_a_reason_it_stays_shut(reason: str) -> None:
    with pytest.raises(proofs.NoReason):
        proofs.opened(proof=kept(person()), at=NOON, staff=member("officer"), reason=reason)
    assert not TrailLeaf.objects.filter(action="accounts.plaintext.revealed").exists()


@pytest.mark.parametrize("media_type", SAMPLES)
def test_each_kind_is_known_by_its_bytes(media_type: str) -> None:
    assert proofs.kind_of(SAMPLES[media_type]) == media_type
    others = {proofs.kind_of(b"\x00" + file) for file in SAMPLES.values()}
    assert others == {""}


@pytest.mark.parametrize(
    ("file", "media_type", "words"),
    [
        (b" \n", "text/plain", "empty"),
        (PDF + b"x" * proofs.FILE_MAX_BYTES, "application/pdf", "larger than 5 MB"),
        (PDF, "image/png", "no image/png"),
        (b"MZ\x90\x00", "application/pdf", "no application/pdf"),
        (b"<html><script>", "text/plain", "no text/plain"),
        (PDF, "application/zip", "Send a PDF"),
    ],
)
def test_what_is_no_proof_is_refused(file: bytes, media_type: str, words: str) -> None:
    with pytest.raises(proofs.NotAProof, match=words):
        kept(person(), file, media_type)
    assert Proof.objects.count() == 0


def test_it_ends_with_the_person() -> None:
    contact = person()
    proof = kept(contact)
    assert personal_data.erase(contact_id=contact.pk, at=NOON)["proofs"] == 1
    proof = Proof.objects.get()
    assert proof.file_sealed is None
    with pytest.raises(keys.KeyRefused):
        proofs.opened(proof=proof, at=NOON, staff=member("officer"), reason="dispute")
