"""How are HubSpot's contacts read and told? By the API of 2026-03; search for what changed.

The list goes by id and is not disturbed by changes. The search goes by the time of the change, so
each page begins where the last one ended, by time: an offset would skip one record for each that
was changed meanwhile.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from config.lib import http
from integrations.crm import asking, mapping
from integrations.crm.asking import Asker
from integrations.crm.base import TOPICS_ENDED, CrmError, Cursor, Page, Receipt, Record

# UNCONFIRMED: that the dated address takes each of these as v3 does.
CONTACTS = "/crm/objects/2026-03/contacts"
STATUSES = "/communication-preferences/v4/statuses/batch/read?channel=EMAIL"
STATUS_SET = "/communication-preferences/v4/statuses/batch/write"
STOPPED = "/communication-preferences/v4/statuses/batch/unsubscribe-all?channel=EMAIL"
NOTES = "/crm/objects/2026-03/notes"
PAGE_SIZE = 100
# A search answers ten thousand rows and no more (UNCONFIRMED).
SEARCH_MAX = 10_000
# The index of the search lags behind: what changed shortly before is asked for once more.
LAG = timedelta(minutes=5)
# So many calls are left to others who use the same account.
SPARE_CALLS = 5
GONE = {"OBJECT_NOT_FOUND", "404"}
NOTE_TO_CONTACT = 202
ENDED = "UNSUBSCRIBED"
MERGED, CHANGED = "hs_merged_object_ids", "lastmodifieddate"


class HubSpot:
    """One HubSpot account."""

    def __init__(self, asker: Asker, fields: Mapping[str, str]) -> None:
        self._asker, self._fields = asker, dict(fields)
        self._topics = mapping.subscriptions(fields=self._fields)
        named = {theirs for ours, theirs in self._fields.items() if ours != mapping.SUBSCRIPTIONS}
        self._names = sorted({*named, MERGED, CHANGED})

    def first(self, *, since: datetime | None) -> Cursor:
        """Begin with the list, or with what was changed."""
        if since is None:
            return {"phase": "list", "after": ""}
        start = int((since - LAG).timestamp() * 1000)
        return {"phase": "changed", "from": start, "after": "0", "seen": []}

    def page(self, *, cursor: Cursor) -> Page:
        """Read one page of the list, of the search, or of the archive."""
        if cursor["phase"] == "changed":
            return self._changed(cursor)
        archived = cursor["phase"] == "archived"
        answer, rows, after = self._listed(cursor["after"], archived=archived, limit=PAGE_SIZE)
        wait = _wait(answer)
        if archived:
            gone = tuple(identity for row in rows if (identity := _id(row)))
            following = {"phase": "archived", "after": after} if after else None
            return Page(following, gone=gone, wait_seconds=wait)
        following = {"phase": "list", "after": after} if after else {**ARCHIVE}
        return self._page(rows, following, wait)

    def sample(self) -> tuple[Record, ...]:
        """Read the first five."""
        _, rows, _ = self._listed("", archived=False, limit=5)
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
        """Unsubscribe the address from all e-mail, or from the types that stand for these purposes.

        The mapped field is set for texts. A purpose that no type stands for ends all e-mail.
        """
        receipt = Receipt("nothing_to_tell", 0)
        if "email" in channels and email:
            receipt = self._unsubscribe(email, purposes)
        own = self._fields.get("stop_phone")
        if own and set(channels) - {"email"}:
            body = {"properties": {own: "true"}}
            answer = self._asker.ask("stop", "PATCH", f"{CONTACTS}/{_path(record_id)}", body=body)
            _require_made(answer)
            receipt = _receipt("field_set", answer)
        return receipt

    def _unsubscribe(self, email: str, purposes: Collection[str] | None) -> Receipt:
        if not purposes or not set(purposes) <= set(self._topics.values()):
            answer = self._asker.ask("stop", "POST", STOPPED, body={"inputs": [email]})
            _require_stopped(answer)
            return _receipt("unsubscribed", answer)
        told = {"subscriberIdString": email, "channel": "EMAIL", "statusState": "UNSUBSCRIBED"}
        ended = [number for number, code in self._topics.items() if code in purposes]
        inputs = [{**told, "subscriptionId": int(number)} for number in ended]
        answer = self._asker.ask("stop", "POST", STATUS_SET, body={"inputs": inputs})
        _require_stopped(answer)
        if len(asking.members(asking.read(answer), "results")) < len(inputs):
            raise CrmError("unknown", "unreadable")
        return _receipt(TOPICS_ENDED, answer)

    def forget(self, *, record_id: str) -> Receipt:
        """Have the contact deleted for good (GDPR delete); one that is gone is forgotten."""
        try:
            answer = self._asker.ask(
                "forget", "POST", f"{CONTACTS}/gdpr-delete", body={"objectId": record_id}
            )
        except CrmError as refused:
            if refused.told not in GONE:
                raise
            return Receipt("already_gone", 404)
        if answer.status != 204:
            # A receipt of erasure says that it was done: nothing else will do.
            raise CrmError("unknown", "unreadable")
        return _receipt("erased", answer)

    def note(self, *, record_id: str, subject: str, at: datetime) -> Receipt:
        """Write a note; that 202 links it to a contact is UNCONFIRMED."""
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_CONTACT}
        body = {
            "properties": {"hs_timestamp": _iso(at), "hs_note_body": subject},
            "associations": [{"to": {"id": record_id}, "types": [kind]}],
        }
        answer = self._asker.ask("note", "POST", NOTES, body=body, once=True)
        _require_made(answer)
        return _receipt("noted", answer)

    def _listed(
        self, after: str, *, archived: bool, limit: int
    ) -> tuple[http.Answer, list[dict[str, Any]], str]:
        query = f"limit={limit}&archived={str(archived).lower()}"
        query += f"&properties={','.join(self._names)}" + (
            f"&after={_path(after)}" if after else ""
        )
        answer = self._asker.ask("read", "GET", f"{CONTACTS}?{query}")
        found = asking.read(answer)
        return answer, asking.members(found, "results"), _after(found)

    def _changed(self, cursor: Cursor) -> Page:
        answer = self._asker.ask(
            "read", "POST", f"{CONTACTS}/search", body=self._search(cursor["from"], cursor["after"])
        )
        found = asking.read(answer)
        rows, after = asking.members(found, "results"), _after(found)
        fresh = [row for row in rows if _id(row) not in cursor["seen"]]
        return self._page(fresh, _following(cursor, rows, after), _wait(answer))

    def _search(self, start: int, after: str) -> dict[str, object]:
        since = {"propertyName": CHANGED, "operator": "GTE", "value": str(start)}
        return {
            "filterGroups": [{"filters": [since]}],
            "sorts": [CHANGED],
            "properties": self._names,
            "limit": PAGE_SIZE,
            "after": after,
        }

    def _page(self, rows: list[dict[str, Any]], following: Cursor | None, wait: float) -> Page:
        records, merged = [], []
        for row in rows:
            identity, properties = _id(row), row.get("properties")
            if not identity or not isinstance(properties, dict):
                continue
            records.append(mapping.record(fields=self._fields, identity=identity, row=properties))
            lost = mapping.text(properties.get(MERGED)).split(";")
            merged += [(old, identity) for old in lost if old.isdigit() and old != identity]
        bad = len(rows) - len(records)
        known = self._with_topics(records)
        return Page(following, known, (), tuple(merged), wait, bad)

    def _with_topics(self, records: list[Record]) -> tuple[Record, ...]:
        """Add what each unsubscribed from; of whom it does not answer, no yes is believed."""
        emails = {one.id: one.values.get("email", "").lower() for one in records}
        asked = sorted(set(emails.values()) - {""})
        if not self._topics or not asked:
            return tuple(records)
        answer = self._asker.ask("read", "POST", STATUSES, body={"inputs": asked})
        ended = {
            str(row.get("subscriberIdString")).lower(): self._ended(row)
            for row in asking.members(asking.read(answer), "results")
        }
        return tuple(_ending(one, ended.get(emails[one.id])) for one in records)

    def _ended(self, row: Mapping[str, Any]) -> set[str]:
        told = asking.members(row, "statuses")
        numbers = {str(one.get("subscriptionId")) for one in told if one.get("status") == ENDED}
        return {mapping.TOPIC + code for number, code in self._topics.items() if number in numbers}


# All of it each time: the search holds nobody who was deleted, and their list has no filter.
ARCHIVE: Cursor = {"phase": "archived", "after": ""}


def _ending(record: Record, ended: set[str] | None) -> Record:
    if ended is None:
        return replace(record, claims=False) if record.values.get("email") else record
    return replace(record, stops=tuple(sorted({*record.stops, *ended})))


def _following(cursor: Cursor, rows: list[dict[str, Any]], after: str) -> Cursor:
    """Return where the search goes on: from the time of the last row, if that is a later one."""
    if not after:
        return {**ARCHIVE}
    last = max((_changed_ms(row) for row in rows), default=0)
    if last > cursor["from"]:
        seen = [_id(row) for row in rows if _changed_ms(row) == last]
        return {"phase": "changed", "from": last, "after": "0", "seen": seen}
    if (asking.number(after) or SEARCH_MAX) >= SEARCH_MAX - PAGE_SIZE:
        # More were changed in one instant than a search tells: all are read anew.
        return {"phase": "list", "after": ""}
    return {**cursor, "after": after, "seen": []}


def _changed_ms(row: Mapping[str, Any]) -> int:
    properties = row.get("properties")
    told = properties.get(CHANGED) if isinstance(properties, dict) else None
    try:
        return int(datetime.fromisoformat(str(told or row.get("updatedAt"))).timestamp() * 1000)
    except ValueError:
        return 0


def _id(row: Mapping[str, Any]) -> str:
    found = str(row.get("id", ""))
    return found if found.isdigit() and len(found) <= 20 else ""


def _after(found: Any) -> str:
    paging = found.get("paging") if isinstance(found, dict) else None
    following = paging.get("next") if isinstance(paging, dict) else None
    after = str(following.get("after", "")) if isinstance(following, dict) else ""
    if after and not after.replace("=", "").replace("_", "").replace("-", "").isalnum():
        raise CrmError("unknown", "unreadable")
    return after


def _path(text: str) -> str:
    if not text.replace("=", "").replace("_", "").replace("-", "").isalnum():
        raise CrmError("permanent", "not_an_id")
    return text


def _wait(answer: http.Answer) -> float:
    """Return how long to wait before the next call: the answers of a search say nothing of it."""
    left = asking.number(asking.header(answer, "X-HubSpot-RateLimit-Remaining") or "none")
    daily = asking.number(asking.header(answer, "X-HubSpot-RateLimit-Daily-Remaining") or "none")
    if daily is not None and daily <= SPARE_CALLS:
        return asking.WAIT_MAX_SECONDS
    if left is None or left > SPARE_CALLS:
        return 0
    span = asking.number(asking.header(answer, "X-HubSpot-RateLimit-Interval-Milliseconds"))
    return (span or 10_000) / 1000


def _require_stopped(answer: http.Answer) -> None:
    # 207: some of them failed; we sent one.
    if answer.status == 207:
        raise CrmError("permanent", "row_refused", told="207")
    asking.members(asking.read(answer), "results")


def _require_made(answer: http.Answer) -> None:
    found = asking.read(answer)
    if not isinstance(found, dict) or not _id(found):
        raise CrmError("unknown", "unreadable")


def _receipt(code: str, answer: http.Answer) -> Receipt:
    reference = asking.header(answer, "X-HubSpot-Correlation-Id")[:64]
    return Receipt(code, answer.status, reference)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
