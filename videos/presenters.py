"""Whose face and voice does a campaign's video show, and may it be made and sent now?

The drawn figure is nobody and needs no release. A person's is asked for before anything of it
leaves, before each video is made of it, and again when a message is handed over.
"""

from datetime import datetime

from consent import likeness
from consent.likeness import NotReleased
from consent.models import LikenessRelease
from videos.models import DRAWN, Campaign, Render, Script

__all__ = ["DRAWN", "NotReleased"]


def require(
    *, presenter_code: str, language: str, purpose_code: str, at: datetime
) -> LikenessRelease | None:
    """Return the release under which a presenter is shown; None for the drawn figure.

    :raises NotReleased: there is none that covers this.
    Law: BIPA 740 ILCS 14/15(b); GDPR Art. 9(2)(a).
    """
    if presenter_code == DRAWN:
        return None
    return likeness.require(
        presenter_code=presenter_code, language=language, purpose_code=purpose_code, at=at
    )


def require_of(*, render: Render, campaign: Campaign, at: datetime) -> None:
    """Refuse a base video whose presenter's release does not cover it, or not any more.

    It is asked of who is seen in it, even if the campaign shows somebody else by now.
    :raises NotReleased: as `require`.
    """
    require(
        presenter_code=render.presenter_code,
        language=render.language,
        purpose_code=campaign.purpose_code,
        at=at,
    )


def refusals(*, campaign: Campaign, at: datetime) -> dict[str, NotReleased]:
    """Return why the campaign's presenter may not be shown, by language; nothing if they may."""
    rows = Script.objects.filter(campaign=campaign).exclude(text="").order_by("language")
    languages = list(rows.values_list("language", flat=True)) or [campaign.default_language]
    found = {}
    for language in languages:
        try:
            require(
                presenter_code=campaign.presenter_code,
                language=language,
                purpose_code=campaign.purpose_code,
                at=at,
            )
        except NotReleased as refused:
            found[language] = refused
    return found
