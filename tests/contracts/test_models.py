"""Can the rows of one app be changed or reached by another behind its back?"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.db.models.fields.related import RelatedField

from tests.contracts.source import APPS


def relations() -> "Iterator[RelatedField[Any, Any]]":
    for app in APPS:
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            yield from (field for field in model._meta.fields if isinstance(field, RelatedField))
            yield from model._meta.many_to_many


def crosses(field: "RelatedField[Any, Any]") -> bool:
    target = field.related_model
    if field.model._meta.auto_created or not isinstance(target, type):
        return False
    # Django's own mixin names the groups of a user; what is declared here is ours to hold.
    inherited = field.model._meta.label == "accounts.User" and field.many_to_many
    return target._meta.app_label != field.model._meta.app_label and not inherited


def name(field: "RelatedField[Any, Any]") -> str:
    return f"{field.model._meta.label}.{field.name}"


def test_there_are_relations_to_check() -> None:
    assert sum(1 for field in relations() if crosses(field)) > 3


def test_nothing_cascades() -> None:
    # Within an app too: what goes is named by the function that erases it.
    cascading = [
        name(field)
        for field in relations()
        if field.remote_field.on_delete is models.CASCADE and not field.model._meta.auto_created
    ]
    assert not cascading, cascading


def test_no_app_is_reached_backwards_from_another() -> None:
    reached = [
        name(field) for field in relations() if crosses(field) and not field.remote_field.hidden
    ]
    assert not reached, reached


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
