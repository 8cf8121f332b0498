"""What became of messages without an answer? For an officer who has looked at the provider."""

import uuid
from datetime import datetime

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST, require_safe

from accounts import roles
from config.lib import clock
from consent import unknowns
from consent.models import Message
from retention.views import frame

ON_A_PAGE = 20
# What keeps a message without an answer, by the code in its row.
CAUSES = {
    "no_answer": "The request left, and no whole answer came back.",
    "worker_lost": "The worker died while it was handing it over.",
    "adapter_fault": "Our own side of the connection broke in the middle.",
}
UNREADABLE = "An answer came that does not say whether it was taken ({code})."


class SettleForm(forms.Form):
    """What became of a message, and how the officer knows: words are not kept, codes are."""

    outcome = forms.ChoiceField(
        label="What became of it?",
        choices=[("delivered", "It was delivered"), ("not_delivered", "It was not delivered")],
        widget=forms.RadioSelect,
    )
    reason = forms.ChoiceField(label="How do you know?", choices=list(unknowns.REASONS.items()))


@roles.requires("consent.view")
@require_safe
def unanswered(request: HttpRequest) -> HttpResponse:
    now, problem = clock.now(), request.GET.get("cause", "")[:80]
    rows = unknowns.waiting(problem=problem, connection_id=_account(request))
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    return frame.page(
        request,
        "unanswered.html",
        title="Without an answer",
        part="unanswered",
        causes=[
            {
                "cause": cause,
                "words": _words(cause.problem),
                "age": timesince(cause.oldest_at, now),
            }
            for cause in unknowns.causes()
        ],
        rows=[_row(message, now) for message in page.object_list],
        page=page,
        chosen=problem,
    )


@roles.requires("message.settle")
@require_POST
def settle(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    form = SettleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say what became of it and how you know. Nothing was changed.")
        return redirect("console:unanswered")
    delivered = form.cleaned_data["outcome"] == "delivered"
    try:
        unknowns.settle(
            message_id=message_id,
            delivered=delivered,
            reason=form.cleaned_data["reason"],
            at=clock.now(),
            staff=frame.staff(request),
        )
    except unknowns.NotUnknown:
        messages.warning(request, "It is known meanwhile what became of it. Nothing was changed.")
        return redirect("console:unanswered")
    if delivered:
        messages.success(request, "Noted as delivered, in your name.")
    else:
        messages.success(request, "Noted as not delivered, in your name. Nothing was sent again.")
    return redirect("console:unanswered")


def _row(message: Message, now: datetime) -> dict[str, object]:
    return {
        "message": message,
        "words": _words(message.problem),
        "age": timesince(message.claimed_at, now) if message.claimed_at else "",
        "tries": unknowns.tries_left(message),
        # One form a row: each field needs a name of its own on the page.
        "form": SettleForm(auto_id=f"id_{message.pk.hex}_%s"),
    }


def _words(problem: str) -> str:
    return CAUSES.get(problem, UNREADABLE.format(code=problem))


def _account(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("account", ""))
    except ValueError:
        return None
