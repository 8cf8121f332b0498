"""Rows of whom a CRM knows as well, and of what it is to be told of them."""

import uuid

from django.db import models
from django.db.models import Q

from consent.models.contacts import Contact
from integrations.models import Connection


class CrmLink(models.Model):
    """One record of a CRM, and whose it is here; it outlives the record and the person.

    `record_index` alone is left of somebody who was erased, so that a reading does not bring back
    whom the CRM has not deleted.
    """

    class Gone(models.TextChoices):
        DELETED = "deleted", "Deleted there"
        MERGED = "merged", "Merged into another there"
        ERASED = "erased", "Erased here"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    # Of which account of the CRM: after a change of accounts an id would name somebody else.
    account_id = models.CharField(max_length=64, blank=True)
    record_index = models.CharField(max_length=64)
    record_id = models.CharField(max_length=64, blank=True)
    # The keyed hash of what was read last: what has not changed is not written again.
    content_index = models.CharField(max_length=64, blank=True)
    # What the person had opted out of there when it was read last: only what is new is an act.
    stops = models.JSONField(default=list, blank=True)
    forget_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    gone_how = models.CharField(max_length=8, choices=Gone.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="crmlink_one_a_record", fields=["connection", "record_index"]
            )
        ]
        indexes = [
            models.Index(
                name="crmlink_to_forget", fields=["forget_at"], condition=Q(forget_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"record {self.pk}"


class Writeback(models.Model):
    """One thing that a CRM is told of one record: a target, with the CRM's answer as receipt."""

    class Kind(models.TextChoices):
        ERASE = "erase", "Erase the person"
        NOTE = "note", "Note what happened"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TOLD = "told", "Done there"
        NOT_NEEDED = "not_needed", "Nothing to tell"
        FAILED = "failed", "Failed"
        # It may have been done: a note is not written a second time by itself.
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    link = models.ForeignKey(CrmLink, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    # What it is of, such as a message or the person: one target of one event.
    event = models.CharField(max_length=40)
    event_id = models.UUIDField()
    happened_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    problem = models.CharField(max_length=80, blank=True)
    # {"code", "status", "reference"}: the CRM's answer, without a personal value.
    receipt = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="writeback_once_an_event", fields=["link", "kind", "event", "event_id"]
            )
        ]
        indexes = [
            models.Index(name="writeback_waiting", fields=["next_at"], condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
