"""Rows of what a stronger permission is made of: each element its own column, none left out."""

from django.db import models
from django.db.models import Q

from consent.models.evidence import ConsentEvent, Notice, RenderedForm


class WrittenConsent(models.Model):
    """Prior express written consent (47 CFR 64.1200(f)(9)), element by element; append-only."""

    class Signature(models.TextChoices):
        TYPED_NAME = "typed_name", "Typed name"
        CHECKBOX = "checkbox", "Ticked box"
        KEYWORD = "keyword", "Answered keyword"
        DRAWN = "drawn", "Drawn"
        VOICE = "voice", "Recorded voice"
        INK = "ink", "Ink on paper"

    event = models.OneToOneField(
        ConsentEvent, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    # The agreement in writing, as it was shown, and its clear and conspicuous disclosure.
    agreement = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+")
    disclosure = models.ForeignKey(RenderedForm, on_delete=models.PROTECT, related_name="+")
    signature_kind = models.CharField(max_length=12, choices=Signature.choices)
    signature_sealed = models.BinaryField()
    seller = models.CharField(max_length=120)
    number_sealed = models.BinaryField()
    authorises_advertising = models.BooleanField()
    authorises_automated = models.BooleanField()
    not_a_condition = models.BooleanField()
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="writtenconsent_is_whole",
                condition=Q(authorises_advertising=True)
                & Q(authorises_automated=True)
                & Q(not_a_condition=True)
                & ~Q(seller=""),
            )
        ]

    def __str__(self) -> str:
        return f"written consent {self.pk}"


class SoftOptIn(models.Model):
    """An own customer, similar goods, and a way out shown when the address was collected."""

    event = models.OneToOneField(
        ConsentEvent, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    order_sealed = models.BinaryField()
    product_class = models.CharField(max_length=80)
    sold_at = models.DateTimeField()
    opt_out_shown = models.BooleanField()
    similar_goods = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="softoptin_is_whole",
                condition=Q(opt_out_shown=True) & Q(similar_goods=True) & ~Q(product_class=""),
            )
        ]

    def __str__(self) -> str:
        return f"soft opt-in {self.pk}"


class HealthAuthorisation(models.Model):
    """A HIPAA authorisation (45 CFR 164.508(c)) with its core elements and statements."""

    event = models.OneToOneField(
        ConsentEvent, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    # What of somebody's health may be used says something of their health.
    information_sealed = models.BinaryField()
    discloser = models.CharField(max_length=120)
    recipient = models.CharField(max_length=120)
    use = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    signature_sealed = models.BinaryField()
    signed_at = models.DateTimeField()
    says_right_to_revoke = models.BooleanField()
    says_not_a_condition = models.BooleanField()
    says_may_be_disclosed_again = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="healthauthorisation_is_whole",
                condition=Q(says_right_to_revoke=True)
                & Q(says_not_a_condition=True)
                & Q(says_may_be_disclosed_again=True)
                & ~Q(discloser="")
                & ~Q(recipient="")
                & ~Q(use=""),
            )
        ]

    def __str__(self) -> str:
        return f"health authorisation {self.pk}"


class ImpliedConsent(models.Model):
    """What consent is implied by, and when that was: its time runs from there (CASL 10(10))."""

    class Relation(models.TextChoices):
        PURCHASE = "purchase", "Purchase"
        INQUIRY = "inquiry", "Inquiry"

    event = models.OneToOneField(
        ConsentEvent, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    relation = models.CharField(max_length=12, choices=Relation.choices)
    reference_sealed = models.BinaryField()
    happened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"implied consent {self.pk}"
