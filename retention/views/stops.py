"""Do other systems know of our people's stops, how long did it take, and is any late?"""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.timesince import timesince, timeuntil
from django.views.decorators.http import require_safe

from accounts import roles
from config.lib import charts, clock
from consent import propagation
from consent.propagation import System
from retention.views import frame

UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


@roles.requires("consent.view")
@require_safe
def stops(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    found = propagation.overview(at=now)
    timed = [system for system in found.systems if system.p95_seconds is not None]
    return frame.page(
        request,
        "stops.html",
        title="Stops told on",
        part="stops",
        overview=found,
        rows=[_row(system, now) for system in found.systems],
        drawing=_drawing(timed) if timed else None,
    )


def _row(system: System, now: datetime) -> dict[str, object]:
    return {
        "system": system,
        "oldest": timesince(system.oldest, now) if system.oldest else "",
        "due": timeuntil(system.due_next, now) if system.due_next else "",
    }


def _drawing(systems: list[System]) -> dict[str, object]:
    # The largest unit in which the quickest system still shows.
    quickest = min(system.p95_seconds or 0 for system in systems)
    size, unit = next((row for row in UNITS if quickest >= row[0] / 2), UNITS[-1])
    labels, values = [], []
    for system in systems:
        for words, seconds in (
            ("half within", system.median_seconds),
            ("95 % within", system.p95_seconds),
        ):
            labels.append(f"{system.label}, {words}")
            values.append(round((seconds or 0) / size, 1))
    title = f"From hearing a stop to its being known there, in {unit}"
    svg = charts.bars(title=title, description="Per system", labels=labels, values=values)
    table = charts.as_table(corner="System", labels=labels, series={unit.capitalize(): values})
    return {"title": title, "svg": svg, "table": table}
