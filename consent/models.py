"""Rows of contacts, purposes, notices, the ledger, the gate's decisions and the outbox."""

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import DataKey, Partner, User
from config.lib import ids
from integrations.models import Connection, InboxItem


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    WHATSAPP = "whatsapp", "WhatsApp"


class Purpose(models.Model):
    """What for, with its lawful basis; a change of either is a new version, never an update."""

    class Basis(models.TextChoices):
        CONSENT = "consent", "Consent"
        CONTRACT = "contract", "Contract"
        LEGITIMATE_INTEREST = "legitimate_interest", "Legitimate interest"

    id = models.BigAutoField(primary_key=True)
    code = models.SlugField(max_length=40)
    version = models.IntegerField()
    title = models.CharField(max_length=120)
    basis = models.CharField(max_length=24, choices=Basis.choices)
    valid_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="purpose_one_of_a_version", fields=["code", "version"])
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class Notice(models.Model):
    """The exact text a person was shown, found again by its SHA-256; append-only."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=16)
    text = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:12]


class ImportBatch(models.Model):
    """One uploaded list: judged row by row, then committed whole or not at all."""

    class State(models.TextChoices):
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        REFUSED = "refused", "Not readable"
        COMMITTING = "committing", "Being imported"
        COMMITTED = "committed", "Imported"
        DISCARDED = "discarded", "Discarded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices)
    source = models.CharField(max_length=40)
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    file_sha256 = models.CharField(max_length=64)
    # The file while it waits to be checked, then the checked rows as lines, sealed either way; the
    # report's values are masked but sealed as well.
    rows_sealed = models.BinaryField(null=True)
    report_sealed = models.BinaryField(null=True)
    total_rows = models.IntegerField(default=0)
    new_rows = models.IntegerField(default=0)
    updated_rows = models.IntegerField(default=0)
    bad_rows = models.IntegerField(default=0)
    # How many rows the check, and then the import, has passed; a stopped import goes on from here.
    done_rows = models.IntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "import batches"

    def __str__(self) -> str:
        return f"import {self.pk}"


class Contact(models.Model):
    """A person we may write to; everything that names them is sealed under their own key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    name_sealed = models.BinaryField(null=True)
    email_sealed = models.BinaryField(null=True)
    phone_sealed = models.BinaryField(null=True)
    attributes_sealed = models.BinaryField(null=True)
    # The realm of the keyed hash holds the partner, so one address has another index at each.
    email_index = models.CharField(max_length=64, null=True, blank=True, unique=True)
    phone_index = models.CharField(max_length=64, null=True, blank=True, unique=True)
    # When the address took another's place: consent given before was given for that other one.
    email_set_at = models.DateTimeField(null=True)
    phone_set_at = models.DateTimeField(null=True)
    # Where the number's area may lie, so that the gate need not open the number to know the law.
    phone_country = models.CharField(max_length=2, blank=True)
    phone_zones = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=3, blank=True)
    source = models.CharField(max_length=40)
    batch = models.ForeignKey(ImportBatch, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # Every link and playback session made before this instant is dead (withdrawal, erasure).
    stopped_at = models.DateTimeField(null=True)
    restricted_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="contact_erased_is_empty",
                condition=Q(erased_at=None)
                | Q(
                    name_sealed=None,
                    email_sealed=None,
                    phone_sealed=None,
                    attributes_sealed=None,
                    email_index=None,
                    phone_index=None,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("con", self.id)


class ConsentEvent(models.Model):
    """One act of consent; append-only. State is the fold of these."""

    class Kind(models.TextChoices):
        CLAIMED = "claimed", "Claimed by another system"
        GIVEN = "given", "Given"
        CONFIRMED = "confirmed", "Confirmed"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    class Act(models.TextChoices):
        CHECKBOX = "checkbox", "Ticked box"
        KEYWORD = "keyword", "Keyword"
        BUTTON = "button", "Button"
        VOICE = "voice", "Voice"
        PAPER = "paper", "Paper"
        API = "api", "Partner's API"
        STAFF = "staff", "Entered by staff"
        IMPORT = "import", "Import"
        CLOCK = "clock", "Passing of time"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The order of one person's acts on one purpose and channel; two acts cannot share a place.
    number = models.IntegerField()
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    purpose_code = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    act = models.CharField(max_length=12, choices=Act.choices)
    notice = models.ForeignKey(Notice, null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    evidence_sealed = models.BinaryField(null=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="consentevent_one_place",
                fields=["contact", "purpose_code", "channel", "number"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.purpose_code} {self.channel}"


class ConsentState(models.Model):
    """Where the fold stands, one row a person, purpose and channel; made of events only."""

    id = models.BigAutoField(primary_key=True)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    purpose_code = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    state = models.CharField(max_length=12, choices=ConsentEvent.Kind.choices)
    event = models.ForeignKey(ConsentEvent, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="consentstate_one_row", fields=["contact", "purpose_code", "channel"]
            )
        ]
        indexes = [
            models.Index(
                name="consentstate_by_purpose", fields=["purpose_code", "channel", "state"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose_code} {self.channel}: {self.state}"


class Suppression(models.Model):
    """An address that must not be written to; it survives the erasure of the person."""

    id = models.BigAutoField(primary_key=True)
    address_index = models.CharField(max_length=64)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    reason = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    # Only a fresh act of the person lifts it; the row stays.
    lifted_at = models.DateTimeField(null=True)

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

    class Meta:
        indexes = [
            models.Index(
                name="message_waiting", fields=["not_before", "id"], condition=Q(state="queued")
            ),
            models.Index(name="message_in_context", fields=["context_type", "context_id", "state"]),
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


class Taken(models.Model):
    """Which inbox item consent has acted upon, and to what effect: an item acts once."""

    item = models.OneToOneField(
        InboxItem, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    effect = models.CharField(max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.effect
