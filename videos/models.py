"""Rows of campaigns, renders at AI vendors, sealed assets, links and plays."""

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import DataKey, Partner, User
from config.lib import ids
from consent.models import Channel, Contact, Message
from integrations.models import Connection

# The presenter of the local studio: a drawn figure, nobody's likeness.
DRAWN = "drawn"


class Campaign(models.Model):
    """Script x audience x channel x purpose x schedule."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RENDERING = "rendering", "Rendering"
        READY = "ready", "Ready to send"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        DONE = "done", "Sent"
        CANCELLED = "cancelled", "Cancelled"

    class StepUp(models.TextChoices):
        NEVER = "never", "It is refused"
        BEYOND = "beyond", "It asks for a code, sent to another address of the person"
        ALWAYS = "always", "Every device asks for a code, the first one too"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    sender_name = models.CharField(max_length=60)
    purpose_code = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    default_language = models.CharField(max_length=16, default="en")
    # Lists under "languages", "countries" and "sources"; none means everyone of the owner.
    audience = models.JSONField(default=dict)
    # What its words are about (health, ...), by scanner and by hand; null: not looked at yet.
    content = models.JSONField(null=True)
    # What a marketer added, and which words of a class, by `language:word`, are none, and why.
    content_declared = models.JSONField(default=list, blank=True)
    content_dismissed = models.JSONField(default=dict, blank=True)
    # Whose face and voice; "drawn" is a figure that is nobody.
    presenter_code = models.CharField(max_length=80, default=DRAWN)
    link_ttl_hours = models.IntegerField(default=168)
    plays_allowed = models.IntegerField(default=10)
    # So many browsers open a link by itself; what the next one meets.
    devices_allowed = models.IntegerField(default=5)
    step_up = models.CharField(max_length=8, choices=StepUp.choices, default=StepUp.NEVER)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # When a job last took people of it; a campaign that is quiet has lost its job.
    worked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.public("cmp", self.id)


class Script(models.Model):
    """The campaign's text in one language, with slots."""

    id = models.BigAutoField(primary_key=True)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="scripts")
    language = models.CharField(max_length=16)
    text = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="script_one_a_language", fields=["campaign", "language"])
        ]

    def __str__(self) -> str:
        return f"script {self.pk} ({self.language})"


class SealedObject(models.Model):
    """One sealed object in storage; every one ever made is listed, so that none is forgotten."""

    class State(models.TextChoices):
        WRITING = "writing"
        STORED = "stored"
        DELETED = "deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WRITING)
    size_bytes = models.BigIntegerField(default=0)
    sealed_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Render(models.Model):
    """One base video, an AI's or an uploaded one: one a language, never one a person."""

    class MadeBy(models.TextChoices):
        VENDOR = "vendor", "Made by the AI for us"
        AI = "ai", "Our own video, made with AI"
        HUMAN = "human", "Our own video, recorded by people"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SUBMITTED = "submitted", "At the vendor"
        FETCHED = "fetched", "Fetched, vendor's copy still there"
        DONE = "done", "Fetched, vendor's copy gone"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="renders")
    language = models.CharField(max_length=16)
    script_sha256 = models.CharField(max_length=64)
    # Who is seen and heard in it, whomever the campaign shows by now.
    presenter_code = models.CharField(max_length=80, default=DRAWN)
    made_by = models.CharField(max_length=8, choices=MadeBy.choices, default=MadeBy.VENDOR)
    # None for an uploaded one: nothing of it ever left for a vendor.
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    vendor_job_id = models.CharField(max_length=80, blank=True)
    # The vendor's name for the job of each manifest, this one's and earlier ones'.
    vendor_jobs = models.JSONField(default=dict)
    base = models.ForeignKey(SealedObject, null=True, on_delete=models.PROTECT, related_name="+")
    # The bytes all people of this render share, sealed once under the campaign's key.
    tail = models.ForeignKey(SealedObject, null=True, on_delete=models.PROTECT, related_name="+")
    captions = models.TextField(blank=True)
    # [[start_ms, end_ms], ...] of the slots that were left empty.
    slots_ms = models.JSONField(default=list)
    duration_ms = models.IntegerField(default=0)
    # Steps begun since the last that ended well.
    attempts = models.IntegerField(default=0)
    # A step is at work; after some minutes its process is taken for dead.
    claimed_at = models.DateTimeField(null=True)
    stepped_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="render_once_a_script",
                fields=["campaign", "language", "script_sha256", "presenter_code"],
            ),
            models.UniqueConstraint(
                name="render_one_a_vendor_job",
                fields=["connection", "vendor_job_id"],
                condition=~Q(vendor_job_id=""),
            ),
            models.CheckConstraint(
                name="render_of_a_vendor_has_one",
                condition=~Q(made_by="vendor") | Q(connection__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"render {self.pk}"


class ProcessorAgreement(models.Model):
    """A contract with an AI vendor (GDPR Art. 28), as an officer entered it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=64)
    document_sha256 = models.CharField(max_length=64)
    # The letters of Art. 28(3) that it holds, and one line for each sub-processor.
    clauses = models.JSONField(default=list)
    sub_processors = models.JSONField(default=list)
    region = models.CharField(max_length=24)
    signed_on = models.DateField()
    expires_on = models.DateField()
    residual_days = models.IntegerField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.reference


class VendorAttestation(models.Model):
    """What was seen of the retention setting of an account at a vendor; append-only."""

    class Means(models.TextChoices):
        READ = "read", "Read from the vendor's interface"
        LOOKED = "looked", "Looked up in the account by an officer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    holds = models.BooleanField()
    means = models.CharField(max_length=8, choices=Means.choices)
    staff_id = models.CharField(max_length=36, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"attestation {self.pk}"


class EgressManifest(models.Model):
    """What left for an AI vendor, written before the socket opened; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    render = models.ForeignKey(Render, on_delete=models.PROTECT, related_name="+")
    vendor = models.CharField(max_length=24)
    endpoint = models.CharField(max_length=120)
    region = models.CharField(max_length=24)
    agreement_id = models.CharField(max_length=64)
    # The row by which the account's setting was known; empty where nothing leaves this machine.
    attestation_id = models.CharField(max_length=36, blank=True, default="")
    slots = models.JSONField(default=list)
    size_bytes = models.IntegerField()
    body_sha256 = models.CharField(max_length=64)
    # The exact bytes: they hold nothing personal, which `verify` judges again.
    body = models.BinaryField()
    detectors = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"manifest {self.pk}"


class DeletionReceipt(models.Model):
    """What a vendor answered to a deletion, and what we saw afterwards; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    render = models.ForeignKey(Render, on_delete=models.PROTECT, related_name="+")
    manifest = models.ForeignKey(EgressManifest, on_delete=models.PROTECT, related_name="+")
    deleted_at = models.DateTimeField()
    delete_status = models.IntegerField()
    answer_sha256 = models.CharField(max_length=64)
    observed_absent = models.BooleanField()
    observed_at = models.DateTimeField()
    residual_days = models.IntegerField()
    # What was asked to be deleted; and whether the vendor said that it only hid it.
    request_sha256 = models.CharField(max_length=64, blank=True, default="")
    is_soft = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"receipt {self.pk}"


class Incident(models.Model):
    """Something that breaks a promise and waits for an officer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="incident_one_open",
                fields=["kind", "object_id"],
                condition=Q(closed_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.kind


class Asset(models.Model):
    """One person's video: a list of extents, the person's own and the campaign's."""

    class State(models.TextChoices):
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="+")
    render = models.ForeignKey(Render, on_delete=models.PROTECT, related_name="+")
    # A key of its own under the person's: either's end makes the video unreadable.
    key = models.ForeignKey(DataKey, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.MAKING)
    size_bytes = models.BigIntegerField(default=0)
    content_sha256 = models.CharField(max_length=64, blank=True)
    captions_sealed = models.BinaryField(null=True)
    # Set by the compositor once the "Made with AI" label is in every personal frame.
    labelled_ai = models.BooleanField(default=False)
    # The random name of its C2PA manifest, and when the stored bytes were read and had it.
    mark_name = models.CharField(max_length=80, blank=True)
    mark_read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    delete_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    problem = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="asset_one_a_person", fields=["campaign", "contact"]),
            models.CheckConstraint(
                name="asset_ready_is_labelled", condition=~Q(state="ready") | Q(labelled_ai=True)
            ),
            # A link leads to a ready video only, and a message to a living link.
            models.CheckConstraint(
                name="asset_ready_is_marked",
                condition=~Q(state="ready") | Q(mark_read_at__isnull=False) & ~Q(mark_name=""),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("vid", self.id)


class Extent(models.Model):
    """A run of an asset's bytes: `size_bytes` of one sealed object, from its beginning."""

    id = models.BigAutoField(primary_key=True)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="extents")
    number = models.IntegerField()
    sealed_object = models.ForeignKey(SealedObject, on_delete=models.PROTECT, related_name="+")
    size_bytes = models.BigIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(name="extent_one_a_place", fields=["asset", "number"])
        ]

    def __str__(self) -> str:
        return f"extent {self.pk}"


class Link(models.Model):
    """A token for one person and one video; the token itself is nowhere in the database."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_index = models.CharField(max_length=64, unique=True)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    plays_allowed = models.IntegerField()
    plays = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="link_plays_within_allowed", condition=Q(plays__lte=models.F("plays_allowed"))
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("lnk", self.id)


class Device(models.Model):
    """One browser of one link, known by a cookie that is sent to that link's page only."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # Null while it has asked for a code and not entered it.
    admitted_at = models.DateTimeField(null=True)
    # It showed that it belongs to the person, by a code.
    proved_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"device {self.pk}"


class CodeSent(models.Model):
    """One code that was sent to another address of a person; the code itself is nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="+")
    code_index = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.IntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"code {self.pk}"


class MissCount(models.Model):
    """How many dead or wrong links one part of the network tried within one minute.

    One row for each of a fixed number of parts, so that the table never grows and names nobody.
    """

    part = models.IntegerField(primary_key=True)
    minute = models.BigIntegerField(default=0)
    misses = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"part {self.part}"


class Play(models.Model):
    """One gesture of a person on the link page; a GET or a scanner never makes one."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"play {self.pk}"


class Recipient(models.Model):
    """How far one person has come in one campaign; the row is the queue, so a crash loses none."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        MAKING = "making", "Video being made"
        QUEUED = "queued", "Message queued"
        DEFERRED = "deferred", "Message waits for its hour"
        REFUSED = "refused", "Refused by the gate"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="recipients")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    reason_code = models.CharField(max_length=80, blank=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+")
    # Keyed hash of the partner and the key it gave its request, so that a retry is the same one.
    request_index = models.CharField(max_length=64, null=True, blank=True, unique=True)
    # A paused message is cancelled and queued again under another number: never the same twice.
    attempts = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="recipient_one_a_person", fields=["campaign", "contact"])
        ]
        indexes = [models.Index(name="recipient_by_state", fields=["campaign", "state", "id"])]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("msg", self.id)
