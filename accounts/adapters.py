"""How does allauth behave in this house? No open sign-up; second factors sealed."""

import base64

from allauth.account.adapter import DefaultAccountAdapter
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from accounts import keys

MFA_PLACE = "mfa_authenticator.data"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        sealed = keys.seal_secret(plaintext=text.encode(), context=MFA_PLACE)
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        sealed = base64.b64decode(encrypted_text)
        return keys.unseal_secret(sealed=sealed, context=MFA_PLACE).decode()


class OidcAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Partners are issued access tokens by client credentials only."""

    def hash_token(self, token: str) -> str:
        # Keyed: who reads the table alone cannot even check a token that was found elsewhere.
        return keys.token_index(kind="oidc", token=token)
