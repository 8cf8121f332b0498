"""Rows of what keeps us from writing: stops, their reach, registers, and what is unsure."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q

from accounts.models import User
from consent.models.contacts import Contact
from consent.models.evidence import Channel
from integrations.models import Connection, InboxItem


class Suppression(models.Model):
    """An address that must not be written to; it survives the erasure of the person."""

    id = models.BigAutoField(primary_key=True)
    address_index = models.CharField(max_length=64)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    reason = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    # Only a fresh act of the person lifts it; the row stays.
    lifted_at = models.DateTimeField(null=True)
    # "confirmed" by the person, or "not_a_stop" when a person has read what seemed to be one.
    lifted_by = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="suppression_one_in_force",
                fields=["address_index", "channel"],
                condition=Q(lifted_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.address_index[:12]}"


class Revocation(models.Model):
    """One time somebody took consent back: how it was said, when, and how far it reaches."""

    class Means(models.TextChoices):
        """How it was said: any reasonable means counts."""

        KEYWORD = "keyword", "Keyword"
        FREE_TEXT = "free_text", "Own words"
        ONE_CLICK = "one_click", "One-click header"
        PAGE = "page", "Page"
        CALL_NOTE = "call_note", "Call"
        CRM_FLAG = "crm_flag", "CRM"
        PROVIDER_EVENT = "provider_event", "Provider"
        STAFF = "staff", "Staff"
        API = "api", "Partner's API"
        SIGNAL = "signal", "Browser signal"
        IMPORT = "import", "List"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    means = models.CharField(max_length=16, choices=Means.choices)
    # The rule that says how far it reaches, and what it reached.
    scope_rule = models.CharField(max_length=80)
    channels = models.JSONField()
    purposes = models.JSONField(null=True)
    # When it reached us, and when nothing could be handed off any more.
    received_at = models.DateTimeField()
    effective_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="revocation_newest", fields=["-effective_at"])]

    def __str__(self) -> str:
        return f"revocation {self.pk}"


class Propagation(models.Model):
    """Telling one other system of a revocation, against the law's clock."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TOLD = "told", "Told"
        NOT_NEEDED = "not_needed", "Nothing to tell"
        FAILED = "failed", "Failed"

    id = models.BigAutoField(primary_key=True)
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    next_at = models.DateTimeField()
    problem = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="propagation_once_a_system", fields=["revocation", "connection"]
            )
        ]
        indexes = [
            models.Index(
                name="propagation_waiting", fields=["next_at"], condition=Q(state="waiting")
            )
        ]

    def __str__(self) -> str:
        return f"propagation {self.pk}"


class StopConfirmation(models.Model):
    """The one text that may follow a stop, within five minutes, or none at all."""

    revocation = models.OneToOneField(
        Revocation, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    # One a person and instant of stopping: a second stop is not answered again.
    message = models.OneToOneField("Message", on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField()
    send_by = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stopconfirmation_within_five_minutes",
                condition=Q(send_by__lte=models.F("revoked_at") + timedelta(minutes=5)),
            )
        ]

    def __str__(self) -> str:
        return f"stop confirmation {self.pk}"


class Review(models.Model):
    """An answer that reads like a stop and may be none: held back until a person has read it."""

    class State(models.TextChoices):
        OPEN = "open", "To be read"
        STOP = "stop", "It was a stop"
        NO_STOP = "no_stop", "It was none"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.OneToOneField(InboxItem, on_delete=models.PROTECT, related_name="+")
    suppression = models.ForeignKey(
        Suppression, null=True, on_delete=models.PROTECT, related_name="+"
    )
    channel = models.CharField(max_length=12, choices=Channel.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(name="review_open", fields=["created_at"], condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"review {self.pk}"


class RegisterEntry(models.Model):
    """What a register of others (do-not-call, reassigned numbers) said of an address."""

    class Answer(models.TextChoices):
        LISTED = "listed", "Listed"
        CLEAR = "clear", "Not listed"
        NO_DATA = "no_data", "No data"

    id = models.BigAutoField(primary_key=True)
    register = models.CharField(max_length=24)
    address_index = models.CharField(max_length=64)
    answer = models.CharField(max_length=12, choices=Answer.choices)
    checked_at = models.DateTimeField()
    receipt_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "register entries"
        constraints = [
            models.UniqueConstraint(
                name="registerentry_newest_only", fields=["register", "address_index"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.register} {self.address_index[:12]}"
