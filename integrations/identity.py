"""Whose account is it, where no answer with tokens says so? The API is asked, once, at connect.

Two companies' people would be mixed if somebody signed in to another account later: the one that
was connected first stays pinned until it is disconnected.
"""

import json

from config.lib import http
from integrations import wire
from integrations.pins import NUMBER, PinRefused, Pins
from integrations.providers import Provider

LIST, NAME = "org", "zgid"


def complete(*, provider: Provider, found: Pins, access: str) -> Pins:
    """Return the pins with the account, which is asked for if the answer did not tell it.

    :raises PinRefused: the provider did not say, or not in its own form.
    """
    if found.account_id or not provider.account_path:
        return found
    try:
        answer = wire.call(
            provider=provider.slug,
            hosts=[found.api_host],
            method="GET",
            url=f"https://{found.api_host}{provider.account_path}",
            headers={"Authorization": f"{provider.header} {access}"},
        )
    except (http.CallFailed, http.Refused):
        raise PinRefused("account_unread") from None
    return Pins(found.api_host, _account(answer))


def _account(answer: http.Answer) -> str:
    try:
        rows = json.loads(answer.body)[LIST]
        told = str(rows[0][NAME])
    except (ValueError, RecursionError, KeyError, IndexError, TypeError):
        raise PinRefused("account_unread") from None
    if answer.status != 200 or len(rows) != 1 or not NUMBER.fullmatch(told):
        raise PinRefused("account_unread")
    return told
