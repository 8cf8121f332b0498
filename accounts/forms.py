"""What do administrators fill in to let a partner in?"""

from django import forms

from accounts import partners


class PartnerForm(forms.Form):
    name = forms.CharField(
        label="Name of the business",
        max_length=partners.NAME_LENGTH,
        help_text="As its own staff would know it. Its people never see it.",
    )


class ClientForm(forms.Form):
    scopes = forms.MultipleChoiceField(
        label="What this client may do",
        choices=[(scope, f"{words} ({scope})") for scope, words in partners.SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="Tick no more than it needs; another client can be issued at any time.",
        error_messages={"required": "Tick at least one."},
    )
