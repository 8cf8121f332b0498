"""Rows of people, partners, keys, the trail and the pulse of the jobs."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q

from config.lib import ids


class Users(BaseUserManager["User"]):
    def create_user(self, *, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *, email: str, password: str, **fields: Any) -> "User":
        return self.create_user(
            email=email, password=password, role=User.Role.ADMINISTRATOR, **fields
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A member of the business's own staff; a recipient never has one of these."""

    class Role(models.TextChoices):
        MARKETER = "marketer", "Marketer"
        OFFICER = "officer", "Compliance officer"
        AUDITOR = "auditor", "Auditor"
        ADMINISTRATOR = "administrator", "Administrator"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MARKETER)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = Users()

    def __str__(self) -> str:
        return self.email

    @property
    def is_staff(self) -> bool:
        """Say whether this person may enter the console (and must hold a second factor)."""
        return self.role != self.Role.MARKETER

    def get_full_name(self) -> str:
        return self.name or self.email


class Partner(models.Model):
    """A business that calls the API; it sees its own rows only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.public("prt", self.id)


class PartnerClient(models.Model):
    """Which partner an OAuth client belongs to."""

    client = models.OneToOneField(
        "allauth_idp_oidc.Client", on_delete=models.PROTECT, related_name="+", primary_key=True
    )
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    # A revoked client stays, so that what it did can be named; it opens nothing.
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


class DataKey(models.Model):
    """A wrapped data key: of a person, a campaign, or (under a person's) of one asset."""

    class Scope(models.TextChoices):
        PERSON = "person"
        CAMPAIGN = "campaign"
        ASSET = "asset"
        HOUSE = "house"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    owner_id = models.UUIDField(db_index=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    root_key_id = models.CharField(max_length=32, blank=True)
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    delete_at = models.DateTimeField(null=True, db_index=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="datakey_destroyed_has_no_material",
                condition=Q(destroyed_at=None, wrapped__isnull=False)
                | Q(destroyed_at__isnull=False, wrapped=None),
            ),
            models.CheckConstraint(
                name="datakey_wrapped_by_root_or_parent",
                condition=Q(parent=None) ^ Q(root_key_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} key {self.pk}"


class TrailLeaf(models.Model):
    """One act, as it was recorded; the database refuses to change it."""

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    at = models.DateTimeField()
    action = models.CharField(max_length=80, db_index=True)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True, db_index=True)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    leaf_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "trail entry"
        verbose_name_plural = "trail"

    def __str__(self) -> str:
        return f"{self.action} {self.uid}"


class TrailSeal(models.Model):
    """One signed block: the Merkle root of the leaves it orders, chained to the block before."""

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    first_position = models.BigIntegerField()
    leaf_count = models.IntegerField()
    merkle_root = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    seal_hash = models.CharField(max_length=64, unique=True)
    signing_id = models.CharField(max_length=32)
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seal {self.number}"


class TrailEntry(models.Model):
    """Where a leaf stands: in the whole trail, in its block, and among its subject's own acts."""

    position = models.BigIntegerField(primary_key=True)
    leaf = models.OneToOneField(TrailLeaf, on_delete=models.PROTECT, related_name="entry")
    seal = models.ForeignKey(TrailSeal, on_delete=models.PROTECT, related_name="entries")
    subject_id = models.UUIDField(null=True)
    subject_number = models.IntegerField(null=True)
    subject_previous_hash = models.CharField(max_length=64, blank=True)
    entry_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                name="trailentry_one_number_a_subject", fields=["subject_id", "subject_number"]
            )
        ]

    def __str__(self) -> str:
        return f"entry {self.position}"


class Pulse(models.Model):
    """The canary of the job cluster: asked by the supervisor, answered by a task."""

    id = models.BigAutoField(primary_key=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"pulse {self.pk}"
