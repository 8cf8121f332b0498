"""HubSpot as it answers: tokens of 2026-03, one refresh token for good, errors with a category."""

import base64
import hashlib
import hmac
import itertools
import json
import re
import time
from datetime import UTC, datetime
from typing import Any

from tests.simulators.base import Answer, Asked, Family, Simulator, json_answer

CONTACTS = re.compile(r"/crm/(?:v3/objects|objects/2026-03)/contacts(/.*)?")
SEARCH_MAX = 10_000
# Of one time of change, as the property has it.
ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
REFUSALS = {
    "dead": (
        400,
        "invalid_grant",
        "BAD_REFRESH_TOKEN",
        "refresh token is invalid, expired or revoked",
    ),
    "client": (401, "invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret"),
    "grant_type": (400, "unsupported_grant_type", "BAD_GRANT_TYPE", "grant type is not supported"),
}


class HubSpot(Simulator):
    name = "HubSpot"
    authorize_path, token_path = "/oauth/authorize", "/oauth/2026-03/token"
    revoke_path = "/oauth/2026-03/token/revoke"
    login_hosts, token_hosts = ("app.hubspot.com",), ("api.hubapi.com",)
    expires_seconds = 1800
    hub_id = 4_242_424

    faults = {
        "429": (429, {"status": "error", "errorType": "RATE_LIMIT", "message": "secondly limit"}),
        "403": (
            403,
            {"status": "error", "category": "MISSING_SCOPES", "message": "ana@example.org"},
        ),
        "400": (400, {"status": "error", "category": "VALIDATION_ERROR", "message": "bad"}),
        "200_with_error": (200, {"status": "error", "category": "VALIDATION_ERROR"}),
        "wrong_members": (200, {"results": {"id": 5}, "id": []}),
    }

    def __init__(self, **app: Any) -> None:
        super().__init__(**app)
        self.people: dict[int, dict[str, Any]] = {}
        self.forgotten: list[str] = []
        self.unsubscribed: list[str] = []
        # By address, then by the number of the type of subscription.
        self.statuses: dict[str, dict[int, str]] = {}
        self.notes: list[dict[str, Any]] = []
        self.remaining: int | None = None
        self._ids = itertools.count(101)

    # What people do at the vendor, for tests.
    def add(self, *, at: float | None = None, **properties: str) -> str:
        number = next(self._ids)
        self.people[number] = {"properties": {"hs_object_id": str(number)}, "archived": False}
        self.change(str(number), at=at, **properties)
        return str(number)

    def change(self, identity: str, *, at: float | None = None, **properties: str) -> None:
        row = self.people[int(identity)]
        instant = datetime.fromtimestamp(at or time.time(), UTC)
        row["properties"] |= {**properties, "lastmodifieddate": instant.strftime(ISO)}

    def archive(self, identity: str) -> None:
        self.people[int(identity)]["archived"] = True

    def merge(self, lost: str, kept: str) -> None:
        self.people.pop(int(lost))
        before = self.people[int(kept)]["properties"].get("hs_merged_object_ids", "")
        self.change(kept, hs_merged_object_ids=";".join(filter(None, [before, lost])))

    def event(self, kind: str, record: str, **more: Any) -> dict[str, Any]:
        """Return one event of a webhook, as HubSpot tells it."""
        return {
            "eventId": next(self._ids),
            "subscriptionId": 71,
            "portalId": self.hub_id,
            "appId": 12,
            "occurredAt": int(time.time() * 1000),
            "subscriptionType": f"contact.{kind}",
            "attemptNumber": 0,
            "objectId": int(record),
            **more,
        }

    def signed(self, url: str, events: object, *, at: float) -> tuple[bytes, dict[str, str]]:
        """Return the body of a post and its headers, signed by version 3."""
        body, stamp = json.dumps(events).encode(), str(int(at * 1000))
        whole = b"POST" + url.encode() + body + stamp.encode()
        found = hmac.new(self.secret.encode(), whole, hashlib.sha256).digest()
        return body, {
            "X-HubSpot-Signature-v3": base64.b64encode(found).decode(),
            "X-HubSpot-Request-Timestamp": stamp,
        }

    def token_answer(self, family: Family, access: str) -> dict[str, object]:
        return {
            "token_type": "bearer",
            "token_use": "access_token",
            "access_token": access,
            "refresh_token": family.refresh,
            "expires_in": self.expires_seconds,
            "hub_id": self.hub_id,
            "user_id": 9,
            "scopes": family.scope.split(),
        }

    def refusal(self, reason: str) -> Answer:
        status, error, code, words = REFUSALS[reason]
        found = {"error": error, "error_description": words, "status": code, "message": words}
        return json_answer(status, found)

    def api(self, asked: Asked, family: Family) -> Answer:
        found = CONTACTS.fullmatch(asked.path)
        if found:
            return self.contacts(asked, found[1] or "")
        if asked.path.endswith("/notes"):
            self.notes.append(asked.json)
            return json_answer(201, {"id": str(len(self.notes)), "properties": {}})
        if "/statuses/batch/" in asked.path and not asked.path.endswith("/unsubscribe-all"):
            return self.preferences(asked)
        if asked.path.endswith("/unsubscribe-all"):
            self.unsubscribed += asked.json["inputs"]
            return json_answer(200, {"status": "COMPLETE", "results": []})
        return json_answer(200, {"name": "email", "label": "Email", "type": "string"})

    def preferences(self, asked: Asked) -> Answer:
        """Answer to `batch/read` and `batch/write` of version 4."""
        if asked.path.endswith("/write"):
            for one in asked.json["inputs"]:
                held = self.statuses.setdefault(one["subscriberIdString"], {})
                held[one["subscriptionId"]] = one["statusState"]
            return json_answer(200, {"status": "COMPLETE", "results": asked.json["inputs"]})
        assert asked.query["channel"] == "EMAIL"
        rows = [
            {
                "subscriberIdString": email,
                "statuses": [
                    {"subscriptionId": number, "status": status, "channel": "EMAIL"}
                    for number, status in self.statuses.get(email, {}).items()
                ],
            }
            for email in asked.json["inputs"]
        ]
        return json_answer(200, {"status": "COMPLETE", "results": rows})

    def contacts(self, asked: Asked, rest: str) -> Answer:
        if rest == "/search":
            return self.search(asked.json)
        if rest == "/gdpr-delete":
            return self.gdpr_delete(asked.json)
        if rest:
            if int(rest[1:]) not in self.people:
                return self.fault(404, "OBJECT_NOT_FOUND", "resource not found")
            if asked.method == "PATCH":
                self.change(rest[1:], **asked.json["properties"])
            return json_answer(200, self.row(int(rest[1:]), None))
        return self.listed(asked.query)

    def listed(self, query: dict[str, str]) -> Answer:
        limit, after = int(query.get("limit", "10")), int(query.get("after", "0"))
        archived = query.get("archived") == "true"
        numbers = self.numbers(archived, after, limit + 1)
        names = query.get("properties", "email").split(",")
        found: dict[str, Any] = {"results": [self.row(n, names) for n in numbers[:limit]]}
        if len(numbers) > limit:
            place = str(numbers[limit - 1])
            found["paging"] = {"next": {"after": place, "link": f"?after={place}"}}
        return json_answer(200, found, **self.limits())

    def numbers(self, archived: bool, after: int, count: int) -> list[int]:
        known = sorted(n for n, row in self.people.items() if row["archived"] == archived)
        return [n for n in known if n > after][:count]

    def search(self, told: dict[str, Any]) -> Answer:
        if set(told) != {"filterGroups", "sorts", "properties", "limit", "after"}:
            return self.fault(400, "VALIDATION_ERROR", "Invalid input JSON")
        since, start = int(told["filterGroups"][0]["filters"][0]["value"]), int(told["after"])
        if start + told["limit"] > SEARCH_MAX:
            return self.fault(400, "VALIDATION_ERROR", "10000 results at most")
        rows = [(self.changed_ms(n), n) for n, row in self.people.items() if not row["archived"]]
        known = sorted(pair for pair in rows if pair[0] >= since)
        chosen = [n for _, n in known[start : start + told["limit"]]]
        found: dict[str, Any] = {"total": len(known)}
        found["results"] = [self.row(n, told["properties"]) for n in chosen]
        if start + told["limit"] < len(known):
            found["paging"] = {"next": {"after": str(start + told["limit"])}}
        # A search says nothing of limits.
        return json_answer(200, found)

    def gdpr_delete(self, told: dict[str, Any]) -> Answer:
        by_mail = told.get("idProperty") == "email"
        for number, row in list(self.people.items()):
            if told["objectId"] == (row["properties"].get("email") if by_mail else str(number)):
                del self.people[number]
        self.forgotten.append(told["objectId"])
        return Answer(204)

    def changed_ms(self, number: int) -> int:
        told = self.people[number]["properties"]["lastmodifieddate"]
        return int(datetime.fromisoformat(told).timestamp() * 1000)

    def row(self, number: int, names: list[str] | None) -> dict[str, Any]:
        row = self.people[number]
        properties = row["properties"]
        if names is not None:
            properties = {name: properties.get(name) for name in names}
        changed = row["properties"]["lastmodifieddate"]
        found = {"id": str(number), "properties": properties, "archived": row["archived"]}
        return {**found, "createdAt": changed, "updatedAt": changed}

    def limits(self) -> dict[str, str]:
        if self.remaining is None:
            return {}
        return {
            "X_HubSpot_RateLimit_Remaining": str(self.remaining),
            "X_HubSpot_RateLimit_Interval_Milliseconds": "10000",
            "X_HubSpot_RateLimit_Max": "100",
        }

    def fault(self, status: int, category: str, words: str) -> Answer:
        found = {"status": "error", "message": words, "correlationId": "0", "category": category}
        return json_answer(status, found)

    def api_expired(self) -> Answer:
        return self.fault(401, "EXPIRED_AUTHENTICATION", "The OAuth token expired.")
