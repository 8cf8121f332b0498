"""What does a marketer fill in to make a campaign?"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django import forms
from django.http import QueryDict

from accounts.models import Partner
from consent import purposes
from consent.models import Channel, LikenessRelease, Purpose
from videos import contents, languages
from videos.fallbacks import Gap
from videos.models import DRAWN, Campaign, Render

LIVES = [
    (24, "1 day"),
    (72, "3 days"),
    (168, "7 days"),
    (336, "14 days"),
    (720, "30 days"),
]
SOURCES = {"csv": "Imported lists", "form": "Sign-up form", "api": "Partner's API"}


# Left out of a form, they are what they were.
OPTIONAL = ("devices_allowed", "step_up")


class CampaignForm(forms.Form):
    name = forms.CharField(
        label="Name of the campaign",
        max_length=120,
        help_text="For your team; no recipient sees it.",
    )
    sender_name = forms.CharField(
        label="Sender",
        max_length=60,
        help_text="As your customers know you: it stands in the message and on the page.",
    )
    channel = forms.ChoiceField(label="Sent by", choices=Channel.choices, initial=Channel.EMAIL)
    purpose_code = forms.ChoiceField(
        label="What for",
        help_text="Decides which consent each person must have given.",
    )
    default_language = forms.ChoiceField(
        label="Main language",
        choices=languages.CHOICES,
        initial="en",
        help_text="Whoever reads none of your languages gets this one.",
    )
    partner = forms.ChoiceField(
        label="Whose contacts",
        required=False,
        help_text="A partner's campaign can be sent by the partner's API as well.",
    )
    link_ttl_hours = forms.TypedChoiceField(
        label="A link lives", choices=LIVES, coerce=int, initial=168
    )
    plays_allowed = forms.IntegerField(
        label="A link plays at most",
        min_value=1,
        max_value=100,
        initial=10,
        help_text="Each press on play counts; after half an hour, as a new one.",
    )
    devices_allowed = forms.IntegerField(
        label="A link opens on so many devices",
        min_value=1,
        max_value=20,
        initial=5,
        required=False,
        help_text="Phone, tablet, and each other browser it is opened in.",
    )
    step_up = forms.ChoiceField(
        label="The next device",
        choices=Campaign.StepUp.choices,
        initial=Campaign.StepUp.NEVER,
        required=False,
        help_text="A video about health or other special data always asks for a code.",
    )

    def clean(self) -> dict[str, object]:
        given = self.cleaned_data
        return {name: given[name] for name in given if given[name] or name not in OPTIONAL}

    def __init__(
        self, data: QueryDict | None, *, at: datetime, campaign: Campaign | None = None
    ) -> None:
        super().__init__(data, initial=_initial(campaign))
        field = self.fields["purpose_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 for the type checker
        field.choices = _purposes(at)
        partners = list(Partner.objects.filter(is_active=True).order_by("name"))
        if campaign is not None:
            del self.fields["partner"], self.fields["default_language"]
        elif not partners:
            del self.fields["partner"]
        else:
            own = [("", "Our own"), *((str(row.pk), row.name) for row in partners)]
            self.fields["partner"].choices = own  # type: ignore[attr-defined]


class ScriptForm(forms.Form):
    language = forms.ChoiceField(choices=languages.CHOICES, widget=forms.HiddenInput)
    text = forms.CharField(
        label="What the video says",
        strip=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10, "dir": "auto", "spellcheck": "true"}),
        help_text="The first sentence, and each further one with a slot, is spoken for each person "
        "on this machine. The rest is spoken once, by the AI, for everybody.",
    )


class UploadForm(forms.Form):
    language = forms.ChoiceField(label="For which language")
    video = forms.FileField(
        label="Video",
        help_text="An MP4 with H.264 picture and AAC sound, up to 3 minutes and 100 MiB. "
        "It names nobody: everyone gets it.",
        widget=forms.FileInput(attrs={"accept": "video/mp4,.mp4"}),
    )
    slot_seconds = forms.FloatField(
        label="Seconds for the greeting",
        min_value=1,
        max_value=15,
        initial=3,
        help_text="So long, from the start, the picture leaves room for the name and the sound "
        "for the greeting.",
    )
    made_by = forms.ChoiceField(
        label="Who made it",
        choices=[
            (Render.MadeBy.HUMAN.value, "People recorded it"),
            (Render.MadeBy.AI.value, "An AI made it, or part of it"),
        ],
        widget=forms.RadioSelect,
        help_text="The greeting is spoken by a machine, so that each video says "
        "“Made with AI” either way.",
    )
    captions = forms.FileField(
        label="Captions",
        required=False,
        help_text="A WebVTT file with what is said after the greeting.",
        widget=forms.FileInput(attrs={"accept": "text/vtt,.vtt"}),
    )

    def __init__(
        self, data: QueryDict | None, files: object, *, choices: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__(data, files)  # type: ignore[arg-type]
        self.fields["language"].choices = list(choices)  # type: ignore[attr-defined]


class DeclareForm(forms.Form):
    declare = forms.ChoiceField(
        label="Add what no word shows",
        help_text="Such as a mailing to patients, or a video for children.",
    )

    def __init__(self, *args: object, declared: Collection[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        left = [pair for pair in contents.LABELS.items() if pair[0] not in declared]
        self.fields["declare"].choices = [("", "Choose"), *left]  # type: ignore[attr-defined]


class DismissForm(forms.Form):
    reason = forms.ChoiceField(label="Why", choices=[("", "Choose"), *contents.REASONS.items()])


class PresenterForm(forms.Form):
    presenter_code = forms.ChoiceField(label="Who speaks", widget=forms.RadioSelect)

    def __init__(
        self, *args: object, released: Sequence[LikenessRelease], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        drawn = (DRAWN, "The drawn figure: nobody's face or voice, always allowed")
        persons = {row.presenter_code: _released(row) for row in reversed(released)}
        self.fields["presenter_code"].choices = [  # type: ignore[attr-defined]
            drawn,
            *sorted(persons.items()),
        ]


class AudienceForm(forms.Form):
    languages = forms.MultipleChoiceField(
        label="Languages", required=False, widget=forms.CheckboxSelectMultiple
    )
    countries = forms.MultipleChoiceField(
        label="Countries", required=False, widget=forms.CheckboxSelectMultiple
    )
    sources = forms.MultipleChoiceField(
        label="Came to us by", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self, *args: object, choices: Mapping[str, Sequence[tuple[str, int]]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, values in choices.items():
            words = languages.NAMES if name == "languages" else SOURCES
            self.fields[name].choices = [  # type: ignore[attr-defined]
                (value, f"{words.get(value, value)} ({people:,})") for value, people in values
            ]


class FallbackForm(forms.Form):
    """One field for each slot of one language's script."""

    def __init__(self, *args: object, gaps: Sequence[Gap], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for gap in gaps:
            self.fields[gap.slot] = forms.CharField(
                label=f"Instead of {gap.slot}",
                required=False,
                max_length=60,
                initial=gap.fallback or "",
                help_text=gap.words,
            )


class SpecimenForm(forms.Form):
    contact = forms.ChoiceField(label="Whose video", widget=forms.RadioSelect)

    def __init__(self, *args: object, choices: Sequence[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["contact"].choices = list(choices)  # type: ignore[attr-defined]


def _purposes(at: datetime) -> list[tuple[str, str]]:
    rows = Purpose.objects.filter(valid_from__lte=at).order_by("code", "-version")
    titles = {row.code: f"{row.title} ({row.get_basis_display().lower()})" for row in rows}
    # A message is sent for one of these; the others are about data, or asked by the house itself.
    return [(code, titles[code]) for code in (purposes.MARKETING, "service") if code in titles]


def _released(row: LikenessRelease) -> str:
    spoken = ", ".join(languages.name(tag) for tag in row.languages)
    used = ", ".join(code.replace("_", " ") for code in row.purposes)
    return f"{row.presenter_code}: {spoken}; for {used}; until {row.valid_until:%-d %b %Y}"


def _initial(campaign: Campaign | None) -> dict[str, object] | None:
    if campaign is None:
        return None
    names = ("name", "sender_name", "channel", "purpose_code", "link_ttl_hours", "plays_allowed")
    return {name: getattr(campaign, name) for name in (*names, *OPTIONAL)}
