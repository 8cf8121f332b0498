"""What do all pages of the console share? The admin's frame, the tabs, and who is asking."""

import json
import uuid
from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts import roles
from accounts.models import User
from config.lib import ids
from consent.models import Contact

TABS = (
    ("Today", "dashboard"),
    ("People", "people"),
    ("Requests", "requests"),
    ("Policies", "policies"),
    ("Runs", "runs"),
    ("Holds", "holds"),
    ("Certificates", "certificates"),
    ("Presenters", "presenters"),
    ("Promises", "promises"),
)
# What the console may do by role; pages show the buttons of those acts only.
ACTS = {
    "reveal": "contact.reveal",
    "record": "consent.record",
    "withdraw": "consent.withdraw",
    "hold": "hold.place",
    "release": "hold.release",
    "erase": "erasure.start",
    "export": "request.close",
    "prove": "proof.export",
    "open": "request.open",
    "policy": "policy.change",
    "run": "run.start",
    "verify": "trail.verify",
}


def page(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    tab: str = "",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    tabs = [
        {"label": label, "href": reverse(f"console:{name}"), "current": name == tab}
        for label, name in (*TABS, ("Trail", "trail"))
    ]
    may = {word: roles.may(user=request.user, act=act) for word, act in ACTS.items()}
    context = {**admin.site.each_context(request), "title": title, "tabs": tabs, "may": may, **more}
    return render(request, f"retention/{template}", context, status=status)


def asked_again(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    guarded: Callable[..., HttpResponse] = reauthentication_required(view)
    return guarded


def staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 the console is behind the sign-in
    return request.user


def contact_or_404(public_id: str) -> Contact:
    try:
        wanted: uuid.UUID = ids.parse("con", public_id)
    except ids.NotAnId:
        raise Http404 from None
    return get_object_or_404(Contact.objects.select_related("key", "partner"), pk=wanted)


def download(document: dict[str, object], name: str) -> HttpResponse:
    text = json.dumps(document, indent=1, ensure_ascii=False)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text + "\n", content_type="application/json", headers=headers)
