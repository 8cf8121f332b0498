"""What does an administrator fill in to connect a provider by OAuth?"""

from typing import Any

from django import forms

from integrations import providers
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

    def __init__(self, *args: Any, provider: Provider, keeps_secret: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        if not provider.login_suffixes:
            del self.fields["login_host"]
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
