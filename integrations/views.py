"""The pages of connections and of the sandbox's phones."""

import uuid
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, people, roles
from accounts.models import User
from config.lib import clock
from integrations import (
    connections,
    keyed,
    lengths,
    oauth_views,
    phones,
    providers,
    registrations,
    stand_ins,
    templates,
)
from integrations.models import Connection

PHONES_ON_A_PAGE = 24
# In the words of somebody who has to decide whether to trust it.
AUTH_WORDS = {
    "none": "No account and no password: it stays on this machine.",
    "oauth_code": "You signed in at the provider and allowed it (OAuth 2.0 with PKCE).",
    "oauth_client": "An id and a secret of an app at the provider (OAuth 2.0).",
    "bearer": "A long-lived token that the provider issued.",
    "key": "A key from the provider's settings page.",
}


@roles.requires("connection.view")
@require_safe
def connection_list(request: HttpRequest) -> HttpResponse:
    manages = roles.may(user=request.user, act="connection.manage")
    rows = Connection.objects.exclude(auth_kind=Connection.AuthKind.OAUTH_CODE)
    cards = [_card(row) for row in rows.order_by("kind", "label")]
    context = {"cards": cards, "manages": manages}
    found = [oauth_views.card(providers.get(slug)) for slug in providers.TABLE]
    context["crms"] = [card for card in found if card["provider"].kind == Connection.Kind.CRM]
    context["studios"] = [card for card in found if card["provider"].kind == Connection.Kind.VIDEO]
    context["syncs"] = roles.may(user=request.user, act="contact.import")
    context["keyed"] = keyed.PROVIDERS
    return render(request, "integrations/connections.html", context)


@roles.requires("connection.manage")
@require_POST
def connection_test(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Connection, pk=connection_id)
    connections.check(connection=row, at=clock.now(), actor=_actor(request))
    if row.problem:
        messages.error(request, f"{row.label} does not answer as it should. {row.problem}")
    else:
        messages.success(request, f"{row.label} answers. Nothing was sent to anybody.")
    return redirect("integrations:connections")


@roles.requires("connection.manage")
@require_POST
def connection_switch(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Connection, pk=connection_id)
    on = request.POST.get("on") == "1"
    try:
        connections.switch(connection=row, on=on, at=clock.now(), actor=_actor(request))
    except connections.NeedsSignIn:
        messages.error(request, f"Nothing was switched. {row.label} has to be connected first.")
        return redirect("integrations:connections")
    words = "is in use again" if on else "is off: nothing goes out over it until you switch it on"
    messages.success(request, f"{row.label} {words}.")
    return redirect("integrations:connections")


@roles.requires("phone.view")
@require_safe
def phone_list(request: HttpRequest) -> HttpResponse:
    _require_demo()
    return render(request, "integrations/phones.html", _phones(request))


@roles.requires("phone.view")
@require_safe
def phone_news(request: HttpRequest) -> HttpResponse:
    _require_demo()
    return render(request, "integrations/_phones.html", _phones(request))


@roles.requires("phone.view")
@require_POST
def phone_reply(request: HttpRequest) -> HttpResponse:
    _require_demo()
    phone, channel = request.POST.get("phone", ""), request.POST.get("channel", "")
    try:
        phones.reply(
            phone=phone, channel=channel, text=request.POST.get("text", ""), at=clock.now()
        )
    except phones.NoSuchPhone:
        raise Http404 from None
    except phones.NotAReply:
        messages.error(request, "Nothing was sent: type 1 to 1000 characters first.")
    return redirect(f"{reverse('integrations:phones')}#phone-{phone[:16]}-{channel}")


def _require_demo() -> None:
    # Outside of the demo no page shows what a person was sent, to anybody.
    if not settings.DEMO:
        raise Http404


def _phones(request: HttpRequest) -> dict[str, Any]:
    page = max(1, int(request.GET.get("page", "1")[:4])) if _numeric(request) else 1
    total = phones.count()
    threads = phones.threads(limit=PHONES_ON_A_PAGE, offset=(page - 1) * PHONES_ON_A_PAGE)
    pages = max(1, -(-total // PHONES_ON_A_PAGE))
    return {
        "threads": threads,
        "total": total,
        "page": page,
        "pages": pages,
        "previous": f"?page={page - 1}" if page > 1 else "",
        "next": f"?page={page + 1}" if page < pages else "",
    }


def _numeric(request: HttpRequest) -> bool:
    page = request.GET.get("page", "1")
    return page.isascii() and page.isdigit()


def _card(row: Connection) -> dict[str, Any]:
    return {
        "row": row,
        "has_templates": templates.keeps(connection=row),
        "has_keys": row.provider in keyed.PROVIDERS,
        "stand_in": stand_ins.answers(provider=row.provider),
        "auth": AUTH_WORDS[row.auth_kind],
        "badge": "failed" if row.problem else row.state,
        "facts": [
            {"term": "Kind", "value": row.get_kind_display()},
            {"term": "Sign-in", "value": AUTH_WORDS[row.auth_kind]},
            {"term": "Hosts it may call", "value": ", ".join(row.hosts) or "none"},
            {"term": "Allowed to", "value": ", ".join(row.scopes)},
            *_cost(row),
            *_template(row),
            *_registrations(row),
            {"term": "Last test", "value": {"at": row.tested_at} if row.tested_at else "never"},
        ],
    }


def _cost(row: Connection) -> list[dict[str, Any]]:
    if "sms" not in row.scopes or row.provider not in keyed.PROVIDERS:
        return []
    prices, words = keyed.prices(connection=row), []
    if prices.elsewhere is not None:
        one = lengths.of_sms(text="x").cost(price_per_segment=prices.elsewhere)
        longer = lengths.of_sms(text="x" * (lengths.GSM7_ONE + 1))
        two = longer.cost(price_per_segment=prices.elsewhere)
        words.append(
            f"{one} {prices.currency}".strip() + f" up to {lengths.GSM7_ONE} plain letters "
            f"({lengths.UCS2_ONE} with others), {two} up to {lengths.GSM7_MANY * 2}"
        )
    if prices.by_prefix:
        words.append("by country: " + ", ".join(f"+{prefix}" for prefix in prices.by_prefix))
    return [{"term": "Cost of a text message", "value": "; ".join(words) or "no price entered"}]


def _template(row: Connection) -> list[dict[str, Any]]:
    if not templates.keeps(connection=row):
        return []
    return [
        {"term": "WhatsApp template", "value": _standing(row, is_question=False)},
        {"term": "WhatsApp, asking for consent", "value": _standing(row, is_question=True)},
    ]


def _standing(row: Connection, *, is_question: bool) -> str:
    chosen = templates.chosen(connection=row, is_question=is_question)
    standing = templates.standing(connection=row, is_question=is_question)
    return standing.words or f"{chosen}: approved by Meta."


def _registrations(row: Connection) -> list[dict[str, Any]]:
    told = [
        f"{one.name.removeprefix('the ')}: "
        + ", ".join([*one.held.values(), *(f"no {_short(name)}" for name in one.missing)])
        for one in registrations.of(connection=row)
    ]
    return [{"term": "Sender registration", "value": "; ".join(told)}] if told else []


def _short(label: str) -> str:
    """Return a label of the form without its country, which stands before it on the card."""
    return label.partition(": ")[2] or label


def _actor(request: HttpRequest) -> audit.Actor:
    return people.actor(cast(User, request.user))
