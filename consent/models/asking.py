"""Rows of how people are asked and choose: questions, sign-up forms, their own links."""

import uuid

from django.db import models

from accounts.models import Partner, User
from consent.models.contacts import Contact
from consent.models.evidence import Channel, Notice, Purpose


class OptIn(models.Model):
    """A request for confirmation (double opt-in): asked once, answered by a POST, or purged."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+")
    token_index = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "opt-in"

    def __str__(self) -> str:
        return f"opt-in {self.pk}"


class HostedForm(models.Model):
    """A sign-up page that a marketer made: who asks, for what, on which channels, in what words."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    seller = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    # One box a purpose: {"purpose", "channels", "permission", "texts": {language: notice}}.
    boxes = models.JSONField(default=list)
    asks_age = models.BooleanField(default=False)
    # Sites that may show it in a frame, as origins; none: it is only a page of its own.
    origins = models.JSONField(default=list, blank=True)
    version = models.IntegerField(default=1)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug


class PreferenceLink(models.Model):
    """A person's own way to their choices, without an account: only the token's hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    token_index = models.CharField(max_length=64, unique=True)
    # Where the link was sent: a one-click stop from it says which channel it came by.
    channel = models.CharField(max_length=12, choices=Channel.choices)
    message_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"preference link {self.pk}"
