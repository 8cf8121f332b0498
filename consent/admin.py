"""What does the console show of consent? Evidence, to look at and never to change."""

from django.contrib import admin

from accounts.readonly import ReadOnlyAdmin
from consent.models import (
    ConsentEvent,
    ConsentState,
    Contact,
    Decision,
    ImportBatch,
    Message,
    Notice,
    Purpose,
    Suppression,
)


class EvidenceAdmin(ReadOnlyAdmin):
    """Rows of consent: shown to those who may see it, without what is sealed in them."""

    view_act = "consent.view"
    ordering = ("-at",)
    date_hierarchy = "at"


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    # Nothing here names anybody: the person's page in the console opens data, and says so.
    list_display = ("public_id", "country", "language", "source", "created_at", "stopped_at")
    list_filter = ("country", "source")
    ordering = ("-created_at",)
    fields = (
        "public_id",
        "partner",
        "language",
        "country",
        "region",
        "time_zone",
        "source",
        "created_at",
        "updated_at",
        "stopped_at",
        "restricted_at",
        "erased_at",
    )
    list_select_related = ("partner",)


@admin.register(ConsentEvent)
class ConsentEventAdmin(EvidenceAdmin):
    list_display = ("at", "contact", "purpose_code", "channel", "kind", "act", "source")
    list_filter = ("kind", "channel", "purpose_code", "act")
    exclude = ("evidence_sealed",)


@admin.register(ConsentState)
class ConsentStateAdmin(EvidenceAdmin):
    list_display = ("contact", "purpose_code", "channel", "state", "at", "valid_until")
    list_filter = ("state", "channel", "purpose_code")


@admin.register(Decision)
class DecisionAdmin(EvidenceAdmin):
    list_display = ("at", "contact", "purpose_code", "channel", "phase", "verdict", "codes")
    list_filter = ("verdict", "phase", "channel", "purpose_code")

    @admin.display(description="Reasons")
    def codes(self, row: Decision) -> str:
        return ", ".join(reason["code"] for reason in row.reasons)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("public_id", "channel", "purpose_code", "state", "queued_at", "sent_at")
    list_filter = ("state", "channel", "purpose_code")
    ordering = ("-queued_at",)
    date_hierarchy = "queued_at"
    exclude = ("body_sealed",)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("sha256", "purpose", "language", "created_at")
    list_filter = ("language",)


@admin.register(Purpose)
class PurposeAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("code", "version", "title", "basis", "valid_from")


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("address_index", "channel", "reason", "created_at", "lifted_at")
    list_filter = ("channel", "reason")
    ordering = ("-created_at",)


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("created_at", "source", "state", "new_rows", "updated_rows", "bad_rows")
    list_filter = ("state", "source")
    exclude = ("rows_sealed", "report_sealed")
