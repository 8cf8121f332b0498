"""The officer's first page: are the seven promises kept, and what needs attention?"""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.views.decorators.http import require_safe

from accounts import roles
from config.lib import charts, clock
from consent import figures, propagation, reviews
from retention import overview, verification
from retention.models import VerificationReport
from retention.overview import Growth
from retention.views import frame, growth

# Lists of the admin, with the filter that leaves the rows in question.
LISTS = {
    "renders": ("admin:videos_render_changelist", "?state__exact=failed"),
    "schedules": ("admin:django_q_schedule_changelist", ""),
}


@roles.requires("console.view")
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    now, last = clock.now(), verification.latest()
    concerns = [
        {"concern": concern, "href": _address(concern.page)}
        for concern in overview.concerns(at=now)
    ]
    return frame.page(
        request,
        "dashboard.html",
        title="Today",
        tab="dashboard",
        tiles=tiles(last),
        consent_tiles=consent_tiles(now),
        checked=last,
        age=timesince(last.finished_at, now) if last and last.finished_at else "",
        concerns=concerns,
        drawings=_drawings(),
    )


def _address(page: str) -> str:
    name, query = LISTS.get(page, (f"console:{page}", ""))
    return reverse(name) + query


def tiles(report: VerificationReport | None) -> list[dict[str, object]]:
    found = {one["number"]: one for one in report.promises} if report else {}
    return [
        _tile(number, title, found.get(number))
        for number, title in enumerate(verification.TITLES, 1)
    ]


def _tile(number: int, title: str, promise: dict[str, object] | None) -> dict[str, object]:
    href = reverse("console:promises") + f"#promise-{number}"
    label = f"{number}. {title}"
    if promise is None:
        return {
            "label": label,
            "value": "–",
            "state": "unverified",
            "href": href,
            "word": "Not checked",
        }
    if promise["is_kept"]:
        return {
            "label": label,
            "value": promise["rows"],
            "state": "kept",
            "note": "rows checked",
            "href": href,
        }
    note = "violations found" if promise["faults"] != 1 else "violation found"
    return {
        "label": label,
        "value": promise["faults"],
        "state": "broken",
        "note": note,
        "href": href,
    }


def consent_tiles(now: datetime) -> list[dict[str, object]]:
    waiting = reviews.waiting()
    oldest, found = waiting.first(), propagation.overview(at=now)
    since = [system.oldest for system in found.systems if system.oldest]
    late = found.overdue
    return [
        {
            "label": "Unsure answers to be read",
            "value": waiting.count(),
            "state": "attention" if oldest else "ok",
            "word": "Held back" if oldest else "None waits",
            "note": f"oldest {timesince(oldest.item.received_at, now)}" if oldest else "",
            "href": reverse("console:replies"),
        },
        {
            "label": "Stops others do not know yet",
            "value": sum(system.waiting for system in found.systems),
            "state": "failed" if late else "waiting" if since else "ok",
            "word": f"{late} late" if late else "In time" if since else "All told",
            "note": f"oldest {timesince(min(since), now)}" if since else "",
            "href": reverse("console:stops"),
        },
        {
            "label": "Agreements in force",
            "value": figures.in_force(at=now),
            "note": "to marketing, by channel",
            "href": reverse("console:growth"),
        },
    ]


def _drawings() -> list[dict[str, object]]:
    now = clock.now()
    deletions, verdicts = overview.deletions(at=now), overview.verdicts(at=now)
    return [
        *growth.drawings(figures.history(at=now, days=growth.DAYS)),
        _drawing("Deletions by week", deletions, "Week of"),
        _drawing("Decisions of the last twelve weeks", verdicts, "Channel"),
    ]


def _drawing(title: str, found: Growth, corner: str) -> dict[str, object]:
    shown = _without_empty(found)
    svg = charts.stacked(
        title=title, description=", ".join(found.series), labels=shown.labels, series=shown.series
    )
    table = charts.as_table(corner=corner, labels=found.labels, series=found.series)
    return {"title": title, "svg": svg, "table": table}


def _without_empty(found: Growth) -> Growth:
    # A bar of nothing says nothing.
    kept = [n for n in range(len(found.labels)) if any(row[n] for row in found.series.values())]
    series = {name: [row[n] for n in kept] for name, row in found.series.items()}
    return Growth([found.labels[n] for n in kept], series)
