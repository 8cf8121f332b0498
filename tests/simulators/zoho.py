"""Zoho as it answers: a data centre in the callback, errors with 200, a header of its own."""

import itertools
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer
from tests.simulators.server import JSON, Hook

CENTRE = "in"
# A channel lasts an hour, or as long as is asked for, which is a week at most.
USUALLY, LONGEST = timedelta(hours=1), timedelta(days=7)
OPERATIONS = {"create": "insert", "edit": "update", "delete": "delete"}
REFUSALS = {"dead": "invalid_code", "client": "invalid_client", "grant_type": "invalid_request"}


class Zoho(Simulator):
    name = "Zoho CRM"
    authorize_path, token_path = "/oauth/v2/auth", "/oauth/v2/token"
    revoke_path = "/oauth/v2/revoke/token"
    login_hosts = ("accounts.zoho.com", "accounts.zoho.in", "accounts.zoho.eu")
    scope_joint = ","
    accounts_server = f"https://accounts.zoho.{CENTRE}"
    api_domain = f"https://www.zohoapis.{CENTRE}"

    organisation = "60012345678"

    def told_back(self, asked: Asked) -> dict[str, str]:
        return {"location": CENTRE, "accounts-server": self.accounts_server}

    faults = {
        "429": (429, {"code": "TOO_MANY_REQUESTS", "status": "error", "message": "slow"}),
        "403": (403, {"code": "NO_PERMISSION", "status": "error", "message": "ana@example.org"}),
        "400": (400, {"code": "INVALID_QUERY", "status": "error", "message": "bad"}),
        "200_with_error": (200, {"code": "INTERNAL_ERROR", "status": "error", "message": "bad"}),
        "wrong_members": (200, {"data": {"id": 1}, "info": 5}),
    }

    def __init__(self, **app: Any) -> None:
        super().__init__(**app)
        self.people: dict[str, dict[str, Any]] = {}
        self.bin: dict[str, datetime] = {}
        self.notes: list[dict[str, Any]] = []
        # A token stands for the id behind which the list goes on.
        self.tokens: dict[str, str] = {}
        self.credits: int | None = None
        # What is watched, by the number of its channel; whether none lasts longer than usual.
        self.usual_only = False
        self.channels: dict[str, dict[str, Any]] = {}
        self._ids = itertools.count(4_876_876_000_000_000_001)

    # What people do at the vendor, for tests.
    def add(self, *, at: float | None = None, **fields: Any) -> str:
        identity = str(next(self._ids))
        self.people[identity] = {"id": identity}
        self.change(identity, at=at, **fields)
        return identity

    def change(self, identity: str, *, at: float | None = None, **fields: Any) -> None:
        instant = datetime.fromtimestamp(at or time.time(), UTC).isoformat(timespec="seconds")
        self.people[identity] |= {**fields, "Modified_Time": instant}

    def delete(self, identity: str, *, at: float | None = None) -> None:
        del self.people[identity]
        self.bin[identity] = datetime.fromtimestamp(at or time.time(), UTC)

    def hooks(self, event: str, *ids: str) -> list[Hook]:
        """Return what is posted of a create, edit or delete of contacts: by each open channel."""
        posts = []
        for number, one in self.open_channels().items():
            if f"Contacts.{event}" in one["events"]:
                told = self.notification(OPERATIONS[event], *ids)
                told |= {"channel_id": number, "token": one.get("token")}
                posts.append(Hook(one["notify_url"], json.dumps(told).encode(), JSON))
        return posts

    def open_channels(self) -> dict[str, dict[str, Any]]:
        now = self.wall()
        return {
            number: one
            for number, one in self.channels.items()
            if _instant(one["channel_expiry"]) > now
        }

    def wall(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skipped)

    def notification(self, operation: str, *ids: str) -> dict[str, Any]:
        """Return what is posted to a webhook: the token it repeats is all that it proves."""
        return {
            "server_time": int(time.time() * 1000),
            "module": "Contacts",
            "resource_uri": f"{self.api_domain}/crm/v8/Contacts",
            "ids": list(ids),
            "operation": operation,
            "channel_id": "1000000068001",
            "token": "sealcast",
        }

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "access_token": access,
            "api_domain": self.api_domain,
            "token_type": "Bearer",
            "expires_in": self.expires_seconds,
        }

    def token(self, asked: Asked) -> Answer:
        # A code and a refresh token are known in one data centre only.
        if f"https://{asked.host}" != self.accounts_server:
            return self.refusal("dead")
        return super().token(asked)

    def refusal(self, reason: str) -> Answer:
        return json_answer(200, {"error": REFUSALS[reason]})

    def revoked(self, *, known: bool) -> Answer:
        found = {"status": "success"} if known else {"error": "invalid_token"}
        return json_answer(200 if known else 400, found)

    def bearer(self, asked: Asked) -> str:
        kind, _, token = asked.headers.get("Authorization", "").partition(" ")
        return token if kind == "Zoho-oauthtoken" else ""

    def api(self, asked: Asked, family: Family) -> Answer:
        watches = asked.path.endswith("/actions/watch")
        found = self.watch(asked, family) if watches else self.route(asked)
        if self.credits is not None:
            found.headers = {"X-API-CREDITS-REMAINING": str(self.credits)}
        return found

    def route(self, asked: Asked) -> Answer:
        path = asked.path.partition("/crm/v8")[2]
        if path == "/Contacts":
            return self.listed(asked)
        if path == "/org":
            org = {"id": f"4876876{self.organisation}", "zgid": self.organisation}
            return json_answer(200, {"org": [org]})
        if path == "/Contacts/deleted":
            return self.deleted(asked)
        if path == "/coql":
            return self.coql(asked.json["select_query"])
        if path == "/Notes":
            self.notes += asked.json["data"]
            return self.rows_done([str(next(self._ids))])
        if path.startswith("/Contacts/"):
            return self.one(asked, path.rpartition("/")[2])
        return json_answer(200, {"fields": [{"api_name": "Email", "data_type": "email"}]})

    def watch(self, asked: Asked, family: Family) -> Answer:
        """Answer to what opens a channel, opens it anew, lists the open ones, or ends one."""
        scope = {"GET": "READ", "POST": "CREATE", "DELETE": "DELETE"}[asked.method]
        if f"ZohoCRM.notifications.{scope}" not in family.scope.split(","):
            return self.fault(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope")
        if asked.method == "GET":
            rows = [{"channel_id": n, **one} for n, one in self.open_channels().items()]
            return json_answer(200, {"watch": rows}) if rows else Answer(204)
        if asked.method == "POST":
            return json_answer(201, {"watch": [self.watched(one) for one in asked.json["watch"]]})
        named = asked.query["channel_ids"].split(",")
        if not set(named) <= set(self.open_channels()):
            return self.fault(400, "INVALID_DATA", "the channel is not there")
        for number in named:
            del self.channels[number]
        rows = [{"code": "SUCCESS", "details": {"channel_id": n}} for n in named]
        return json_answer(200, {"watch": [{**row, "status": "success"} for row in rows]})

    def watched(self, one: dict[str, Any]) -> dict[str, Any]:
        if len(one.get("token", "")) > 50 or not one["channel_id"].isdigit():
            return {"code": "INVALID_DATA", "status": "error", "details": {}, "message": "bad"}
        asked_for, now = _instant(one.get("channel_expiry")), self.wall()
        is_taken = now < asked_for <= now + LONGEST and not self.usual_only
        ends = asked_for if is_taken else now + USUALLY
        expiry = ends.isoformat(timespec="seconds")
        self.channels[one["channel_id"]] = {**one, "channel_expiry": expiry}
        event = {"channel_expiry": expiry, "channel_id": one["channel_id"]}
        details = {"events": [{**event, "resource_name": "Contacts"}]}
        return {"code": "SUCCESS", "status": "success", "details": details, "message": "ok"}

    def listed(self, asked: Asked) -> Answer:
        query, size = asked.query, int(asked.query.get("per_page", "200"))
        token = query.get("page_token")
        if token is not None and token not in self.tokens:
            return self.fault(400, "INVALID_DATA", "the given page_token is invalid")
        since = _instant(asked.headers.get("If-Modified-Since"))
        rows = [
            row
            for identity, row in sorted(self.people.items())
            if identity > self.tokens.get(token or "", "")
            and _instant(row["Modified_Time"]) >= since
        ]
        if not rows:
            return Answer(304 if asked.headers.get("If-Modified-Since") else 204)
        more = len(rows) > size
        info: dict[str, Any] = {"per_page": size, "count": len(rows[:size]), "more_records": more}
        if more:
            info["next_page_token"] = f"t{next(self._ids)}"
            self.tokens[info["next_page_token"]] = rows[size - 1]["id"]
        return self.told(rows[:size], query["fields"].split(","), info)

    def deleted(self, asked: Asked) -> Answer:
        since = _instant(asked.headers.get("If-Modified-Since"))
        page, size = int(asked.query["page"]), int(asked.query["per_page"])
        found = sorted(identity for identity, at in self.bin.items() if at >= since)
        rows = [{"id": identity, "type": "recycle"} for identity in found]
        if not rows:
            return Answer(204)
        info = {"page": page, "more_records": len(rows) > page * size}
        return json_answer(200, {"data": rows[(page - 1) * size : page * size], "info": info})

    def coql(self, query: str) -> Answer:
        after = re.search(r"id > (\d+)", query)
        since = re.search(r"Modified_Time >= '([^']+)'", query)
        limit = int(query.rpartition(" ")[2])
        rows = [
            row
            for identity, row in sorted(self.people.items())
            if int(identity) > int(after[1] if after else "0")
            and _instant(row["Modified_Time"]) >= _instant(since[1] if since else None)
        ]
        if not rows:
            return Answer(204)
        names = query.split(" from ", maxsplit=1)[0].removeprefix("select ").split(",")
        return self.told(rows[:limit], names, {"more_records": len(rows) > limit})

    def told(self, rows: list[dict[str, Any]], names: list[str], info: dict[str, Any]) -> Answer:
        data = [{"id": row["id"], **{n: row.get(n) for n in names}} for row in rows]
        return json_answer(200, {"data": data, "info": info})

    def one(self, asked: Asked, identity: str) -> Answer:
        if identity not in self.people:
            return self.fault(400, "INVALID_DATA", "the id given seems to be invalid")
        if asked.method == "DELETE":
            self.delete(identity)
        elif asked.method == "PUT":
            self.people[identity] |= asked.json["data"][0]
        return self.rows_done([identity])

    def rows_done(self, ids: list[str]) -> Answer:
        rows = [{"code": "SUCCESS", "status": "success", "details": {"id": one}} for one in ids]
        return json_answer(200, {"data": rows})

    def fault(self, status: int, code: str, words: str) -> Answer:
        found = {"code": code, "message": words, "details": {}, "status": "error"}
        return json_answer(status, found)

    def api_expired(self) -> Answer:
        return self.fault(401, "INVALID_TOKEN", "invalid oauth token")


def _instant(told: str | None) -> datetime:
    return datetime.fromisoformat(told) if told else datetime.min.replace(tzinfo=UTC)
