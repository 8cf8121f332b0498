"""What does each column hold, by what right, and until when? The words of every declaration.

Each app has a `personal_data` module that keeps to `PersonalData`; retention alone calls it.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Column:
    """One column of the record of processing (GDPR Art. 30)."""

    # What kind of data: "name", "address", "consent", "media", "key", "technical", ...
    category: str
    # By what right it is kept: "consent", "contract", "legal obligation", "none" when not personal.
    basis: str
    # The record class whose policy ends it, such as "contact", or "keep", or "with the row".
    period: str
    # Whether it says something about a natural person, sealed or not.
    personal: bool


# Record classes and the days each is kept after its event, until an officer changes the policy.
# "contact" is the person whole. Evidence (consent events, decisions, trail, certificates) is kept.
DEFAULT_DAYS: Mapping[str, int] = {
    "contact": 730,  # after the last registration; runs by the person's key
    "asset": 30,  # after the link's end; runs by the asset's key
    "campaign_media": 90,  # base and tail of a render, after the campaign ended
    "message_body": 30,  # after the message ended
    "sandbox_message": 30,
    "inbox_item": 7,  # its body, after it was acted upon
    "import_rows": 7,  # checked rows and report, after the upload
    "optin": 30,  # a question nobody answered
    "link": 365,  # after it ended
    "play": 30,
    "likeness": 1095,  # a presenter's name and signature, after the release ended
    "session": 1,  # after it ended
    "task": 30,  # a finished task of the queue
}

# A column that says nothing about anybody.
TECHNICAL = Column("technical", "none", "with the row", personal=False)

# {"consent.contact": {"name_sealed": Column(...), ...}, ...}: every column of every model.
Declarations = Mapping[str, Mapping[str, Column]]


@dataclass(frozen=True)
class Due:
    """One record whose time is over."""

    record_class: str
    object_id: str
    contact_id: uuid.UUID | None
    due_at: datetime


class PersonalData(Protocol):
    """What each app's `personal_data` module offers, as functions of the module."""

    DECLARATIONS: Declarations

    def export(self, *, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
        """Return what the app holds of a person, opened, as JSON values."""

    def erase(self, *, contact_id: uuid.UUID, at: datetime) -> dict[str, int]:
        """Erase a person; return how many of each kind. Doing it twice does nothing twice."""

    def due(self, *, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
        """Yield the records past their label; `days` is the policy of each record class."""

    def erase_record(self, *, record_class: str, object_id: str, at: datetime) -> None:
        """Erase one record that `due` named; an absent one is erased already."""
