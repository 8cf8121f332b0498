"""What may be asked of the gate on a page? One form, for a person and for a search."""

from datetime import UTC, datetime

from django import forms
from django.http import QueryDict

from consent import purposes
from consent.models import Channel, Purpose
from consent.rule_format import CONTENT

WANTED = "E-mail address, phone number or contact id"
CONTENT_WORDS = {
    "child_directed": "Something meant for children",
    "orientation": "Sexual orientation",
    "phi": "Somebody's own health record",
    "union": "Trade union",
}
CLOCK = "%Y-%m-%dT%H:%M"


class QuestionForm(forms.Form):
    purpose = forms.ChoiceField(label="For")
    channel = forms.ChoiceField(label="By", choices=Channel.choices)

    def __init__(self, data: QueryDict | dict[str, str] | None = None) -> None:
        super().__init__(data)
        rows = Purpose.objects.order_by("title").values_list("code", "title")
        self.fields["purpose"].choices = sorted(set(rows), key=marketing_first)  # type: ignore[attr-defined]


class WholeQuestionForm(QuestionForm):
    at = forms.DateTimeField(
        label="When (UTC)",
        required=False,
        input_formats=[CLOCK],
        help_text="Now, if left empty. A time that has passed is answered as it stood then.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=CLOCK),
    )
    content = forms.MultipleChoiceField(
        label="What the words speak of",
        required=False,
        choices=[(code, CONTENT_WORDS.get(code, code.capitalize())) for code in sorted(CONTENT)],
        widget=forms.CheckboxSelectMultiple,
    )

    def instant(self, now: datetime) -> datetime:
        """Return the instant that is asked about."""
        chosen: datetime | None = self.cleaned_data.get("at")
        return chosen.astimezone(UTC) if chosen else now


class FindForm(QuestionForm):
    # Sent by POST: an address in a query would stand in logs and histories.
    wanted = forms.CharField(
        label=WANTED,
        max_length=254,
        help_text="The whole of it: people are found by a keyed hash, so a part finds nobody.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("wanted", "channel", "purpose")


def marketing_first(row: tuple[str, str]) -> tuple[bool, str]:
    """Return the key that sorts purposes as they are asked about."""
    return row[0] != purposes.MARKETING, row[1]
