"""Where may a person be? One row a place, shared by all of whom the same is known."""

import hashlib
from collections.abc import Collection
from typing import Any

from consent.models import Contact, Place

CODE_CHARS = 300


def of(contact: Contact, *, seen: dict[str, Place] | None = None) -> Place:
    """Return the place of a contact as its columns say, kept once for all who share it.

    Not saved on the contact: whoever writes the contact does that. `seen` holds those that the
    caller's own transaction has met: a list of thousands lies in a few.
    """
    if seen is not None and (met := seen.get(_code(contact))) is not None:
        return met
    known = _unsaved(contact)
    found = Place.objects.get_or_create(
        code=known.code,
        defaults={
            "country": known.country,
            "region": known.region,
            "phone_country": known.phone_country,
            "phone_regions": known.phone_regions,
            "time_zone": known.time_zone,
            "phone_zones": known.phone_zones,
        },
    )
    if seen is not None:
        seen[known.code] = found[0]
    return found[0]


def known_of(contact: Contact) -> Place:
    """Return what is known of where a contact may be, without writing anything."""
    return contact.place or _unsaved(contact)


def countries(place: Place) -> tuple[str, ...]:
    """Return every country (with its state, where known) whose law may hold.

    One may live here and carry a number from there: the law of both holds. A home state that is
    not known is read from the number; if that says nothing either, the strictest state holds.
    """
    numbers = set(place.phone_regions) or ({place.phone_country} - {""})
    if not place.country:
        return tuple(sorted(numbers))
    if place.region:
        # A number of the same country that names no state adds none to the one that is known.
        return tuple(sorted({f"{place.country}-{place.region}"} | (numbers - {place.country})))
    told = any(code.startswith(f"{place.country}-") for code in numbers)
    return tuple(sorted(numbers if told else numbers | {place.country}))


def zones(place: Place) -> tuple[str, ...]:
    """Return every time zone whose clock may be the person's."""
    return tuple(sorted({*place.phone_zones, place.time_zone} - {""}))


def code_of(
    *,
    country: str,
    region: str,
    phone_country: str,
    phone_regions: Collection[str],
    time_zone: str,
    phone_zones: Collection[str],
) -> str:
    """Return what a place is found by: its columns in one text, or the hash of a long one."""
    parts = [country, region, phone_country, ",".join(phone_regions), time_zone]
    text = "|".join([*parts, ",".join(phone_zones)])
    # A free-phone number may lie in every zone of a continent.
    return text if len(text) <= CODE_CHARS else hashlib.sha256(text.encode()).hexdigest()


def _code(contact: Contact) -> str:
    return code_of(
        country=contact.country,
        region=contact.region,
        phone_country=contact.phone_country,
        phone_regions=contact.phone_regions,
        time_zone=contact.time_zone,
        phone_zones=contact.phone_zones,
    )


def _unsaved(contact: Contact) -> Place:
    columns: dict[str, Any] = {
        "country": contact.country,
        "region": contact.region,
        "phone_country": contact.phone_country,
        "phone_regions": list(contact.phone_regions),
        "time_zone": contact.time_zone,
        "phone_zones": list(contact.phone_zones),
    }
    return Place(code=code_of(**columns), **columns)
