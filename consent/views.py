"""The pages of contacts, for marketers: a list, a search, one person's consent."""

import uuid
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import people, roles
from accounts.models import User
from config.lib import charts, clock, languages
from consent import contacts, figures, gate, optin, purposes, standing
from consent.forms import FilterForm, SearchForm
from consent.models import Channel, ConsentEvent, ConsentState, Contact, Decision, OptIn

CONTACTS_ON_A_PAGE = 25
EVENTS_SHOWN = 50
PURPOSES = {code: title for code, title, _ in purposes.DEFAULTS}
DECISIONS_SHOWN = 20
HEADERS = ["Person", "E-mail", "Phone", "Country", "E-mail consent", "SMS", "WhatsApp"]


@roles.requires("contact.view")
@require_safe
def contact_list(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    rows = Contact.objects.filter(erased_at=None).select_related("key")
    if form.is_valid():
        rows = _filtered(rows, form.cleaned_data)
    page = Paginator(rows.order_by("-created_at", "pk"), CONTACTS_ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "search": SearchForm(),
        "headers": HEADERS,
        "rows": _rows(page),
        "page": page,
        "total": page.paginator.count,
        "any": bool(page.paginator.count) or Contact.objects.exists(),
        "counts": _tiles(),
        "chart": _growth(),
        "may_import": roles.may(user=request.user, act="contact.import"),
    }
    return render(request, "consent/contacts.html", context)


@roles.requires("contact.view")
@require_POST
def contact_search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST)
    text = form.cleaned_data["address"] if form.is_valid() else ""
    try:
        channel = Channel.EMAIL if "@" in text else Channel.SMS
        found = contacts.everyone_at(channel=channel, value=text) if text else []
    except contacts.NotAContact as fault:
        messages.error(request, f"{fault.problem} Type the whole address, then search again.")
        return redirect("consent:contacts")
    if not found:
        messages.info(request, "Nobody has this address here. Nothing was changed.")
        return redirect("consent:contacts")
    return redirect("consent:contact", contact_id=found[0].pk)


@roles.requires("contact.view")
@require_safe
def contact_page(request: HttpRequest, contact_id: uuid.UUID) -> HttpResponse:
    at = clock.now()
    contact = get_object_or_404(Contact.objects.select_related("key", "partner"), pk=contact_id)
    context = {
        "contact": contact,
        "shown": contacts.masked(contact=contact, at=at),
        "facts": _facts(contact),
        "state_headers": ["Purpose", "Channel", "State", "Since"],
        "state_rows": _state_rows(contact),
        "events": _events(contact),
        "decisions": _decisions(contact),
        "questions": _questions(contact),
        "may_ask": roles.may(user=request.user, act="contact.import"),
    }
    return render(request, "consent/contact.html", context)


@roles.requires("contact.import")
@require_POST
def contact_ask(request: HttpRequest, contact_id: uuid.UUID) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.select_related("key", "partner"), pk=contact_id)
    channel = request.POST.get("channel", "")
    if channel not in Channel.values:
        messages.error(request, "Nothing was sent: choose a channel.")
        return redirect("consent:contact", contact_id=contact.pk)
    asked = optin.ask(
        contact=contact,
        purpose_code=purposes.MARKETING,
        channel=channel,
        at=clock.now(),
        actor=people.actor(cast(User, request.user)),
    )
    if asked:
        messages.success(
            request, "The question is on its way. Consent counts when the person says yes."
        )
    else:
        messages.error(request, "Nothing was sent. The newest decision below says why.")
    return redirect("consent:contact", contact_id=contact.pk)


def _filtered(rows: Any, chosen: dict[str, str]) -> Any:
    if chosen["country"]:
        rows = rows.filter(country=chosen["country"].upper())
    if chosen["language"]:
        rows = rows.filter(language__istartswith=chosen["language"])
    if chosen["state"]:
        rows = figures.with_state(rows, chosen["state"])
    return rows


def _rows(page: Page[Contact]) -> list[list[Any]]:
    at = clock.now()
    people_here = list(page.object_list)
    states: dict[tuple[uuid.UUID, str], str] = {
        (row.contact_id, row.channel): standing.standing_of(row).effective(at)
        for row in ConsentState.objects.filter(
            contact__in=[contact.pk for contact in people_here], purpose_code=purposes.MARKETING
        )
    }
    return [_row(contact, states) for contact in people_here]


def _row(contact: Contact, states: dict[tuple[uuid.UUID, str], str]) -> list[Any]:
    shown = contacts.masked(contact=contact, at=clock.now())
    link = {"text": shown.name, "href": reverse("consent:contact", args=[contact.pk])}
    marks = [_mark(states.get((contact.pk, channel))) for channel in Channel.values]
    return [link, shown.email, shown.phone, contact.country, *marks]


def _mark(state: str | None) -> dict[str, str] | None:
    return {"state": state} if state else None


def _tiles() -> list[dict[str, Any]]:
    counts = figures.by_state()
    return [
        {
            "label": word,
            "value": f"{counts.get(state, 0):,}",
            "href": f"{reverse('consent:contacts')}?state={state}",
        }
        for state, word in figures.SHOWN.items()
    ]


def _growth() -> dict[str, Any]:
    labels, series = figures.growth(at=clock.now())
    title = "Acts of consent in the last 30 days"
    description = "How many people agreed, confirmed or withdrew on each day."
    return {
        "title": title,
        "svg": charts.line(title=title, description=description, labels=labels, series=series),
        "table": charts.as_table(corner="Day", labels=labels, series=series),
    }


def _facts(contact: Contact) -> list[dict[str, Any]]:
    place = " ".join(part for part in (contact.country, contact.region) if part)
    zones = contact.time_zone or ", ".join(contact.phone_zones[:3])
    return [
        {"term": "Id", "value": {"text": contact.public_id, "mono": True}},
        {"term": "Language", "value": languages.name(contact.language)},
        {"term": "Country", "value": place or "Unknown: the strictest rules hold"},
        {"term": "Time zone", "value": zones or "Unknown"},
        {"term": "Known to", "value": contact.partner.name if contact.partner else "Our own list"},
        {"term": "From", "value": contact.source},
        {"term": "Since", "value": {"at": contact.created_at}},
        *([{"term": "Stopped", "value": {"at": contact.stopped_at}}] if contact.stopped_at else []),
    ]


def _state_rows(contact: Contact) -> list[list[Any]]:
    at = clock.now()
    rows = ConsentState.objects.filter(contact=contact).order_by("purpose_code", "channel")
    return [
        [
            _named(row.purpose_code),
            row.get_channel_display(),
            {"state": standing.standing_of(row).effective(at)},
            {"at": row.at},
        ]
        for row in rows
    ]


def _events(contact: Contact) -> list[dict[str, Any]]:
    rows = ConsentEvent.objects.filter(contact=contact).order_by("-at", "-number")
    return [
        {
            "title": f"{row.get_kind_display()}: {_named(row.purpose_code)}, "
            + row.get_channel_display(),
            "at": row.at,
            "state": row.kind,
            "detail": f"{row.get_act_display()}, from {row.source}",
            "actor": row.actor_kind,
            "hash": row.notice_id or "",
        }
        for row in rows[:EVENTS_SHOWN]
    ]


def _decisions(contact: Contact) -> list[dict[str, Any]]:
    rows = Decision.objects.filter(contact=contact).order_by("-at", "-id")[:DECISIONS_SHOWN]
    return [
        {
            "row": row,
            "purpose": _named(row.purpose_code),
            "reasons": gate.worded(row.reasons),
        }
        for row in rows
    ]


def _questions(contact: Contact) -> list[dict[str, Any]]:
    at = clock.now()
    open_ones = set(
        OptIn.objects.filter(contact=contact, answered_at=None, expires_at__gt=at).values_list(
            "channel", flat=True
        )
    )
    states = ConsentState.objects.filter(contact=contact, purpose_code=purposes.MARKETING)
    asking = {"claimed", "given"}
    return [
        {
            "channel": row.channel,
            "word": row.get_channel_display(),
            "waiting": row.channel in open_ones,
            "problem": optin.obstacle(channel=row.channel, at=at, contact=contact),
        }
        for row in states.order_by("channel")
        if standing.standing_of(row).effective(at) in asking
    ]


def _named(purpose_code: str) -> str:
    return PURPOSES.get(purpose_code, purpose_code)
