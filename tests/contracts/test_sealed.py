"""Promise 4: a stolen database and a stolen media folder name nobody and play nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from config.lib import sealed_stream
from consent.models import Contact
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import links, personalising, playback, vault
from videos.models import Asset

NAME, EMAIL, PHONE, CITY = "Ottilie Quandt", "ottilie@example.org", "+4915112345678", "Nordlicht"
# What a player looks for, and the start of every H.264 parameter set that we write.
PLAYABLE = (b"ftyp", b"moov", b"mdat", b"avcC", b"WEBVTT")


@pytest.fixture
def told(vendor: Vendor) -> Asset:
    """A person whose video was made, linked and played."""
    person = stage.person(name=NAME, email=EMAIL, phone=PHONE)
    campaign = played.done(played.ordered()).campaign
    asset = personalising.personalise(campaign=campaign, contact=person, at=stage.AT)
    link, _ = links.mint(
        asset=asset,
        contact=person,
        not_before=stage.AT,
        expires_at=asset.delete_at,
        plays_allowed=3,
        at=stage.AT,
    )
    playback.start_play(link=link, at=stage.AT)
    return asset


def stored_values() -> Iterator[tuple[str, bytes]]:
    """Read every column of every table as a thief would, past Django's fields."""
    for model in apps.get_models(include_auto_created=True):
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                for value in row:
                    raw = value if isinstance(value, bytes | memoryview) else str(value).encode()
                    yield model._meta.label, bytes(raw)


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_no_column_of_any_table_names_the_person(told: Asset) -> None:
    wanted = [*NAME.split(), EMAIL, PHONE, PHONE[1:], CITY]
    pattern = re.compile(b"|".join(re.escape(word.encode()) for word in wanted), re.IGNORECASE)
    leaks = {label for label, value in stored_values() if pattern.search(value)}
    assert leaks == set()


def test_the_search_would_find_what_is_there(told: Asset) -> None:
    assert any(b"Aurora Travel" in value for _, value in stored_values())


def test_no_file_plays_or_names_anybody(told: Asset) -> None:
    contents = [path.read_bytes() for path in files()]
    assert contents
    for raw in contents:
        assert raw.startswith(sealed_stream.MAGIC)
        assert NAME.encode() not in raw
    base = played.film().video
    # No run of the base's own bytes lies anywhere either.
    assert not any(base[20_000:20_032] in raw for raw in contents)
    assert not any(raw.count(sign) > 1 for raw in contents for sign in PLAYABLE)


def test_file_names_say_nothing(told: Asset) -> None:
    assert all(re.fullmatch(r"[0-9a-f]{40}", path.name) for path in files())


def test_each_byte_is_under_a_key_that_ends_with_the_person(told: Asset) -> None:
    head = told.extents.get(number=0).sealed_object
    assert head.key.parent == Contact.objects.get().key
    assert list(vault.check_all(at=stage.AT)) == []


def test_columns_with_ciphertext_are_bytes_and_say_so() -> None:
    ours = {"accounts", "integrations", "consent", "videos", "retention"}
    stray = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in ours
        for field in model._meta.local_fields
        if field.name.endswith("_sealed")
        and not isinstance(field, models.BinaryField | models.JSONField)
    ]
    assert stray == []
