"""The pages of a started campaign: how far it is, what became of it, and its brakes."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import roles
from config.lib import charts, clock
from videos import campaigns, links, progress, retries
from videos.models import Campaign
from videos.views import actor

PHASES = {
    "rendering": "The AI makes the base video",
    "personalising": "Videos are made, person by person",
    "sending": "Messages leave",
    "waiting": "The rest waits for its hour",
    "paused": "Paused",
    "done": "Everybody has been dealt with",
    "cancelled": "Cancelled",
    "draft": "Not started",
    "ready": "Ready to send",
}
MOVING = {Campaign.State.RENDERING, Campaign.State.SENDING}
# Seconds between two looks; after the last message deliveries and plays go on coming.
LOOK_SECONDS, LOOK_LATER_SECONDS = 3, 20


@roles.requires("campaign.view")
@require_safe
def live(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    return render(request, "videos/live.html", {**_facts(request, row), **_results(row)})


@roles.requires("campaign.view")
@require_safe
def live_part(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    return render(request, "videos/_live.html", {**_facts(request, row), "is_part": True})


@roles.requires("campaign.view")
@require_safe
def results_part(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    return render(request, "videos/_results.html", {**_facts(request, row), **_results(row)})


@roles.requires("campaign.send")
@require_POST
def pause(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    return _act(request, campaign_id, campaigns.pause, "Paused. Nothing more leaves.")


@roles.requires("campaign.send")
@require_POST
def resume(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    return _act(request, campaign_id, campaigns.resume, "It goes on where it stopped.")


@roles.requires("campaign.send")
@require_POST
def cancel(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    words = "Cancelled. What had not left never leaves."
    return _act(request, campaign_id, campaigns.cancel, words)


@roles.requires("campaign.end_links")
@require_POST
def end_links(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    ended = links.revoke_all(campaign=row, at=clock.now(), actor=actor(request))
    messages.success(request, f"{ended:,} links ended. No further byte is served.")
    return redirect("videos:live", campaign_id=row.pk)


@roles.requires("campaign.send")
@require_POST
def retry(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    try:
        count = retries.retry(
            campaign=row, code=request.POST.get("code", ""), at=clock.now(), actor=actor(request)
        )
        messages.success(request, f"Tried again: {count}. Each is judged anew.")
    except campaigns.NotNow as refused:
        messages.error(request, str(refused))
    return redirect("videos:live", campaign_id=row.pk)


def _act(
    request: HttpRequest, campaign_id: uuid.UUID, act: Callable[..., Campaign], words: str
) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    try:
        act(campaign=row, at=clock.now(), actor=actor(request))
        messages.success(request, words)
    except campaigns.NotNow as refused:
        messages.error(request, str(refused))
    return redirect("videos:live", campaign_id=row.pk)


def _facts(request: HttpRequest, row: Campaign) -> dict[str, object]:
    seen = progress.progress(campaign=row)
    return {
        "campaign": row,
        "seen": seen,
        "phase": PHASES.get(seen.phase, seen.phase),
        "states": sorted(progress.states(row).items(), key=lambda pair: -pair[1]),
        "moving": row.state in MOVING,
        "pause": _pause(row),
        "may_end_links": row.started_at is not None
        and roles.may(user=request.user, act="campaign.end_links"),
        "may_send": roles.may(user=request.user, act="campaign.send"),
        "stopped": progress.stopped(campaign=row),
    }


def _pause(row: Campaign) -> int | None:
    if row.state in MOVING:
        return LOOK_SECONDS
    return LOOK_LATER_SECONDS if row.state == Campaign.State.DONE else None


def _retryable(row: Campaign, causes: list[progress.Cause]) -> list[dict[str, object]]:
    if row.started_at is None or row.state == Campaign.State.CANCELLED:
        return []
    counted = [(one, retries.again(campaign=row, code=one.code).count()) for one in causes]
    return [{"code": one.code, "text": one.text, "count": n} for one, n in counted if n]


def _results(row: Campaign) -> dict[str, object]:
    stages = progress.funnel(campaign=row)
    labels, values = [one.label for one in stages], [one.count for one in stages]
    return {
        "refusals": progress.refusals(campaign=row),
        "failures": (failures := progress.failures(campaign=row)),
        "retryable": _retryable(row, failures),
        "funnel": charts.funnel(
            title="From audience to played",
            description="People left at each stage of this campaign",
            labels=labels,
            values=values,
        ),
        "table": charts.as_table(corner="Stage", labels=labels, series={"People": values}),
    }
