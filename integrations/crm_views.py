"""The pages of what is read of a CRM: the fields, a preview of a few people, and "Sync now"."""

import uuid
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit, people, roles
from accounts.models import User
from config.lib import clock
from integrations import crm, stand_ins
from integrations.crm import channels, entries, mapping, syncs
from integrations.crm.base import Record
from integrations.forms import FieldsForm
from integrations.models import Connection, CrmChannel, CrmSync

NOTES = "writes_notes"
SOON = timedelta(seconds=30)
HIDDEN = "•••"
# What a page may show as it is: it names and reaches nobody.
SHOWN = {"language", "time_zone", "country", "region", "plan"}
WORDS = {
    "new": "new",
    "updated": "brought up to date",
    "same": "unchanged",
    "stopped": "opted out",
    "deleted": "deleted there",
    "merged": "merged there",
    "erased_here": "erased here and still there",
    "to_forget": "asked to be forgotten",
    "bad": "without a usable name or address",
}


@roles.requires("connection.manage")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def connection_fields(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = _row(connection_id)
    held = syncs.of(connection=row)
    begun = (held.fields if held else {}) or mapping.usual(provider=row.provider)
    begun = {**begun, NOTES: bool(held and held.writes_notes)}
    form = FieldsForm(request.POST or None, provider=row.provider, initial=begun)
    context: dict[str, Any] = {"row": row, "form": form, "is_new": held is None}
    context["entry"] = entries.of(connection=row)
    context["asks_itself"] = held is not None and row.provider in channels.OPENERS
    context["stand_in"] = stand_ins.page(provider=row.provider, title=row.label)
    if request.method == "POST" and form.is_valid():
        try:
            chosen = {name: text for name, text in form.cleaned_data.items() if name != NOTES}
            fields = mapping.clean(provider=row.provider, chosen=chosen)
        except mapping.BadMapping as fault:
            form.add_error(None, str(fault))
        else:
            if request.POST.get("act") == "read":
                return _set_up(request, row, fields, notes=form.cleaned_data[NOTES])
            context |= _preview(row, fields)
    return render(request, "integrations/fields.html", context)


@roles.requires("contact.import")
@require_POST
def connection_sync(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = _row(connection_id)
    try:
        syncs.ask_now(connection=row, at=clock.now(), actor=_actor(request))
    except syncs.NotSetUp:
        messages.error(request, "Nothing is read yet. An administrator chooses the fields first.")
    else:
        messages.success(request, f"{row.label} is read next. The figures here follow.")
    return redirect("integrations:connections")


@roles.requires("connection.view")
@require_safe
def connection_reading(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = _row(connection_id)
    found = reading(row)
    answer = render(request, "integrations/_reading.html", {"row": row, "reading": found})
    if not found.get("moves"):
        # It is done or cannot go on: the whole card has more to say, and buttons.
        answer.headers["HX-Refresh"] = "true"
    return answer


def reading(connection: Connection | None) -> dict[str, Any]:
    """Return what a card says of how far the reading has come."""
    row = syncs.of(connection=connection) if connection else None
    channel = channels.of(connection=connection) if connection else None
    if connection is None or connection.provider not in crm.READERS:
        return {}
    if row is None:
        return {"word": CrmSync.State.OFF.label, "state": "off", "facts": []}
    state = {"stuck": "attention", "reading": "working"}.get(row.state, row.state)
    return {
        "row": row,
        "state": state,
        "word": CrmSync.State(row.state).label,
        "problem": row.problem,
        "channel_problem": channel.problem if channel else "",
        "moves": _moves(row),
        "facts": [
            {"term": "Read so far" if row.cursor else "Last read", "value": _counts(row)},
            {"term": "Reads", "value": CrmSync.Mode(row.mode).label},
            {"term": "Last whole reading", "value": _when(row.finished_at)},
            {"term": "Next", "value": _when(row.next_at)},
            *_told_at_once(channel),
        ],
    }


def _moves(row: CrmSync) -> bool:
    # Waiting and due: it begins within a minute. A pause that a CRM asked for is not watched.
    ready = row.state in {CrmSync.State.READING, CrmSync.State.WAITING}
    soon = row.next_at is not None and row.next_at <= clock.now() + SOON
    return ready and soon


def _counts(row: CrmSync) -> str:
    told = [f"{row.counts[name]:,} {word}" for name, word in WORDS.items() if row.counts.get(name)]
    return f"{row.counts.get('read', 0):,} records" + (f": {', '.join(told)}" if told else "")


def _when(at: Any) -> Any:
    return {"at": at} if at else "never"


def _told_at_once(channel: CrmChannel | None) -> list[dict[str, Any]]:
    if channel is None:
        return []
    is_open = channel.until_at is not None and channel.until_at > clock.now()
    until = {"at": channel.until_at} if is_open else "not at the moment"
    return [{"term": "Told at once until", "value": until}]


def _set_up(
    request: HttpRequest, row: Connection, fields: dict[str, str], *, notes: bool
) -> HttpResponse:
    syncs.set_up(
        connection=row, chosen=fields, at=clock.now(), actor=_actor(request), writes_notes=notes
    )
    messages.success(request, f"{row.label} is read next, all of it, by these fields.")
    return redirect("integrations:connections")


def _preview(row: Connection, fields: dict[str, str]) -> dict[str, Any]:
    """Ask for five people by these fields and no others; most of each value is hidden."""
    try:
        found = crm.reader_for(connection=row, fields=fields).sample()
    except crm.CrmError as failed:
        told = failed.told or failed.code
        return {"refused": f"{row.label} did not show anybody ({told}). Nothing was read."}
    names = [name for name in mapping.TITLES if any(name in one.values for one in found)]
    return {
        "asked": sorted(set(fields.values())),
        "headers": [*(mapping.TITLES[name] for name in names), "Opted out there"],
        "rows": [_shown(one, names) for one in found],
    }


def _shown(record: Record, names: list[str]) -> list[str]:
    values = [_masked(name, record.values.get(name, "")) for name in names]
    return [*values, ", ".join(record.stops) or "no"]


def _masked(name: str, value: str) -> str:
    if name in SHOWN or not value:
        return value
    return " ".join(f"{word[:1]}{HIDDEN}" for word in value.split()[:3])


def _row(connection_id: uuid.UUID) -> Connection:
    return get_object_or_404(Connection, pk=connection_id, provider__in=crm.READERS)


def _actor(request: HttpRequest) -> audit.Actor:
    return people.actor(cast(User, request.user))
