"""Whose video shows best whether a campaign holds up? The worst cases of an audience."""

import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consent import contacts
from consent.models import Contact
from videos import audiences
from videos.fallbacks import values_of
from videos.models import Campaign

LOOKED_AT = 200
SHOWN = 8


def _right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text)


def _pictures(text: str) -> bool:
    return any(unicodedata.category(sign) == "So" for sign in text)


def _not_latin(text: str) -> bool:
    return any(sign.isalpha() and "LATIN" not in unicodedata.name(sign, "") for sign in text)


def _accents(text: str) -> bool:
    return any(unicodedata.decomposition(sign) for sign in text)


TRAITS: Mapping[str, Callable[[str], bool]] = {
    "written right to left": _right_to_left,
    "a sign that is a picture": _pictures,
    "not in Latin letters": _not_latin,
    "with accents": _accents,
}


@dataclass(frozen=True)
class Specimen:
    """One person to look at, with the name masked and why they are worth a look."""

    contact: Contact
    masked_name: str
    why: str


def worst(*, campaign: Campaign, at: datetime) -> list[Specimen]:
    """Return people whose names or missing values are hard on a video, and then some others.

    Names are opened to be measured, on this machine, and shown masked.
    """
    people = list(audiences.audience(campaign).select_related("key").order_by("pk")[:LOOKED_AT])
    values = {one.pk: values_of(contact=one, at=at) for one in people}
    named = [one for one in people if values[one.pk].get("name")]
    chosen = _hard(named, values)
    for one in named:
        if len(chosen) >= SHOWN:
            break
        chosen.setdefault(one, "")
    return [
        Specimen(one, contacts.masked(contact=one, at=at).name, why) for one, why in chosen.items()
    ]


def _hard(people: list[Contact], values: Mapping[uuid.UUID, dict[str, str]]) -> dict[Contact, str]:
    if not people:
        return {}

    def name(one: Contact) -> str:
        return values[one.pk]["name"]

    found = {max(people, key=lambda one: len(name(one))): "the longest name"}
    for why, test in TRAITS.items():
        # Who stands for one trait already is passed over, so that each trait is seen.
        fresh = [one for one in people if one not in found and test(name(one))]
        found.update(dict.fromkeys(fresh[:1], why))
    rest = [one for one in people if one not in found]
    fewest = sorted(rest, key=lambda one: len(values[one.pk]))
    return found | dict.fromkeys(fewest[:1], "the fewest values")
