"""How does the console show campaigns? Read-only; a marketer's acts have pages of their own."""

from django.contrib import admin

from accounts.readonly import ReadOnlyAdmin
from videos.models import Campaign, Recipient, Script


class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "name", "sender_name", "channel", "purpose_code", "state")
    list_filter = ("state", "channel", "purpose_code")
    list_select_related = ("partner",)
    ordering = ("-created_at",)


class ScriptAdmin(ReadOnlyAdmin):
    list_display = ("updated_at", "campaign", "language")
    list_filter = ("language",)
    list_select_related = ("campaign",)
    ordering = ("-updated_at",)


class RecipientAdmin(ReadOnlyAdmin):
    view_act = "consent.view"
    list_display = ("created_at", "campaign", "contact", "state", "reason_code", "settled_at")
    list_filter = ("state", "reason_code")
    list_select_related = ("campaign", "contact")
    ordering = ("-created_at",)


admin.site.register(Campaign, CampaignAdmin)
admin.site.register(Script, ScriptAdmin)
admin.site.register(Recipient, RecipientAdmin)
