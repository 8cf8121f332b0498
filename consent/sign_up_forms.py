"""What may a person type into a sign-up form? Their name, an address, an age, and their ticks."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from consent import addresses
from consent.box_forms import BoxForm
from consent.boxes import Box
from consent.hosted_forms import PHONE, Look, Person
from consent.models import Channel

EMAIL = {"autocomplete": "email", "inputmode": "email"}
TEL = {"autocomplete": "tel", "inputmode": "tel", "type": "tel", "dir": "ltr"}
TYPED = ("name", "email", "phone", "age")


class SignUpForm(BoxForm):
    """The addresses that a person gives, and the boxes beside them."""

    unticked = "agree_needed"

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        asked: Sequence[Box],
        look: Look,
        age: bool,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, asked=asked, age=age, guardian=look.guardian)
        self.initial = dict(initial or {})
        self.look = look
        channels = {channel for box in asked for channel in box.channels}
        self._add("name", addresses.NAME_MAX_CHARS, {"autocomplete": "name"})
        self.fields["name"].required = True
        self.fields["name"].error_messages["required"] = self.words["name_missing"]
        if Channel.EMAIL in channels:
            self._add("email", addresses.EMAIL_MAX_CHARS, EMAIL)
        if channels & PHONE or look.phone_only:
            self._add("phone", 32, TEL)
        self.order_fields(TYPED)

    def clean_name(self) -> str:
        return self._cleaned("name", addresses.clean_name)

    def clean_email(self) -> str:
        return self._cleaned("email", addresses.clean_email)

    def clean_phone(self) -> str:
        return self._cleaned("phone", addresses.clean_phone)

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if self.errors:
            return found
        if not found.get("email") and not found.get("phone"):
            self.add_error(self.first_address, self.words["one_needed"])
            return found
        reached = {Channel.EMAIL.value} if found.get("email") else set()
        reached |= PHONE if found.get("phone") else set()
        for box in self.boxes:
            if found.get(f"agree_{box.key}") and not reached & set(box.channels):
                self._refuse_tick(box)
        return found

    def person(self, language: str) -> Person:
        """Return who signs up."""
        found = self.cleaned_data
        return Person(
            name=found["name"],
            email=found.get("email", ""),
            phone=found.get("phone", ""),
            language=language,
        )

    def again(self, asked: Sequence[Box]) -> dict[str, Any]:
        """Return what was typed and ticked, for a page that asks for more than was shown."""
        kept = [*TYPED, *(f"{part}_{box.key}" for box in asked for part in ("agree", "signature"))]
        return {name: self.cleaned_data[name] for name in kept if name in self.cleaned_data}

    @property
    def two_ways(self) -> bool:
        """Say whether there is a choice of addresses, of which one is enough."""
        return {"email", "phone"} <= set(self.fields)

    def typed(self) -> list[forms.BoundField]:
        """Return the fields above the boxes."""
        return [self[name] for name in TYPED if name in self.fields]

    @property
    def first_address(self) -> str:
        """Return the field beside which a missing address is told."""
        return "email" if "email" in self.fields else "phone"

    def _refuse_tick(self, box: Box) -> None:
        name = "email" if Channel.EMAIL in box.channels else "phone"
        if f"{name}_for_box" in self.words and name in self.fields:
            self.add_error(name, self.words[f"{name}_for_box"])

    def _add(self, name: str, max_chars: int, attributes: Mapping[str, str]) -> None:
        widget = forms.EmailInput if name == "email" else forms.TextInput
        self.fields[name] = forms.CharField(
            label=self.words[name],
            required=False,
            max_length=max_chars,
            widget=widget(attrs=dict(attributes)),
        )

    def _cleaned(self, name: str, clean: Any) -> str:
        try:
            return str(clean(self.cleaned_data[name]))
        except addresses.NotAContact:
            # In the person's language, and without repeating what they typed.
            raise forms.ValidationError(self.words[f"bad_{name}"]) from None
