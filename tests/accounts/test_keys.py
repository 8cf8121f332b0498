"""Does a value open in its place, in its time, under its key, and nowhere else?"""

import io
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import keys, ring
from accounts.audit import Actor
from accounts.models import DataKey, TrailLeaf
from config.lib import keyring
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db
PLACE = "consent_contact.name:1"
LATER = NOON + timedelta(days=30)
Scope = DataKey.Scope


@pytest.fixture
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "keyring.json"
    path.write_bytes(settings.KEYRING_FILE.read_bytes())
    path.chmod(0o600)
    monkeypatch.setattr(settings, "KEYRING_FILE", path)
    ring._load.cache_clear()
    yield path
    ring._load.cache_clear()


def person(**more: object) -> DataKey:
    return keys.create(scope=Scope.PERSON, owner_id=uuid.uuid4(), at=NOON, **more)  # type: ignore[arg-type]


def sealed(key: DataKey, place: str = PLACE) -> bytes:
    return keys.seal(key=key, plaintext="Zoë".encode(), context=place, at=NOON)


def test_what_is_sealed_opens() -> None:
    key = person()
    opened = keys.unseal(key=key, sealed=sealed(key), context=PLACE, at=NOON)
    assert opened == "Zoë".encode()


def test_a_key_read_from_the_database_opens_the_same() -> None:
    key = person()
    again = DataKey.objects.get(pk=key.pk)
    assert keys.unseal(key=again, sealed=sealed(key), context=PLACE, at=NOON)


def test_the_stored_key_is_not_the_key() -> None:
    key = person()
    assert key.wrapped is not None
    assert len(key.wrapped) == 1 + 12 + 32 + 16
    assert ring.current().root(key.root_key_id) not in bytes(key.wrapped)


@pytest.mark.parametrize("place", ["consent_contact.name:2", "consent_contact.email:1"])
def test_a_value_moved_to_another_row_or_column_does_not_open(place: str) -> None:
    key = person()
    with pytest.raises(keys.SealBroken):
        keys.unseal(key=key, sealed=sealed(key), context=place, at=NOON)


def test_a_value_of_another_person_does_not_open() -> None:
    with pytest.raises(keys.SealBroken):
        keys.unseal(key=person(), sealed=sealed(person()), context=PLACE, at=NOON)


def test_a_wrapped_key_moved_to_another_row_does_not_open() -> None:
    ours, theirs = person(), person()
    value = sealed(theirs)
    DataKey.objects.filter(pk=ours.pk).update(wrapped=theirs.wrapped)
    ours.refresh_from_db()
    with pytest.raises(keys.SealBroken):
        keys.unseal(key=ours, sealed=value, context=PLACE, at=NOON)


def test_a_refusal_names_no_row() -> None:
    with pytest.raises(keys.SealBroken) as refused:
        keys.unseal(key=person(), sealed=b"x", context="consent_contact.name:42", at=NOON)
    assert str(refused.value) == "consent_contact.name"


def test_a_key_opens_until_its_end_and_not_at_it() -> None:
    key = person(delete_at=LATER)
    value = sealed(key)
    assert keys.unseal(key=key, sealed=value, context=PLACE, at=LATER - timedelta(microseconds=1))
    for at in (LATER, LATER + timedelta(days=1)):
        with pytest.raises(keys.KeyExpired):
            keys.unseal(key=key, sealed=value, context=PLACE, at=at)
        with pytest.raises(keys.KeyExpired):
            keys.seal(key=key, plaintext=b"x", context=PLACE, at=at)


def test_a_destroyed_key_does_not_open_and_has_no_material() -> None:
    key = person()
    value = sealed(key)
    keys.destroy(key=key, at=LATER)
    assert key.wrapped is None
    assert key.destroyed_at == LATER
    # Not even at an instant before its destruction.
    with pytest.raises(keys.KeyDestroyed):
        keys.unseal(key=key, sealed=value, context=PLACE, at=NOON)


def test_a_destruction_stands_once_in_the_trail() -> None:
    key = person()
    keys.destroy(key=key, at=NOON)
    keys.destroy(key=key, at=LATER)
    leaf = TrailLeaf.objects.get(action="accounts.key.destroyed", object_id=str(key.pk))
    assert leaf.subject_id == key.owner_id
    assert leaf.at == NOON


def test_the_database_refuses_a_destroyed_key_with_material() -> None:
    key = person()
    with pytest.raises(IntegrityError), transaction.atomic():
        DataKey.objects.filter(pk=key.pk).update(destroyed_at=NOON)


def test_a_childs_key_ends_with_its_parents() -> None:
    parent = person(delete_at=LATER)
    child = keys.create(scope=Scope.ASSET, owner_id=uuid.uuid4(), at=NOON, parent=parent)
    value = sealed(child)
    assert keys.opens(key=child, at=NOON)
    with pytest.raises(keys.KeyExpired):
        keys.unseal(key=child, sealed=value, context=PLACE, at=LATER)
    keys.destroy(key=parent, at=NOON)
    with pytest.raises(keys.KeyDestroyed):
        keys.unseal(key=DataKey.objects.get(pk=child.pk), sealed=value, context=PLACE, at=NOON)


def test_the_query_of_keys_that_open_agrees_with_opening() -> None:
    parent = person(delete_at=LATER)
    child = keys.create(scope=Scope.ASSET, owner_id=uuid.uuid4(), at=NOON, parent=parent)
    gone, plain = person(), person()
    keys.destroy(key=gone, at=NOON)
    for at in (NOON, LATER):
        found = set(DataKey.objects.filter(keys.openable(at=at)))
        opening = {key for key in (parent, child, gone, plain) if keys.opens(key=key, at=at)}
        assert found == opening


def test_a_stream_opens_in_its_place_only() -> None:
    key, data = person(), bytes(200_000)
    sealer = keys.seal_stream(key=key, source=io.BytesIO(data), context="videos_asset:1", at=NOON)
    whole, told = b"".join(sealer), sealer.told

    def read(start: int, length: int) -> bytes:
        return whole[start : start + length]

    def opened(place: str) -> bytes:
        stream = keys.open_stream(
            key=key, read=read, size_bytes=told.size_bytes, context=place, at=NOON
        )
        return b"".join(stream.range(0, told.size_bytes))

    assert opened("videos_asset:1") == data
    with pytest.raises(keys.SealBroken):
        opened("videos_asset:2")


def test_an_opening_by_staff_stands_in_the_trail_without_the_value() -> None:
    key, staff = person(), Actor("staff", str(uuid.uuid4()))
    value = keys.reveal(
        key=key, sealed=sealed(key), context=PLACE, at=NOON, staff=staff, reason="timeline"
    )
    leaf = TrailLeaf.objects.get(action="accounts.plaintext.revealed")
    assert value == "Zoë".encode()
    assert (leaf.subject_id, leaf.actor_id) == (key.owner_id, staff.id)
    assert leaf.details == {"place": "consent_contact.name", "reason": "timeline"}


def test_a_refused_opening_leaves_no_trace_of_an_opening() -> None:
    with pytest.raises(keys.SealBroken):
        keys.reveal(
            key=person(),
            sealed=sealed(person()),
            context=PLACE,
            at=NOON,
            staff=Actor("staff", "x"),
            reason="timeline",
        )
    assert not TrailLeaf.objects.filter(action="accounts.plaintext.revealed").exists()


def test_a_secret_of_the_house_opens_in_its_place_only() -> None:
    secret = keys.seal_secret(plaintext=b"totp", context="mfa_authenticator.data")
    assert keys.unseal_secret(sealed=secret, context="mfa_authenticator.data") == b"totp"
    with pytest.raises(keys.SealBroken):
        keys.unseal_secret(sealed=secret, context="integrations_connection.credentials")


def test_indexes_of_realms_and_kinds_are_apart() -> None:
    value = "ana@example.org"
    found = {
        keys.blind_index(realm="email", value=value),
        keys.blind_index(realm="email:partner", value=value),
        keys.suppression_index(channel="email", value=value),
        keys.token_index(kind="email", token=value),
    }
    assert len(found) == 4
    assert all(len(index) == 64 for index in found)


def test_a_row_that_names_a_lost_root_key_says_so(ring_file: Path) -> None:
    key = person()
    value = sealed(key)
    ring_file.write_text(keyring.generate())
    ring_file.chmod(0o600)
    ring._load.cache_clear()
    with pytest.raises(keyring.RootKeyMissing, match=key.root_key_id):
        keys.unseal(key=key, sealed=value, context=PLACE, at=NOON)


def test_a_ring_that_became_too_open_is_noticed(ring_file: Path) -> None:
    key = person()
    value = sealed(key)
    ring_file.chmod(0o644)
    with pytest.raises(keyring.KeyringUnavailable, match="too open"):
        keys.unseal(key=key, sealed=value, context=PLACE, at=NOON)
    ring_file.chmod(0o600)
    assert keys.unseal(key=key, sealed=value, context=PLACE, at=NOON)


def test_a_ring_that_was_taken_away_is_noticed(ring_file: Path) -> None:
    assert ring.current().roots
    ring_file.unlink()
    with pytest.raises(keyring.KeyringUnavailable, match="missing"):
        ring.current()
