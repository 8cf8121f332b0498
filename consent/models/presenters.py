"""Rows of who lends a face or a voice, and what they allowed."""

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import DataKey, User


class LikenessRelease(models.Model):
    """A presenter's written release of face and voice; without it nothing is rendered of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    # What a campaign names the presenter by, such as a vendor's avatar id.
    presenter_code = models.CharField(max_length=80)
    name_sealed = models.BinaryField(null=True)
    signature_sealed = models.BinaryField(null=True)
    document_sha256 = models.CharField(max_length=64)
    covers_face = models.BooleanField()
    covers_voice = models.BooleanField()
    # What may be said: the languages and the kinds of content that the presenter agreed to.
    languages = models.JSONField(default=list)
    purposes = models.JSONField(default=list)
    signed_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="likenessrelease_ends_after_it_began",
                condition=Q(valid_until__gt=models.F("signed_at")),
            )
        ]

    def __str__(self) -> str:
        return f"likeness release {self.pk}"
