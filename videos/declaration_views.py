"""What a campaign speaks of and who speaks in it: what was found, and what a marketer says."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import roles
from config.lib import clock
from consent import likeness
from videos import campaigns, contents, declarations, languages, presenters, steps
from videos.forms import PresenterForm
from videos.models import Campaign
from videos.views import READ, actor


@roles.requires("campaign.edit")
@require_POST
def content(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    try:
        messages.success(request, _changed(request, row))
    except campaigns.NotACampaign as refused:
        messages.error(request, f"{refused.problem} Nothing was changed.")
    except campaigns.NotNow as refused:
        messages.error(request, str(refused))
    return redirect(f"{steps.address(row, 'script')}#speaks")


@roles.requires("campaign.edit")
@require_http_methods(READ)
def presenter(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    released = likeness.in_force(at=now)
    chosen = {"presenter_code": row.presenter_code}
    form = PresenterForm(request.POST or None, initial=chosen, released=released)
    if form.is_valid():
        code = form.cleaned_data["presenter_code"]
        try:
            declarations.choose_presenter(
                campaign=row, presenter_code=code, at=now, actor=actor(request)
            )
        except campaigns.NotACampaign as refused:
            form.add_error(refused.field, refused.problem)
        except campaigns.NotNow as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The presenter was saved.")
            return redirect("videos:presenter", campaign_id=row.pk)
    context = {
        "campaign": row,
        "steps": steps.of(row, "presenter"),
        "form": form,
        "released": bool(released),
        "refusals": _worded(row, now),
    }
    status = 400 if form.errors else 200
    return render(request, "videos/presenter.html", context, status=status)


def _worded(row: Campaign, at: datetime) -> list[str]:
    # One sentence a reason, with the languages it is about.
    about: dict[str, list[str]] = {}
    for language, refused in presenters.refusals(campaign=row, at=at).items():
        about.setdefault(refused.words, []).append(languages.name(language))
    return [f"{words} ({', '.join(names)})." for words, names in about.items()]


def _changed(request: HttpRequest, row: Campaign) -> str:
    now, who = clock.now(), actor(request)
    asked = {name: str(request.POST.get(name, "")) for name in ("declare", "take_back", "dismiss")}
    if asked["dismiss"]:
        reason = str(request.POST.get("reason", ""))
        declarations.dismiss(
            campaign=row, content=asked["dismiss"], reason=reason, at=now, actor=who
        )
        return f"Taken out: {contents.LABELS[asked['dismiss']]}. Your reason stands in the trail."
    if asked["take_back"]:
        declarations.take_back(campaign=row, content=asked["take_back"], at=now, actor=who)
        return f"Taken back: {contents.LABELS[asked['take_back']]}."
    declarations.declare(campaign=row, content=asked["declare"], at=now, actor=who)
    return f"Added: {contents.LABELS[asked['declare']]}. Each person is judged by it."
