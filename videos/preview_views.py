"""The preview: one real person's video and message, for the staff who are about to send."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import keys, roles
from config.lib import clock, ids
from consent import contacts, likeness, preferences
from consent.models import Contact
from integrations import lengths
from videos import (
    audiences,
    bytes_views,
    campaigns,
    languages,
    links,
    personalising,
    playback,
    specimens,
    steps,
    wording,
)
from videos.anonymisation import SlotMissing
from videos.forms import SpecimenForm
from videos.models import Asset, Campaign
from videos.views import actor

# Which videos this person has opened with an entry in the trail; ids only.
OPENED = "previews"
OPENED_KEPT = 20


@roles.requires("campaign.preview")
@require_safe
def preview(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    asset = _opened(request, row)
    found = specimens.worst(campaign=row, at=now)
    choices = [
        (
            one.contact.public_id,
            f"{one.masked_name} · {languages.name(one.contact.language)}"
            + (f" · {one.why}" if one.why else ""),
        )
        for one in found
    ]
    form = SpecimenForm(choices=choices, initial={"contact": choices[0][0]} if choices else None)
    context = {
        "campaign": row,
        "steps": steps.of(row, "preview"),
        "form": form,
        "anyone": bool(choices),
        "scripts": campaigns.scripts(row),
        "renders": campaigns.renders(row),
        "rendering": row.state == Campaign.State.RENDERING,
        "ready": row.state not in {Campaign.State.DRAFT, Campaign.State.RENDERING},
        "asset": asset,
        **(_message(row, asset) if asset else {}),
    }
    return render(request, "videos/preview.html", context)


@roles.requires("campaign.preview")
@require_POST
def prepare(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Campaign, pk=campaign_id)
    try:
        campaigns.prepare(campaign=row, at=clock.now(), actor=actor(request))
    except campaigns.NotNow as refused:
        messages.error(request, str(refused))
    return redirect("videos:preview", campaign_id=row.pk)


@roles.requires("campaign.preview")
@require_POST
def choose(request: HttpRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row, now = get_object_or_404(Campaign, pk=campaign_id), clock.now()
    wanted = str(request.POST.get("contact", ""))
    contact = _contact(row, wanted)
    staff = actor(request)
    try:
        asset = personalising.preview(campaign=row, contact=contact, at=now, staff=staff)
        playback.open_preview(asset_id=asset.pk, at=now, staff=staff)
    except SlotMissing as missing:
        messages.error(
            request, f"This person has no {missing.slot}. Write what they hear under Fallbacks."
        )
    except personalising.NotPersonalised as failed:
        words = likeness.WORDS.get(failed.code, "The video could not be made for this person")
        messages.error(request, f"{words}. Nothing was sent.")
    except (playback.NotWatchable, keys.KeyRefused):
        messages.error(request, "The video could not be made for this person. Nothing was sent.")
    else:
        kept = [*request.session.get(OPENED, []), str(asset.pk)]
        request.session[OPENED] = kept[-OPENED_KEPT:]
        return redirect(f"{steps.address(row, 'preview')}?video={asset.public_id}")
    return redirect("videos:preview", campaign_id=row.pk)


@roles.requires("campaign.preview")
@require_safe
def video(request: HttpRequest, campaign_id: uuid.UUID, asset_id: uuid.UUID) -> HttpResponseBase:
    asset = _shown(request, campaign_id, asset_id)

    def serve(range_header: str, if_range: str) -> playback.Served:
        return playback.serve(
            asset=asset, range_header=range_header, if_range=if_range, at=clock.now()
        )

    return bytes_views.video(request, serve=serve, still=lambda: True)


@roles.requires("campaign.preview")
@require_safe
def captions(request: HttpRequest, campaign_id: uuid.UUID, asset_id: uuid.UUID) -> HttpResponse:
    return bytes_views.captions(asset=_shown(request, campaign_id, asset_id))


def _shown(request: HttpRequest, campaign_id: uuid.UUID, asset_id: uuid.UUID) -> Asset:
    # A page that was not opened by `choose` has no entry in the trail, and so no bytes.
    if str(asset_id) not in request.session.get(OPENED, []):
        raise Http404
    try:
        asset = playback.previewed(asset_id=asset_id, at=clock.now())
    except playback.NotWatchable:
        raise Http404 from None
    if asset.campaign_id != campaign_id:
        raise Http404
    return asset


def _opened(request: HttpRequest, row: Campaign) -> Asset | None:
    try:
        asset_id = ids.parse("vid", str(request.GET.get("video", "")))
        return _shown(request, row.pk, asset_id)
    except (ids.NotAnId, Http404):
        return None


def _contact(row: Campaign, wanted: str) -> Contact:
    try:
        contact_id = ids.parse("con", wanted)
    except ids.NotAnId:
        raise Http404 from None
    return get_object_or_404(audiences.audience(row).select_related("key"), pk=contact_id)


def _message(row: Campaign, asset: Asset) -> dict[str, object]:
    # The opening of this person's data stands in the trail since `choose`.
    person = contacts.opened(contact=asset.contact, at=clock.now())
    words = wording.message(
        channel=row.channel,
        language=asset.contact.language,
        sender=row.sender_name,
        name=person.name,
        url=links.address("x" * links.TOKEN_LETTERS),
        choices=preferences.address("x" * links.TOKEN_LETTERS),
    )
    shown = [{"body": words.text, "subject": words.subject}]
    return {"phone": shown, "segments": lengths.of_sms(text=words.text), "person": person.name}
