"""The pages of sign-up forms, for marketers: a list, a maker, one form with its figures."""

import uuid
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import roles
from accounts.models import User
from config.lib import clock
from consent import form_making, hosted_forms, optin, purposes, sign_up_views, wording
from consent.form_making import FormRefused
from consent.maker_forms import PERMISSIONS, PURPOSES, MakerForm
from consent.models import Channel, HostedForm

READ = ["GET", "HEAD", "POST"]
HEADERS = ["Form", "State", "Who asks", "Signed up", "Confirmed", "Changed"]
BOX_HEADERS = ["What for", "Channels", "Permission", "Words"]
VERSION_HEADERS = ["Version", "Signed up", "Confirmed"]
LOOKS = {HostedForm.State.OPEN.value: "active"}
PURPOSE_WORDS, PERMISSION_WORDS = dict(PURPOSES), dict(PERMISSIONS)


@roles.requires("form.view")
@require_safe
def form_list(request: HttpRequest) -> HttpResponse:
    rows = [_row(form) for form in HostedForm.objects.order_by("-updated_at", "pk")]
    own_default = HostedForm.objects.filter(slug=hosted_forms.DEFAULT_SLUG).exists()
    context = {
        "headers": HEADERS,
        "rows": rows,
        "default_url": "" if own_default else _address(hosted_forms.default()),
        "may_edit": roles.may(user=request.user, act="form.edit"),
    }
    return render(request, "consent/forms.html", context)


@roles.requires("form.edit")
@require_http_methods(READ)
def form_new(request: HttpRequest) -> HttpResponse:
    return _maker(request, None)


@roles.requires("form.edit")
@require_http_methods(READ)
def form_edit(request: HttpRequest, form_id: uuid.UUID) -> HttpResponse:
    return _maker(request, get_object_or_404(HostedForm, pk=form_id))


@roles.requires("form.view")
@require_safe
def form_page(request: HttpRequest, form_id: uuid.UUID) -> HttpResponse:
    form = get_object_or_404(HostedForm.objects.select_related("partner"), pk=form_id)
    counted = form_making.figures(form=form)
    context = {
        "form": form,
        "look": LOOKS.get(form.state, form.state),
        "facts": _facts(form),
        "signed_up": sum(figures.signed_up for figures in counted.values()),
        "confirmed": sum(figures.confirmed for figures in counted.values()),
        "box_headers": BOX_HEADERS,
        "boxes": [_box(box) for box in form.boxes],
        "version_headers": VERSION_HEADERS,
        "versions": [
            [str(version), f"{row.signed_up:,}", f"{row.confirmed:,}"]
            for version, row in counted.items()
        ],
        "obstacles": _obstacles(form),
        "snippet": form_making.snippet(form) if form.origins else "",
        "languages": _languages(form),
        "address": _address(form),
        "may_edit": roles.may(user=request.user, act="form.edit"),
    }
    return render(request, "consent/form.html", context)


@roles.requires("form.view")
@require_safe
def form_preview(request: HttpRequest, form_id: uuid.UUID) -> HttpResponse:
    form = get_object_or_404(HostedForm.objects.select_related("partner"), pk=form_id)
    back = reverse("consent:form", args=[form.pk])
    return sign_up_views.first_look(request, form, preview=back)


@roles.requires("form.edit")
@require_POST
def form_publish(request: HttpRequest, form_id: uuid.UUID) -> HttpResponse:
    form = get_object_or_404(HostedForm, pk=form_id)
    form_making.publish(form=form, at=clock.now(), staff=cast(User, request.user))
    messages.success(request, "The form is open: whoever has its address can sign up.")
    return redirect("consent:form", form_id=form.pk)


@roles.requires("form.edit")
@require_POST
def form_close(request: HttpRequest, form_id: uuid.UUID) -> HttpResponse:
    form = get_object_or_404(HostedForm, pk=form_id)
    form_making.close(form=form, at=clock.now(), staff=cast(User, request.user))
    messages.success(request, "The form is closed. What people agreed to stands.")
    return redirect("consent:form", form_id=form.pk)


def _maker(request: HttpRequest, form: HostedForm | None) -> HttpResponse:
    made = MakerForm(request.POST if request.method == "POST" else None, form=form)
    if request.method == "POST" and made.is_valid():
        try:
            row = _save(request, made, form)
        except FormRefused as fault:
            made.refuse(fault)
        else:
            messages.success(request, "Saved.")
            return redirect("consent:form", form_id=row.pk)
    wrong = bool(made.errors) or any(box.errors for box in made.boxes)
    context = {"maker": made, "form": form, "seen": form and form.state != "draft"}
    return render(request, "consent/form_edit.html", context, status=422 if wrong else 200)


def _save(request: HttpRequest, made: MakerForm, form: HostedForm | None) -> HostedForm:
    staff, at = cast(User, request.user), clock.now()
    if form is None:
        return form_making.make(draft=made.draft(), at=at, staff=staff)
    return form_making.edit(form=form, draft=made.draft(), at=at, staff=staff)


def _row(form: HostedForm) -> list[Any]:
    counted = form_making.figures(form=form).values()
    return [
        {"text": form.title, "href": reverse("consent:form", args=[form.pk])},
        {"state": LOOKS.get(form.state, form.state), "text": form.get_state_display()},
        form.seller,
        f"{sum(row.signed_up for row in counted):,}",
        f"{sum(row.confirmed for row in counted):,}",
        {"at": form.updated_at},
    ]


def _facts(form: HostedForm) -> list[dict[str, Any]]:
    opened = form.state == HostedForm.State.OPEN
    address = _address(form)
    return [
        {"term": "Address", "value": {"text": address, "href": address} if opened else address},
        {"term": "Who asks", "value": form.seller},
        {"term": "Whose contacts", "value": form.partner.name if form.partner else "Our own"},
        {"term": "Version", "value": str(form.version)},
        {"term": "Asks the age", "value": "Yes" if hosted_forms.asks_age(form) else "No"},
        {"term": "Languages", "value": ", ".join(_languages(form).values())},
        {"term": "May embed it", "value": ", ".join(form.origins) or "Nobody: a page only"},
        {"term": "Changed", "value": {"at": form.updated_at}},
    ]


def _box(box: dict[str, Any]) -> list[Any]:
    names = dict(Channel.choices)
    own = ", ".join(code for code in wording.languages() if code in box["texts"])
    return [
        PURPOSE_WORDS.get(box["purpose"], box["purpose"]),
        ", ".join(str(names[code]) for code in box["channels"]),
        PERMISSION_WORDS[box["permission"]].partition(":")[0],
        f"Own ({own})" if own else "As they ship",
    ]


def _obstacles(form: HostedForm) -> list[str]:
    """Say by which channels nobody who ticks a box could be asked to confirm, and what to do."""
    asked = {code for box in form.boxes for code in box["channels"] if _asks(box)}
    told = {code: optin.obstacle(channel=code, at=clock.now()) for code in sorted(asked)}
    return [
        f"Nobody can confirm by {Channel(code).label}. {why}" for code, why in told.items() if why
    ]


def _asks(box: dict[str, Any]) -> bool:
    return bool(box["purpose"] == purposes.MARKETING)


def _languages(form: HostedForm) -> dict[str, str]:
    known = hosted_forms.languages(form)
    return {code: name for code, name in wording.languages().items() if code in known}


def _address(form: HostedForm) -> str:
    path = reverse("join:hosted", args=[form.slug])
    if form.slug == hosted_forms.DEFAULT_SLUG:
        path = reverse("join:join", args=[form.slug])
    return f"{settings.PUBLIC_URL}{path}"
