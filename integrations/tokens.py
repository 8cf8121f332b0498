"""Which access token may a call carry? One that is fresh; renewed by one process at a time.

Turns are taken by a lease in the row and a compare-and-set on the generation, never by a lock held
over HTTP. The new refresh token is committed before its access token is handed out; the one before
it is kept until the new one has been proven.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import audit
from config.lib import clock, http
from config.lib.http import Outcome
from integrations import oauth, pins, providers, trail, verdicts, wire
from integrations.models import Connection, OAuthGrant
from integrations.oauth import TokenRefused
from integrations.providers import Provider
from integrations.verdicts import Verdict

Now = Callable[[], datetime]
# Renewed so long before its end: a call that begins with it must be able to finish.
MARGIN_SECONDS = 60
# Longer than an exchange takes (`config.lib.http`): a second one would spend a spent token. An
# answer that drips for longer is stored all the same, unless another came first.
LEASE_SECONDS = 90
WAIT_SECONDS, POLL_SECONDS = 30, 0.05
# A page of two thousand records, with room.
PAGE_LIMIT_BYTES = 16 << 20
BACKOFF_SECONDS = (5, 15, 60, 180, 600)
PROBLEMS = {
    "dead": "{name} no longer accepts the permission it gave: it was withdrawn, or lay unused. "
    "Press Reconnect and sign in again; what waits goes on by itself.",
    "client": "{name} does not know the app's id or secret. Take them again from its settings and "
    "enter them under Reconnect.",
    "moved": "{name} answered for another account or address than the one that was connected. "
    "Nothing was read. Disconnect, then connect the account you mean.",
}


class NotConnected(Exception):
    """The connection is not to be used: never connected, switched off, or in need of a person."""


class TokenUnavailable(Exception):
    """No token at the moment; it mends itself. `outcome` is transient or unknown."""

    def __init__(self, outcome: Outcome, code: str) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome: Outcome = outcome


@dataclass(frozen=True)
class Token:
    """What a call carries, and where it may go."""

    header: str = field(repr=False)
    api_host: str
    generation: int
    provider: str
    # The API has taken a token of this generation already.
    is_proven: bool


def access(
    *,
    connection_id: uuid.UUID,
    purpose: str,
    now: Now = clock.now,
    refused: int | None = None,
    actor: audit.Actor = audit.SYSTEM,
) -> Token:
    """Return a token for one call; its use is in the trail, with `purpose`, a code.

    `refused` is the generation that the API has just refused. `now` is asked again while this
    waits for another process that is renewing.
    :raises NotConnected: a person has to act first.
    :raises TokenUnavailable: the provider did not answer, or asked us to wait.
    """
    deadline = now() + timedelta(seconds=WAIT_SECONDS)
    while True:
        grant, at = _usable(connection_id), now()
        if _is_fresh(grant, at, refused):
            return _use(grant, purpose, at, actor)
        _require_no_pause(grant, at)
        lease = _take_turn(grant, at)
        if lease is not None:
            _renew(grant, lease, now)
        elif at >= deadline:
            raise TokenUnavailable("transient", "another process is renewing")
        else:
            time.sleep(POLL_SECONDS)


def call(  # noqa: PLR0913  one request and who asks for it
    *,
    connection_id: uuid.UUID,
    purpose: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    now: Now = clock.now,
    actor: audit.Actor = audit.SYSTEM,
    leaving: Callable[[], object] | None = None,
) -> tuple[Verdict, http.Answer]:
    """Call the provider's API once, and once more with a new token if it says that this one ended.

    `leaving` is called when the request is about to leave.
    :raises NotConnected, TokenUnavailable: as `access`.
    :raises config.lib.http.CallFailed: no whole answer came.
    """
    refused: int | None = None
    while True:
        token = access(
            connection_id=connection_id, purpose=purpose, now=now, refused=refused, actor=actor
        )
        if leaving is not None:
            leaving()
        answer = wire.call(
            provider=token.provider,
            hosts=[token.api_host],
            method=method,
            url=f"https://{token.api_host}{path}",
            headers={
                "Accept": "application/json",
                **(headers or {}),
                "Authorization": token.header,
            },
            body=body,
            limit_bytes=PAGE_LIMIT_BYTES,
        )
        verdict = verdicts.of_api(provider=token.provider, status=answer.status, body=answer.body)
        if verdict.cause == "ok" and not token.is_proven:
            prove(connection_id=connection_id, generation=token.generation)
        # Twice refused is no matter of time: a third token would be refused as well.
        if verdict.cause != "expired" or refused is not None:
            return verdict, answer
        refused = token.generation


def problem(*, connection_id: uuid.UUID, now: Now, actor: audit.Actor) -> str:
    """Ask the provider for nothing about anybody; return what is wrong and how to mend it."""
    row = Connection.objects.get(pk=connection_id)
    provider = providers.get(row.provider)
    try:
        verdict, answer = call(
            connection_id=connection_id,
            purpose="test",
            method="GET",
            path=provider.test_path,
            now=now,
            actor=actor,
        )
    except NotConnected:
        row.refresh_from_db()
        return row.problem or "It is not connected. Press Connect and sign in."
    except (TokenUnavailable, http.CallFailed, http.Refused):
        return f"{provider.name} did not answer. Nothing is lost; it is asked again by itself."
    if verdict.cause == "ok" and not verdicts.says_something(body=answer.body):
        # The page of a proxy that wants somebody to sign in, or a 200 that holds an error.
        return _words(verdicts.NO_ANSWER, provider)
    return _words(verdict, provider)


def _words(verdict: Verdict, provider: Provider) -> str:
    if verdict.cause == "ok":
        return ""
    if verdict.cause in {"expired", "forbidden"}:
        return (
            f"{provider.name} refused the call ({verdict.code}): the person who connected it may "
            "not use the API. Have that allowed there, or reconnect as somebody who may."
        )
    if verdict.cause == "busy":
        return f"{provider.name} asks us to slow down. It goes on by itself."
    return f"{provider.name} gave an answer that is not one ({verdict.code}). Try again later."


def _usable(connection_id: uuid.UUID) -> OAuthGrant:
    rows = OAuthGrant.objects.select_related("connection")
    grant = rows.filter(pk=connection_id, connection__state=Connection.State.ACTIVE).first()
    if grant is None or not isinstance(grant.tokens_sealed, dict):
        raise NotConnected(str(connection_id))
    return grant


def _is_fresh(grant: OAuthGrant, at: datetime, refused: int | None) -> bool:
    if grant.generation == refused:
        return False
    ends = grant.access_expires_at
    # Where the provider does not say when it ends, its refusal does.
    if ends is None or at < ends - timedelta(seconds=MARGIN_SECONDS):
        return True
    # While the provider asks us to wait, what still lives is used up.
    return at < ends and grant.retry_at is not None and at < grant.retry_at


def _require_no_pause(grant: OAuthGrant, at: datetime) -> None:
    if grant.retry_at is not None and at < grant.retry_at:
        raise TokenUnavailable("transient", "the provider is given time")


@transaction.atomic(durable=True)
def _use(grant: OAuthGrant, purpose: str, at: datetime, actor: audit.Actor) -> Token:
    provider, held = providers.get(grant.connection.provider), _held(grant)
    trail.note(
        "token.used",
        connection=grant.connection,
        at=at,
        actor=actor,
        purpose=purpose,
        generation=grant.generation,
    )
    return Token(
        header=f"{provider.header} {held['access']}",
        api_host=grant.api_host,
        generation=grant.generation,
        provider=provider.slug,
        is_proven=not held.get("previous"),
    )


@transaction.atomic(durable=True)
def _take_turn(grant: OAuthGrant, at: datetime) -> uuid.UUID | None:
    """Take the turn to renew this generation, if nobody has it; it ends by itself."""
    lease = uuid.uuid4()
    free = OAuthGrant.objects.filter(pk=grant.pk, generation=grant.generation)
    # One statement: of two that ask at one instant, one finds it free.
    taken = (free.filter(lease_until=None) | free.filter(lease_until__lte=at)).update(
        lease_id=lease, lease_until=at + timedelta(seconds=LEASE_SECONDS)
    )
    return lease if taken else None


def _renew(grant: OAuthGrant, lease: uuid.UUID, now: Now) -> None:
    """Renew with the turn taken: ask, pin, store. No transaction is open while the wire is."""
    provider, held = providers.get(grant.connection.provider), _held(grant)
    try:
        answer = _ask(provider, grant, held)
        found = pins.of_answer(provider=provider, token_host=grant.token_host, answer=answer)
        pins.require_same(pinned=pins.Pins(grant.api_host, grant.account_id), found=found)
    except TokenRefused as refused:
        _give_up(grant, lease, refused.verdict.cause, refused.verdict.code, now())
        return
    except pins.PinRefused as refused:
        _give_up(grant, lease, "moved", refused.code, now())
        return
    if not _store(grant, held, answer, now()):
        _end_orphan(provider, grant, answer)


def _ask(provider: Provider, grant: OAuthGrant, held: Mapping[str, str]) -> Mapping[str, Any]:
    app = oauth.app_of(grant)
    if grant.connection.auth_kind == Connection.AuthKind.OAUTH_CLIENT:
        return oauth.as_app(provider=provider, token_host=grant.token_host, app=app)

    def ask(refresh_token: str) -> Mapping[str, Any]:
        return oauth.refresh(
            provider=provider, token_host=grant.token_host, app=app, refresh_token=refresh_token
        )

    try:
        return ask(held["refresh"])
    except TokenRefused as refused:
        # A provider may lose the rotation that it answered with: then the one before still works.
        if refused.verdict.cause != "dead" or not held.get("previous"):
            raise
        return ask(held["previous"])


@transaction.atomic(durable=True)
def _store(
    grant: OAuthGrant, held: Mapping[str, str], answer: Mapping[str, Any], at: datetime
) -> bool:
    # No new one in the answer: the one we have goes on.
    new = str(answer.get("refresh_token") or held["refresh"])
    tokens = {
        "access": answer["access_token"],
        "refresh": new,
        "previous": held["refresh"] if new != held["refresh"] else "",
    }
    if oauth.locked(grant).state != Connection.State.ACTIVE:
        return False
    # By generation, not by lease: of two answers the first that is stored counts, however late.
    stored = OAuthGrant.objects.filter(pk=grant.pk, generation=grant.generation).update(
        tokens_sealed=tokens,
        access_expires_at=oauth.expiry(answer=answer, at=at),
        generation=grant.generation + 1,
        lease_id=None,
        lease_until=None,
        failures=0,
        retry_at=None,
    )
    if stored:
        rotated = new != held["refresh"]
        trail.note(
            "token.refreshed",
            connection=grant.connection,
            at=at,
            generation=grant.generation + 1,
            rotated=rotated,
        )
    return bool(stored)


@transaction.atomic(durable=True)
def _give_up(grant: OAuthGrant, lease: uuid.UUID, cause: str, code: str, at: datetime) -> None:
    """End the turn without tokens: wait and try again, or have a person connect again."""
    failures = grant.failures + 1
    oauth.locked(grant)
    pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
    ours = OAuthGrant.objects.filter(pk=grant.pk, generation=grant.generation, lease_id=lease)
    if not ours.update(
        lease_id=None,
        lease_until=None,
        failures=failures,
        retry_at=at + timedelta(seconds=pause),
    ):
        return
    trail.note(
        "token.refused",
        connection=grant.connection,
        at=at,
        cause=cause,
        code=code,
        failures=failures,
    )
    if cause in PROBLEMS:
        _require_reconnect(grant, cause, at)


def _require_reconnect(grant: OAuthGrant, cause: str, at: datetime) -> None:
    row = grant.connection
    changed = Connection.objects.filter(pk=row.pk, state=Connection.State.ACTIVE).update(
        state=Connection.State.RECONNECT_NEEDED,
        problem=PROBLEMS[cause].format(name=row.label)[:200],
    )
    if changed:
        trail.note("connection.reconnect_needed", connection=grant.connection, at=at, cause=cause)


def _end_orphan(provider: Provider, grant: OAuthGrant, answer: Mapping[str, Any]) -> None:
    """End tokens that came after somebody had disconnected; nobody else would."""
    row = Connection.objects.get(pk=grant.pk)
    # After a new dance, or a faster renewal, ending them could end the tokens that count.
    if row.state == Connection.State.NOT_CONNECTED:
        token = str(answer.get("refresh_token") or answer["access_token"])
        app = oauth.app_of(grant)
        oauth.revoke(provider=provider, token_host=grant.token_host, app=app, token=token)


@transaction.atomic(durable=True)
def prove(*, connection_id: uuid.UUID, generation: int) -> None:
    """Forget the refresh token before this one: the API has taken what the new one brought."""
    rows = OAuthGrant.objects.filter(pk=connection_id, generation=generation, lease_id=None)
    grant = rows.first()
    if grant is not None and _held(grant).get("previous"):
        rows.update(tokens_sealed={**_held(grant), "previous": ""})


def _held(grant: OAuthGrant) -> dict[str, str]:
    return grant.tokens_sealed if isinstance(grant.tokens_sealed, dict) else {}
