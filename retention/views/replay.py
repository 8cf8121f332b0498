"""What would another law have said of what we sent? The past, judged again; nothing changes.

The page asks, a job judges, and the page shows how far it is. The job judges a bounded number;
the whole past is the command's to judge (`manage.py rules replay`).
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe
from django_q.tasks import async_task

from accounts import roles
from config.lib import charts, clock, ids
from consent import replays
from consent.models import Channel
from retention import law_replays
from retention.models import LawReplay
from retention.views import frame

DAY = "day"
PLACES_DRAWN = 10
WORDS = {"allow": "Allowed", "refuse": "Refused", "defer": "Put off", replays.SAME: "As it was"}
CHANNELS = dict(Channel.choices)
STATES = {"allow": "allowed", "refuse": "refused", "defer": "deferred"}


class LawForm(forms.Form):
    law = forms.ChoiceField(label="Judge by")
    day = forms.DateField(
        label="On which day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    since = forms.DateField(
        label="What was sent since", widget=forms.DateInput(attrs={"type": "date"})
    )
    refusals = forms.BooleanField(label="And what was refused", required=False)

    def __init__(
        self, data: QueryDict | None, *, now: datetime, asked: LawReplay | None = None
    ) -> None:
        year_ago = (now - timedelta(days=365)).date()
        first: dict[str, object] = {"since": year_ago, "law": replays.PROPOSED}
        super().__init__(data, initial=_asked(asked) if asked else first)
        self.fields["law"].choices = [  # type: ignore[attr-defined]
            (replays.PROPOSED, "Every proposed rule"),
            (DAY, "The law of one day"),
            *[(name, f"The pack {name}") for name in replays.pack_names()],
        ]

    def clean(self) -> dict[str, object]:
        found = super().clean() or {}
        if found.get("law") == DAY and not found.get("day"):
            self.add_error("day", "Choose the day whose law is to be asked. Nothing was judged.")
        return found


def _asked(report: LawReplay) -> dict[str, object]:
    is_day = report.law not in {replays.PROPOSED, *replays.pack_names()}
    return {
        "law": DAY if is_day else report.law,
        "day": report.law if is_day else None,
        "since": report.since.date(),
        "refusals": report.refusals,
    }


@roles.requires("consent.view")
@require_http_methods(["GET", "HEAD", "POST"])
def replay(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    form = LawForm(request.POST if request.method == "POST" else None, now=now)
    if not form.is_valid():
        return _shown(request, form, None, now)
    chosen = form.cleaned_data
    with transaction.atomic():
        report = law_replays.ask(
            law=chosen["day"].isoformat() if chosen["law"] == DAY else chosen["law"],
            since=datetime.combine(chosen["since"], time.min, tzinfo=UTC),
            refusals=chosen["refusals"],
            at=now,
            staff=frame.staff(request),
        )
        async_task("retention.jobs.replay", str(report.pk))
    return redirect("console:replayed", report_id=report.pk)


@roles.requires("consent.view")
@require_safe
def replayed(request: HttpRequest, report_id: uuid.UUID) -> HttpResponse:
    now = clock.now()
    report = get_object_or_404(LawReplay, pk=report_id)
    return _shown(request, LawForm(None, now=now, asked=report), report, now)


def _shown(
    request: HttpRequest, form: LawForm, report: LawReplay | None, now: datetime
) -> HttpResponse:
    found = report.found if report else {}
    return frame.page(
        request,
        "replay.html",
        title="Another law",
        part="replay",
        form=form,
        report=report,
        lost=report and law_replays.is_lost(report=report, at=now),
        found=found,
        before=[(row, law_name(row.law)) for row in law_replays.latest()],
        most=law_replays.DECISIONS_MAX,
        status=422 if form.errors else 200,
        **(_told(found) if found else {}),
    )


def law_name(law: str) -> str:
    """Return in words by which law was judged."""
    if law == replays.PROPOSED:
        return "Every proposed rule"
    return f"The law of {law}" if law[:4].isdigit() else f"The pack {law}"


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    left_out: dict[str, int] = found["left_out"]
    return {
        "left_out_total": sum(left_out.values()),
        "left_out": [
            {"count": number, "text": replays.LEFT_OUT[why].capitalize()}
            for why, number in sorted(left_out.items(), key=lambda row: -row[1])
        ],
        "turns": [
            {**row, "before": STATES[row["before"]], "after": STATES[row["after"]]}
            for row in found["turns"]
        ],
        "rules": [{**row, "after": STATES[row["after"]]} for row in found["by_rule"]],
        "examples": [_example(row) for row in found["examples"]],
        "drawings": [
            _drawing("By channel", "Channel", found["by_channel"]),
            _drawing("By place", "Place", found["by_place"]),
        ]
        if found["judged"]
        else [],
    }


def _example(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        **row,
        "message_id": ids.parse("msg", row["message"]) if row["message"] else None,
        "at": datetime.fromisoformat(row["at"]),
        "channel": CHANNELS[row["channel"]],
        "after": STATES[row["after"]],
    }


def _drawing(title: str, corner: str, counts: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
    names = sorted(counts, key=lambda name: -sum(counts[name].values()))[:PLACES_DRAWN]
    words = [word for word in WORDS if any(counts[name].get(word) for name in names)]
    # What stays as it was comes first, so that the bars share their start.
    words.sort(key=lambda word: word != replays.SAME)
    series = {WORDS[word]: [counts[name].get(word, 0) for name in names] for word in words}
    labels = [CHANNELS.get(name, name) for name in names]
    drawn = frame.drawing(
        title=title, draw=charts.stacked, corner=corner, labels=labels, series=series
    )
    more = len(counts) - len(names)
    return {**drawn, "note": f"{more} places more stand in the command's figures." if more else ""}
