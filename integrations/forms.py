"""What does an administrator fill in to connect a provider, by OAuth or by keys?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from integrations import providers
from integrations.crm import mapping
from integrations.keyed import Field, KeyedProvider
from integrations.providers import Provider


class ConnectForm(forms.Form):
    """The app as it is registered at the provider; its secret is never shown again."""

    login_host = forms.CharField(
        label="Where your people sign in",
        max_length=255,
        help_text="login.salesforce.com, test.salesforce.com for a sandbox, or your My Domain, "
        "such as acme.my.salesforce.com.",
    )
    client_id = forms.CharField(label="Client id", max_length=255, strip=True)
    client_secret = forms.CharField(
        label="Client secret",
        max_length=255,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    as_app = forms.BooleanField(
        label="Without a person: the app signs in by itself (client credentials)",
        required=False,
        help_text="For an app that has this flow switched on and a user to run as. It needs your "
        "My Domain above, and stays connected when people leave.",
    )

    def __init__(self, *args: Any, provider: Provider, keeps_secret: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        if not provider.login_suffixes:
            del self.fields["login_host"]
        if not provider.as_app:
            del self.fields["as_app"]
        if keeps_secret:
            self.fields["client_secret"].required = False
            self.fields["client_secret"].help_text = "Leave it empty to keep the one that is held."

    def clean_login_host(self) -> str:
        host = str(self.cleaned_data["login_host"]).strip().lower()
        if not providers.is_login_host(provider=self.provider, host=host):
            raise forms.ValidationError(
                f"Nobody signs in to {self.provider.name} there. Enter the name of the host alone, "
                "such as acme.my.salesforce.com; the address of a Lightning page is another one."
            )
        return host

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("as_app") and found.get("login_host") in self.provider.login_hosts:
            words = "By itself an app signs in at your My Domain, such as acme.my.salesforce.com."
            self.add_error("login_host", words)
        return found


@dataclass(frozen=True)
class Fold:
    """Fields of one purpose, which most accounts leave as they are."""

    words: str
    fields: Sequence[forms.BoundField]

    @property
    def is_open(self) -> bool:
        """Say whether something stands in it, has to, or is wrong."""
        return any(one.value() or one.field.required or one.errors for one in self.fields)


class KeysForm(forms.Form):
    """What opens an account. Secrets are never filled in again: left empty, they stay."""

    def __init__(
        self,
        *args: Any,
        known: KeyedProvider,
        is_new: bool,
        filled: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._folds = {field.name: field.folded for field in known.fields}
        # The keys of a stand-in, which are no secrets and are shown.
        self.initial.update(filled or {})
        if is_new:
            self.fields["label"] = forms.CharField(
                label="Name", max_length=80, initial=known.title, help_text="Shown to colleagues."
            )
        for field in known.fields:
            self.fields[field.name] = _made(field, is_new=is_new, is_shown=bool(filled))

    def open_fields(self) -> list[forms.BoundField]:
        """Return the fields that are always seen."""
        return [field for field in self if not self._folds.get(field.name)]

    def folds(self) -> list[Fold]:
        """Return the fields that are folded away, by what they are for."""
        return [
            Fold(words, [self[name] for name, fold in self._folds.items() if fold == words])
            for words in dict.fromkeys(fold for fold in self._folds.values() if fold)
        ]

    def values(self) -> dict[str, str]:
        """Return what was typed, as text."""
        typed = self.cleaned_data.items()
        return {name: "yes" if value is True else str(value or "") for name, value in typed}


class Typed:
    """Asks a field of a provider whether what was typed can be used."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def __call__(self, typed: str) -> None:
        try:
            if self._field.verify is not None:
                self._field.verify(typed)
        except ValueError as refused:
            raise forms.ValidationError(str(refused)) from None


def _made(field: Field, *, is_new: bool, is_shown: bool = False) -> forms.Field:
    if field.switch:
        return forms.BooleanField(label=field.label, help_text=field.help, required=False)
    words = field.help
    if field.secret and not is_new:
        words = f"{words} Left empty, the one that is kept stays.".strip()
    return forms.CharField(
        label=field.label,
        help_text=words,
        max_length=field.longest,
        required=field.required and (is_new or not field.secret),
        validators=[Typed(field)],
        widget=forms.PasswordInput({"autocomplete": "off"}, render_value=is_shown)
        if field.secret
        else None,
    )


class FieldsForm(forms.Form):
    """Which of a CRM's fields is read as what; one of its own is named as the CRM names it."""

    def __init__(self, *args: Any, provider: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = mapping.CHOICES[provider]
        for name, title in mapping.TITLES.items():
            theirs = choices.fields.get(name, ())
            if name in mapping.OWN:
                self.fields[name] = forms.CharField(
                    label=title, max_length=100, required=False, help_text=_own_help(theirs)
                )
            elif theirs:
                is_kept = name in mapping.ALWAYS
                none = [] if is_kept else [("", "is not read")]
                told = [*none, *((one, one) for one in theirs)]
                self.fields[name] = forms.ChoiceField(label=title, choices=told, required=is_kept)
        if provider == "hubspot":
            self.fields[mapping.SUBSCRIPTIONS] = forms.CharField(
                label="Types of subscription",
                max_length=500,
                required=False,
                help_text="The number of each and the purpose here that it is, such as "
                "123=marketing 456=service. Whoever unsubscribed from one there is not written to "
                "by e-mail for that purpose, and the other way round.",
            )
        self.fields["writes_notes"] = forms.BooleanField(
            label="Note there what was sent and watched",
            required=False,
            help_text="Two lines in the record's history, with a number: that a message was sent, "
            "and that its video was first watched.",
        )


def _own_help(theirs: tuple[str, ...]) -> str:
    usual = f"Usually {' or '.join(theirs)}; or" if theirs else "Not standard:"
    return f"{usual} the name of a field of your own. Empty: it is not read."
