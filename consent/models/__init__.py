"""Rows of contacts, consent, rules kept, decisions and the outbox: a file for each noun."""

from consent.models.asking import HostedForm, OptIn, PreferenceLink
from consent.models.contacts import Contact, ImportBatch, Place
from consent.models.crm import CrmLink, Writeback
from consent.models.evidence import (
    Channel,
    ConsentEvent,
    ConsentState,
    Notice,
    Proof,
    Purpose,
    RenderedForm,
)
from consent.models.outbox import Conversation, Decision, Message, Taken
from consent.models.permissions import (
    HealthAuthorisation,
    ImpliedConsent,
    SoftOptIn,
    WrittenConsent,
)
from consent.models.presenters import LikenessRelease
from consent.models.stops import (
    Propagation,
    RegisterEntry,
    Review,
    Revocation,
    StopConfirmation,
    Suppression,
)

__all__ = [
    "Channel",
    "ConsentEvent",
    "ConsentState",
    "Contact",
    "Conversation",
    "CrmLink",
    "Decision",
    "HealthAuthorisation",
    "HostedForm",
    "ImpliedConsent",
    "ImportBatch",
    "LikenessRelease",
    "Message",
    "Notice",
    "OptIn",
    "Place",
    "PreferenceLink",
    "Proof",
    "Propagation",
    "Purpose",
    "RegisterEntry",
    "RenderedForm",
    "Review",
    "Revocation",
    "SoftOptIn",
    "StopConfirmation",
    "Suppression",
    "Taken",
    "Writeback",
    "WrittenConsent",
]
