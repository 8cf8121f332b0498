"""What may a person tick and type beside boxes? Parsed here, decided below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from consent import addresses, boxes, wording
from consent.boxes import Answer, Box

AGE_MAX_YEARS = 120
NAME = {"autocomplete": "off"}


@dataclass(frozen=True)
class Shown:
    """A box beside its bound fields, for the page."""

    box: Box
    asked: str
    by: str
    agree: forms.BoundField
    signature: forms.BoundField | None


class BoxForm(forms.Form):
    """Boxes, each for itself, with what some of them ask for beside the tick."""

    # What is said when nothing was ticked.
    unticked = "tick_needed"

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        asked: Sequence[Box],
        guardian: bool = False,
        age: bool = False,
    ) -> None:
        super().__init__(data)
        self.boxes = asked
        self.words = wording.words(asked[0].language)
        for box in asked:
            self._add_box(box)
        if age:
            self.fields["age"] = self._age()
        if guardian:
            self.fields["guardian"] = self._text("guardian", required=False)
            self.fields["guardian_agrees"] = forms.BooleanField(
                required=False, label=self.words["guardian_agrees"]
            )
        self.with_guardian = guardian

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        ticked = [box for box in self.boxes if found.get(f"agree_{box.key}")]
        if not ticked:
            self.add_error(f"agree_{self.boxes[0].key}", self.words[self.unticked])
        for box in ticked:
            if box.is_signed and not found.get(f"signature_{box.key}", "").strip():
                self.add_error(f"signature_{box.key}", self.words["signature_needed"])
        self._clean_guardian(found)
        return found

    def answer(self, evidence: Mapping[str, object]) -> Answer:
        """Return what was ticked and typed."""
        found = self.cleaned_data
        return Answer(
            ticked=frozenset(box.key for box in self.boxes if found.get(f"agree_{box.key}")),
            signatures={box.key: found.get(f"signature_{box.key}", "") for box in self.boxes},
            age_years=found.get("age"),
            guardian=found.get("guardian", "") if found.get("guardian_agrees") else "",
            evidence=evidence,
        )

    def shown(self) -> list[Shown]:
        """Return each box with its fields, in their order."""
        return [
            Shown(
                box=box,
                agree=self[f"agree_{box.key}"],
                signature=self[f"signature_{box.key}"] if box.is_signed else None,
                **boxes.lines(box),
            )
            for box in self.boxes
        ]

    def _add_box(self, box: Box) -> None:
        # Never ticked beforehand: a form that fails is shown with what the person ticked, no more.
        self.fields[f"agree_{box.key}"] = forms.BooleanField(required=False, label=box.text)
        if box.is_signed:
            self.fields[f"signature_{box.key}"] = self._text("signature", required=False)

    def _text(self, word: str, *, required: bool) -> forms.CharField:
        return forms.CharField(
            label=self.words[word],
            required=required,
            max_length=addresses.NAME_MAX_CHARS,
            widget=forms.TextInput(attrs=NAME),
        )

    def _age(self) -> forms.IntegerField:
        return forms.IntegerField(
            label=self.words["age"],
            min_value=0,
            max_value=AGE_MAX_YEARS,
            error_messages=dict.fromkeys(
                ("required", "invalid", "min_value", "max_value"), self.words["age_needed"]
            ),
            widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        )

    def _clean_guardian(self, found: Mapping[str, Any]) -> None:
        if not self.with_guardian:
            return
        if not found.get("guardian", "").strip():
            self.add_error("guardian", self.words["guardian_needed"])
        if not found.get("guardian_agrees"):
            self.add_error("guardian_agrees", self.words["guardian_needed"])
