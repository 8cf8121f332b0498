"""What does the console show of a contact? Where they stand, and never who they are."""

from django.contrib import admin

from accounts.readonly import ReadOnlyAdmin
from consent.models import ConsentState, Contact


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    # Nothing here names anybody: the person's page in the console opens data, and says so.
    list_display = ("public_id", "country", "language", "source", "created_at", "stopped_at")
    list_filter = ("country", "source")
    ordering = ("-created_at",)
    list_select_related = ("partner",)
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


@admin.register(ConsentState)
class ConsentStateAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("contact", "purpose_code", "channel", "state", "at", "valid_until")
    list_filter = ("state", "channel", "purpose_code")
    list_select_related = ("contact",)
    ordering = ("-at",)
