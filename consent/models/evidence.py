"""Rows of what people were asked, what they answered, and what shows it."""

import uuid

from django.db import models

from accounts.models import User
from consent.models.contacts import Contact


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


class RenderedForm(models.Model):
    """What a person saw around a notice, exactly, found again by its SHA-256; append-only."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+")
    html = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:12]


class Proof(models.Model):
    """What staff uploaded to show an act that happened elsewhere: paper, a recording, a letter."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    file_sealed = models.BinaryField(null=True)
    file_sha256 = models.CharField(max_length=64)
    size_bytes = models.IntegerField()
    media_type = models.CharField(max_length=40)
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"proof {self.file_sha256[:12]}"


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
        ONE_CLICK = "one_click", "One-click unsubscribe"
        REPLY = "reply", "Reply in own words"
        SIGNAL = "signal", "Browser signal"
        CALL = "call", "Said on a call"
        CRM = "crm", "Flag in the CRM"
        PROVIDER = "provider", "Told by the provider"

    class Permission(models.TextChoices):
        """Which kind of permission an agreement is; a rule says which kinds suffice."""

        EXPRESS = "express", "Plain opt-in"
        WRITTEN = "written", "Prior express written consent"
        EXPLICIT = "explicit", "Explicit consent"
        SOFT_OPT_IN = "soft_opt_in", "Soft opt-in of an own customer"
        IMPLIED_PURCHASE = "implied_purchase", "Implied by a purchase"
        IMPLIED_INQUIRY = "implied_inquiry", "Implied by an inquiry"
        CONTRACT = "contract", "Contract"
        HIPAA = "hipaa_authorization", "HIPAA authorisation"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The order of one person's acts on one purpose and channel; two acts cannot share a place.
    number = models.IntegerField()
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    purpose_code = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    act = models.CharField(max_length=12, choices=Act.choices)
    permission = models.CharField(max_length=24, choices=Permission.choices, blank=True)
    notice = models.ForeignKey(Notice, null=True, on_delete=models.PROTECT, related_name="+")
    form = models.ForeignKey(RenderedForm, null=True, on_delete=models.PROTECT, related_name="+")
    # Entered by hand: what shows it. Told by a provider: which message of theirs told it.
    proof = models.ForeignKey(Proof, null=True, on_delete=models.PROTECT, related_name="+")
    provider_message_id = models.CharField(max_length=80, blank=True)
    # Who asked, by the name the person was shown.
    seller = models.CharField(max_length=120, blank=True)
    locale = models.CharField(max_length=16, blank=True)
    # As the person said at the act; a younger one needs a guardian, named under the person's key.
    age_years = models.SmallIntegerField(null=True)
    guardian_sealed = models.BinaryField(null=True)
    source = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    evidence_sealed = models.BinaryField(null=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    # When it was said, where it was written down later than that (paper, a list of evidence). The
    # row counts from `at`: a yes that is entered afterwards makes no earlier message lawful.
    said_at = models.DateTimeField(null=True)
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
    permission = models.CharField(max_length=24, blank=True)
    age_years = models.SmallIntegerField(null=True)
    guarded = models.BooleanField(default=False)
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
