"""Rows of the gate's decisions, of the outbox, and of what was heard in answer."""

import uuid

from django.db import models
from django.db.models import Q

from config.lib import ids
from consent.models.contacts import Contact
from consent.models.evidence import Channel
from integrations.models import Connection, InboxItem


class Decision(models.Model):
    """The gate's verdict for one message at one instant, with its reasons; append-only."""

    class Verdict(models.TextChoices):
        ALLOW = "allow", "Allowed"
        REFUSE = "refuse", "Refused"
        DEFER = "defer", "Deferred"

    class Phase(models.TextChoices):
        QUEUE = "queue", "When queued"
        HAND_OFF = "hand_off", "At hand-off"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    purpose_code = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    # What it was decided for, such as a campaign; an id of a storey above, so no foreign key.
    context_type = models.CharField(max_length=40)
    context_id = models.UUIDField(null=True, db_index=True)
    message_id = models.UUIDField(null=True, db_index=True)
    phase = models.CharField(max_length=10, choices=Phase.choices)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    # A list of objects with a code, the id of the rule, its source and a sentence.
    reasons = models.JSONField(default=list)
    defer_until = models.DateTimeField(null=True)
    inputs_sha256 = models.CharField(max_length=64)
    packs_version = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_deferred_says_until",
                condition=~Q(verdict="defer") | Q(defer_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.channel}"


class Message(models.Model):
    """One row of the outbox: it cannot exist without the decision that allowed it."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        HANDING_OFF = "handing_off", "Being handed off"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        REFUSED = "refused", "Refused at hand-off"
        CANCELLED = "cancelled", "Cancelled"
        # The request left and no answer came: never sent again by itself.
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="+")
    hand_off_decision = models.OneToOneField(
        Decision, null=True, on_delete=models.PROTECT, related_name="+"
    )
    purpose_code = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    context_type = models.CharField(max_length=40)
    context_id = models.UUIDField(null=True, db_index=True)
    # What the words are about (health, ...), as the script scanner found: some of it asks for more.
    content = models.JSONField(default=list, blank=True)
    # One message for one act: campaign and person, opt-in and person, or the partner's own key.
    idempotency_key = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    body_sealed = models.BinaryField(null=True)
    body_sha256 = models.CharField(max_length=64)
    not_before = models.DateTimeField()
    queued_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    provider_message_id = models.CharField(max_length=80, blank=True, db_index=True)
    problem = models.CharField(max_length=80, blank=True)
    # How often its provider was asked what became of it, while nobody knows.
    lookups = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                name="message_waiting", fields=["not_before", "id"], condition=Q(state="queued")
            ),
            # What left, newest first: claimed is the instant before the request.
            models.Index(
                name="message_left",
                fields=["claimed_at", "id"],
                condition=Q(state__in=["sent", "delivered", "unknown", "failed"]),
            ),
            models.Index(name="message_in_context", fields=["context_type", "context_id", "state"]),
            models.Index(
                name="message_unknown", fields=["claimed_at"], condition=Q(state="unknown")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="message_handed_off_was_judged_again",
                condition=~Q(state__in=["sent", "delivered", "unknown", "handing_off"])
                | Q(hand_off_decision__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("msg", self.id)


class Conversation(models.Model):
    """When somebody last wrote on WhatsApp over an account: for a day words of ours may answer."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    heard_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="conversation_once", fields=["contact", "connection"])
        ]

    def __str__(self) -> str:
        return f"heard {self.heard_at:%Y-%m-%d}"


class Taken(models.Model):
    """Which inbox item consent has acted upon, and to what effect: an item acts once."""

    item = models.OneToOneField(
        InboxItem, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    effect = models.CharField(max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.effect
