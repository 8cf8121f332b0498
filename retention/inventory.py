"""What do we hold, of whom, by what right, until when? Every app's declarations as one record."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from django.apps import apps
from django.db.models import Model

from accounts import personal_data as accounts_data
from accounts.audit import Actor
from config.lib.inventory import Column, Due, PersonalData
from consent import personal_data as consent_data
from integrations import personal_data as integrations_data
from retention import personal_data as retention_data
from videos import personal_data as videos_data

# From the top of the stairs to the bottom, as the rows point.
_HOLDERS: Mapping[str, PersonalData] = {
    "retention": retention_data,
    "videos": videos_data,
    "consent": consent_data,
    "integrations": integrations_data,
    "accounts": accounts_data,
}


def declarations() -> dict[str, Mapping[str, Column]]:
    """Return what every app declares, by model and column."""
    return dict(chain.from_iterable(holder.DECLARATIONS.items() for holder in _HOLDERS.values()))


def undeclared(models: Iterable[type[Model]] | None = None) -> list[str]:
    """Return the columns that no app declares, and the declared ones that do not exist.

    Law: GDPR Art. 30, the record of processing is whole.
    """
    declared = {
        f"{model}.{column}" for model, columns in declarations().items() for column in columns
    }
    found = {
        f"{model._meta.label_lower}.{field.name}"
        for model in (apps.get_models(include_auto_created=True) if models is None else models)
        for field in model._meta.local_fields
    }
    return sorted(found - declared) + sorted(declared - found if models is None else ())


def due(*, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
    """Yield every record past its label, whoever holds it."""
    for holder in _HOLDERS.values():
        yield from holder.due(at=at, days=days)


def export(*, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """Return all that the house holds of a person, opened, by app.

    Law: GDPR Art. 15 and 20, access and portability.
    """
    return {
        name: dict(holder.export(contact_id=contact_id, at=at)) for name, holder in _HOLDERS.items()
    }


def export_presenter(*, presenter_code: str, at: datetime, staff: Actor) -> dict[str, object]:
    """Return all that the house holds of who lends face and voice, opened.

    Law: GDPR Art. 15.
    """
    return consent_data.export_presenter(presenter_code=presenter_code, at=at, staff=staff)


def record_of_processing(*, days: Mapping[str, int]) -> list[dict[str, object]]:
    """Return the record of processing: personal columns by category, right and period.

    Law: GDPR Art. 30(1)(c) and (f).
    """
    rows: dict[tuple[str, str, str], list[str]] = {}
    for model, columns in sorted(declarations().items()):
        for name, column in columns.items():
            if column.personal:
                group = (column.category, column.basis, column.period)
                rows.setdefault(group, []).append(f"{model}.{name}")
    return [
        {
            "category": category,
            "basis": basis,
            "period": period,
            "kept_days": days.get(period),
            "columns": columns,
        }
        for (category, basis, period), columns in sorted(rows.items())
    ]
