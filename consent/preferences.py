"""By which link does a person come to their own choices, without an account?"""

import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings

from accounts import keys
from consent.models import Contact, PreferenceLink

KIND = "preference"
# A stop by it must work for 30 days after the message at the least (15 USC 7704(a)(3)).
LINK_DAYS = 400


class NoSuchLink(LookupError):
    """The token is unknown, or past its time; which, is not said."""


def link(*, contact: Contact, channel: str, message_id: uuid.UUID | None, at: datetime) -> str:
    """Return the address of a person's own page: a token of 256 bits, of which the hash is kept."""
    token = secrets.token_urlsafe(32)
    PreferenceLink.objects.create(
        contact=contact,
        token_index=keys.token_index(kind=KIND, token=token),
        channel=channel,
        message_id=message_id,
        created_at=at,
        expires_at=at + timedelta(days=LINK_DAYS),
    )
    return f"{settings.PUBLIC_URL}/join/choices/{token}"


def look_up(*, token: str, at: datetime) -> PreferenceLink:
    """Return the link behind a token, changing nothing.

    :raises NoSuchLink: it is unknown, or past its time.
    """
    row = (
        PreferenceLink.objects.filter(
            token_index=keys.token_index(kind=KIND, token=token), expires_at__gt=at
        )
        .select_related("contact__key")
        .first()
    )
    if row is None:
        raise NoSuchLink
    return row
