"""What do Salesforce's rows of consent by kind of contact point say? A no among them is a stop.

A person may have several of one kind. The strictest wins: a no does not lapse on a day that a row
names, and one that begins later counts already. A yes among them allows nothing: it is not read.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.crm import salesforce_rows as table
from integrations.crm.asking import Asker
from integrations.crm.base import Record
from integrations.crm.salesforce_rows import ID

OBJECT = "ContactPointTypeConsent"
NO = "OptOut"
# UNCONFIRMED: how its list of kinds is written. Web, social and paper mail are none of our ways.
KINDS = {"Email": "email", "Phone": "phone"}
THEIRS = {ours: theirs for theirs, ours in KINDS.items()}
# So many people to a question: what it asks stands in an address.
PEOPLE_A_QUESTION = 200
ROWS = f"{table.BASE}/sobjects/{OBJECT}"
# Of what is made here: that it was heard by us, and the name of a privacy record.
SOURCE, PERSON = "Sealcast", "Privacy record"


def added(asker: Asker, *, records: Sequence[Record], people: Mapping[str, str]) -> list[Record]:
    """Return the records with what their people said no to; `people` by the id of a record.

    :raises CrmError: it could not be read whole; nobody is kept without it.
    """
    known = sorted({person for person in people.values() if ID.fullmatch(person)})
    ended: dict[str, set[str]] = {}
    for start in range(0, len(known), PEOPLE_A_QUESTION):
        for row in _of(asker, known[start : start + PEOPLE_A_QUESTION]):
            kind = KINDS.get(str(row.get("ContactPointType")))
            if kind:
                ended.setdefault(str(row.get("PartyId")), set()).add(kind)
    return [_with(record, ended.get(people[record.id], set())) for record in records]


def changed_since(stamp: str) -> str:
    """Return the question for whose consent changed since, to stand inside another question."""
    return f"SELECT PartyId FROM {OBJECT} WHERE SystemModstamp >= {stamp}"  # noqa: S608  a stamp that we wrote


def end(asker: Asker, *, contact_id: str, kinds: Collection[str], at: datetime) -> int:
    """Have a row of each kind say no; return how many were set or made.

    Who has no row of a kind is given one, and who has no privacy record is given that: senders
    who go by these rows do not look at the flags of the contact. `at` is when the person said so.
    :raises CrmError: it was not read, or not written.
    """
    person = table.individual(
        asker, contact_id=contact_id, purpose="stop", new={"LastName": PERSON}
    )
    asked = f"SELECT Id,ContactPointType,PrivacyConsentStatus FROM {OBJECT}"  # noqa: S608  constants
    held = list(table.rows(asker, f"{asked} WHERE PartyId = '{person}'"))
    ours = [row for row in held if KINDS.get(str(row.get("ContactPointType"))) in kinds]
    open_rows = [row for row in ours if row.get("PrivacyConsentStatus") != NO]
    for row in open_rows:
        path = f"{ROWS}/{table.require_id(str(row.get('Id')))}"
        table.set_row(asker, purpose="stop", path=path, body={"PrivacyConsentStatus": NO})
    lacking = sorted(set(kinds) - {KINDS[str(row["ContactPointType"])] for row in ours})
    for kind in lacking:
        table.made(asker.ask("stop", "POST", ROWS, body=_new(person, THEIRS[kind], at)))
    return len(open_rows) + len(lacking)


def _new(person: str, kind: str, at: datetime) -> dict[str, str]:
    # UNCONFIRMED: which of these an organisation asks for. The manual calls all but one required.
    told = table.stamp(at)
    return {
        "Name": f"{kind}: {NO}",
        "PartyId": person,
        "ContactPointType": kind,
        "PrivacyConsentStatus": NO,
        "EffectiveFrom": told,
        "CaptureDate": told,
        "CaptureContactPointType": kind,
        "CaptureSource": SOURCE,
    }


def _of(asker: Asker, people: Sequence[str]) -> Iterator[dict[str, Any]]:
    named = ",".join(f"'{person}'" for person in people)
    asked = f"SELECT PartyId,ContactPointType FROM {OBJECT}"  # noqa: S608  ids that were checked
    where = f"PrivacyConsentStatus = '{NO}' AND PartyId IN ({named})"
    yield from table.rows(asker, f"{asked} WHERE {where}")


def _with(record: Record, ended: Collection[str]) -> Record:
    return replace(record, stops=tuple(sorted({*record.stops, *ended}))) if ended else record
