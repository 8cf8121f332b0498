"""How does a mail program stop us with one click? RFC 8058: two headers, and a POST that acts."""

import uuid
from datetime import datetime

from django.conf import settings

from accounts.audit import Actor
from consent import ledger, preferences
from consent.models import Channel, ConsentEvent, Contact, PreferenceLink, Revocation

BODY = ("List-Unsubscribe", "One-Click")


def headers(
    *, contact: Contact, channel: str, message_id: uuid.UUID, at: datetime, behind: str = ""
) -> dict[str, str]:
    """Return the two headers of a marketing e-mail; nothing on other channels.

    The token is the message's own and outlives its video and its link.
    Law: RFC 8058, section 3.1; 15 USC 7704(a)(3), the way out works for 30 days at the least.
    """
    if channel != Channel.EMAIL:
        return {}
    own_page = preferences.link(
        contact=contact, channel=channel, message_id=message_id, at=at, behind=behind
    )
    token = own_page.rstrip("/").rpartition("/")[2]
    return {
        "List-Unsubscribe": f"<{settings.PUBLIC_URL}/join/one-click/{token}>",
        "List-Unsubscribe-Post": "=".join(BODY),
    }


def stop(*, token: str, by_page: bool, at: datetime) -> PreferenceLink:
    """Take the stop of whoever holds the token: a mail program's one click, or a tap on the page.

    Nothing else is asked of them; a second time changes nothing. An erased person is stopped
    already.
    Law: RFC 8058; 11 CCR 7026, no more is asked than the token holds.
    :raises NoSuchLink: the token is unknown, or past its time.
    """
    link = preferences.look_up(token=token, at=at)
    if link.contact.erased_at is not None:
        return link
    ledger.withdraw(
        contact=link.contact,
        act=ConsentEvent.Act.BUTTON if by_page else ConsentEvent.Act.ONE_CLICK,
        means=Revocation.Means.PAGE if by_page else Revocation.Means.ONE_CLICK,
        source="one_click_page" if by_page else "one_click",
        via=link.channel,
        at=at,
        actor=Actor("recipient", link.contact.public_id),
        evidence={"link": str(link.pk), "message": str(link.message_id or "")},
    )
    return link
