"""Which fields of a CRM are read, and as what? From an allow-list; nothing else is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.crm.base import Record

# A value is data of a stranger: what is longer than this is no name and no address.
VALUE_MAX_CHARS = 500
YES = {"true", "1", "yes", "y"}
# HubSpot's types of subscription, and the purpose here that each one is: "number=purpose".
SUBSCRIPTIONS = "subscriptions"
SUBSCRIPTION = re.compile(r"([0-9]{1,18})=([a-z][a-z0-9_]{0,39})")
# Salesforce's rows of consent by kind of contact point: beside the contact, and not a field of it.
CONSENTS = "consents"
# Of a person's stops: what stands before the purpose that they ended, of e-mail alone.
TOPIC = "topic:"
STOPS = {"stop_email": "email", "stop_phone": "phone", "stop_all": "all"}
# Read beside the mapping: what a reader needs to know of each record.
TITLES = {
    "name": "Whole name",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail address",
    "phone": "Mobile number",
    "language": "Language",
    "time_zone": "Time zone",
    "country": "Country",
    "region": "State or region",
    "company": "Company",
    "city": "City",
    "plan": "Plan",
    "stop_email": "Opted out of e-mail",
    "stop_phone": "Opted out of texts and calls",
    "stop_all": "Opted out of everything",
    "forget": "Asked to be forgotten",
    "claim": "Said to have agreed",
    CONSENTS: "Opted out by kind of contact point",
}
# What a field of the business's own may stand for.
OWN = ("phone", "language", "time_zone", "region", "plan", "stop_phone", "stop_all", "claim")


class BadMapping(ValueError):
    """A field may not be read as this; the text says which and is fit for a page."""


@dataclass(frozen=True)
class Choices:
    """What of one CRM may be read as each of our fields, the usual one first."""

    fields: Mapping[str, tuple[str, ...]]
    # How a field that the business made itself is named.
    own: re.Pattern[str]


HUBSPOT = Choices(
    fields={
        "first_name": ("firstname",),
        "last_name": ("lastname",),
        "email": ("email",),
        "phone": ("mobilephone", "phone"),
        "language": ("hs_language",),
        "time_zone": ("hs_timezone",),
        "country": ("hs_country_region_code", "country"),
        "region": ("hs_state_code", "state"),
        "company": ("company",),
        "city": ("city",),
        "stop_email": ("hs_email_optout",),
        "claim": ("hs_legal_basis",),
    },
    own=re.compile(r"(?!hs_)[a-z][a-z0-9_]{0,99}"),
)
SALESFORCE = Choices(
    fields={
        "name": ("Name",),
        "email": ("Email",),
        "phone": ("MobilePhone", "Phone"),
        "country": ("MailingCountryCode", "MailingCountry"),
        "region": ("MailingStateCode", "MailingState"),
        "city": ("MailingCity",),
        "stop_email": ("HasOptedOutOfEmail",),
        "stop_phone": ("DoNotCall",),
        "stop_all": ("Individual.HasOptedOutSolicit", "Individual.HasOptedOutProcessing"),
        "forget": ("Individual.ShouldForget",),
        CONSENTS: ("ContactPointTypeConsent",),
    },
    own=re.compile(r"[A-Za-z][A-Za-z0-9_]{0,76}__c"),
)
ZOHO = Choices(
    fields={
        "first_name": ("First_Name",),
        "last_name": ("Last_Name",),
        "email": ("Email",),
        "phone": ("Mobile", "Phone"),
        "country": ("Mailing_Country",),
        "region": ("Mailing_State",),
        "city": ("Mailing_City",),
        "stop_email": ("Email_Opt_Out",),
        "claim": ("Data_Processing_Basis",),
    },
    own=re.compile(r"[A-Z][A-Za-z0-9_]{0,99}"),
)
CHOICES = {"hubspot": HUBSPOT, "salesforce": SALESFORCE, "zoho": ZOHO}
# Who said no is always read, where the CRM has a field for it.
ALWAYS = ("stop_email", "forget")
# Not in every account: read only where somebody chose them.
NOT_USUAL = {"MailingCountryCode", "MailingStateCode", "Data_Processing_Basis"}


def usual(*, provider: str) -> dict[str, str]:
    """Return the mapping that a connection begins with."""
    fields = CHOICES[provider].fields
    found = {
        ours: next((name for name in theirs if name not in NOT_USUAL), "")
        for ours, theirs in fields.items()
    }
    return {ours: name for ours, name in found.items() if name}


def clean(*, provider: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return a mapping that may be used, without what is not to be read.

    :raises BadMapping: a field is not on the list for this, or nothing names or reaches anybody.
    """
    fields = {ours: theirs.strip() for ours, theirs in chosen.items() if theirs.strip()}
    for ours, theirs in fields.items():
        if not _may(CHOICES[provider], ours, theirs):
            raise BadMapping(f"“{_title(ours)}” cannot be read from that field.")
    if not {"name", "first_name", "last_name"} & set(fields):
        raise BadMapping("Choose the field of a name: videos speak to somebody by name.")
    if not {"email", "phone"} & set(fields):
        raise BadMapping("Choose the field of an e-mail address or of a mobile number.")
    missing = [name for name in ALWAYS if name in CHOICES[provider].fields]
    if any(name not in fields for name in missing):
        raise BadMapping("What people opted out of is always read: nobody may switch that off.")
    return fields


def subscriptions(*, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the purpose of each type of subscription that is read, by its number there."""
    pairs = (SUBSCRIPTION.fullmatch(one) for one in fields.get(SUBSCRIPTIONS, "").split())
    return {found[1]: found[2] for found in pairs if found}


def opt_outs(*, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the purpose of each type that is read, by the property of a contact beside it.

    UNCONFIRMED: that each type of subscription has such a property.
    """
    return {f"hs_email_optout_{n}": code for n, code in subscriptions(fields=fields).items()}


def record(*, fields: Mapping[str, str], identity: str, row: Mapping[str, Any]) -> Record:
    """Make a record of a row of theirs: the mapped fields as plain texts, and nothing else."""
    found = {ours: text(_member(row, theirs)) for ours, theirs in fields.items()}
    claim = found.pop("claim", "").lower()
    stops = [what for name, what in STOPS.items() if found.pop(name, "").lower() in YES]
    if claim.endswith("rejected"):
        stops.append("all")
    if "name" not in found:
        parts = (found.pop("first_name", ""), found.pop("last_name", ""))
        found["name"] = " ".join(part for part in parts if part)
    forget = found.pop("forget", "").lower() in YES
    agreed = claim in YES or claim.startswith("freely given consent") or claim.endswith("obtained")
    return Record(
        id=identity,
        values={name: value for name, value in found.items() if value},
        stops=tuple(sorted({*stops, *(["all"] if forget else [])})),
        claims=agreed,
        forget=forget,
    )


def text(value: object) -> str:
    """Return a value as a plain text; what is none, or too long to be one, is empty."""
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, int | float):
        return str(value)
    return value.strip() if isinstance(value, str) and len(value) <= VALUE_MAX_CHARS else ""


def _title(ours: str) -> str:
    return "Types of subscription" if ours == SUBSCRIPTIONS else TITLES.get(ours, ours)[:40]


def _may(choices: Choices, ours: str, theirs: str) -> bool:
    if ours == SUBSCRIPTIONS:
        return choices is HUBSPOT and all(map(SUBSCRIPTION.fullmatch, theirs.split()))
    if theirs in choices.fields.get(ours, ()):
        return True
    return ours in OWN and choices.own.fullmatch(theirs) is not None


def _member(row: Mapping[str, Any], path: str) -> object:
    if path in row:
        # Of a table of texts, where the whole path is a column's name.
        return row[path]
    found: object = row
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
