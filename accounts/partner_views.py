"""The pages on which an administrator lets partners in: API clients, their scopes, their end."""

import uuid
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import api, audit, partners, people, roles
from accounts.forms import ClientForm, PartnerForm
from accounts.models import Partner, PartnerClient, User
from config.lib import clock


@roles.requires("partner.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def partner_list(request: HttpRequest) -> HttpResponse:
    form = PartnerForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            partner = partners.create(
                name=form.cleaned_data["name"], at=clock.now(), actor=_actor(request)
            )
        except partners.NotAPartner as refused:
            form.add_error("name", str(refused))
        else:
            return redirect("accounts:partner", partner_id=partner.pk)
    rows = [_partner_row(partner) for partner in Partner.objects.order_by("name")]
    return render(request, "api/partners.html", {"form": form, "rows": rows, "headers": HEADERS})


@roles.requires("partner.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def partner_page(request: HttpRequest, partner_id: uuid.UUID) -> HttpResponse:
    partner = get_object_or_404(Partner, pk=partner_id)
    form = ClientForm(request.POST if request.method == "POST" else None)
    issued: dict[str, str] = {}
    if form.is_valid():
        client_id, secret = partners.issue_client(
            partner=partner,
            scopes=form.cleaned_data["scopes"],
            at=clock.now(),
            actor=_actor(request),
        )
        # Answered at once, not after a redirect: the secret would have to be kept for that.
        issued = {"client_id": client_id, "secret": secret, "curl": _curl(request)}
        form = ClientForm()
    clients = [_client(row) for row in _clients(partner)]
    context = {"partner": partner, "form": form, "issued": issued, "clients": clients}
    return render(request, "api/partner.html", context)


@roles.requires("partner.manage")
@require_POST
def client_revoke(request: HttpRequest, client_id: str) -> HttpResponse:
    row = get_object_or_404(PartnerClient, pk=client_id)
    revoked = partners.revoke_client(client_id=client_id, at=clock.now(), actor=_actor(request))
    if revoked:
        messages.success(request, "The client was revoked. Its tokens do not open anything now.")
    else:
        messages.info(request, "This client had been revoked before. Nothing was changed.")
    return redirect("accounts:partner", partner_id=row.partner_id)


@roles.requires("partner.manage")
@require_POST
def partner_switch(request: HttpRequest, partner_id: uuid.UUID) -> HttpResponse:
    partner = get_object_or_404(Partner, pk=partner_id)
    on = request.POST.get("on") == "1"
    partners.switch(partner=partner, on=on, at=clock.now(), actor=_actor(request))
    words = "may call the API again" if on else "is shut out of the API"
    messages.success(request, f"{partner.name} {words}. Its data was not touched.")
    return redirect("accounts:partner", partner_id=partner.pk)


HEADERS = ["Partner", "Id", "State", "Clients", "Last used"]


def _actor(request: HttpRequest) -> audit.Actor:
    return people.actor(cast(User, request.user))


def _clients(partner: Partner) -> list[PartnerClient]:
    rows = PartnerClient.objects.filter(partner=partner).select_related("client")
    return list(rows.order_by("-created_at"))


def _partner_row(partner: Partner) -> list[object]:
    clients = [client for client in _clients(partner) if client.revoked_at is None]
    used = [client.last_used_at for client in clients if client.last_used_at]
    return [
        {"text": partner.name, "href": reverse("accounts:partner", args=[partner.pk])},
        {"text": partner.public_id, "mono": True},
        {"text": "May call" if partner.is_active else "Shut out", "state": _state(partner)},
        {"text": str(len(clients)), "number": True},
        {"at": max(used)} if used else None,
    ]


def _state(partner: Partner) -> str:
    return "active" if partner.is_active else "denied"


def _client(row: PartnerClient) -> dict[str, object]:
    return {
        "row": row,
        "state": "revoked" if row.revoked_at else "active",
        "scopes": [partners.SCOPES.get(scope, scope) for scope in row.client.get_scopes()],
    }


def _curl(request: HttpRequest) -> str:
    address = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    return (
        f'curl -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \\\n'
        f"     {address}{api.TOKEN_URL}\n"
        f'curl -H "Authorization: Bearer $TOKEN" {address}/api/v1/me\n'
    )
