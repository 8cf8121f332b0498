"""Promise 4: is everything personal sealed, in every column and file, and does it still open?"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db import connection
from django.db.models import BinaryField, CharField, Model

from accounts import keys
from accounts.fields import SealedJSONField
from accounts.models import DataKey
from consent import contacts
from consent.models import (
    ConsentEvent,
    Contact,
    HealthAuthorisation,
    ImpliedConsent,
    ImportBatch,
    LikenessRelease,
    Message,
    Proof,
    SoftOptIn,
    WrittenConsent,
)
from retention import sweep
from retention.checks import marks
from retention.checks.tally import Tally
from videos import vault
from videos.models import Asset, SealedObject

# What a sealed value begins with; see config.lib.crypto.
FORMAT = b"\x01"
SUFFIX, INDEX = "_sealed", "_index"
# An HMAC in hex, whole or (of names) its first half.
KEYED = r"^([0-9a-f]{32}|[0-9a-f]{64})$"
# Of these the hash of the plain bytes is kept beside them.
HASHED = ("file_sealed", "evidence_sealed", "body_sealed")
PEOPLE_BATCH = 20_000
# Shorter values are found by chance, in ciphertext and in words.
SHORTEST_BYTES = 8


@dataclass(frozen=True)
class Place:
    """Where a model keeps the key of what it seals."""

    model: type[Model]
    key: str


PLACES = (
    Place(Contact, "key"),
    Place(ConsentEvent, "contact__key"),
    Place(Proof, "contact__key"),
    Place(WrittenConsent, "event__contact__key"),
    Place(SoftOptIn, "event__contact__key"),
    Place(HealthAuthorisation, "event__contact__key"),
    Place(ImpliedConsent, "event__contact__key"),
    Place(LikenessRelease, "key"),
    Place(Message, "contact__key"),
    Place(ImportBatch, "key"),
    Place(Asset, "key"),
)


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about values and objects at rest."""
    yield _known_columns()
    yield _columns(at)
    yield _hashes()
    yield _house_columns()
    yield _keys(at)
    yield _objects(at)
    yield from marks.check(at=at)
    yield _plain(at)


def _sealed_columns(model: type[Model]) -> list[str]:
    return [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, BinaryField) and field.name.endswith(SUFFIX)
    ]


def _known_columns() -> Tally:
    tally = Tally("each sealed column is one that this check opens")
    known = {place.model for place in PLACES}
    for model in apps.get_models():
        for column in _sealed_columns(model):
            tally.saw()
            if model not in known:
                tally.blame(f"{model._meta.label}.{column}: nobody knows how to open it")
    return tally


def _columns(at: datetime) -> Tally:
    tally = Tally("each sealed value authenticates at its place")
    for place in PLACES:
        columns = _sealed_columns(place.model)
        rows = place.model._default_manager.select_related(place.key, f"{place.key}__parent")
        for row in rows.iterator(chunk_size=500):
            key = _key_of(row, place.key)
            for column in columns:
                if getattr(row, column) is not None:
                    tally.saw()
                    tally.blame_all(_faults(row, column, key, at))
    return tally


def _key_of(row: Model, path: str) -> DataKey | None:
    found: object = row
    for step in path.split("__"):
        found = getattr(found, step)
    return found if isinstance(found, DataKey) else None


def _faults(row: Model, column: str, key: DataKey | None, at: datetime) -> Iterator[str]:
    sealed, table = bytes(getattr(row, column)), row._meta.db_table
    where = f"{table}.{column} of row {row.pk}"
    if sealed[:1] != FORMAT:
        yield f"{where}: is not sealed"
        return
    context = f"{table}.{column.removesuffix(SUFFIX)}:{row.pk}"
    try:
        if key is not None:
            plain = keys.unseal(key=key, sealed=sealed, context=context, at=at)
            if column in HASHED and hashlib.sha256(plain).hexdigest() != _hash(row, column):
                yield f"{where}: is not what its hash says"
    except keys.SealBroken:
        yield f"{where}: does not authenticate"
    except keys.KeyRefused:
        # Its key is expired or destroyed: nobody reads it, which is what was promised.
        return


def _hash(row: Model, column: str) -> object:
    return getattr(row, f"{column.removesuffix(SUFFIX)}_sha256")


def _hashes() -> Tally:
    """Look that no token, code or address stands where its keyed hash should: by the letters."""
    tally = Tally("each token, code and address is looked up by a keyed hash only")
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if not (isinstance(field, CharField) and field.name.endswith(INDEX)):
                continue
            rows = model._default_manager.exclude(**{field.name: None}).exclude(**{field.name: ""})
            tally.saw(rows.count())
            plain = rows.exclude(**{f"{field.name}__regex": KEYED})
            for pk in plain.values_list("pk", flat=True).iterator(chunk_size=500):
                tally.blame(f"{model._meta.db_table}.{field.name} of row {pk}: is no keyed hash")
    return tally


def _house_columns() -> Tally:
    tally = Tally("each secret of the house authenticates")
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedJSONField):
                _house_column(model, field, tally)
    return tally


def _house_column(model: type[Model], field: SealedJSONField, tally: Tally) -> None:
    # Past the field, which would open it and show what does not open as nothing.
    table, primary = model._meta.db_table, str(model._meta.pk.column)
    names = [connection.ops.quote_name(name) for name in (primary, str(field.column), table)]
    query = "SELECT {}, {} FROM {} WHERE {} IS NOT NULL".format(*names, names[1])  # noqa: S608 - names of models
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        for pk, sealed in cursor:
            tally.saw()
            raw = sealed.encode() if isinstance(sealed, str) else bytes(sealed)
            try:
                keys.unseal_secret(sealed=raw, context=field.label)
            except keys.KeyRefused:
                tally.blame(f"{table}.{field.column} of row {pk}: does not authenticate")


def _keys(at: datetime) -> Tally:
    tally = Tally("each key that should open does")
    rows = DataKey.objects.filter(keys.openable(at=at)).select_related("parent")
    for key in rows.iterator(chunk_size=500):
        tally.saw()
        if not keys.opens(key=key, at=at):
            tally.blame(f"key {key.pk}: was changed, it does not open")
    return tally


def _objects(at: datetime) -> Tally:
    stored = SealedObject.objects.filter(state=SealedObject.State.STORED)
    tally = Tally("each stored object authenticates, chunk by chunk", rows=stored.count())
    tally.blame_all(f"object {fault.name}: {fault.code}" for fault in vault.check_all(at=at))
    return tally


def _plain(at: datetime) -> Tally:
    """Search every cell and file for what names the people we know, many at a time."""
    tally = Tally("no name, address or number stands in a cell or a file")
    everyone = Contact.objects.filter(erased_at=None).select_related("key")
    for batch in contacts.in_batches(everyone, size=PEOPLE_BATCH):
        values = _values(batch, at)
        swept = sweep.sweep(values=values)
        tally.saw(swept.cells + swept.files)
        owners = list(values.values())
        for found in swept.found:
            tally.blame(
                f"{found.place}: holds in plain what names contact {owners[found.value_number]}"
            )
    return tally


def _values(people: list[Contact], at: datetime) -> Mapping[str, str]:
    values = {}
    for contact in people:
        try:
            person = contacts.opened(contact=contact, at=at)
        except keys.KeyRefused:
            continue
        for value in (person.name, person.email, person.phone):
            if len(value.encode()) >= SHORTEST_BYTES:
                values[value] = str(contact.pk)
    return values
