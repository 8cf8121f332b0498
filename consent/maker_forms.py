"""What does a marketer fill in to make a sign-up form? Parsed here, decided in `form_making`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import Partner
from consent import form_making, purposes, wording
from consent.form_making import BOXES_MAX, Draft
from consent.models import Channel, ConsentEvent, HostedForm

Permission = ConsentEvent.Permission
PURPOSES = [
    ("", "No box"),
    (purposes.MARKETING, "Advertising messages and videos"),
    (purposes.VIEW_ANALYTICS, "Counting how videos are watched"),
    (purposes.SHARING, "Passing data on to partners"),
    (purposes.SPECIAL_DATA, "Using sensitive data (health, beliefs, ...)"),
]
PERMISSIONS = [
    (Permission.EXPRESS, "Express: a tick and a confirmation"),
    (Permission.WRITTEN, "Written: a tick and a typed name"),
    (Permission.EXPLICIT, "Explicit: for sensitive data"),
]


class MakerForm(forms.Form):
    title = forms.CharField(
        label="Name of the form", max_length=120, help_text="For your team; nobody else sees it."
    )
    slug = forms.CharField(
        label="Address",
        max_length=35,
        help_text="The last part of its address, such as spring-2027. It stays once it is open.",
    )
    seller = forms.CharField(
        label="Who asks",
        max_length=60,
        help_text="As people know you. It stands beside every box, and in every record.",
    )
    partner = forms.ChoiceField(label="Whose contacts", required=False)
    asks_age = forms.BooleanField(
        label="Ask how old people are",
        required=False,
        help_text="Under the age of their country a parent or guardian has to agree as well. "
        "Passing data on, and sensitive data, always ask.",
    )
    origins = forms.CharField(
        label="Sites that may embed it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line, such as https://www.example.org. Without any it is only a page.",
    )

    def __init__(self, data: QueryDict | None, *, form: HostedForm | None = None) -> None:
        super().__init__(data, initial=_initial(form))
        partners = list(Partner.objects.filter(is_active=True).order_by("name"))
        field = self.fields["partner"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 for the type checker
        field.choices = [("", "Our own"), *((str(row.pk), row.name) for row in partners)]
        if not partners:
            del self.fields["partner"]
        if form is not None and form.state != HostedForm.State.DRAFT:
            for name in {"slug", "partner"} & set(self.fields):
                self.fields[name].disabled = True
        self.boxes = [
            BoxMakerForm(data, prefix=f"box{number}", box=box)
            for number, box in enumerate(_padded(form))
        ]

    def is_valid(self) -> bool:
        # Each of them, so that the page shows all that is wrong at once.
        return all([super().is_valid(), *[box.is_valid() for box in self.boxes]])

    def draft(self) -> Draft:
        """Return what was written."""
        found = self.cleaned_data
        return Draft(
            title=found["title"],
            slug=found["slug"].strip().lower(),
            seller=found["seller"],
            boxes=[box.plain() for box in self.boxes if box.cleaned_data["purpose"]],
            asks_age=found["asks_age"],
            origins=found["origins"].split(),
            partner=_partner(str(found.get("partner") or "")),
        )

    def refuse(self, fault: form_making.FormRefused) -> None:
        """Show why a form cannot be so, beside the field it is about."""
        self.add_error(fault.field if fault.field in self.fields else None, fault.problem)


class BoxMakerForm(forms.Form):
    purpose = forms.ChoiceField(label="What for", choices=PURPOSES, required=False)
    channels = forms.MultipleChoiceField(
        label="By which channels",
        choices=Channel.choices,
        error_messages={"required": "Say on which channels the box counts."},
        widget=forms.CheckboxSelectMultiple,
    )
    permission = forms.ChoiceField(
        label="Kind of permission",
        choices=PERMISSIONS,
        initial=Permission.EXPRESS,
        help_text="Advertising by text to a number in the United States needs the written one; the "
        "express one turns into it there by itself.",
    )

    def __init__(self, data: QueryDict | None, *, prefix: str, box: Mapping[str, Any]) -> None:
        initial = {name: box.get(name) for name in ("purpose", "channels", "permission") if box}
        texts = box.get("texts", {})
        initial |= {f"text_{code}": text for code, text in texts.items()}
        super().__init__(data, prefix=prefix, initial=initial)
        self.is_used = bool(data.get(f"{prefix}-purpose") if data else initial.get("purpose"))
        if data and not self.is_used:
            self.fields["channels"].required = False
        self.has_own = bool(texts) or bool(data and any(self._typed(data)))
        for code, name in wording.languages().items():
            self.fields[f"text_{code}"] = forms.CharField(
                label=name,
                required=False,
                max_length=form_making.TEXT_MAX_CHARS,
                widget=forms.Textarea(
                    attrs={"rows": 3, "lang": code, "dir": "auto", **_example(box, code)}
                ),
            )

    def fields_above(self) -> list[forms.BoundField]:
        """Return what is filled in for every box."""
        return [self[name] for name in ("purpose", "channels", "permission")]

    def texts(self) -> list[forms.BoundField]:
        """Return the own words, one field a language."""
        return [self[name] for name in self.fields if name.startswith("text_")]

    def plain(self) -> dict[str, Any]:
        """Return the box as it is kept."""
        found = self.cleaned_data
        texts = {code: found[f"text_{code}"] for code in wording.languages()}
        return {
            "purpose": found["purpose"],
            "channels": found["channels"],
            "permission": found["permission"],
            "texts": {code: text for code, text in texts.items() if text.strip()},
        }

    def _typed(self, data: QueryDict) -> Sequence[str]:
        return [data.get(f"{self.prefix}-text_{code}", "") for code in wording.languages()]


def _partner(text: str) -> Partner | None:
    return Partner.objects.filter(pk=text).first() if text else None


def _example(box: Mapping[str, Any], code: str) -> dict[str, str]:
    shown = box.get("purpose") or purposes.MARKETING
    return {"placeholder": purposes.shipped_text(language=code, name=shown)}


def _padded(form: HostedForm | None) -> list[Mapping[str, Any]]:
    first = {"purpose": purposes.MARKETING, "channels": [Channel.EMAIL], "texts": {}}
    known: list[Mapping[str, Any]] = list(form.boxes) if form else [first]
    return [*known, *([{}] * (BOXES_MAX - len(known)))]


def _initial(form: HostedForm | None) -> dict[str, Any]:
    if form is None:
        return {}
    return {
        "title": form.title,
        "slug": form.slug,
        "seller": form.seller,
        "partner": str(form.partner_id or ""),
        "asks_age": form.asks_age,
        "origins": "\n".join(form.origins),
    }
