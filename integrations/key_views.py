"""The pages where an administrator enters an account's keys, and copies its webhook address."""

import uuid
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import people, roles
from accounts.models import User
from config.lib import clock
from integrations import keyed, stand_ins
from integrations.forms import KeysForm
from integrations.models import Connection


@roles.requires("connection.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def connection_add(request: HttpRequest, provider: str) -> HttpResponse:
    known = keyed.PROVIDERS.get(provider)
    if known is None:
        raise Http404
    filled = stand_ins.keys(provider=provider)
    form = KeysForm(request.POST or None, known=known, is_new=True, filled=filled)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        row = keyed.connect(
            provider=provider,
            label=values["label"],
            values=values,
            at=clock.now(),
            actor=people.actor(cast(User, request.user)),
        )
        messages.success(request, f"{row.label} is kept. Enter its webhook address there.")
        return redirect("integrations:keys", row.pk)
    context = {
        "form": form,
        "known": known,
        "title": f"Connect {known.title}",
        "stand_in": stand_ins.page(provider=provider, title=known.title),
    }
    return render(request, "integrations/keys.html", context)


@roles.requires("connection.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def connection_keys(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Connection, pk=connection_id, provider__in=keyed.PROVIDERS)
    known = keyed.PROVIDERS[row.provider]
    initial = keyed.shown(connection=row)
    form = KeysForm(request.POST or None, known=known, is_new=False, initial=initial)
    if request.method == "POST" and form.is_valid():
        actor = people.actor(cast(User, request.user))
        keyed.change(connection=row, values=form.values(), at=clock.now(), actor=actor)
        messages.success(request, f"The keys of {row.label} were changed. Test them now.")
        return redirect("integrations:keys", row.pk)
    context = {
        "form": form,
        "known": known,
        "title": row.label,
        "row": row,
        "webhook": keyed.webhook_address(connection=row),
        "stand_in": stand_ins.page(provider=row.provider, title=known.title),
    }
    return render(request, "integrations/keys.html", context)
