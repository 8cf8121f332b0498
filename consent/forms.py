"""What may be typed into the forms of consent? Parsed here, decided below."""

from django import forms

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
