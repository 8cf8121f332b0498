"""The page of an account's WhatsApp templates: which there are, and which may be sent."""

import uuid
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import people, roles
from accounts.models import User
from config.lib import clock
from integrations import templates
from integrations.models import Connection, MessageTemplate

State = MessageTemplate.State
# A state as pages show it, and what it means for whoever wants to send.
SHOWN = {
    State.APPROVED: ("approved", "Meta approved it: it may be sent."),
    State.PENDING: ("pending", "Meta has not decided yet. Until then it cannot be sent."),
    State.REJECTED: ("rejected", "Meta rejected it. Change its words at the provider."),
    State.PAUSED: ("paused", "Meta paused it: people complained of it or did not read it."),
    State.DISABLED: ("blocked", "Meta disabled it for good. Make another."),
    State.UNKNOWN: ("unclear", "The provider does not say what Meta decided. Look there."),
}
# Meta's colours for what people make of a template.
QUALITY = {
    "green": "High: hardly anybody complains",
    "yellow": "Medium: some people block or report it",
    "red": "Low: Meta may pause it soon",
}
FILLS = {"link": "the link", "text": "the whole message", "subject": "the subject"}
NOT_TOLD = "not told"
# By whether it asks for consent: a title, that all is well, and the mark of the template in use.
USES = {
    False: (
        "What a campaign uses",
        "Meta approved it: campaigns by WhatsApp may be sent.",
        "Campaigns use this one.",
    ),
    True: (
        "What asks for consent",
        "Meta approved it: people may be asked by WhatsApp.",
        "Questions of consent use this one.",
    ),
}


@roles.requires("connection.view")
@require_safe
def template_list(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    return render(request, "integrations/templates.html", _page(request, connection_id))


@roles.requires("connection.view")
@require_safe
def template_part(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    return render(request, "integrations/_templates.html", _page(request, connection_id))


@roles.requires("template.refresh")
@require_POST
def template_refresh(request: HttpRequest, connection_id: uuid.UUID) -> HttpResponse:
    row = _account(connection_id)
    actor = people.actor(cast(User, request.user))
    if not templates.ask(connection=row, at=clock.now(), actor=actor):
        messages.info(request, "The list is being read already.")
    return redirect("integrations:templates", row.pk)


def _account(connection_id: uuid.UUID) -> Connection:
    row = get_object_or_404(Connection, pk=connection_id, kind=Connection.Kind.MESSAGING)
    if not templates.keeps(connection=row):
        # The sandbox, an SMS account: nothing of theirs needs a template.
        raise Http404
    return row


def _page(request: HttpRequest, connection_id: uuid.UUID) -> dict[str, Any]:
    row = _account(connection_id)
    rows = templates.listed(connection=row) if row.templates_read_at else []
    chosen = [templates.chosen(connection=row, is_question=asks) for asks in USES]
    # What would be used comes first.
    rows = sorted(rows, key=lambda one: [one.code != name for name in chosen])
    return {
        "row": row,
        "uses": [_use(row, is_question=asks) for asks in USES],
        "cards": [_card(one, row, chosen) for one in rows],
        "moves": templates.is_asked(connection=row, at=clock.now()),
        "refreshes": roles.may(user=request.user, act="template.refresh"),
        "keys": _keys(request, row),
    }


def _use(row: Connection, *, is_question: bool) -> dict[str, Any]:
    standing = templates.standing(connection=row, is_question=is_question)
    chosen = templates.chosen(connection=row, is_question=is_question)
    title, well, _ = USES[is_question]
    return {
        "title": title,
        "well": well,
        "standing": standing,
        "in_use": standing.template.title if standing.template else chosen,
    }


def _card(one: MessageTemplate, row: Connection, chosen: list[str]) -> dict[str, Any]:
    badge, words = SHOWN[State(one.state)]
    campaigns, questions = chosen
    is_question = one.code == questions and one.code != campaigns
    return {
        "one": one,
        "used": [USES[asks][2] for asks in USES if one.code == chosen[asks]],
        "badge": badge,
        "words": words,
        "parts": [
            {"words": part.words, "is_place": part.is_place, "fills": FILLS.get(part.fills, "")}
            for part in templates.parts(template=one, connection=row, is_question=is_question)
        ],
        "doubts": templates.doubts(template=one, connection=row, is_question=is_question),
        "facts": [
            {"term": "Language", "value": templates.language(one.language) or NOT_TOLD},
            {"term": "Kind", "value": one.category.replace("_", " ").capitalize() or NOT_TOLD},
            {"term": "Quality", "value": QUALITY.get(one.quality, NOT_TOLD)},
            {"term": "So since", "value": {"at": one.changed_at}},
        ],
    }


def _keys(request: HttpRequest, row: Connection) -> str:
    """Return where a template is chosen, for whoever may."""
    may = roles.may(user=request.user, act="connection.manage")
    return reverse("integrations:keys", args=[row.pk]) if may else ""
