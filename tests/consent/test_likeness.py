from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from accounts import audit, keys
from accounts.models import TrailLeaf, User
from config.lib.inventory import DEFAULT_DAYS, Due
from consent import likeness, personal_data
from consent.likeness import BadRelease, NotReleased
from consent.models import LikenessRelease
from tests.accounts.staff import member
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)
DAYS = {**DEFAULT_DAYS, "likeness": 1095}
PDF = b"%PDF-1.7 signed"
STAFF = audit.Actor("staff", "officer")


@pytest.fixture
def officer() -> User:
    return member("officer")


def signed(officer: User, **changed: object) -> LikenessRelease:
    said: dict[str, Any] = {
        "presenter_code": "anna-office",
        "name": "Ottilie Quandt",
        "signature": "O. Quandt",
        "document": PDF,
        "covers_face": True,
        "covers_voice": True,
        "languages": ["en", "pt-BR"],
        "purposes": ["marketing"],
        "signed_at": NOON - timedelta(days=1),
        "valid_until": NOON + YEAR,
        "at": NOON,
        "staff": officer,
    }
    return likeness.record(**{**said, **changed})


def refused(**changed: object) -> str:
    asked: dict[str, Any] = {
        "presenter_code": "anna-office",
        "language": "en",
        "purpose_code": "marketing",
        "at": NOON,
    }
    try:
        likeness.require(**{**asked, **changed})
    except NotReleased as why:
        assert why.words == likeness.WORDS[why.code]
        return why.code
    return ""


def test_a_release_covers_its_languages_and_purposes(officer: User) -> None:
    release = signed(officer)
    found = likeness.require(
        presenter_code="anna-office", language="en-GB", purpose_code="marketing", at=NOON
    )
    assert found == release
    assert refused(language="pt-BR") == ""


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"presenter_code": "somebody-else"}, "presenter_not_released"),
        ({"at": NOON - timedelta(days=2)}, "presenter_not_released"),
        ({"at": NOON + YEAR}, "presenter_expired"),
        ({"language": "fr"}, "presenter_language"),
        # Brazil's Portuguese is not all of it.
        ({"language": "pt"}, "presenter_language"),
        ({"purpose_code": "service"}, "presenter_purpose"),
    ],
)
def test_what_it_does_not_cover_is_refused(
    officer: User, changed: Mapping[str, object], code: str
) -> None:
    signed(officer)
    assert refused(**changed) == code


@pytest.mark.parametrize("missing", ["covers_face", "covers_voice"])
def test_half_a_likeness_is_none(officer: User, missing: str) -> None:
    signed(officer, **{missing: False})
    assert refused() == "presenter_cover"


def test_a_revoked_release_covers_nothing_and_stays_so(officer: User) -> None:
    release = signed(officer)
    later = NOON + timedelta(hours=1)
    likeness.revoke(release=release, at=later, actor=STAFF)
    likeness.revoke(release=release, at=later + YEAR, actor=STAFF)
    assert refused(at=NOON) == ""
    assert refused(at=later) == "presenter_revoked"
    assert TrailLeaf.objects.filter(action="consent.likeness.revoked").count() == 1
    assert LikenessRelease.objects.get().revoked_at == later


def test_a_new_release_stands_beside_one_that_was_revoked(officer: User) -> None:
    likeness.revoke(release=signed(officer), at=NOON, actor=STAFF)
    signed(officer, languages=["fr"])
    assert refused(language="fr") == ""
    assert refused(language="en") == "presenter_language"


def test_name_and_signature_are_sealed_and_the_document_is_not_kept(officer: User) -> None:
    row = signed(officer)
    for column, value in (("name", "Ottilie Quandt"), ("signature", "O. Quandt")):
        sealed = bytes(getattr(row, f"{column}_sealed"))
        place = f"consent_likenessrelease.{column}:{row.pk}"
        assert value.encode() not in sealed
        opened = keys.unseal(key=row.key, sealed=sealed, context=place, at=NOON)
        assert opened.decode() == value
    told = str(list(TrailLeaf.objects.values_list("details", flat=True)))
    assert "Quandt" not in told
    assert row.document_sha256 in told


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"presenter_code": "drawn"}, "presenter_code"),
        ({"presenter_code": "Anna Office"}, "presenter_code"),
        ({"name": "  "}, "name"),
        ({"signature": ""}, "signature"),
        ({"document": b"<html>signed"}, "document"),
        ({"document": b""}, "document"),
        ({"document": PDF + b" " * likeness.LARGEST_BYTES}, "document"),
        ({"covers_face": False, "covers_voice": False}, "covers_face"),
        ({"languages": []}, "languages"),
        ({"languages": ["en; drop"]}, "languages"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["world_peace"]}, "purposes"),
        ({"signed_at": NOON + timedelta(seconds=1)}, "signed_at"),
        ({"valid_until": NOON}, "valid_until"),
    ],
)
def test_what_is_no_release_is_not_kept(
    officer: User, changed: Mapping[str, object], field: str
) -> None:
    with pytest.raises(BadRelease) as why:
        signed(officer, **changed)
    assert why.value.field == field
    assert not LikenessRelease.objects.exists()


@pytest.mark.parametrize("document", [PDF, b"\x89PNG\r\n\x1a\n..", b"\xff\xd8\xff\xe0.."])
def test_a_scan_or_a_picture_will_do(officer: User, document: bytes) -> None:
    signed(officer, document=document)
    assert refused() == ""


def test_who_signed_is_due_three_years_after_the_end_at_the_latest(officer: User) -> None:
    ended, revoked, _ = (
        signed(officer),
        signed(officer),
        signed(officer, valid_until=NOON + 9 * YEAR),
    )
    likeness.revoke(release=revoked, at=NOON, actor=STAFF)
    revoked.key.refresh_from_db()
    kept = timedelta(days=1095)
    assert revoked.key.delete_at == NOON + kept
    assert ended.key.delete_at == NOON + YEAR + kept
    early = set(personal_data.due(at=NOON + kept, days=DAYS))
    assert early == {Due("likeness", str(revoked.pk), None, NOON + kept)}
    late = {item.object_id for item in personal_data.due(at=NOON + YEAR + kept, days=DAYS)}
    assert late == {str(revoked.pk), str(ended.pk)}


def test_what_is_due_is_erased_and_the_evidence_stays(officer: User) -> None:
    row = signed(officer)
    before = personal_data.export_presenter(presenter_code="anna-office", at=NOON, staff=STAFF)
    assert "Ottilie Quandt" in str(before)
    for _ in range(2):
        personal_data.erase_record(record_class="likeness", object_id=str(row.pk), at=NOON)
    row.refresh_from_db()
    assert (row.name_sealed, row.signature_sealed) == (None, None)
    assert row.key.destroyed_at == NOON
    after = personal_data.export_presenter(presenter_code="anna-office", at=NOON, staff=STAFF)
    assert "Quandt" not in str(after)
    assert row.document_sha256 in str(after)
    assert list(personal_data.due(at=NOON + 9 * YEAR, days=DAYS)) == []


def test_opening_who_signed_stands_in_the_trail(officer: User) -> None:
    signed(officer)
    personal_data.export_presenter(presenter_code="anna-office", at=NOON, staff=STAFF)
    told = TrailLeaf.objects.filter(action="accounts.plaintext.revealed")
    assert {row.details["place"] for row in told} == {
        "consent_likenessrelease.name",
        "consent_likenessrelease.signature",
    }
