import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.audit import SYSTEM
from accounts.models import TrailLeaf
from consent import purposes
from consent.models import Notice, Purpose
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db


def test_the_defaults_are_made_once() -> None:
    purposes.ensure_defaults(at=NOON)
    purposes.ensure_defaults(at=NOON)
    assert Purpose.objects.count() == len(purposes.DEFAULTS)
    assert purposes.current("marketing", NOON).basis == "consent"


def test_two_who_make_them_at_once_make_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    purposes.ensure_defaults(at=NOON)
    kept = list(TrailLeaf.objects.values_list("uid", flat=True))
    # What the other made is not seen yet.
    answers = iter([{}, purposes._first_versions()])
    monkeypatch.setattr(purposes, "_first_versions", lambda: next(answers))
    assert len(purposes.ensure_defaults(at=NOON)) == len(purposes.DEFAULTS)
    assert list(TrailLeaf.objects.values_list("uid", flat=True)) == kept


def amend(**changed: Any) -> Purpose:
    purposes.ensure_defaults(at=NOON)
    whole = {
        "code": "service",
        "title": "Service",
        "basis": "consent",
        "valid_from": _later(),
        "at": NOON,
        "actor": SYSTEM,
    }
    return purposes.amend(**{**whole, **changed})


def test_a_newer_version_holds_from_its_day() -> None:
    assert amend().version == 2
    assert purposes.current("service", NOON).version == 1
    assert purposes.current("service", _later()).basis == "consent"
    leaf = TrailLeaf.objects.get(action="consent.purpose.amended")
    assert leaf.details == {"code": "service", "version": 2, "basis": "consent"}


def test_a_basis_is_not_changed_in_place() -> None:
    purposes.ensure_defaults(at=NOON)
    with pytest.raises(DatabaseError), transaction.atomic():
        Purpose.objects.filter(code="service").update(basis="consent")
    assert purposes.current("service", NOON).basis == "contract"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "gifts"}, purposes.UnknownPurpose),
        ({"basis": "wish"}, purposes.NoNewVersion),
        ({"valid_from": NOON - timedelta(seconds=1)}, purposes.NoNewVersion),
        ({"title": "Service messages", "basis": "contract"}, purposes.NoNewVersion),
    ],
)
def test_a_version_that_is_none_is_refused(change: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        amend(**change)
    assert not Purpose.objects.filter(version=2).exists()


def test_a_version_does_not_come_before_the_newest() -> None:
    amend(valid_from=NOON + timedelta(days=9))
    with pytest.raises(purposes.NoNewVersion):
        amend(basis="contract")


def test_one_box_for_each_purpose_passes() -> None:
    boxes: list[dict[str, object]] = [
        {"purpose": "marketing", "texts": {"en": "Write to me.", "de": "Schreiben Sie mir."}},
        {"purpose": "sharing", "texts": {"en": "Share it."}, "ticked": False},
    ]
    purposes.one_box_one_purpose(boxes)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ({"purposes": ["marketing", "sharing"]}, "box 2 must be for one purpose"),
        ({"purpose": ["sharing"]}, "one purpose"),
        ({"purpose": "marketing,sharing"}, "one purpose"),
        ({}, "one purpose"),
        ({"purpose": "sharing", "ticked": True}, "ticked before"),
        ({"purpose": "sharing", "checked": "checked"}, "ticked before"),
        ({"purpose": "sharing", "texts": ["Write to me."]}, "text of another purpose"),
    ],
)
def test_a_box_for_two_purposes_or_ticked_beforehand_is_refused(
    box: dict[str, object], words: str
) -> None:
    first = {"purpose": "marketing", "texts": {"en": "Write to me."}}
    with pytest.raises(purposes.OneBoxTwoPurposes, match=words):
        purposes.one_box_one_purpose([first, box])


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(purposes.UnknownPurpose):
        purposes.current("gifts", NOON)


@pytest.mark.parametrize("language", [*purposes.LANGUAGES, "pt-BR", "sv", ""])
def test_a_notice_is_kept_once_by_the_hash_of_its_words(language: str) -> None:
    purposes.ensure_defaults(at=NOON)
    purpose = purposes.current("marketing", NOON)
    first = purposes.default_notice(purpose=purpose, language=language, at=NOON)
    again = purposes.default_notice(purpose=purpose, language=language, at=_later())
    assert first == again
    assert Notice.objects.count() == 1
    assert first.sha256 == hashlib.sha256(first.text.encode()).hexdigest()
    assert "STOP" in first.text


def _later() -> datetime:
    return NOON + timedelta(days=1)
