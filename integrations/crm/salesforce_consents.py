"""What do Salesforce's rows of consent by kind of contact point say? A no among them is a stop.

A person may have several of one kind. The strictest wins: a no does not lapse on a day that a row
names, and one that begins later counts already. A yes among them allows nothing: it is not read.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from integrations.crm import asking
from integrations.crm.asking import Asker
from integrations.crm.base import CrmError, Record

BASE = "/services/data/v62.0"
OBJECT = "ContactPointTypeConsent"
NO = "OptOut"
# UNCONFIRMED: how its list of kinds is written. Web, social and paper mail are none of our ways.
KINDS = {"Email": "email", "Phone": "phone"}
# So many people to a question: what it asks stands in an address.
PEOPLE_A_QUESTION = 200
# One question's answer in so many pages; more is no answer.
PAGES_MAX = 50
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
NEXT = re.compile(rf"{re.escape(BASE)}/query/[A-Za-z0-9-]{{5,100}}")


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


def end(asker: Asker, *, contact_id: str, kinds: Collection[str]) -> int:
    """Set to no each row of a contact's person that says otherwise; return how many.

    Who has no row of a kind gets none: the flag of the contact says it.
    :raises CrmError: it was not read, or not written.
    """
    held = f"SELECT IndividualId FROM Contact WHERE Id = '{contact_id}'"  # noqa: S608  an id that was checked
    person = next((str(row.get("IndividualId") or "") for row in _rows(asker, held)), "")
    if not ID.fullmatch(person):
        return 0
    asked = f"SELECT Id,ContactPointType,PrivacyConsentStatus FROM {OBJECT}"  # noqa: S608  constants
    open_rows = [
        str(row.get("Id"))
        for row in _rows(asker, f"{asked} WHERE PartyId = '{person}'")
        if row.get("PrivacyConsentStatus") != NO
        and KINDS.get(str(row.get("ContactPointType"))) in kinds
    ]
    for identity in open_rows:
        _set_no(asker, identity)
    return len(open_rows)


def _set_no(asker: Asker, identity: str) -> None:
    if not ID.fullmatch(identity):
        raise CrmError("unknown", "unreadable")
    path, body = f"{BASE}/sobjects/{OBJECT}/{identity}", {"PrivacyConsentStatus": NO}
    if asker.ask("stop", "PATCH", path, body=body).status != 204:
        raise CrmError("unknown", "unreadable")


def _of(asker: Asker, people: Sequence[str]) -> Iterator[dict[str, Any]]:
    named = ",".join(f"'{person}'" for person in people)
    asked = f"SELECT PartyId,ContactPointType FROM {OBJECT}"  # noqa: S608  ids that were checked
    yield from _rows(asker, f"{asked} WHERE PrivacyConsentStatus = '{NO}' AND PartyId IN ({named})")


def _rows(asker: Asker, soql: str) -> Iterator[dict[str, Any]]:
    path = f"{BASE}/query?q={quote(soql)}"
    for _ in range(PAGES_MAX):
        found = asking.read(asker.ask("read", "GET", path))
        yield from asking.members(found, "records")
        path = str(found.get("nextRecordsUrl") or "")
        if not path and found.get("done") is True:
            return
        if not NEXT.fullmatch(path):
            break
    raise CrmError("unknown", "unreadable")


def _with(record: Record, ended: Collection[str]) -> Record:
    return replace(record, stops=tuple(sorted({*record.stops, *ended}))) if ended else record
