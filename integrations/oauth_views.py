"""The pages of a connection by OAuth: what will be allowed, the way there, the return, the end."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit, people, roles
from accounts.models import User
from config.lib import clock
from integrations import crm_views, keyed, oauth, providers, stand_ins, wire
from integrations.crm import channels, entries
from integrations.forms import ConnectForm
from integrations.models import Connection, OAuthGrant
from integrations.providers import Provider

BROWSER = "oauth_browser"
# What the stand-ins of the demo know; at a provider each business registers its own.
DEMO_APP = oauth.App("demo-client", "demo-secret")
AGAIN = "Nothing was connected, and nothing that works was changed. "
# By the code of the refusal: what happened, and what to do.
REFUSED = {
    "state": "This return belongs to no sign-in that is under way. Press Connect once more.",
    "browser": "The sign-in was begun in another browser or by another person. Press Connect here.",
    "late": "The sign-in took longer than ten minutes. Press Connect once more.",
    "mixed_up": "The answer came from another provider than the one you chose. If you did not mix "
    "two windows up, tell your security team.",
    "issuer": "The answer names another server than the one you were sent to. Tell your security "
    "team before you try again.",
    "accounts_server": "The answer names a server that is not Zoho's. Tell your security team.",
    "api_host": "The provider named an address that is not one of its own. Tell its support.",
    "account": "The provider did not say which account it is. Tell its support.",
    "account_unread": "The provider did not say which account it is. Try again in a few minutes; "
    "if it stays, allow that the organisation is read.",
    "denied": "You, or somebody who administers the account, did not allow it.",
    "another_account": "You signed in to another account than the one that was connected. Sign in "
    "to that one, or disconnect it first.",
    "too_little_allowed": "Less was allowed than is needed. Allow all of it, or do not connect.",
    "no_refresh_token": "The provider allowed one hour only. In its settings, allow the app to "
    "stay connected (offline access), then press Connect.",
    "exchange_client": "The provider does not know this client id or secret. Enter them again.",
    "exchange_dead": "The provider no longer knows the code of this sign-in. Press Connect again.",
    "exchange_busy": "The provider asks us to wait. Try again in ten minutes.",
    "exchange_down": "The provider did not answer. Try again in a few minutes.",
}
REFUSED_APP = {
    "exchange_dead": "The app may not sign in by itself. At the provider, switch on the client "
    "credentials flow of this app and choose the user that it runs as.",
    "another_account": "This app belongs to another account than the one that was connected. "
    "Disconnect that one first.",
    "too_little_allowed": "The app was allowed less than is needed. Give it the API permission.",
}
# By the kind of provider: what its end leaves.
REVOKED = "Its tokens are revoked at the provider and forgotten here. "
ENDS = {
    "crm": f"{REVOKED}Contacts that were read stay, with their consents.",
    "video": f"{REVOKED}Films that were fetched stay; copies that it still has must go first.",
}
POSTS_ON = (
    "did not confirm that it posts to Sealcast no more. That ends by itself within a week, and "
    "what it posts until then allows nothing."
)
OTHER = "The provider's answer could not be used. Press Connect once more; if it stays, tell us."


@roles.requires("connection.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    provider = _provider(slug)
    grant = oauth.grant_of(provider=provider)
    held = oauth.app_of(grant) if grant else oauth.App("", "")
    form = _form(request, provider, grant, held)
    if request.method == "POST" and form.is_valid():
        return _begun(request, provider, form, held)
    context = {"provider": provider, "form": form, "redirect_uri": _redirect_uri(provider)}
    context["simulated"] = stand_ins.answers(provider=slug)
    return render(request, "integrations/connect.html", context)


# A look-ahead (HEAD) must not use up what works once.
@roles.requires("connection.manage")
@require_GET
def callback(request: HttpRequest, slug: str) -> HttpResponse:
    provider = _provider(slug)
    try:
        oauth.complete(
            provider=provider,
            told=dict(request.GET.lists()),
            browser=str(request.session.get(BROWSER, "")),
            redirect_uri=_redirect_uri(provider),
            at=clock.now(),
            actor=_actor(request),
        )
    except oauth.CallbackRefused as refused:
        messages.error(request, f"{AGAIN}{_words(refused.code)}")
    else:
        messages.success(request, f"{provider.name} is connected.")
    # To our own page, whatever the address asked for.
    return redirect("integrations:connections")


@roles.requires("connection.manage")
@require_POST
def disconnect(request: HttpRequest, slug: str) -> HttpResponse:
    provider = _provider(slug)
    grant = oauth.grant_of(provider=provider)
    if grant is None:
        raise Http404
    # First, while its tokens still work.
    if not channels.close(connection=grant.connection, actor=_actor(request)):
        messages.warning(request, f"{provider.name} {POSTS_ON}")
    if oauth.disconnect(grant=grant, at=clock.now(), actor=_actor(request)):
        messages.success(request, f"{provider.name} is disconnected; its tokens are revoked.")
    else:
        messages.error(
            request,
            f"{provider.name} is out of use here, but did not confirm that the access ended. "
            "Press Disconnect again later, or remove Sealcast in its settings.",
        )
    return redirect("integrations:connections")


def card(provider: Provider) -> dict[str, Any]:
    """Return what the list of connections shows of a provider."""
    grant = oauth.grant_of(provider=provider)
    row = grant.connection if grant else None
    state = row.state if row else Connection.State.NOT_CONNECTED.value
    unconfirmed = bool(grant and state == "not_connected" and grant.tokens_sealed)
    return {
        "provider": provider,
        "row": row,
        "stand_in": stand_ins.answers(provider=provider.slug),
        "state": "attention" if state == "reconnect_needed" else state,
        "word": Connection.State(state).label,
        "connected": state in {"active", "reconnect_needed", "disabled"},
        "unconfirmed": unconfirmed,
        "problem": row.problem if row else "",
        "facts": _facts(grant) if grant and grant.connected_at else [],
        "has_keys": row is not None and provider.slug in keyed.PROVIDERS,
        "ends": ENDS[provider.kind],
        "reading": crm_views.reading(row),
        "entry": entries.of(connection=row) if row else None,
    }


def _facts(grant: OAuthGrant) -> list[dict[str, Any]]:
    row = grant.connection
    ends = grant.access_expires_at
    return [
        {"term": "Account", "value": grant.account_id or "the provider does not say"},
        {"term": "Hosts it may call", "value": ", ".join(row.hosts) or "none"},
        {"term": "Connected", "value": {"at": grant.connected_at}},
        {"term": "Last test", "value": {"at": row.tested_at} if row.tested_at else "never"},
        {"term": "Token ends", "value": {"at": ends} if ends else "when the provider says so"},
    ]


def _form(
    request: HttpRequest, provider: Provider, grant: OAuthGrant | None, held: oauth.App
) -> ConnectForm:
    simulated = stand_ins.answers(provider=provider.slug)
    shown = held.id or (DEMO_APP.id if simulated else "")
    host = (grant.login_host if grant else "") or provider.login_hosts[0]
    return ConnectForm(
        request.POST if request.method == "POST" else None,
        provider=provider,
        keeps_secret=bool(held.secret) or simulated,
        initial={"client_id": shown, "login_host": host},
    )


def _begun(
    request: HttpRequest, provider: Provider, form: ConnectForm, held: oauth.App
) -> HttpResponse:
    found = form.cleaned_data
    # A secret belongs to one app: with another id, the one that is held is not sent anywhere.
    same = found["client_id"] == held.id
    kept = (
        held.secret
        if same
        else DEMO_APP.secret
        if stand_ins.answers(provider=provider.slug)
        else ""
    )
    secret = found["client_secret"] or kept
    if not secret:
        form.add_error("client_secret", "Enter the secret of this client id.")
        context = {"provider": provider, "form": form, "redirect_uri": _redirect_uri(provider)}
        return render(request, "integrations/connect.html", context)
    if found.get("as_app"):
        return _connected_as_app(request, provider, found["login_host"], found["client_id"], secret)
    browser = request.session.setdefault(BROWSER, oauth.new_browser())
    address = oauth.begin(
        provider=provider,
        login_host=found.get("login_host") or provider.login_hosts[0],
        app=oauth.App(found["client_id"], secret),
        redirect_uri=_redirect_uri(provider),
        browser=browser,
        at=clock.now(),
        actor=_actor(request),
    )
    # A page with a link, not a redirect: our policy lets no form lead to another site.
    context = {"provider": provider, "host": providers.host_of(address)}
    context["address"] = wire.shown(provider=provider.slug, url=address)
    context["simulated"] = stand_ins.answers(provider=provider.slug)
    return render(request, "integrations/connect_go.html", context)


def _connected_as_app(
    request: HttpRequest, provider: Provider, host: str, client_id: str, secret: str
) -> HttpResponse:
    app, actor = oauth.App(client_id, secret), _actor(request)
    try:
        oauth.connect_as_app(provider=provider, host=host, app=app, at=clock.now(), actor=actor)
    except oauth.CallbackRefused as refused:
        messages.error(request, f"{AGAIN}{REFUSED_APP.get(refused.code) or _words(refused.code)}")
    else:
        messages.success(request, f"{provider.name} is connected, as the app itself.")
    return redirect("integrations:connections")


def _words(code: str) -> str:
    return REFUSED.get(code, OTHER)


def _provider(slug: str) -> Provider:
    try:
        return providers.get(slug)
    except providers.UnknownProvider:
        raise Http404 from None


def _redirect_uri(provider: Provider) -> str:
    # Of the configured address, never of the one that was asked: the Host is the caller's word.
    return settings.PUBLIC_URL + reverse("integrations:oauth_return", args=[provider.slug])


def _actor(request: HttpRequest) -> audit.Actor:
    return people.actor(cast(User, request.user))
