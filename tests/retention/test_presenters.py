from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import TrailLeaf
from config.lib import clock
from consent import likeness
from consent.models import LikenessRelease
from retention import policies, runs
from retention.models import Policy
from retention.policies import PolicyRefused
from tests.retention import people
from tests.retention.test_views import asked_again, signed_in, url

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7 signed"


def form(**changed: object) -> dict[str, object]:
    today = clock.now().date()
    return {
        "presenter_code": "anna-office",
        "name": "Ottilie Quandt",
        "signature": "O. Quandt",
        "document": SimpleUploadedFile("signed.pdf", PDF),
        "covers_face": "on",
        "covers_voice": "on",
        "languages": ["en"],
        "purposes": ["marketing"],
        "signed_at": str(today - timedelta(days=1)),
        "valid_until": str(today + timedelta(days=30)),
        **changed,
    }


def recorded(client: Client, **changed: object) -> Any:
    return client.post(url("release_record"), form(**changed))


def test_an_officer_records_lists_and_revokes() -> None:
    client = signed_in()
    assert recorded(client).status_code == 302
    release = LikenessRelease.objects.get()
    assert release.recorded_by is not None
    page = client.get(url("presenters")).content.decode()
    assert "anna-office" in page
    assert "Quandt" not in page
    client.post(url("release_revoke", release.pk))
    release.refresh_from_db()
    assert release.revoked_at is not None
    assert "Revoked" in client.get(url("presenters")).content.decode()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"document": SimpleUploadedFile("x.pdf", b"<html>")}, "as a PDF, PNG or JPEG"),
        ({"presenter_code": "Anna Office"}, "Small letters"),
        ({"covers_face": "", "covers_voice": ""}, "the face, the voice, or both"),
        ({"languages": []}, "required"),
        ({"valid_until": "2020-01-01"}, "ended already"),
    ],
)
def test_a_bad_release_is_refused_with_its_field(changed: dict[str, object], words: str) -> None:
    answer = recorded(signed_in(), **changed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not LikenessRelease.objects.exists()


def test_a_document_too_large_is_not_read() -> None:
    large = SimpleUploadedFile("x.pdf", PDF + b" " * likeness.LARGEST_BYTES)
    assert "larger than 5 MB" in recorded(signed_in(), document=large).content.decode()


def test_an_auditor_looks_and_does_not_act() -> None:
    recorded(signed_in())
    release = LikenessRelease.objects.get()
    auditor = signed_in("auditor")
    page = auditor.get(url("presenters"))
    assert page.status_code == 200
    assert "Record a signed release" not in page.content.decode()
    for name in ("release_revoke", "release_erase", "release_export"):
        assert auditor.post(url(name, release.pk)).status_code == 403
    assert recorded(auditor).status_code == 403


def test_a_copy_names_who_signed_and_stands_in_the_trail() -> None:
    client = asked_again(signed_in())
    recorded(client)
    answer = client.post(url("release_export", LikenessRelease.objects.get().pk))
    assert "Ottilie Quandt" in answer.content.decode()
    assert TrailLeaf.objects.filter(action="accounts.plaintext.revealed").exists()


def test_who_signed_is_erased_once_the_release_has_ended() -> None:
    client = asked_again(signed_in())
    recorded(client)
    release = LikenessRelease.objects.get()
    client.post(url("release_erase", release.pk))
    release.refresh_from_db()
    assert release.name_sealed is not None
    client.post(url("release_revoke", release.pk))
    client.post(url("release_erase", release.pk))
    release.refresh_from_db()
    assert LikenessRelease.objects.filter(name_sealed=None, signature_sealed=None).exists()
    assert release.key.destroyed_at is not None
    assert TrailLeaf.objects.filter(action="retention.presenter.erased").exists()


def test_a_run_erases_who_signed_in_time() -> None:
    recorded(signed_in())
    release = LikenessRelease.objects.get()
    late = release.valid_until + timedelta(days=1096)
    runs.execute(run=runs.plan(at=late, trigger="schedule"), at=late)
    release.refresh_from_db()
    assert release.name_sealed is None


def test_the_label_is_never_longer_than_the_law() -> None:
    policies.ensure_defaults(at=people.AT)
    officer = people.officer()
    with pytest.raises(PolicyRefused, match="longest period here is 1095"):
        policies.change(record_class="likeness", period_days=1096, at=people.AT, staff=officer)
    policies.change(record_class="likeness", period_days=30, at=people.AT, staff=officer)
    assert Policy.objects.get(pk="likeness").period_days == 30
