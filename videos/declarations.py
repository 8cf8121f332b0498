"""What does a marketer say of a campaign that no scanner knows? What it speaks of, and who speaks.

Adding a class only makes the gate stricter and is done in a moment. Taking one out lets more people
be written to: it needs a reason that stands in the trail, and is over once sending has begun.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from consent import likeness
from videos import campaigns, contents
from videos.campaigns import NotACampaign, NotNow, State
from videos.models import DRAWN, Campaign, Recipient

# A pause takes queued messages back: what leaves afterwards is judged by all that is declared.
DECLARABLE = {State.DRAFT, State.READY, State.RENDERING, State.PAUSED}


@transaction.atomic
def change(
    *,
    campaign: Campaign,
    declared: Iterable[str],
    taken_back: Iterable[str],
    dismissed: Mapping[str, str],
    at: datetime,
    actor: Actor,
) -> None:
    """Do several of the acts below at once, or none; `dismissed` is reasons by class.

    :raises NotACampaign: as each of them.
    :raises NotNow: as each of them.
    """
    for content in declared:
        declare(campaign=campaign, content=content, at=at, actor=actor)
    for content in taken_back:
        take_back(campaign=campaign, content=content, at=at, actor=actor)
    for content, reason in dismissed.items():
        dismiss(campaign=campaign, content=content, reason=reason, at=at, actor=actor)


@transaction.atomic
def declare(*, campaign: Campaign, content: str, at: datetime, actor: Actor) -> Campaign:
    """Say that a campaign speaks of something, whatever its words are; again changes nothing.

    :raises NotACampaign: there is no such class.
    :raises NotNow: it is being sent, or over.
    Law: GDPR Art. 9; 45 CFR 164.508(a)(3).
    """
    _require_known(content)
    held = campaigns.locked(campaign, *DECLARABLE, State.SENDING)
    if held.state == State.SENDING:
        raise NotNow("Messages are leaving. Pause the campaign, then say what it speaks of.")
    if content not in held.content_declared:
        held.content_declared = sorted({*held.content_declared, content})
        _keep(held, campaign)
        _note(held, "content_declared", at, actor, content=content)
    return held


@transaction.atomic
def take_back(*, campaign: Campaign, content: str, at: datetime, actor: Actor) -> Campaign:
    """Take back what was declared by hand; what the scanner finds still counts.

    :raises NotACampaign: it was not declared.
    :raises NotNow: sending has begun.
    """
    _require_known(content)
    held = _before_sending(campaign)
    if content not in held.content_declared:
        raise NotACampaign("content", f"Nobody added “{contents.LABELS[content]}” here.")
    held.content_declared = [one for one in held.content_declared if one != content]
    _keep(held, campaign)
    _note(held, "content_taken_back", at, actor, content=content)
    return held


@transaction.atomic
def dismiss(
    *, campaign: Campaign, content: str, reason: str, at: datetime, actor: Actor
) -> Campaign:
    """Take out the words that were found for a class, with a reason; other words count again.

    :raises NotACampaign: no such class or reason, or no word of the class is there.
    :raises NotNow: sending has begun.
    """
    _require_known(content)
    if reason not in contents.REASONS:
        raise NotACampaign("reason", "Choose why these words are none.")
    held = _before_sending(campaign)
    words = {one.key for one in contents.sightings(held) if one.content == content}
    if not words:
        label = contents.LABELS[content]
        raise NotACampaign("content", f"No word of “{label}” is in the scripts.")
    before = held.content_dismissed.get(content, {}).get("words", [])
    kept = {"reason": reason, "words": sorted({*before, *words})}
    held.content_dismissed = {**held.content_dismissed, content: kept}
    _keep(held, campaign)
    _note(held, "content_dismissed", at, actor, content=content, reason=reason, words=len(words))
    return held


@transaction.atomic
def choose_presenter(
    *, campaign: Campaign, presenter_code: str, at: datetime, actor: Actor
) -> Campaign:
    """Choose who is seen and heard: the drawn figure, or a person with a release in force.

    :raises NotACampaign: nobody of this code has a release in force.
    :raises NotNow: it is being rendered or has been started.
    """
    released = {row.presenter_code for row in likeness.in_force(at=at)}
    if presenter_code not in {DRAWN, *released}:
        raise NotACampaign("presenter_code", likeness.WORDS[likeness.NOT_RELEASED] + ".")
    held = campaigns.locked(campaign, *campaigns.EDITABLE)
    if presenter_code != held.presenter_code:
        # What was rendered shows somebody else.
        held.presenter_code, held.state = presenter_code, State.DRAFT
        held.save(update_fields=["presenter_code", "state"])
        _note(held, "presenter_chosen", at, actor, presenter=presenter_code)
    return held


def has_begun(campaign: Campaign) -> bool:
    """Say whether anybody of a campaign was dealt with, by its start or by the API."""
    return campaign.started_at is not None or Recipient.objects.filter(campaign=campaign).exists()


def _require_known(content: str) -> None:
    if content not in contents.LABELS:
        known = ", ".join(contents.LABELS)
        raise NotACampaign("content", f"There is no such class of content. You can use: {known}.")


def _before_sending(campaign: Campaign) -> Campaign:
    held = campaigns.locked(campaign, *State.values)
    if has_begun(held):
        raise NotNow("Sending has begun: nothing can be taken out any more. Nothing was changed.")
    return held


def _keep(held: Campaign, campaign: Campaign) -> None:
    held.content = list(contents.judged(held))
    held.save(update_fields=["content", "content_declared", "content_dismissed"])
    campaign.content, campaign.content_declared = held.content, held.content_declared
    campaign.content_dismissed = held.content_dismissed


def _note(campaign: Campaign, what: str, at: datetime, actor: Actor, **details: str | int) -> None:
    audit.record(
        action=f"videos.campaign.{what}",
        at=at,
        actor=actor,
        object_type="videos.campaign",
        object_id=str(campaign.pk),
        details=details,
    )
