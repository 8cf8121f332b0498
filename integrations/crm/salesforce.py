"""How are Salesforce's contacts read and told? By SOQL, with the deleted ones; in bulk when many.

A locator of a query lives for minutes. Beside it stands where the last row was (by the stamp of
its change, then by id), so that a query whose locator has died is asked again from there.
"""

import csv
import io
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from config.lib import http
from integrations.crm import asking, mapping
from integrations.crm import salesforce_consents as consents
from integrations.crm import salesforce_rows as table
from integrations.crm.asking import Asker
from integrations.crm.base import CrmError, Cursor, Page, Receipt, Record
from integrations.crm.salesforce_rows import BASE, CONTACT, ID

# From so many on, a bulk job costs fewer calls.
BULK_FROM = 50_000
PAGE_SIZE = 1000
# UNCONFIRMED: how many rows a page holds is asked for by this header.
PAGING = {"Sforce-Query-Options": f"batchSize={PAGE_SIZE}"}
LAG = timedelta(minutes=5)
JOB_SECONDS = 10.0
UNDER_WAY = {"UploadComplete", "InProgress"}
NEXT = re.compile(rf"{re.escape(BASE)}/query(?:All)?/[A-Za-z0-9-]{{5,100}}")
LOCATOR = re.compile(r"[A-Za-z0-9+/=_-]{1,100}")
USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
STAMP, MASTER, DELETED = "SystemModstamp", "MasterRecordId", "IsDeleted"
PERSON = "IndividualId"
GONE = {"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "404"}
# The privacy record of somebody who had none.
FORGOTTEN = {"LastName": "Erasure request", "ShouldForget": True}


class Salesforce:
    """One Salesforce organisation."""

    def __init__(self, asker: Asker, fields: Mapping[str, str]) -> None:
        self._asker, self._fields = asker, dict(fields)
        named = {theirs for ours, theirs in self._fields.items() if ours != mapping.CONSENTS}
        self._reads_consents = mapping.CONSENTS in self._fields
        beside = [PERSON] if self._reads_consents else []
        self._names = ["Id", DELETED, MASTER, STAMP, *sorted({*named, *beside})]

    def first(self, *, since: datetime | None) -> Cursor:
        """Begin by counting, or with what was changed."""
        if since is None:
            return {"phase": "count"}
        start = table.stamp(since - LAG)
        return {"phase": "rows", "from": start, "id": "", "next": "", "since": start}

    def page(self, *, cursor: Cursor) -> Page:
        """Read one page of a query or of a job's result; or see how many there are."""
        if cursor["phase"] == "count":
            return self._counted()
        if cursor["phase"] == "job":
            return self._job(cursor)
        if cursor["phase"] == "result":
            return self._result(cursor)
        return self._rows(cursor)

    def sample(self) -> tuple[Record, ...]:
        """Read five."""
        answer = self._query(f"{self._select()} WHERE {DELETED} = false LIMIT 5", "query")
        rows = asking.members(asking.read(answer), "records")
        return self._page(rows, None, 0).records

    def stop(
        self,
        *,
        record_id: str,
        email: str,
        channels: Collection[str],
        purposes: Collection[str] | None = None,
        at: datetime,
    ) -> Receipt:
        """Set the flags of the contact: they reach every sender in the organisation.

        Rows of consent that say otherwise, or are not there, say no then as well.
        """
        flags = {}
        if "email" in channels:
            flags["HasOptedOutOfEmail"] = True
        if set(channels) - {"email"}:
            flags[self._fields.get("stop_phone", "DoNotCall")] = True
        receipt = self._patch(
            "stop", f"{CONTACT}/{table.require_id(record_id)}", flags, "flags_set"
        )
        if self._reads_consents and receipt.code == "flags_set":
            kinds = {"email"} & set(channels) | ({"phone"} if set(channels) - {"email"} else set())
            consents.end(self._asker, contact_id=record_id, kinds=kinds, at=at)
        return receipt

    def forget(self, *, record_id: str) -> Receipt:
        """Record the request on the person's Individual; Salesforce itself erases nothing by it."""
        try:
            individual = table.individual(
                self._asker, contact_id=record_id, purpose="forget", new=FORGOTTEN
            )
        except CrmError as refused:
            if refused.told not in GONE:
                raise
            return Receipt("already_gone", 404)
        path = f"{BASE}/sobjects/Individual/{table.require_id(individual)}"
        return self._patch("forget", path, {"ShouldForget": True}, "recorded_not_erased")

    def note(self, *, record_id: str, subject: str, at: datetime) -> Receipt:
        """Write a completed task."""
        body = {"WhoId": table.require_id(record_id), "Subject": subject, "Status": "Completed"}
        body["ActivityDate"] = at.astimezone(UTC).date().isoformat()
        answer = self._asker.ask("note", "POST", f"{BASE}/sobjects/Task", body=body, once=True)
        return Receipt("noted", answer.status, table.made(answer))

    def _counted(self) -> Page:
        answer = self._query("SELECT COUNT() FROM Contact", "query")
        found = asking.read(answer)
        total = found.get("totalSize") if isinstance(found, dict) else None
        if not isinstance(total, int):
            raise CrmError("unknown", "unreadable")
        if total < BULK_FROM:
            return Page({"phase": "rows", "from": "", "id": "", "next": ""})
        body = {"operation": "queryAll", "query": self._select()}
        made = self._asker.ask("read", "POST", f"{BASE}/jobs/query", body=body)
        return Page({"phase": "job", "job": _job(made)}, wait_seconds=JOB_SECONDS)

    def _job(self, cursor: Cursor) -> Page:
        found = asking.read(
            self._asker.ask("read", "GET", f"{BASE}/jobs/query/{table.require_id(cursor['job'])}")
        )
        state = found.get("state") if isinstance(found, dict) else ""
        if state == "JobComplete":
            return Page({"phase": "result", "job": cursor["job"], "locator": ""})
        if state in {"Failed", "Aborted"}:
            # Page by page it takes longer, and comes to the same.
            return Page({"phase": "rows", "from": "", "id": "", "next": ""})
        if state not in UNDER_WAY:
            # What is no state would be waited for without end.
            raise CrmError("unknown", "unreadable")
        return Page({**cursor}, wait_seconds=JOB_SECONDS)

    def _result(self, cursor: Cursor) -> Page:
        path = f"{BASE}/jobs/query/{table.require_id(cursor['job'])}/results?maxRecords={PAGE_SIZE}"
        path += f"&locator={quote(cursor['locator'], safe='')}" if cursor["locator"] else ""
        answer = self._asker.ask("read", "GET", path, headers={"Accept": "text/csv"})
        locator = asking.header(answer, "Sforce-Locator")
        more = LOCATOR.fullmatch(locator) is not None and locator != "null"
        following = {**cursor, "locator": locator} if more else None
        return self._page(_csv_rows(answer), following, _wait(answer))

    def _rows(self, cursor: Cursor) -> Page:
        answer = self._next(cursor) or self._query(self._after(cursor), "queryAll")
        found = asking.read(answer)
        rows = asking.members(found, "records")
        told = str(found.get("nextRecordsUrl") or "")
        if not told and found.get("done") is not True:
            raise CrmError("unknown", "unreadable")
        if told and not NEXT.fullmatch(told):
            raise CrmError("unknown", "unreadable")
        last = rows[-1] if rows else {}
        place = {"from": _told_stamp(last) or cursor["from"], "id": str(last.get("Id", ""))[:18]}
        following = {**cursor, **place, "next": told} if told else self._then(cursor)
        return self._page(rows, following, _wait(answer))

    def _then(self, cursor: Cursor) -> Cursor | None:
        """After the contacts that changed come those whose consent did, and nothing of theirs."""
        since = cursor.get("since", "")
        if cursor["phase"] == "consents" or not since or not self._reads_consents:
            return None
        return {"phase": "consents", "from": "", "id": "", "next": "", "since": since}

    def _next(self, cursor: Cursor) -> http.Answer | None:
        if not cursor["next"]:
            return None
        try:
            return self._asker.ask("read", "GET", cursor["next"])
        except CrmError as refused:
            # The locator died meanwhile: the query is asked again from the last row on.
            if refused.told not in {"INVALID_QUERY_LOCATOR", *GONE}:
                raise
            return None

    def _after(self, cursor: Cursor) -> str:
        where = ""
        if cursor["phase"] == "consents":
            after = f" AND Id > '{table.require_id(cursor['id'])}'" if cursor["id"] else ""
            changed = consents.changed_since(cursor["since"])
            return f"{self._select()} WHERE {PERSON} IN ({changed}){after} ORDER BY Id ASC"
        if cursor["from"] and cursor["id"]:
            same = f"({STAMP} = {cursor['from']} AND Id > '{table.require_id(cursor['id'])}')"
            where = f" WHERE {STAMP} > {cursor['from']} OR {same}"
        elif cursor["from"]:
            where = f" WHERE {STAMP} >= {cursor['from']}"
        return f"{self._select()}{where} ORDER BY {STAMP} ASC, Id ASC"

    def _select(self) -> str:
        # Of names on the list only, and none of a stranger's texts.
        return f"SELECT {','.join(self._names)} FROM Contact"  # noqa: S608  names of an allow-list

    def _query(self, soql: str, what: str) -> http.Answer:
        path = f"{BASE}/{what}?q={quote(soql)}"
        return self._asker.ask("read", "GET", path, headers=PAGING)

    def _page(self, rows: list[dict[str, Any]], following: Cursor | None, wait: float) -> Page:
        records, gone, merged, bad = [], [], [], 0
        people: dict[str, str] = {}
        for row in rows:
            identity, master = str(row.get("Id", "")), str(row.get(MASTER) or "")
            if not ID.fullmatch(identity):
                bad += 1
            elif mapping.text(row.get(DELETED)).lower() != "true":
                records.append(mapping.record(fields=self._fields, identity=identity, row=row))
                people[identity] = str(row.get(PERSON) or "")
            elif ID.fullmatch(master):
                merged.append((identity, master))
            else:
                gone.append(identity)
        if self._reads_consents:
            records = consents.added(self._asker, records=records, people=people)
        return Page(following, tuple(records), tuple(gone), tuple(merged), wait, bad)

    def _patch(self, purpose: str, path: str, body: Mapping[str, object], code: str) -> Receipt:
        try:
            answer = table.set_row(self._asker, purpose=purpose, path=path, body=body)
        except CrmError as refused:
            if refused.told not in GONE:
                raise
            return Receipt("already_gone", 404)
        return Receipt(code, answer.status)


def _csv_rows(answer: http.Answer) -> list[dict[str, Any]]:
    try:
        table = csv.DictReader(io.StringIO(answer.body.decode()))
        rows = [dict(row) for row in table]
    except (UnicodeDecodeError, csv.Error):
        raise CrmError("unknown", "unreadable") from None
    if "Id" not in (table.fieldnames or ()):
        # A page of something else has no rows, and would end the reading.
        raise CrmError("unknown", "unreadable")
    return rows


def _job(answer: http.Answer) -> str:
    found = asking.read(answer)
    made = str(found.get("id", "")) if isinstance(found, dict) else ""
    if not ID.fullmatch(made):
        raise CrmError("unknown", "unreadable")
    return made


def _told_stamp(row: Mapping[str, Any]) -> str:
    try:
        return table.stamp(datetime.fromisoformat(str(row.get(STAMP))))
    except ValueError:
        return ""


def _wait(answer: http.Answer) -> float:
    """Return how long to wait: the last fiftieth of the organisation's day is left to others."""
    found = USAGE.search(asking.header(answer, "Sforce-Limit-Info"))
    if found is None:
        return 0
    used, allowed = int(found[1]), int(found[2])
    return asking.WAIT_MAX_SECONDS if allowed - used <= max(5, allowed // 50) else 0
