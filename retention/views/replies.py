"""Was it a stop? Answers that nobody could be sure of, the oldest first, for an officer to read."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, roles
from config.lib import clock, languages
from consent import intake, reviews
from consent.models import Channel, Contact, Review
from integrations import inbox
from retention.views import frame

ON_A_PAGE = 20
DECIDED_SHOWN = 20


@roles.requires("consent.view")
@require_safe
def replies(request: HttpRequest) -> HttpResponse:
    return _shown(request)


@roles.requires("contact.reveal")
@require_POST
def reply_words(request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
    review = _review(review_id)
    said = reviews.words(review=review, at=clock.now(), staff=audit.staff(frame.staff(request)))
    return _shown(request, opened=review, said=said)


@roles.requires("consent.withdraw")
@require_POST
def reply_decide(request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
    review, answer = _review(review_id), request.POST.get("is_stop")
    if answer not in {"yes", "no"}:
        messages.error(request, "Choose one of the two. Nothing was changed.")
        return redirect("console:replies")
    try:
        reviews.decide(
            review=review, is_stop=answer == "yes", at=clock.now(), staff=frame.staff(request)
        )
    except reviews.Decided:
        messages.warning(
            request, "A colleague has decided this one before you. Nothing was changed."
        )
        return redirect("console:replies")
    if answer == "yes":
        messages.success(request, "Noted as a stop. It counts from when it was said.")
    else:
        messages.success(request, "Noted as none. What it held back was let go.")
    return redirect("console:replies")


@roles.requires("consent.withdraw")
@require_POST
def set_aside(request: HttpRequest, item_id: int) -> HttpResponse:
    if intake.set_aside(item_id=item_id, at=clock.now(), staff=frame.staff(request)):
        messages.success(request, "Put away. That you did so stands in the trail.")
    else:
        messages.warning(request, "It waits no more. Nothing was changed.")
    return redirect("console:replies")


def _review(review_id: uuid.UUID) -> Review:
    return get_object_or_404(
        Review.objects.select_related("item", "suppression", "decided_by"), pk=review_id
    )


def _shown(request: HttpRequest, *, opened: Review | None = None, said: str = "") -> HttpResponse:
    now = clock.now()
    page = Paginator(reviews.waiting(), ON_A_PAGE).get_page(request.GET.get("page"))
    decided = Review.objects.exclude(state=Review.State.OPEN).select_related("decided_by")
    return frame.page(
        request,
        "replies.html",
        title="Was it a stop?",
        part="replies",
        rows=_rows(list(page.object_list), now, opened),
        page=page,
        opened=_row(opened, _people([opened]), now) if opened else None,
        said=said,
        stuck=inbox.stuck()[:ON_A_PAGE],
        decided=[
            {"review": row, "channel": Channel(row.channel).label}
            for row in decided.order_by("-decided_at")[:DECIDED_SHOWN]
        ],
    )


def _rows(found: Sequence[Review], now: datetime, opened: Review | None) -> list[dict[str, object]]:
    waiting = [row for row in found if opened is None or row.pk != opened.pk]
    people = _people(waiting)
    return [_row(row, people, now) for row in waiting]


def _row(
    review: Review, people: dict[tuple[str, str], list[Contact]], now: datetime
) -> dict[str, object]:
    theirs = people.get(_place(review), [])
    codes = sorted({one.language for one in theirs if one.language})
    return {
        "review": review,
        "channel": Channel(review.channel).label,
        "age": timesince(review.item.received_at, now),
        "people": theirs,
        "codes": codes,
        "languages": [languages.name(code) for code in codes],
    }


def _people(found: Sequence[Review]) -> dict[tuple[str, str], list[Contact]]:
    # By the keyed hash of the address that was held back: no address is opened for a list.
    people: dict[tuple[str, str], list[Contact]] = {}
    for channel in Channel.values:
        indexes = {index for one, index in map(_place, found) if one == channel and index}
        for contact in Contact.objects.filter(**{f"{channel}_stop_index__in": indexes}):
            place = (channel, str(getattr(contact, f"{channel}_stop_index")))
            people.setdefault(place, []).append(contact)
    return people


def _place(review: Review) -> tuple[str, str]:
    return review.channel, review.suppression.address_index if review.suppression else ""
