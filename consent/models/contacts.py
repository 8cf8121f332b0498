"""Rows of the people we may write to, and of the lists they came on."""

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import DataKey, Partner, User
from config.lib import ids


class ImportBatch(models.Model):
    """One uploaded list: judged row by row, then committed whole or not at all."""

    class State(models.TextChoices):
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        REFUSED = "refused", "Not readable"
        COMMITTING = "committing", "Being imported"
        COMMITTED = "committed", "Imported"
        DISCARDED = "discarded", "Discarded"

    class Kind(models.TextChoices):
        PEOPLE = "people", "People"
        EVIDENCE = "evidence", "Evidence of consent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PEOPLE)
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
    # When the import itself was begun, after the check: its pace is counted from here.
    started_at = models.DateTimeField(null=True)
    committed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "import batches"

    def __str__(self) -> str:
        return f"import {self.pk}"


class Place(models.Model):
    """Where somebody may be, as far as law can tell; a few rows for millions of people."""

    id = models.AutoField(primary_key=True)
    # The other columns in one text, so that a place exists once.
    code = models.CharField(max_length=300, unique=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=3, blank=True)
    phone_country = models.CharField(max_length=2, blank=True)
    phone_regions = models.JSONField(default=list, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    phone_zones = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return self.code


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
    # The keyed hashes of a name's words, by which a script is searched for everybody's name without
    # opening one. None in the first: not written yet, and then nothing leaves unsearched.
    name_first_index = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001  NULL: not indexed yet
    name_middle_index = models.CharField(max_length=32, blank=True)
    name_last_index = models.CharField(max_length=32, blank=True)
    name_pair_index = models.CharField(max_length=32, blank=True)
    # When the address took another's place: consent given before was given for that other one.
    email_set_at = models.DateTimeField(null=True)
    phone_set_at = models.DateTimeField(null=True)
    # Where the number's area may lie, so that the gate need not open the number to know the law.
    phone_country = models.CharField(max_length=2, blank=True)
    phone_zones = models.JSONField(default=list, blank=True)
    # The states a number of a country with states may lie in, as `US-FL`.
    phone_regions = models.JSONField(default=list, blank=True)
    # The keyed hashes under which a stop of each channel is kept: the gate judges a whole audience
    # by joining them, without opening an address.
    email_stop_index = models.CharField(max_length=64, blank=True)
    sms_stop_index = models.CharField(max_length=64, blank=True)
    whatsapp_stop_index = models.CharField(max_length=64, blank=True)
    # The same place as the columns say, shared by all who may be in it: law is judged by place.
    place = models.ForeignKey(Place, null=True, on_delete=models.PROTECT, related_name="+")
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
                    name_first_index=None,
                    name_middle_index="",
                    name_last_index="",
                    name_pair_index="",
                    email_stop_index="",
                    sms_stop_index="",
                    whatsapp_stop_index="",
                ),
            ),
        ]
        indexes = [
            models.Index(name="contact_name_pair", fields=["name_pair_index"]),
            models.Index(name="contact_name_first", fields=["name_first_index"]),
            # Most have no middle name; with them in it, a look-up seems to find everybody.
            models.Index(
                name="contact_name_middle",
                fields=["name_middle_index"],
                condition=Q(name_middle_index__gt=""),
            ),
            models.Index(
                name="contact_name_missing",
                fields=["partner"],
                condition=Q(erased_at=None, name_first_index=None),
            ),
            models.Index(name="contact_name_last", fields=["name_last_index"]),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.public("con", self.id)
