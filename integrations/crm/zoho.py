"""How are Zoho's contacts read and told? By pages with a token; the deleted ones first.

Deleted ones come first because Zoho does not name merges: the record that went is among the
deleted, and the one that stays brings its addresses. An answer may say no with 200: each is read.
Past a hundred thousand rows a token ends (UNCONFIRMED), and a query by id goes on. The bulk read
is not used: its one file of 200,000 people could not be left and taken up again between two pages
without keeping it.
"""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from config.lib import http
from integrations.crm import asking, mapping
from integrations.crm.asking import Asker
from integrations.crm.base import CrmError, Cursor, Page, Receipt, Record

CONTACTS = "/crm/v8/Contacts"
COQL = "/crm/v8/coql"
NOTES = "/crm/v8/Notes"
PAGE_SIZE, QUERY_SIZE = 200, 2000
TOKEN_ROWS_MAX = 100_000
LAG = timedelta(minutes=5)
SPARE_CREDITS = 100
ID = re.compile(r"[0-9]{5,20}")
TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]{1,500}")
# Nothing has changed, or nobody is there.
NOTHING = {"304", "204"}


class Zoho:
    """One Zoho CRM organisation."""

    def __init__(self, asker: Asker, fields: Mapping[str, str]) -> None:
        self._asker, self._fields = asker, dict(fields)
        self._names = sorted({*self._fields.values(), "Modified_Time"})

    def first(self, *, since: datetime | None) -> Cursor:
        """Begin with who was deleted since; everybody, or who was changed, follows."""
        told = (since - LAG).astimezone(UTC).isoformat(timespec="seconds") if since else ""
        return {"phase": "deleted", "since": told, "page": 1}

    def page(self, *, cursor: Cursor) -> Page:
        """Read one page: of the deleted ones, of the list, or of the query."""
        if cursor["phase"] == "deleted":
            return self._deleted(cursor)
        if cursor["phase"] == "query":
            return self._queried(cursor)
        return self._listed(cursor)

    def sample(self) -> tuple[Record, ...]:
        """Read five."""
        _, found = self._get(f"{CONTACTS}?fields={','.join(self._names)}&per_page=5", "")
        return self._page(_rows(found), None, 0).records

    def stop(
        self,
        *,
        record_id: str,
        email: str,
        channels: Collection[str],
        purposes: Collection[str] | None = None,
        at: datetime,
    ) -> Receipt:
        """Set the flags; the workflows of the account are not started by it."""
        flags: dict[str, bool] = {}
        if "email" in channels:
            flags["Email_Opt_Out"] = True
        if set(channels) - {"email"} and "stop_phone" in self._fields:
            flags[self._fields["stop_phone"]] = True
        if not flags:
            return Receipt("nothing_to_tell", 0)
        body = {"data": [flags], "trigger": []}
        return self._told("stop", "PUT", f"{CONTACTS}/{_id(record_id)}", body, "flags_set")

    def forget(self, *, record_id: str) -> Receipt:
        """Delete the record; the recycle bin of the account keeps it until it is emptied."""
        return self._told(
            "forget", "DELETE", f"{CONTACTS}/{_id(record_id)}", None, "in_recycle_bin"
        )

    def note(self, *, record_id: str, subject: str, at: datetime) -> Receipt:
        """Write a note. How it names its record is UNCONFIRMED."""
        parent = {"module": {"api_name": "Contacts"}, "id": _id(record_id)}
        row = {"Note_Title": subject, "Note_Content": at.isoformat(), "Parent_Id": parent}
        return self._told("note", "POST", NOTES, {"data": [row]}, "noted")

    def _deleted(self, cursor: Cursor) -> Page:
        path = f"{CONTACTS}/deleted?type=all&per_page={PAGE_SIZE}&page={cursor['page']}"
        answer, found = self._get(path, cursor["since"])
        gone = tuple(
            text for row in _page_rows(found) if ID.fullmatch(text := str(row.get("id", "")))
        )
        if _info(found).get("more_records") is True:
            following = {**cursor, "page": cursor["page"] + 1}
        else:
            following = {"phase": "list", "since": cursor["since"], "token": "", "rows": 0}
        return Page(following, gone=gone, wait_seconds=_wait(answer))

    def _listed(self, cursor: Cursor) -> Page:
        path = f"{CONTACTS}?fields={','.join(self._names)}&per_page={PAGE_SIZE}"
        path += "&sort_by=id&sort_order=asc"
        path += f"&page_token={quote(cursor['token'], safe='')}" if cursor["token"] else ""
        try:
            answer, found = self._get(path, cursor["since"])
        except CrmError as refused:
            if refused.code != "request" or not cursor["token"]:
                raise
            # The token's day is over: by id, whoever was read already is passed over.
            return Page({"phase": "query", "since": cursor["since"], "id": "0"})
        rows = _page_rows(found)
        token, done = str(_info(found).get("next_page_token") or ""), cursor["rows"] + len(rows)
        following: Cursor | None = None
        if _info(found).get("more_records") is True:
            following = {**cursor, "token": token, "rows": done}
            if done >= TOKEN_ROWS_MAX or not TOKEN.fullmatch(token):
                following = {"phase": "query", "since": cursor["since"], "id": _last(rows)}
        return self._page(rows, following, _wait(answer))

    def _queried(self, cursor: Cursor) -> Page:
        where = f"id > {_id(cursor['id']) if cursor['id'] != '0' else '0'}"
        if cursor["since"]:
            where = f"({where} and Modified_Time >= '{cursor['since']}')"
        query = f"select {','.join(['id', *self._names])} from Contacts where {where}"  # noqa: S608  names of an allow-list, numbers
        body = {"select_query": f"{query} order by id asc limit {QUERY_SIZE}"}
        answer = self._asker.ask("read", "POST", COQL, body=body)
        rows = _page_rows(_read(answer))
        more = _info(_read(answer)).get("more_records") is True
        return self._page(rows, {**cursor, "id": _last(rows)} if more else None, _wait(answer))

    def _get(self, path: str, since: str) -> tuple[http.Answer | None, Any]:
        headers = {"If-Modified-Since": since} if since else {}
        try:
            answer = self._asker.ask("read", "GET", path, headers=headers)
        except CrmError as refused:
            if refused.told in NOTHING:
                return None, {"data": []}
            raise
        return answer, _read(answer)

    def _page(self, rows: list[dict[str, Any]], following: Cursor | None, wait: float) -> Page:
        known = [row for row in rows if ID.fullmatch(str(row.get("id", "")))]
        records = tuple(
            mapping.record(fields=self._fields, identity=str(row["id"]), row=row) for row in known
        )
        return Page(following, records, wait_seconds=wait, unreadable=len(rows) - len(known))

    def _told(self, purpose: str, method: str, path: str, body: object, code: str) -> Receipt:
        try:
            answer = self._asker.ask(purpose, method, path, body=body, once=method == "POST")
            row = _done_row(answer)
        except CrmError as refused:
            if method == "POST" or refused.told not in {"INVALID_DATA", "404"}:
                raise
            # Of an id that is no more, Zoho says that the data is invalid.
            return Receipt("already_gone", 404)
        details = row.get("details")
        made = str(details.get("id", "")) if isinstance(details, dict) else ""
        return Receipt(code, answer.status, made if ID.fullmatch(made) else "")


def _read(answer: http.Answer) -> Any:
    # An answer that is empty and does not say so would end the reading.
    if answer.status == 204:
        return {"data": []}
    found = asking.read(answer)
    # A refusal that comes as a success.
    if isinstance(found, dict) and found.get("status") == "error":
        raise CrmError("permanent", "request", told=asking.word(found.get("code")))
    return found


def _rows(found: Any) -> list[dict[str, Any]]:
    return asking.members(found, "data")


def _page_rows(found: Any) -> list[dict[str, Any]]:
    rows = _rows(found)
    if rows and not isinstance(found.get("info"), dict):
        # What does not say whether there is more would end the reading.
        raise CrmError("unknown", "unreadable")
    return rows


def _done_row(answer: http.Answer) -> dict[str, Any]:
    # A success may hold a row that was refused; we send one.
    row = next(iter(_rows(_read(answer))), {})
    if row.get("status") != "success":
        raise CrmError("permanent", "row_refused", told=asking.word(row.get("code")))
    return row


def _info(found: Any) -> dict[str, Any]:
    info = found.get("info") if isinstance(found, dict) else None
    return info if isinstance(info, dict) else {}


def _last(rows: list[dict[str, Any]]) -> str:
    return _id(str(rows[-1].get("id", ""))) if rows else "0"


def _id(text: str) -> str:
    # It goes into a path and into a query: nothing but an id may.
    if not ID.fullmatch(text):
        raise CrmError("permanent", "not_an_id")
    return text


def _wait(answer: http.Answer | None) -> float:
    """Return how long to wait. The header is UNCONFIRMED; without it nothing is waited for."""
    left = asking.number(asking.header(answer, "X-API-CREDITS-REMAINING")) if answer else None
    return asking.WAIT_MAX_SECONDS if left is not None and left <= SPARE_CREDITS else 0
