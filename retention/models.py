"""Rows of policies, holds, runs, certificates and people's requests."""

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import DataKey, User
from config.lib import ids
from consent.models import Contact

HOLD_REASONS = {
    "litigation": "A claim or a court case",
    "regulator": "A regulator asks for it",
    "complaint": "A complaint is being answered",
    "investigation": "An incident is being looked into",
}


class Policy(models.Model):
    """The label of a record class: how long, what then, and by which law."""

    class Action(models.TextChoices):
        ERASE = "erase", "Erase"
        KEEP = "keep", "Keep"

    record_class = models.SlugField(primary_key=True, max_length=40)
    title = models.CharField(max_length=120)
    period_days = models.IntegerField()
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.ERASE)
    legal_source = models.CharField(max_length=200)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(name="policy_not_at_once", condition=Q(period_days__gte=1))
        ]

    def __str__(self) -> str:
        return self.title


class Hold(models.Model):
    """Stops the deletion of a person or an item; its release judges the deferred deletion again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # "contact" holds the person and everything of theirs; else a record class and one row of it.
    record_class = models.CharField(max_length=40)
    object_id = models.UUIDField(db_index=True)
    # Whose it is: an item on hold also keeps its person from being erased.
    contact_id = models.UUIDField(null=True, db_index=True)
    # A code of `holds.REASONS` and a case number, never words about a person.
    reason = models.CharField(max_length=200)
    placed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="hold_one_in_force",
                fields=["record_class", "object_id"],
                condition=Q(released_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def words(self) -> str:
        """Return the reason as a reader sees it: its words, and the case number."""
        code, _, reference = self.reason.partition("/")
        words = HOLD_REASONS.get(code, code)
        return f"{words} ({reference})" if reference else words


class KeptKey(models.Model):
    """A data key that a hold keeps open, and when it would have ended without one."""

    key = models.OneToOneField(
        DataKey, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    delete_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"kept key {self.pk}"


class Run(models.Model):
    """One execution of the policies; it deletes the set that its plan names, or nothing."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        UNFINISHED = "unfinished", "Unfinished"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    trigger = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PLANNED)
    planned_at = models.DateTimeField()
    plan_sha256 = models.CharField(max_length=64)
    # The person it erases, or none where it executes the policies.
    contact_id = models.UUIDField(null=True, db_index=True)
    item_count = models.IntegerField(default=0)
    # It would delete more than is usual: it waits until an officer says that this is meant.
    needs_confirmation = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"run {self.pk}"


class RunItem(models.Model):
    """One record of a run and what became of it."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        ERASED = "erased", "Erased"
        HELD = "held", "Held"
        FAILED = "failed", "Failed"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="items")
    record_class = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    contact_id = models.UUIDField(null=True, db_index=True)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    problem = models.CharField(max_length=80, blank=True)
    # What each part of the house did, {"videos": {"assets": 2}}: a part that stands here is done.
    parts = models.JSONField(default=dict)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="runitem_once", fields=["run", "record_class", "object_id"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_class} {self.object_id}"


class Certificate(models.Model):
    """Signed proof of a deletion; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(unique=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    contact_id = models.UUIDField(null=True, db_index=True)
    document = models.JSONField()
    previous_hash = models.CharField(max_length=64)
    document_hash = models.CharField(max_length=64, unique=True)
    signing_id = models.CharField(max_length=32)
    signature = models.CharField(max_length=128)
    issued_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"certificate {self.number}"

    @property
    def counts(self) -> str:
        """Return how many records of which class it is about, in words."""
        stores = self.document.get("stores", {})
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in stores.items())


class SubjectRequest(models.Model):
    """A person's request, with its legal clock."""

    class Kind(models.TextChoices):
        ACCESS = "access", "Access"
        ERASURE = "erasure", "Erasure"
        CORRECTION = "correction", "Correction"
        OBJECTION = "objection", "Objection"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DEFERRED = "deferred", "Deferred by a hold"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    channel = models.CharField(max_length=20)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # Of an erasure: the run that carries it out.
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="+")
    handled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("req", self.id)


class VerificationReport(models.Model):
    """What one check of the seven promises found on live data; the console shows the newest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # How many of the seven are done, for the progress that the officer sees.
    done = models.IntegerField(default=0)
    is_kept = models.BooleanField(null=True)
    # [{"number": 1, "title": ..., "checks": [...], "violations": [...]}, ...]: ids and counts only.
    promises = models.JSONField(default=list)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"verification {self.pk}"


class LawReplay(models.Model):
    """What judging the past by another law came to: asked for on a page, filled by a job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # As the page names it: `proposed`, the name of a pack, or a day.
    law = models.CharField(max_length=80)
    since = models.DateTimeField()
    refusals = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    # Counts, ids and the words of rules; empty if it could not be judged, and why.
    found = models.JSONField(default=dict)
    problem = models.CharField(max_length=200, blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"replay {self.pk}"
