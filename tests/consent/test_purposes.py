import hashlib
from datetime import datetime, timedelta

import pytest

from consent import purposes
from consent.models import Notice, Purpose
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db


def test_the_defaults_are_made_once() -> None:
    purposes.ensure_defaults(at=NOON)
    purposes.ensure_defaults(at=NOON)
    assert Purpose.objects.count() == len(purposes.DEFAULTS)
    assert purposes.current("marketing", NOON).basis == "consent"


def test_a_newer_version_holds_from_its_day() -> None:
    purposes.ensure_defaults(at=NOON)
    Purpose.objects.create(
        code="service",
        version=2,
        title="Service",
        basis="consent",
        valid_from=NOON + timedelta(days=1),
    )
    assert purposes.current("service", NOON).version == 1
    assert purposes.current("service", NOON + timedelta(days=1)).version == 2


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
