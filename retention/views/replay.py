"""What would another law have said of what we sent? The last sends, judged again; nothing changes.

The page judges a bounded number while its reader waits; the whole past is the command's to judge
(`manage.py rules replay`).
"""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from accounts import roles
from config.lib import charts, clock
from consent import replays
from consent.models import Channel
from consent.replays import Replay
from consent.rulebook import BadRule
from retention.views import frame

# Judged in a few seconds; more would hold a worker of the web.
DECISIONS_MAX = 3000
DAY = "day"
EXAMPLES = 20
PLACES_DRAWN = 10
WORDS = {"allow": "Allowed", "refuse": "Refused", "defer": "Put off", replays.SAME: "As it was"}
CHANNELS = dict(Channel.choices)
STATES = {"allow": "allowed", "refuse": "refused", "defer": "deferred"}


class LawForm(forms.Form):
    law = forms.ChoiceField(label="Judge by")
    day = forms.DateField(
        label="The day, where the law of a day is chosen",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    since = forms.DateField(
        label="What was sent since", widget=forms.DateInput(attrs={"type": "date"})
    )
    refusals = forms.BooleanField(label="And what was refused", required=False)

    def __init__(self, data: QueryDict | None, *, now: datetime) -> None:
        year_ago = (now - timedelta(days=365)).date()
        super().__init__(data, initial={"since": year_ago, "law": replays.PROPOSED})
        self.fields["law"].choices = [  # type: ignore[attr-defined]
            (replays.PROPOSED, "Every proposed rule, as if it were in force"),
            (DAY, "The law of a day, past or to come"),
            *[(name, f"The pack {name}, as if in force today") for name in replays.pack_names()],
        ]

    def clean(self) -> dict[str, object]:
        found = super().clean() or {}
        if found.get("law") == DAY and not found.get("day"):
            self.add_error("day", "Choose the day whose law is to be asked. Nothing was judged.")
        return found


@roles.requires("consent.view")
@require_safe
def replay(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    form = LawForm(request.GET if "law" in request.GET else None, now=now)
    found = _judged(form, now) if form.is_valid() else None
    return frame.page(
        request,
        "replay.html",
        title="Another law",
        part="replay",
        form=form,
        found=found,
        most=DECISIONS_MAX,
        status=422 if form.errors else 200,
        **(_told(found) if found else {}),
    )


def _judged(form: LawForm, now: datetime) -> Replay | None:
    chosen = form.cleaned_data
    name = chosen["day"].isoformat() if chosen["law"] == DAY else chosen["law"]
    try:
        return replays.replay(
            book=replays.book_of(name),
            since=datetime.combine(chosen["since"], time.min, tzinfo=UTC),
            until=now,
            at=now,
            refusals_too=chosen["refusals"],
            newest=DECISIONS_MAX,
            examples=EXAMPLES,
        )
    except BadRule as fault:
        form.add_error("law", f"A pack cannot be read: {fault}. Nothing was judged.")
        return None


def _told(found: Replay) -> dict[str, Any]:
    return {
        "left_out": [
            {"count": number, "text": replays.LEFT_OUT[why].capitalize()}
            for why, number in found.left_out.most_common()
        ],
        "turns": [
            {"before": STATES[before], "after": STATES[after], "count": number}
            for (before, after), number in found.turns.most_common()
        ],
        "rules": [_by_rule(found, row, number) for row, number in found.by_rule.most_common()],
        "examples": [
            {"turn": row, "channel": CHANNELS[row.channel], "after": STATES[row.after]}
            for row in found.examples
        ],
        "drawings": [
            _drawing("By channel", "Channel", found.by_channel),
            _drawing("By place", "Place", found.by_place),
        ]
        if found.judged
        else [],
    }


def _by_rule(found: Replay, row: tuple[str, str, str, str], number: int) -> dict[str, object]:
    code, rule_id, before, after = row
    rule = found.rules[rule_id]
    return {
        "count": number,
        "code": code,
        "rule": rule,
        "before": STATES[before],
        "after": STATES[after],
    }


def _drawing(title: str, corner: str, counts: Counter[tuple[str, str]]) -> dict[str, object]:
    totals = Counter[str]()
    for (name, _), number in counts.items():
        totals[name] += number
    names = [name for name, _ in totals.most_common(PLACES_DRAWN)]
    words = [word for word in WORDS if any(counts[name, word] for name in names)]
    # What stays as it was comes first, so that the bars share their start.
    words.sort(key=lambda word: word != replays.SAME)
    series = {WORDS[word]: [counts[name, word] for name in names] for word in words}
    labels = [CHANNELS.get(name, name) for name in names]
    drawn = frame.drawing(
        title=title, draw=charts.stacked, corner=corner, labels=labels, series=series
    )
    more = len(totals) - len(names)
    return {**drawn, "note": f"{more} places more stand in the command's figures." if more else ""}
