"""How does Zoho CRM come to post to us? By a channel that is asked for, and ends by itself.

It may last a week; asked for longer, it lasts an hour. Asked for again by its number it goes on.
Leads are not read, and so not watched.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from accounts import keys
from integrations.crm import asking
from integrations.crm.asking import Asker
from integrations.crm.base import CrmError

WATCH = "/crm/v8/actions/watch"
EVENTS = ["Contacts.create", "Contacts.edit", "Contacts.delete"]


@dataclass(frozen=True)
class Mark:
    """A channel's number at Zoho, and the word that its posts repeat."""

    number: str
    token: str = field(repr=False)


def mark_of(*, secret: str) -> Mark:
    """Return the mark of the channel to the address with this secret; it is kept nowhere.

    Of two installations at one account each has its own.
    """
    index = keys.token_index(kind="zoho_channel", token=secret)
    # Zoho's number has at most 15 digits here; its word has 50 letters at most.
    return Mark(str(int(index[:12], 16)), index[16:])


class ZohoWatch:
    """The channel of one connection."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def open(self, *, mark: Mark, address: str, until: datetime) -> datetime:
        """Have Zoho post to an address until an instant, and return until when it says it will.

        :raises CrmError: it will not, or did not say.
        """
        one = {
            "channel_id": mark.number,
            "events": EVENTS,
            "channel_expiry": until.astimezone(UTC).isoformat(timespec="seconds"),
            "token": mark.token,
            "notify_url": address,
        }
        answer = self._asker.ask("channel", "POST", WATCH, body={"watch": [one]})
        details = _row(asking.read(answer)).get("details")
        ends = [
            _instant(event.get("channel_expiry")) for event in asking.members(details, "events")
        ]
        if not ends:
            raise CrmError("unknown", "unreadable")
        return min(ends)

    def close(self, *, mark: Mark) -> None:
        """Have Zoho post no more.

        :raises CrmError: it did not say that it will not.
        """
        answer = self._asker.ask("channel", "DELETE", f"{WATCH}?channel_ids={mark.number}")
        _row(asking.read(answer))


def _row(found: object) -> dict[str, object]:
    # A success may hold a row that was refused; we send one.
    row = next(iter(asking.members(found, "watch")), None)
    if row is None:
        raise CrmError("unknown", "unreadable")
    if row.get("status") != "success":
        raise CrmError("permanent", "row_refused", told=asking.word(row.get("code")))
    return row


def _instant(told: object) -> datetime:
    try:
        return datetime.fromisoformat(str(told)).astimezone(UTC)
    except ValueError:
        raise CrmError("unknown", "unreadable") from None
