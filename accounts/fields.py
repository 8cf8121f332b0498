"""How does a column of the house's own secrets look? Sealed under the root keys.

django-cryptography carries the plumbing of the field; its codec (pickle, CBC, one key derived
from SECRET_KEY) is replaced whole, so that no stored byte is ever unpickled.
"""

import json
from typing import Any

from django.db import models
from django_cryptography.fields import EncryptedMixin

from accounts import keys


class SealedJSONField(EncryptedMixin, models.JSONField):  # type: ignore[misc]
    """JSON sealed under the primary root key and bound to `label` (table and column).

    A value that does not open reads as None, never as its ciphertext: one bad row must not stop
    a list. Whoever needs the value must treat None as a refusal.
    """

    def __init__(self, *args: Any, label: str, **kwargs: Any) -> None:
        self.label = label
        # The mixin's own __init__ is passed over: it derives a Fernet key from SECRET_KEY.
        self.key = self.ttl = self._fernet = None  # type: ignore[assignment]
        models.JSONField.__init__(self, *args, **kwargs)

    def _dump(self, value: object) -> bytes:
        return keys.seal_secret(plaintext=json.dumps(value).encode(), context=self.label)

    def _load(self, value: bytes) -> object:
        try:
            return json.loads(keys.unseal_secret(sealed=bytes(value), context=self.label))
        except keys.KeyRefused:
            return None

    def deconstruct(self) -> Any:
        name, path, args, kwargs = models.JSONField.deconstruct(self)
        return name, path, args, {**kwargs, "label": self.label}

    def clone(self) -> "SealedJSONField":
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)
