"""Is every column of every model declared, third-party ones too, and is each declared one real?"""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import models

from config.lib.inventory import DEFAULT_DAYS, Column
from retention import inventory, policies
from tests.retention import people

# What a period may name beside a record class: kept as evidence, or as long as its row.
WORDS = {"keep", "with the row"}


class Planted(models.Model):
    nickname = models.CharField(max_length=20)

    class Meta:
        app_label = "planted"
        managed = False


def columns() -> list[tuple[str, Column]]:
    return [
        (f"{model}.{name}", column)
        for model, declared in inventory.declarations().items()
        for name, column in declared.items()
    ]


def test_every_column_of_every_model_is_declared() -> None:
    assert inventory.undeclared() == []


def test_an_undeclared_column_is_named() -> None:
    assert "planted.planted.nickname" in inventory.undeclared([Planted])


def test_every_column_says_what_it_is_by_what_right_and_until_when() -> None:
    silent = [name for name, c in columns() if not (c.category and c.basis and c.period)]
    assert not silent


def test_every_period_is_a_policy_or_a_word_of_ours() -> None:
    known = WORDS | set(policies.LABELS)
    stray = sorted({c.period for _, c in columns() if c.period not in known})
    assert not stray


def test_every_default_period_has_its_law() -> None:
    assert set(DEFAULT_DAYS) <= set(policies.LABELS)


def test_every_sealed_column_is_personal_or_a_secret() -> None:
    sealed = [(name, c) for name, c in columns() if name.endswith("_sealed")]
    assert sealed
    plain = [name for name, c in sealed if not c.personal and c.category != "key"]
    assert not plain


@pytest.mark.django_db
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_record_of_processing_is_printed(form: list[str]) -> None:
    people.house()
    said = StringIO()
    call_command("inventory", *form, stdout=said)
    text = said.getvalue()
    assert "consent.contact.name_sealed" in text
    if form:
        record = json.loads(text)
        assert {row["record_class"] for row in record["policies"]} == set(policies.LABELS)
