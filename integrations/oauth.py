"""How is a connection made, renewed at the wire, and ended? The one place of the OAuth dance.

Authorisation code with PKCE (RFC 6749, 7636, 9207, 9700), on requests-oauthlib. The state and the
verifier belong to one browser, one person and one provider; they work once and for ten minutes.
"""

import base64
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import models, transaction
from oauthlib.oauth2 import BackendApplicationClient, Client, OAuth2Error, WebApplicationClient
from requests_oauthlib import OAuth2Session

from accounts import audit, keys
from config.lib import http
from integrations import identity, pins, providers, trail, verdicts, wire
from integrations.models import Connection, OAuthGrant
from integrations.providers import Provider
from integrations.verdicts import Verdict

FLOW_MINUTES = 10
# One row a provider: a second set-up, even at the same instant, finds the first one's.
NAMESPACE = uuid.UUID("5ea1ca57-0000-4000-8000-00000000c000")
STATE, BROWSER = "oauth_state", "oauth_browser"
LONGEST = 4096
# What only a person can allow: to stay connected without them.
OF_A_PERSON = frozenset({"refresh_token"})
AuthKind = Connection.AuthKind


class CallbackRefused(Exception):
    """What came back from the browser, or from the provider after it, is not taken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotALoginHost(ValueError):
    """Nobody signs in to this provider there."""


class TokenRefused(Exception):
    """A provider gave no token; the verdict says what that means."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict.outcome}: {verdict.cause} {verdict.code}")
        self.verdict = verdict


@dataclass(frozen=True)
class App:
    """An app as it is registered at a provider."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class _Flow:
    grant: OAuthGrant
    app: App
    login_host: str
    redirect_uri: str
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class _Kept:
    flow: _Flow
    token_host: str
    found: pins.Pins
    granted: list[str]
    answer: Mapping[str, Any] = field(repr=False)
    auth_kind: Connection.AuthKind = AuthKind.OAUTH_CODE


def connection_id(*, provider: Provider) -> uuid.UUID:
    """Return the id of the one connection to a provider."""
    return uuid.uuid5(NAMESPACE, provider.slug)


def grant_of(*, provider: Provider) -> OAuthGrant | None:
    """Return what the connection to a provider holds, if anybody ever began one."""
    rows = OAuthGrant.objects.select_related("connection")
    return rows.filter(pk=connection_id(provider=provider)).first()


def new_browser() -> str:
    """Return a secret to be kept in the session of the browser that begins a dance."""
    return secrets.token_urlsafe(32)


@transaction.atomic
def begin(
    *,
    provider: Provider,
    login_host: str,
    app: App,
    redirect_uri: str,
    browser: str,
    at: datetime,
    actor: audit.Actor,
) -> str:
    """Begin a dance and return the address at the provider to which the person goes.

    What works now goes on working until the new dance has succeeded.
    :raises NotALoginHost: nobody signs in to this provider there.
    """
    if not providers.is_login_host(provider=provider, host=login_host):
        raise NotALoginHost(provider.slug)
    grant = _ensure_grant(provider, at)
    state, client = secrets.token_urlsafe(32), WebApplicationClient(app.id)
    session = OAuth2Session(
        client=client,
        redirect_uri=redirect_uri,
        scope=provider.scope_joint.join(provider.scope_codes),
        pkce="S256" if provider.pkce else None,
    )
    address, _ = session.authorization_url(
        provider.authorize.format(host=login_host), state=state, **provider.authorize_extra
    )
    grant.state_index = keys.token_index(kind=STATE, token=state)
    grant.browser_index = _browser_index(browser, actor)
    grant.flow_login_host = login_host
    grant.flow_expires_at = at + timedelta(minutes=FLOW_MINUTES)
    grant.flow_sealed = {
        "verifier": client.code_verifier or "",
        "client_id": app.id,
        "client_secret": app.secret,
        "redirect_uri": redirect_uri,
    }
    grant.save(
        update_fields=[
            *("state_index", "browser_index", "flow_login_host", "flow_expires_at", "flow_sealed")
        ]
    )
    trail.note("oauth.started", connection=grant.connection, at=at, actor=actor)
    return str(address)


def complete(
    *,
    provider: Provider,
    told: Mapping[str, Sequence[str]],
    browser: str,
    redirect_uri: str,
    at: datetime,
    actor: audit.Actor,
) -> Connection:
    """Take the browser's return: exchange the code, pin hosts and account, keep the tokens.

    `told` are the parameters of the callback, each with all its values. A refusal is in the trail.
    :raises CallbackRefused: with the code of what is wrong.
    """
    try:
        once = _each_once(told)
        grant = _claim(state=once.get("state", ""), browser=browser, actor=actor)
        flow = _flow(grant, provider, redirect_uri, at)
        connection = _finish(provider, flow, once, at, actor)
    except (CallbackRefused, pins.PinRefused) as refused:
        raise _noted(provider, refused.code, at, actor) from None
    except TokenRefused as refused:
        code = f"exchange_{refused.verdict.cause}"
        raise _noted(provider, code, at, actor) from None
    return connection


def connect_as_app(
    *, provider: Provider, host: str, app: App, at: datetime, actor: audit.Actor
) -> Connection:
    """Connect by client credentials: the app signs in as the user that it was given there.

    :raises NotALoginHost: it is no instance's own host; the common sign-in knows no such grant.
    :raises CallbackRefused: with the code of what is wrong with the answer.
    """
    is_own = providers.is_login_host(provider=provider, host=host)
    if not provider.as_app or not is_own or host in provider.login_hosts:
        raise NotALoginHost(provider.slug)
    grant = _ensure_grant(provider, at)
    try:
        answer = as_app(provider=provider, token_host=host, app=app)
        found = pins.of_answer(provider=provider, token_host=host, answer=answer)
        granted = _require_enough(provider, grant, found, answer, beyond=OF_A_PERSON)
    except (CallbackRefused, pins.PinRefused, TokenRefused) as refused:
        told = refused.verdict.cause if isinstance(refused, TokenRefused) else ""
        code = f"exchange_{told}" if told else getattr(refused, "code", "")
        raise _noted(provider, code, at, actor) from None
    flow = _Flow(grant, app, host, "", "")
    kept = _Kept(flow, host, found, granted, answer, AuthKind.OAUTH_CLIENT)
    return _keep(kept, at=at, actor=actor)


def as_app(*, provider: Provider, token_host: str, app: App) -> Mapping[str, Any]:
    """Ask for a token by client credentials: one call, no retry, nothing stored.

    :raises TokenRefused: with what the answer, or its absence, means.
    """
    session = _session(provider, token_host, BackendApplicationClient(app.id))
    return _asked(
        session.fetch_token,
        provider.token.format(host=token_host),
        include_client_id=True,
        client_secret=app.secret,
    )


def refresh(
    *, provider: Provider, token_host: str, app: App, refresh_token: str
) -> Mapping[str, Any]:
    """Ask for new tokens: one call, no retry, nothing stored. `integrations.tokens` says when.

    :raises TokenRefused: with what the answer, or its absence, means.
    """
    session = _session(provider, token_host, WebApplicationClient(app.id))
    return _asked(
        session.refresh_token,
        provider.token.format(host=token_host),
        refresh_token=refresh_token,
        client_id=app.id,
        client_secret=app.secret,
    )


def revoke(*, provider: Provider, token_host: str, app: App, token: str) -> bool:
    """End a token at the provider; say whether the provider confirmed that it is gone."""
    form, headers = {"token": token}, {"Content-Type": "application/x-www-form-urlencoded"}
    url, body = provider.revoke.format(host=token_host), b""
    if provider.revoke_by_basic:
        basic = base64.b64encode(f"{app.id}:{app.secret}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
        url += "?" + urlencode({**form, "token_type": "refresh_token"})
    else:
        asked = {"token_type_hint": "refresh_token", "client_id": app.id}
        body = urlencode({**form, **asked, "client_secret": app.secret}).encode()
    try:
        answer = wire.call(
            provider=provider.slug,
            hosts=[token_host],
            method="POST",
            url=url,
            headers=headers,
            body=body,
        )
    except (http.CallFailed, http.Refused):
        return False
    verdict = verdicts.of_revocation(provider=provider.slug, status=answer.status, body=answer.body)
    return verdict.cause in {"ok", "dead"}


def disconnect(*, grant: OAuthGrant, at: datetime, actor: audit.Actor) -> bool:
    """End a connection: unusable here at once, then revoked at the provider; say if it confirmed.

    Until it has confirmed, the token is kept sealed, so that the act can be repeated.
    """
    held = grant.tokens_sealed if isinstance(grant.tokens_sealed, dict) else {}
    app, provider = app_of(grant), providers.get(grant.connection.provider)
    with transaction.atomic(durable=True):
        _end(grant)
        trail.note("connection.disconnected", connection=grant.connection, at=at, actor=actor)
    token = held.get("refresh") or held.get("access")
    gone = not token or revoke(provider=provider, token_host=grant.token_host, app=app, token=token)
    with transaction.atomic(durable=True):
        if gone:
            _forget(grant)
        trail.note(
            "connection.revoked", connection=grant.connection, at=at, actor=actor, passed=gone
        )
    return gone


def locked(grant: OAuthGrant) -> Connection:
    """Lock a connection for the rest of a transaction: always before its grant is written."""
    return Connection.objects.select_for_update().get(pk=grant.pk)


def end_late(*, at: datetime) -> int:
    """Forget what dances hold that nobody finished in time; return how many there were."""
    late = OAuthGrant.objects.filter(flow_expires_at__lte=at, state_index__isnull=False)
    return late.update(state_index=None, browser_index="", flow_sealed=None)


def app_of(grant: OAuthGrant) -> App:
    """Return the app with which a connection was made; an empty one if there is none to read."""
    held = grant.client_sealed if isinstance(grant.client_sealed, dict) else {}
    return App(str(held.get("id", "")), str(held.get("secret", "")))


def expiry(*, answer: Mapping[str, Any], at: datetime) -> datetime | None:
    """Return until when an access token lives; None where the provider does not say."""
    # Older answers of Zoho give milliseconds, and the seconds beside them.
    told = answer.get("expires_in_sec", answer.get("expires_in"))
    try:
        seconds = int(str(told))
    except ValueError:
        return None
    return at + timedelta(seconds=min(seconds, 86_400)) if seconds > 0 else None


def _each_once(told: Mapping[str, Sequence[str]]) -> dict[str, str]:
    # A parameter that comes twice is read one way here and another way elsewhere.
    if any(len(values) != 1 or len(values[0]) > LONGEST for values in told.values()):
        raise CallbackRefused("malformed")
    return {name: values[0] for name, values in told.items()}


@transaction.atomic(durable=True)
def _claim(*, state: str, browser: str, actor: audit.Actor) -> OAuthGrant:
    """Take the dance that a state names, once; whatever follows, it cannot be taken again."""
    index = keys.token_index(kind=STATE, token=state)
    grant = OAuthGrant.objects.select_related("connection").filter(state_index=index).first()
    if grant is None:
        raise CallbackRefused("state")
    # Somebody else's browser does not end the dance: it would be a way to disturb it.
    if not hmac.compare_digest(grant.browser_index, _browser_index(browser, actor)):
        raise CallbackRefused("browser")
    ended = {"state_index": None, "browser_index": "", "flow_sealed": None}
    if not OAuthGrant.objects.filter(pk=grant.pk, state_index=index).update(**ended):
        raise CallbackRefused("state")
    return grant


def _flow(grant: OAuthGrant, provider: Provider, redirect_uri: str, at: datetime) -> _Flow:
    """Read a dance that was claimed: it fits this provider, this address and this time."""
    held = grant.flow_sealed
    if grant.connection.provider != provider.slug:
        raise CallbackRefused("mixed_up")
    if grant.flow_expires_at is None or at >= grant.flow_expires_at:
        raise CallbackRefused("late")
    if not isinstance(held, dict) or held["redirect_uri"] != redirect_uri:
        raise CallbackRefused("redirect")
    app = App(held["client_id"], held["client_secret"])
    return _Flow(grant, app, grant.flow_login_host, redirect_uri, held["verifier"])


def _finish(
    provider: Provider, flow: _Flow, told: Mapping[str, str], at: datetime, actor: audit.Actor
) -> Connection:
    host = pins.token_host(provider=provider, login_host=flow.login_host, told=told)
    issuer = told.get("iss")
    if issuer is not None and not pins.is_issuer(
        issuer=issuer, login_host=flow.login_host, token_host=host
    ):
        raise CallbackRefused("issuer")
    if "error" in told:
        raise CallbackRefused("denied" if told["error"] == "access_denied" else "provider_error")
    if not told.get("code"):
        raise CallbackRefused("no_code")
    answer = _exchange(provider, host, flow, told["code"])
    try:
        told_pins = pins.of_answer(provider=provider, token_host=host, answer=answer)
        access = str(answer["access_token"])
        found = identity.complete(provider=provider, found=told_pins, access=access)
        granted = _require_complete(provider, flow.grant, found, answer)
    except (pins.PinRefused, CallbackRefused):
        # What we do not keep must not stay usable at the provider either.
        unwanted = str(answer.get("refresh_token") or answer["access_token"])
        revoke(provider=provider, token_host=host, app=flow.app, token=unwanted)
        raise
    kept = _Kept(flow, host, found, granted, answer)
    return _keep(kept, at=at, actor=actor)


def _require_complete(
    provider: Provider, grant: OAuthGrant, found: pins.Pins, answer: Mapping[str, Any]
) -> list[str]:
    if not isinstance(answer.get("refresh_token"), str) or not answer["refresh_token"]:
        raise CallbackRefused("no_refresh_token")
    return _require_enough(provider, grant, found, answer)


def _require_enough(
    provider: Provider,
    grant: OAuthGrant,
    found: pins.Pins,
    answer: Mapping[str, Any],
    beyond: frozenset[str] = frozenset(),
) -> list[str]:
    # Another account under the same name would mix two companies' people.
    if grant.account_id and found.account_id != grant.account_id:
        raise CallbackRefused("another_account")
    granted = _granted(answer.get("scopes") or answer.get("scope") or provider.scope_codes)
    if set(provider.scope_codes) - beyond - set(granted):
        raise CallbackRefused("too_little_allowed")
    return granted


def _granted(told: object) -> list[str]:
    # HubSpot tells a list, Salesforce words, Zoho nothing: then it is what we asked for.
    if isinstance(told, str):
        return told.replace(",", " ").split()
    return [str(scope) for scope in told] if isinstance(told, list) else []


def _exchange(provider: Provider, host: str, flow: _Flow, code: str) -> Mapping[str, Any]:
    session = _session(provider, host, WebApplicationClient(flow.app.id))
    session.redirect_uri = flow.redirect_uri
    proof = {"code_verifier": flow.verifier} if flow.verifier else {}
    return _asked(
        session.fetch_token,
        provider.token.format(host=host),
        code=code,
        include_client_id=True,
        client_secret=flow.app.secret,
        **proof,
    )


def _session(provider: Provider, host: str, client: Client) -> OAuth2Session:
    """Return a session whose only way out is our own client, to one host."""

    def call(method: str, url: str, **rest: Any) -> http.Answer:
        return wire.call(provider=provider.slug, hosts=[host], method=method, url=url, **rest)

    def judged(response: Any) -> Any:
        verdict = verdicts.of_token(
            provider=provider.slug, status=response.status_code, body=response.content
        )
        if verdict != verdicts.DONE:
            raise TokenRefused(verdict)
        return response

    session = OAuth2Session(client=client)
    http.guarded(session, call=call)
    # Judged before the library reads it: success is a matter of the body too.
    session.register_compliance_hook("access_token_response", judged)
    session.register_compliance_hook("refresh_token_response", judged)
    return session


def _asked(ask: Any, url: str, **named: Any) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = ask(url, **named)
    except http.CallFailed as failed:
        raise TokenRefused(Verdict(failed.outcome, "down", "no_answer")) from None
    except http.Refused:
        raise TokenRefused(Verdict("permanent", "request", "host_refused")) from None
    except (OAuth2Error, ValueError, TypeError, OverflowError):
        raise TokenRefused(Verdict("unknown", "unreadable", "not_a_token")) from None
    return answer


@transaction.atomic(durable=True)
def _keep(kept: _Kept, *, at: datetime, actor: audit.Actor) -> Connection:
    flow, answer = kept.flow, kept.answer
    row = locked(flow.grant)
    grant = OAuthGrant.objects.get(pk=row.pk)
    grant.login_host, grant.token_host = flow.login_host, kept.token_host
    grant.api_host, granted = kept.found.api_host, kept.granted
    grant.account_id, grant.connected_at = kept.found.account_id, at
    grant.client_sealed = {"id": flow.app.id, "secret": flow.app.secret}
    grant.tokens_sealed = {
        "access": answer["access_token"],
        "refresh": str(answer.get("refresh_token") or ""),
        "previous": "",
    }
    grant.access_expires_at = expiry(answer=answer, at=at)
    # A refresh that is under way with the old tokens finds another generation, and gives up.
    grant.generation += 1
    grant.lease_id = grant.lease_until = grant.retry_at = None
    grant.failures = 0
    grant.save()
    row.state, row.problem, row.scopes = Connection.State.ACTIVE, "", granted
    row.auth_kind = kept.auth_kind
    row.hosts = sorted({kept.token_host, kept.found.api_host})
    row.save(update_fields=["auth_kind", "state", "problem", "scopes", "hosts"])
    trail.note(
        "connection.connected",
        connection=grant.connection,
        at=at,
        actor=actor,
        auth_kind=row.auth_kind,
        scopes=granted,
    )
    return row


def _ensure_grant(provider: Provider, at: datetime) -> OAuthGrant:
    row, _ = Connection.objects.get_or_create(
        pk=connection_id(provider=provider),
        defaults={
            "kind": Connection.Kind(provider.kind),
            "provider": provider.slug,
            "label": provider.name,
            "auth_kind": Connection.AuthKind.OAUTH_CODE,
            "state": Connection.State.NOT_CONNECTED,
            "created_at": at,
        },
    )
    grant, _ = OAuthGrant.objects.get_or_create(connection=row)
    # Two that begin at one instant: the later one's dance is the one that counts.
    locked(grant)
    return OAuthGrant.objects.get(pk=row.pk)


def _end(grant: OAuthGrant) -> None:
    locked(grant)
    Connection.objects.filter(pk=grant.pk).update(
        state=Connection.State.NOT_CONNECTED, problem="", scopes=[], hosts=[]
    )
    # A refresh that is under way stores nothing, and a dance that is under way ends.
    OAuthGrant.objects.filter(pk=grant.pk).update(
        generation=models.F("generation") + 1,
        # The pin ends with the connection, confirmed or not: a deleted account confirms nothing.
        account_id="",
        state_index=None,
        flow_sealed=None,
        lease_id=None,
        lease_until=None,
    )


def _forget(grant: OAuthGrant) -> None:
    if locked(grant).state != Connection.State.NOT_CONNECTED:
        return
    OAuthGrant.objects.filter(pk=grant.pk).update(
        tokens_sealed=None, client_sealed=None, access_expires_at=None, api_host=""
    )


def _browser_index(browser: str, actor: audit.Actor) -> str:
    return keys.token_index(kind=BROWSER, token=f"{browser}:{actor.kind}:{actor.id}")


def _noted(provider: Provider, code: str, at: datetime, actor: audit.Actor) -> CallbackRefused:
    """Note a refused callback, which is of no connection yet, and return it to be raised."""
    named = {"provider": provider.slug, "reason": code}
    trail.note("callback.refused", connection=None, at=at, actor=actor, **named)
    return CallbackRefused(code)
