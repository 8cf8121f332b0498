"""Which fields does a provider's account ask for?"""

from typing import Any

from django import forms

from integrations.keyed import Field, KeyedProvider

LONGEST = 400


class KeysForm(forms.Form):
    """What opens an account. Secrets are never filled in again: left empty, they stay."""

    def __init__(self, *args: Any, known: KeyedProvider, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_new:
            self.fields["label"] = forms.CharField(
                label="Name", max_length=80, initial=known.title, help_text="Shown to colleagues."
            )
        for field in known.fields:
            self.fields[field.name] = _made(field, is_new=is_new)

    def values(self) -> dict[str, str]:
        """Return what was typed, as text."""
        typed = self.cleaned_data.items()
        return {name: "yes" if value is True else str(value or "") for name, value in typed}


def _made(field: Field, *, is_new: bool) -> forms.Field:
    if field.switch:
        return forms.BooleanField(label=field.label, help_text=field.help, required=False)
    words = field.help
    if field.secret and not is_new:
        words = f"{words} Left empty, the one that is kept stays.".strip()
    return forms.CharField(
        label=field.label,
        help_text=words,
        max_length=LONGEST,
        required=field.required and (is_new or not field.secret),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}) if field.secret else None,
    )
