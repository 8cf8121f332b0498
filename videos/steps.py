"""Where in the builder is one, and which steps are done?"""

from django.urls import reverse

from videos import campaigns, checks
from videos.models import Campaign

STEPS = (
    ("script", "Script"),
    ("presenter", "Presenter"),
    ("audience", "Audience"),
    ("fallbacks", "Fallbacks"),
    ("preview", "Preview"),
    ("checks", "Checks"),
    ("send", "Send"),
)
ELSEWHERE = {"connections": "integrations:connections"}


def of(campaign: Campaign, current: str) -> list[dict[str, str]]:
    """Return the steps of the builder for the page that shows them."""
    done = _done(campaign)
    names = [code for code, _ in STEPS]
    place = names.index(current) if current in names else -1
    return [
        {
            "label": label,
            "href": address(campaign, code),
            "state": "current" if code == current else _state(code, number, place, done),
        }
        for number, (code, label) in enumerate(STEPS)
    ]


def address(campaign: Campaign, step: str) -> str:
    """Return the address of a step, or of the page elsewhere that a check sends people to."""
    if not step:
        return ""
    if step == "templates":
        account = checks.connection_for(campaign)
        return reverse("integrations:templates", args=[account.pk]) if account else ""
    if step in ELSEWHERE:
        return reverse(ELSEWHERE[step])
    return reverse(f"videos:{step}", args=[campaign.pk])


def _done(campaign: Campaign) -> set[str]:
    done = set()
    if campaigns.scripts(campaign):
        done.add("script")
    if campaign.state != Campaign.State.DRAFT:
        done.add("preview")
    if campaign.started_at is not None:
        done.update(code for code, _ in STEPS)
    return done


def _state(code: str, number: int, place: int, done: set[str]) -> str:
    if code == "script":
        return "done" if code in done else "blocked"
    return "done" if code in done or number < place else "todo"
