"""Whose name or address is this? Asked of everybody a partner knows, by keyed hash alone."""

import uuid
from collections.abc import Collection, Mapping

from accounts import keys
from consent import known_names
from consent.models import Contact

# SQLite takes no more than some thousand values in one question.
ASKED_AT_ONCE = 500


def names_held(
    *, partner_id: uuid.UUID | None, pairs: Collection[str], parts: Collection[str]
) -> set[str]:
    """Return which of these words and pairs stand in the name of somebody a partner knows."""
    of_pairs = known_names.hashes(partner_id=partner_id, values=pairs)
    of_parts = known_names.hashes(partner_id=partner_id, values=parts)
    found = _held("name_pair_index", of_pairs)
    for column in ("name_first_index", "name_middle_index", "name_last_index"):
        found |= _held(column, of_parts)
    return found


def addresses_held(
    *, partner_id: uuid.UUID | None, field: str, values: Collection[str]
) -> set[str]:
    """Return which normalised addresses belong to somebody; `field` is `email` or `phone`."""
    realm = known_names.realm(field=field, partner_id=partner_id)
    return _held(f"{field}_index", keys.blind_indexes(realm=realm, values=values))


def _held(column: str, hashes: Mapping[str, str]) -> set[str]:
    values = {hashed: value for value, hashed in hashes.items()}
    wanted, found = list(values), set[str]()
    for begin in range(0, len(wanted), ASKED_AT_ONCE):
        some = {f"{column}__in": wanted[begin : begin + ASKED_AT_ONCE]}
        rows = Contact.objects.filter(**some).order_by().values_list(column, flat=True)
        found |= {values[hashed] for hashed in rows.distinct()}
    return found
