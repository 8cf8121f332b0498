"""Which person does a link to their own choices belong to? Only its hash is kept."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings

from accounts import keys
from consent import contacts
from consent.models import Contact, PreferenceLink

KIND = "preference"
BEHIND = "preference.behind"
TOKEN_BYTES = 32
# A stop by it must work for 30 days after the message at the least (15 USC 7704(a)(3)).
LINK_DAYS = 400


class NoSuchLink(LookupError):
    """No link has this token, or it is past its time; which, is not said."""


def link(
    *,
    contact: Contact,
    channel: str,
    message_id: uuid.UUID | None,
    at: datetime,
    behind: str = "",
) -> str:
    """Make a person's way to their choices and return its address; the token is kept nowhere.

    `behind` is a token that the person has already, such as a video's: whoever has it can work
    out this one by `token_behind`, and its page needs to keep nothing to lead on. The link does
    not end with the video, the campaign or the message it came in.
    Law: 15 USC 7704(a)(3)(A)(ii), it must work for 30 days after the send at least.
    """
    token = token_behind(behind) if behind else secrets.token_urlsafe(TOKEN_BYTES)
    PreferenceLink.objects.create(
        contact=contact,
        token_index=keys.token_index(kind=KIND, token=token),
        channel=channel,
        message_id=message_id,
        created_at=at,
        expires_at=at + timedelta(days=LINK_DAYS),
    )
    return address(token)


def token_behind(token: str) -> str:
    """Return the token of the choices behind another token: 256 bits that tell nothing of it."""
    return keys.token_index(kind=BEHIND, token=token)


def address(token: str) -> str:
    """Return the address at which a person finds their choices."""
    return f"{settings.PUBLIC_URL}/choices/{token}"


def look_up(*, token: str, at: datetime) -> PreferenceLink:
    """Return the link of a token, changing nothing.

    :raises NoSuchLink: there is none, or it is past its time.
    """
    rows = PreferenceLink.objects.filter(
        token_index=keys.token_index(kind=KIND, token=token), expires_at__gt=at
    )
    found = rows.select_related("contact__partner", "contact__place", "contact__key").first()
    if found is None:
        raise NoSuchLink
    return found


def own(*, token: str, at: datetime) -> PreferenceLink:
    """Return the link of a token whose person is still there, for the page of their choices.

    :raises NoSuchLink: there is none, it is past its time, or the person was erased.
    """
    found = look_up(token=token, at=at)
    if found.contact.erased_at is not None:
        raise NoSuchLink
    return found


def proves(*, link: PreferenceLink, channel: str) -> bool:
    """Say whether who holds the link is whom a channel reaches: it was sent to that address.

    SMS and WhatsApp reach one number; a link sent by e-mail says nothing of it.
    """
    return contacts.field_of(link.channel) == contacts.field_of(channel)
