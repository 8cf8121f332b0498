"""Whose name or address is this? Asked of everybody a partner knows, by keyed hash alone.

All that a script may name is one question to the database, whatever it holds: each hash is one
look-up in an index, and one round is what waiting costs.
"""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from django.db import connection

from accounts import keys
from config.lib import prepared
from consent import known_names

# Which columns the hashes of each kind are looked up in.
COLUMNS = {
    "pair": ("name_pair_index",),
    "part": ("name_first_index", "name_middle_index", "name_last_index"),
    "email": ("email_index",),
    "phone": ("phone_index",),
}
NAMES = ("pair", "part")
# One text for all of a kind: a list of values costs the driver more than the server's look-ups.
_ASKED = {"postgresql": "unnest(string_to_array(%s, ','))", "sqlite": "json_each(%s)"}
_REST = "rest"


@dataclass(frozen=True)
class Held:
    """Which of the values that were asked for belong to somebody, by kind."""

    values: Mapping[str, set[str]] = field(default_factory=dict)
    # Somebody's name is not among those that can be asked for yet.
    incomplete: bool = False


def held(*, partner_id: uuid.UUID | None, asked: Mapping[str, Collection[str]]) -> Held:
    """Return which of these normalised values somebody has whom a partner (or the house) knows.

    The kinds are `pair` and `part` of names (`known_names.spelling`), `email` and `phone`.
    """
    hashed = {kind: _hashes(kind, partner_id, values) for kind, values in asked.items() if values}
    found: dict[str, set[str]] = {kind: set() for kind in COLUMNS}
    incomplete = False
    for kind, digest in _rows(hashed, partner_id):
        if kind == _REST:
            incomplete = True
        else:
            found[kind].add(hashed[kind][digest])
    return Held(found, incomplete)


def names_held(
    *, partner_id: uuid.UUID | None, pairs: Collection[str], parts: Collection[str]
) -> set[str]:
    """Return which of these words and pairs stand in the name of somebody a partner knows."""
    found = held(partner_id=partner_id, asked={"pair": pairs, "part": parts})
    return found.values["pair"] | found.values["part"]


def _hashes(kind: str, partner_id: uuid.UUID | None, values: Collection[str]) -> dict[str, str]:
    """Return each value by its keyed hash."""
    field = "name" if kind in NAMES else kind
    realm = known_names.realm(field=field, partner_id=partner_id)
    hashed = keys.blind_indexes(realm=realm, values=values)
    digits = known_names.INDEX_DIGITS if kind in NAMES else None
    return {digest[:digits]: value for value, digest in hashed.items()}


def _rows(
    hashed: Mapping[str, Mapping[str, str]], partner_id: uuid.UUID | None
) -> Collection[tuple[str, str]]:
    write = ",".join if connection.vendor == "postgresql" else _json
    given: list[str | uuid.UUID] = [
        write(digests) for kind, digests in hashed.items() for _ in COLUMNS[kind]
    ]
    if partner_id:
        given.append(partner_id if connection.vendor == "postgresql" else partner_id.hex)
    with prepared.cursor() as cursor:
        sql = _statement(connection.vendor, tuple(hashed), of_partner=bool(partner_id))
        cursor.execute(sql, given)
        return list(cursor.fetchall())


def _json(digests: Iterable[str]) -> str:
    return json.dumps(list(digests))


@lru_cache(maxsize=64)
def _statement(vendor: str, kinds: tuple[str, ...], *, of_partner: bool) -> str:
    asked = _ASKED[vendor]
    parts = [_look_up(kind, column, asked) for kind in kinds for column in COLUMNS[kind]]
    whose = "= %s" if of_partner else "IS NULL"
    rest = (
        f"SELECT '{_REST}', '' WHERE EXISTS (SELECT 1 FROM consent_contact "  # noqa: S608  our own words
        f"WHERE erased_at IS NULL AND name_first_index IS NULL AND partner_id {whose})"
    )
    return " UNION ALL ".join([*parts, rest])


def _look_up(kind: str, column: str, asked: str) -> str:
    # One that half the people share is looked up once as well. Each column is a question of its
    # own: of two joined by OR, the planner reads one whole. Nothing is not asked for; saying so
    # lets it use an index in which those without a value are left out.
    source = f"{asked} AS asked" + ("(value)" if asked.startswith("unnest") else "")
    return (
        f"SELECT '{kind}', asked.value FROM {source} WHERE EXISTS (SELECT 1 "  # noqa: S608  our own words
        f"FROM consent_contact WHERE {column} = asked.value AND {column} > '')"
    )
