"""Which businesses call the API, by which clients, and for what? Client credentials only."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Partner, PartnerClient

# What a client may be allowed, in the words of the page that allows it.
SCOPES = {
    "contacts.read": "See whether a person is among its contacts",
    "contacts.write": "Add and change its contacts",
    "consents.read": "See what its contacts have agreed to",
    "consents.write": "Record that a contact agreed or withdrew",
    "messages.read": "See what became of a message it asked for",
    "messages.write": "Send a personalised video to a contact",
    "links.write": "Revoke the link to a video",
}
NAME_LENGTH = 120
# Written at most once in this time: a row that each call rewrites would slow every call.
USE_NOTED_EVERY = timedelta(minutes=1)


class NotAPartner(ValueError):
    """The name cannot be a partner's; the text says why."""


class UnknownScope(ValueError):
    """A scope that this API does not have, or none at all."""


@transaction.atomic
def create(*, name: str, at: datetime, actor: audit.Actor) -> Partner:
    """Take in a business that will call the API.

    :raises NotAPartner: the name is empty, too long, or holds control characters.
    """
    name = name.strip()
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable():
        raise NotAPartner(f"A name has 1 to {NAME_LENGTH} visible characters.")
    partner = Partner.objects.create(name=name, created_at=at)
    _note("accounts.partner.created", partner, at, actor)
    return partner


@transaction.atomic
def issue_client(
    *, partner: Partner, scopes: Iterable[str], at: datetime, actor: audit.Actor
) -> tuple[str, str]:
    """Issue an API client and return its id and its secret, which is kept as a hash only.

    :raises UnknownScope: a scope is not one of `SCOPES`, or there is none.
    """
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise UnknownScope("A client needs one or more of: " + ", ".join(SCOPES))
    secret = secrets.token_urlsafe(32)
    client = Client(name=partner.public_id, type=Client.Type.CONFIDENTIAL, response_types="")
    client.set_grant_types([Client.GrantType.CLIENT_CREDENTIALS])
    client.set_scopes(wanted)
    client.set_default_scopes(wanted)
    client.set_secret(secret)
    client.created_at = at
    client.save(force_insert=True)
    PartnerClient.objects.create(client=client, partner=partner, created_at=at)
    _note("accounts.client.issued", partner, at, actor, client_id=client.pk, scopes=wanted)
    return client.pk, secret


@transaction.atomic
def revoke_client(*, client_id: str, at: datetime, actor: audit.Actor) -> bool:
    """Revoke a client: its tokens end now and no more are issued; False when it was before."""
    own = PartnerClient.objects.filter(pk=client_id, revoked_at=None)
    if not own.update(revoked_at=at):
        return False
    client = Client.objects.get(pk=client_id)
    # An unusable hash and no grant: two reasons why the endpoint refuses it from now on.
    client.secret, client.grant_types = "!", ""
    client.save(update_fields=["secret", "grant_types"])
    Token.objects.filter(client=client).update(expires_at=at)
    partner = Partner.objects.get(pk=PartnerClient.objects.get(pk=client_id).partner_id)
    _note("accounts.client.revoked", partner, at, actor, client_id=client_id)
    return True


@transaction.atomic
def switch(*, partner: Partner, on: bool, at: datetime, actor: audit.Actor) -> Partner:
    """Let a partner in or shut it out, all of its clients at once."""
    partner.is_active = on
    partner.save(update_fields=["is_active"])
    _note("accounts.partner.enabled" if on else "accounts.partner.disabled", partner, at, actor)
    return partner


def by_client(*, client_id: str | None) -> Partner | None:
    """Return the partner a live client belongs to; None when either is shut out."""
    row = (
        PartnerClient.objects.filter(pk=client_id, revoked_at=None, partner__is_active=True)
        .select_related("partner")
        .first()
    )
    return row.partner if row else None


def note_use(*, client_id: str, at: datetime) -> None:
    """Note when a client was last used, to the minute."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=at - USE_NOTED_EVERY)
    PartnerClient.objects.filter(stale, pk=client_id).update(last_used_at=at)


def _note(
    action: str,
    partner: Partner,
    at: datetime,
    actor: audit.Actor,
    **details: audit.Detail,
) -> None:
    audit.record(
        action=action,
        at=at,
        actor=actor,
        object_type="accounts.partner",
        object_id=str(partner.pk),
        details=details,
    )
