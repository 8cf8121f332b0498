"""What may be typed into the forms of consent? Parsed here, decided below."""

from django import forms

from consent import addresses, wording
from consent.models import ConsentEvent

FILE_MAX_MEBIBYTES = 32
STATES = [("", "Any consent"), ("none", "Never asked"), *ConsentEvent.Kind.choices]


class ImportForm(forms.Form):
    file = forms.FileField(
        label="List of people",
        help_text="A CSV file in UTF-8, up to 32 MB. The first row names the columns: name, email, "
        "phone, language, time_zone, country, region, consent, company, city, plan. "
        "Nothing is imported before you have seen the check.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        error_messages={
            "required": "Choose a file of at most 32 MB.",
            "empty": "The file is empty. Nothing was imported.",
        },
    )
    source = forms.SlugField(
        label="Where the list comes from",
        initial="crm",
        max_length=40,
        help_text="A short word, such as crm or trade-fair-2026. It is kept with every contact.",
    )


class EvidenceForm(ImportForm):
    file = forms.FileField(
        label="List of evidence",
        help_text="A CSV file in UTF-8, up to 32 MB: one act of one person a row. Which columns an "
        "act needs stands below. Nothing is changed before you have seen the check.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        error_messages={
            "required": "Choose a file of at most 32 MB.",
            "empty": "The file is empty. Nothing was changed.",
        },
    )


class FilterForm(forms.Form):
    country = forms.CharField(required=False, max_length=2, label="Country")
    language = forms.CharField(required=False, max_length=16, label="Language")
    state = forms.ChoiceField(required=False, choices=STATES, label="Consent")


class SearchForm(forms.Form):
    # Sent by POST: an address in a query would stand in logs and histories.
    address = forms.CharField(
        label="Find by e-mail address or phone number",
        max_length=254,
        help_text="The whole address. It is looked up by a keyed hash, never by its letters.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class JoinForm(forms.Form):
    name = forms.CharField(
        max_length=addresses.NAME_MAX_CHARS, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.CharField(
        required=False,
        max_length=addresses.EMAIL_MAX_CHARS,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    phone = forms.CharField(
        required=False,
        max_length=32,
        widget=forms.TextInput(
            attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel", "dir": "ltr"}
        ),
    )
    agree = forms.BooleanField()

    def __init__(self, *args: object, language: str, notice: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        words = wording.words(language)
        for name in ("name", "email", "phone"):
            self.fields[name].label = words[name]
        self.fields["agree"].label = notice
        self.fields["agree"].error_messages["required"] = words["agree_needed"]
        self._one_needed = words["one_needed"]

    def clean(self) -> dict[str, object]:
        found = super().clean() or {}
        if not found.get("email") and not found.get("phone"):
            self.add_error("email", self._one_needed)
        return found
