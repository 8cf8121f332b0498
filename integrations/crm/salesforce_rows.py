"""How are single rows of Salesforce asked for and made? A success is one by its body alone."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from config.lib import http
from integrations.crm import asking
from integrations.crm.asking import Asker
from integrations.crm.base import CrmError

BASE = "/services/data/v62.0"
CONTACT = f"{BASE}/sobjects/Contact"
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
NEXT = re.compile(rf"{re.escape(BASE)}/query/[A-Za-z0-9-]{{5,100}}")
# One question's answer in so many pages; more is no answer.
PAGES_MAX = 50


def rows(asker: Asker, soql: str) -> Iterator[dict[str, Any]]:
    """Yield each row that answers a question.

    :raises CrmError: it was not answered whole.
    """
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


def made(answer: http.Answer) -> str:
    """Return the id of the row that was made.

    :raises CrmError: the body does not say that one was, whatever the status.
    """
    found = asking.read(answer)
    told = found if isinstance(found, dict) else {}
    if told.get("success") is False:
        raise CrmError("permanent", "row_refused", told=_refusal(told))
    identity = str(told.get("id", ""))
    if told.get("success") is not True or not ID.fullmatch(identity):
        raise CrmError("unknown", "unreadable")
    return identity


def individual(asker: Asker, *, contact_id: str, purpose: str, new: Mapping[str, object]) -> str:
    """Return a contact's privacy record; who has none is given one of these fields.

    :raises CrmError: the contact is not there, or the record could not be made.
    """
    asked = f"SELECT IndividualId FROM Contact WHERE Id = '{require_id(contact_id)}'"  # noqa: S608  letters and digits alone
    found = list(rows(asker, asked))
    if not found:
        raise CrmError("permanent", "request", told="NOT_FOUND")
    known = str(found[0].get("IndividualId") or "")
    if ID.fullmatch(known):
        return known
    one = made(asker.ask(purpose, "POST", f"{BASE}/sobjects/Individual", body=new))
    set_row(asker, purpose=purpose, path=f"{CONTACT}/{contact_id}", body={"IndividualId": one})
    return one


def set_row(asker: Asker, *, purpose: str, path: str, body: Mapping[str, object]) -> http.Answer:
    """Change a row.

    :raises CrmError: it was not changed; 204 alone says that it was.
    """
    answer = asker.ask(purpose, "PATCH", path, body=body)
    if answer.status != 204:
        raise CrmError("unknown", "unreadable")
    return answer


def require_id(text: str) -> str:
    """Return what is an id: it goes into a path and into SOQL, and nothing else may.

    :raises CrmError: it is none.
    """
    if not ID.fullmatch(text):
        raise CrmError("permanent", "not_an_id")
    return text


def stamp(at: datetime) -> str:
    """Return an instant as Salesforce writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(told: Mapping[str, Any]) -> str:
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    code = first.get("statusCode") if isinstance(first, dict) else ""
    return asking.word(code)
