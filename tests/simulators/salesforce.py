"""Salesforce as it answers: an instance and an organisation in each answer, tokens that rotate."""

import csv
import io
import itertools
import re
import time
from datetime import UTC, datetime
from typing import Any

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer

DATA = "/services/data/v"
AFTER = re.compile(r"SystemModstamp > (\S+) OR \(SystemModstamp = \S+ AND Id > '(\w+)'\)")
CHANGED = re.compile(r"\(SELECT PartyId .* SystemModstamp >= ([^\s)]+)\)")
SINCE = re.compile(r"SystemModstamp >= (\S+)")
PREFIXES = {"Individual": "0PK", "ContactPointTypeConsent": "0ZX"}
# What its manual calls required of what is made.
REQUIRED = {
    "Individual": {"LastName"},
    "ContactPointTypeConsent": {
        *("Name", "PartyId", "ContactPointType", "PrivacyConsentStatus"),
        *("CaptureContactPointType", "CaptureDate", "CaptureSource"),
    },
}
REFUSALS = {
    "dead": (400, "invalid_grant", "expired access/refresh token"),
    "client": (401, "invalid_client", "invalid client credentials"),
    "no_user": (400, "invalid_grant", "no client credentials user enabled"),
    "grant_type": (400, "unsupported_grant_type", "grant type not supported"),
}


class Salesforce(Simulator):
    name = "Salesforce"
    authorize_path, token_path = "/services/oauth2/authorize", "/services/oauth2/token"
    revoke_path = "/services/oauth2/revoke"
    login_hosts = ("login.salesforce.com", "test.salesforce.com", "acme.my.salesforce.com")
    # The organisation's session time: no answer says it.
    expires_seconds = 7200
    rotates = True
    # Client credentials: at My Domain alone, and only once somebody chose whom the app runs as.
    app_hosts, app_scope = ("acme.my.salesforce.com",), "api"
    instance_url = "https://acme.my.salesforce.com"
    organisation = "00D5g000004cAbCEAU"

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "access_token": access,
            "signature": "c2lnbmF0dXJl",
            "scope": family.scope,
            "instance_url": self.instance_url,
            "id": f"https://login.salesforce.com/id/{self.organisation}/0055g00000AbCdEAAV",
            "token_type": "Bearer",
            "issued_at": "1753166400000",
        }

    def refusal(self, reason: str) -> Answer:
        status, error, words = REFUSALS[reason]
        return json_answer(status, {"error": error, "error_description": words})

    page_size = 200

    faults = {
        "429": (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}]),
        "403": (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "ana@example.org"}]),
        "400": (400, [{"errorCode": "MALFORMED_QUERY", "message": "unexpected token"}]),
        "200_with_error": (200, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "bad"}]),
        "wrong_members": (200, {"totalSize": "many", "records": [5], "id": None}),
    }

    def __init__(self, **app: Any) -> None:
        super().__init__(**app)
        self.people: dict[str, dict[str, Any]] = {}
        self.individuals: dict[str, dict[str, Any]] = {}
        self.consents: dict[str, dict[str, Any]] = {}
        self.tasks: list[dict[str, Any]] = []
        self.locators: dict[str, list[dict[str, Any]]] = {}
        self.jobs: dict[str, str] = {}
        self.job_polls = 1
        self.usage = ""
        self._ids = itertools.count(1)

    # What people do at the vendor, for tests.
    def new_id(self, prefix: str = "003") -> str:
        return f"{prefix}5g{next(self._ids):010d}"

    def add(self, *, at: float | None = None, **fields: Any) -> str:
        identity = self.new_id()
        self.people[identity] = {"Id": identity, "IsDeleted": False, "MasterRecordId": None}
        self.change(identity, at=at, **fields)
        return identity

    def change(self, identity: str, *, at: float | None = None, **fields: Any) -> None:
        instant = datetime.fromtimestamp(at or time.time(), UTC)
        stamp = instant.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        self.people[identity] |= {**fields, "SystemModstamp": stamp}

    def consent(self, person: str, kind: str, status: str, *, at: float) -> str:
        """Write a row of consent by kind of contact point."""
        made, stamp = self.new_id("0ZX"), datetime.fromtimestamp(at, UTC)
        told = {"PartyId": person, "ContactPointType": kind, "PrivacyConsentStatus": status}
        changed = stamp.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        self.consents[made] = {"Id": made, **told, "SystemModstamp": changed}
        return made

    def merge(self, lost: str, kept: str, *, at: float) -> None:
        self.change(lost, at=at, IsDeleted=True, MasterRecordId=kept)
        self.change(kept, at=at)

    def api(self, asked: Asked, family: Family) -> Answer:
        told = f"api-usage={self.usage or '25/15000'}"
        found = self.route(asked, asked.path.partition("/v62.0")[2] or asked.path)
        found.headers = {"Sforce-Limit-Info": told, **found.headers}
        return found

    def route(self, asked: Asked, path: str) -> Answer:
        if path in {"/query", "/query/", "/queryAll", "/queryAll/"}:
            return self.query(asked.query["q"], deleted="All" in path)
        if path.startswith("/query"):
            return self.more(path.rpartition("/")[2])
        if path.startswith("/jobs/query"):
            return self.bulk(asked, path)
        if path.startswith("/sobjects/"):
            return self.sobject(asked, path.split("/")[2:])
        return json_answer(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14998}})

    def query(self, soql: str, *, deleted: bool) -> Answer:
        if "COUNT()" in soql:
            return json_answer(200, {"totalSize": len(self.people), "done": True, "records": []})
        names = re.split(r",\s*", soql.split(" FROM ", maxsplit=1)[0].removeprefix("SELECT "))
        matching = self.matching(soql, deleted=deleted)
        if " FROM ContactPointTypeConsent" in soql.partition(" WHERE ")[0]:
            matching = self.consents_of(soql)
        rows = [self.row(row, names) for row in matching]
        if limit := re.search(r"LIMIT (\d+)", soql):
            rows = rows[: int(limit[1])]
        return self.told(rows, len(rows))

    def consents_of(self, soql: str) -> list[dict[str, Any]]:
        asked = soql.partition(" WHERE ")[2]
        named = re.findall(r"'(\w+)'", asked.partition("PartyId")[2])
        only = re.search(r"PrivacyConsentStatus = '(\w+)'", asked)
        status = only[1] if only else ""
        rows = [row for row in self.consents.values() if row["PartyId"] in named]
        return [row for row in rows if status in {"", row["PrivacyConsentStatus"]}]

    def matching(self, soql: str, *, deleted: bool) -> list[dict[str, Any]]:
        rows = [row for row in self.people.values() if deleted or not row["IsDeleted"]]
        rows.sort(key=_place)
        if one := re.search(r"Id = '(\w+)'", soql.partition("WHERE")[2]):
            return [row for row in rows if row["Id"] == one[1]]
        if changed := CHANGED.search(soql):
            since = changed[1].replace("Z", "+0000")
            told = {r["PartyId"] for r in self.consents.values() if r["SystemModstamp"] >= since}
            return sorted(
                (row for row in rows if row.get("IndividualId") in told), key=lambda row: row["Id"]
            )
        if found := AFTER.search(soql):
            place = (found[1].replace("Z", "+0000"), found[2])
            return [row for row in rows if _place(row) > place]
        since = SINCE.search(soql)
        start = since[1].replace("Z", "+0000") if since else ""
        return [row for row in rows if row["SystemModstamp"] >= start]

    def row(self, row: dict[str, Any], names: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"attributes": {"type": "Contact"}}
        for name in names:
            parent, _, child = name.partition(".")
            if child:
                individual = self.individuals.get(row.get("IndividualId") or "")
                before = found.get(parent) or {}
                one = {**before, child: individual.get(child, False)} if individual else None
                found[parent] = one
            else:
                found[name] = row.get(name)
        return found

    def told(self, rows: list[dict[str, Any]], total: int) -> Answer:
        page, rest = rows[: self.page_size], rows[self.page_size :]
        found = {"totalSize": total, "done": not rest, "records": page}
        if rest:
            locator = f"01g5g{next(self._ids):010d}-{self.page_size}"
            self.locators[locator] = rest
            found["nextRecordsUrl"] = f"{DATA}62.0/query/{locator}"
        return json_answer(200, found)

    def more(self, locator: str) -> Answer:
        rows = self.locators.pop(locator, None)
        if rows is None:
            return self.fault(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self.told(rows, len(rows))

    def bulk(self, asked: Asked, path: str) -> Answer:
        parts = path.split("/")
        if asked.method == "POST":
            job = self.new_id("750")
            self.jobs[job] = asked.json["query"]
            return json_answer(200, {"id": job, "state": "UploadComplete"})
        if parts[3] not in self.jobs:
            return self.fault(404, "NOT_FOUND", "no such job")
        if parts[-1] != "results":
            self.job_polls -= 1
            state = "InProgress" if self.job_polls >= 0 else "JobComplete"
            return json_answer(200, {"id": parts[3], "state": state})
        return self.results(self.jobs[parts[3]], asked.query)

    def results(self, soql: str, query: dict[str, str]) -> Answer:
        names = soql.split(" FROM ", maxsplit=1)[0].removeprefix("SELECT ").split(",")
        start, size = int(query.get("locator", "0")), int(query["maxRecords"])
        rows = self.matching(soql, deleted=True)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(names)
        for row in rows[start : start + size]:
            found = self.row(row, names)
            writer.writerow([_cell(found, name) for name in names])
        end = start + size
        headers = {
            "Sforce-Locator": str(end) if end < len(rows) else "null",
            "Sforce-NumberOfRecords": str(len(rows[start:end])),
        }
        return Answer(200, text.getvalue().encode(), "text/csv", headers=headers)

    def sobject(self, asked: Asked, parts: list[str]) -> Answer:
        kind, identity = parts[0], parts[1] if len(parts) > 1 else ""
        store = {
            "Contact": self.people,
            "Individual": self.individuals,
            "ContactPointTypeConsent": self.consents,
        }.get(kind, {})
        if asked.method == "POST" and kind == "Task":
            self.tasks.append(asked.json)
            return json_answer(201, {"id": self.new_id("00T"), "success": True, "errors": []})
        if asked.method == "POST":
            if lacking := sorted(REQUIRED.get(kind, set()) - set(asked.json)):
                return self.fault(400, "REQUIRED_FIELD_MISSING", f"{lacking}")
            made = self.new_id(PREFIXES[kind])
            store[made] = {"Id": made, **asked.json}
            return json_answer(201, {"id": made, "success": True, "errors": []})
        if identity not in store:
            return self.fault(404, "NOT_FOUND", "Provided external ID field does not exist")
        if asked.method == "PATCH":
            store[identity] |= asked.json
            return Answer(204)
        return json_answer(200, store[identity])

    def fault(self, status: int, code: str, words: str) -> Answer:
        return json_answer(status, [{"message": words, "errorCode": code}])

    def api_expired(self) -> Answer:
        return self.fault(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _place(row: dict[str, Any]) -> tuple[str, str]:
    return row["SystemModstamp"], row["Id"]


def _cell(row: dict[str, Any], name: str) -> str:
    parent, _, child = name.partition(".")
    value = (row.get(parent) or {}).get(child) if child else row.get(name)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
