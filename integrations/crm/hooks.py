"""What may be believed of what a CRM posts? A no at once; everything else is read from its API.

HubSpot signs. Zoho does not: of its word that somebody is gone they are written to no more, and
nothing that it posts makes anything allowed. No value of a person is kept of either.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from config.lib import clock
from integrations import keyed, messaging, oauth
from integrations.crm import mapping
from integrations.crm.zoho_watch import mark_of
from integrations.messaging.base import THANKS, Event, NotAnEvent, NotSigned, Posted
from integrations.models import Connection, CrmChannel, CrmSync, InboxItem, OAuthGrant

NEWS = "crm_news"
# A post older than this is a replay; a clock that is ahead signs no post for tomorrow.
OLDEST, AHEAD = timedelta(minutes=5), timedelta(minutes=1)
MOST_EVENTS = 1000
STAMP_MAX_CHARS = 14
# One note that something changed stands for all of its minute: what it was is read.
CHANGED_SECONDS = 60
DIGITS_MAX = 20
YES, NO = "yes", "no"
Told = dict[str, str]


class HubSpotHooks:
    """What HubSpot posts for one account; the members of its events are UNCONFIRMED."""

    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        grant = OAuthGrant.objects.filter(pk=connection.pk).first()
        self._secret = oauth.app_of(grant).secret if grant else ""
        self._account = grant.account_id if grant else ""
        self._flags = _flags(connection)

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read a signed batch of events; those of another account are none of ours.

        :raises NotSigned: the signature is not of this app, or too old, or ahead.
        :raises NotAnEvent: it is no list of events.
        """
        at = clock.now()
        require_signed(secret=self._secret, posted=posted, at=at)
        rows = _load(posted.body)
        if not isinstance(rows, list) or len(rows) > MOST_EVENTS:
            raise NotAnEvent
        if not all(isinstance(row, dict) for row in rows):
            raise NotAnEvent
        own = [row for row in rows if self._account and str(row.get("portalId")) == self._account]
        return tuple(event for row in own for event in self._events(row, at))

    def _events(self, row: Mapping[str, Any], at: datetime) -> Iterator[Event]:
        # It is tried again with another number of the attempt, and says the same.
        same = {name: value for name, value in row.items() if name != "attemptNumber"}
        name = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
        told = list(self._told(row))
        for place, one in enumerate(told):
            yield _event(f"hubspot:{name}:{place}", one)
        if not told:
            yield _changed("hubspot", at)

    def _told(self, row: Mapping[str, Any]) -> Iterator[Told]:
        kind, record = str(row.get("subscriptionType")), _id(row.get("objectId"))
        if kind == "contact.merge":
            yield from _merged(row)
        elif not record:
            return
        elif kind == "contact.deletion":
            yield {"what": "gone", "record": record}
        elif kind == "contact.privacyDeletion":
            yield {"what": "forgotten", "record": record}
        elif kind == "contact.propertyChange":
            flag = self._flags.get(str(row.get("propertyName")), "")
            says = YES if str(row.get("propertyValue")).lower() in mapping.YES else NO
            if flag:
                yield {"what": "flag", "record": record, "flag": flag, "says": says}


class ZohoHooks:
    """What Zoho posts: unsigned, so that it only ever stops. Its members are UNCONFIRMED.

    Its channel repeats a word. While one is open, a post without it may be of anybody who has seen
    the address: it only has read what changed.
    """

    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        secret = keyed.webhook_secret(connection=connection)
        self._token = mark_of(secret=secret).token
        channel = CrmChannel.objects.filter(pk=connection.pk, until_at__gt=clock.now())
        self._has_channel = channel.exists()

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read one notification: whoever was deleted, or that something is to be read.

        :raises NotAnEvent: it is not in Zoho's format.
        """
        told = _load(posted.body)
        ids = told.get("ids") if isinstance(told, dict) else None
        if not isinstance(ids, list) or len(ids) > MOST_EVENTS:
            raise NotAnEvent
        if told.get("module") != "Contacts":
            return ()
        if told.get("operation") != "delete" or not self._is_believed(told):
            return (_changed("zoho", clock.now()),)
        name = hashlib.sha256(posted.body).hexdigest()[:32]
        known = [found for one in ids if (found := _id(one))]
        return tuple(_event(f"zoho:{name}:{one}", {"what": "gone", "record": one}) for one in known)

    def _is_believed(self, told: Mapping[str, Any]) -> bool:
        token = str(told.get("token"))
        return not self._has_channel or hmac.compare_digest(token.encode(), self._token.encode())


Reader = HubSpotHooks | ZohoHooks
READERS: Mapping[str, Callable[[Connection], Reader]] = {
    "hubspot": HubSpotHooks,
    "zoho": ZohoHooks,
}


def reader_for(connection: Connection) -> Reader:
    """Return who reads what a CRM posts.

    :raises NoSuchProvider: this CRM posts nothing that we read.
    """
    if connection.provider not in READERS:
        raise messaging.NoSuchProvider(connection.provider)
    return READERS[connection.provider](connection)


def require_signed(*, secret: str, posted: Posted, at: datetime) -> None:
    """Check HubSpot's signature v3 over method, address, raw body and stamp, in constant time.

    v1 and v2 have no stamp, so that a post could be repeated for ever: they are not looked at.
    :raises NotSigned: there is none, it is another's, or its stamp is too old or ahead.
    """
    stamp = posted.headers.get("X-HubSpot-Request-Timestamp") or ""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= STAMP_MAX_CHARS):
        raise NotSigned
    # The address holds no letter that is encoded, so that either way of reading it is the same.
    signed = b"POST" + posted.url.encode() + posted.body + stamp.encode()
    ours = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256"))
    theirs = posted.headers.get("X-HubSpot-Signature-v3") or ""
    if not secret or not hmac.compare_digest(ours, theirs.encode()):
        raise NotSigned
    age = timedelta(seconds=at.timestamp() - int(stamp) / 1000)
    if not -AHEAD <= age <= OLDEST:
        raise NotSigned


def _merged(row: Mapping[str, Any]) -> Iterator[Told]:
    """Tell of each record that went: the one that was kept may have a new id as well."""
    primary, new = _id(row.get("primaryObjectId")), _id(row.get("newObjectId"))
    named = row.get("mergedObjectIds")
    lost = [_id(one) for one in (named if isinstance(named, list) else [])]
    into = new or primary
    for old in dict.fromkeys([primary, *lost]):
        if into and old and old != into:
            yield {"what": "merged", "record": old, "into": into}


def _flags(connection: Connection) -> dict[str, str]:
    """Return which of their fields says no to what, by what is read of this connection."""
    sync = CrmSync.objects.filter(pk=connection.pk).first()
    fields = sync.fields if sync else {}
    own = {fields[name]: flag for name, flag in mapping.STOPS.items() if name in fields}
    ended = mapping.opt_outs(fields=fields)
    named = {theirs: mapping.TOPIC + code for theirs, code in ended.items()}
    return {**named, **own}


def _changed(provider: str, at: datetime) -> Event:
    minute = int(at.timestamp()) // CHANGED_SECONDS
    return _event(f"{provider}:changed:{minute}", {"what": "changed"})


def _event(key: str, told: Told) -> Event:
    return Event(InboxItem.Kind.OTHER, key, {"kind": NEWS, **told})


def _load(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent from None


def _id(told: object) -> str:
    found = str(told) if isinstance(told, int | str) else ""
    return found if found.isascii() and found.isdigit() and len(found) <= DIGITS_MAX else ""
