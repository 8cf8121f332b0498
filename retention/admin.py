"""How does the console show evidence, row by row? Read-only; acts have pages of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import BinaryField, Model
from django.http import HttpRequest

from accounts.readonly import ReadOnlyAdmin
from consent.models import (
    ConsentEvent,
    Decision,
    ImportBatch,
    Message,
    Notice,
    OptIn,
    Purpose,
    Suppression,
)
from retention.models import Certificate, Hold, Policy, Run, RunItem, SubjectRequest
from videos.models import (
    Asset,
    DeletionReceipt,
    EgressManifest,
    Incident,
    Link,
    Play,
    Render,
    SealedObject,
)

admin.site.enable_nav_sidebar = True


class EvidenceAdmin(ReadOnlyAdmin):
    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        # Ciphertext tells a reader nothing.
        return [
            field.name
            for field in self.model._meta.fields
            if not isinstance(field, BinaryField) and not field.name.endswith("_sealed")
        ]


class ConsentEventAdmin(EvidenceAdmin):
    view_act = "consent.view"
    list_display = ("at", "contact", "purpose_code", "channel", "kind", "act", "source")
    list_filter = ("kind", "purpose_code", "channel", "act")
    list_select_related = ("contact",)
    ordering = ("-at",)


class DecisionAdmin(EvidenceAdmin):
    view_act = "consent.view"
    list_display = ("at", "contact", "purpose_code", "channel", "phase", "verdict", "why")
    list_filter = ("verdict", "phase", "channel", "purpose_code")
    list_select_related = ("contact",)
    ordering = ("-at",)

    @admin.display(description="reasons")
    def why(self, row: Decision) -> str:
        return ", ".join(f"{reason['code']} ({reason['rule']})" for reason in row.reasons)


class MessageAdmin(EvidenceAdmin):
    view_act = "consent.view"
    list_display = ("queued_at", "public_id", "contact", "channel", "state", "problem")
    list_filter = ("state", "channel", "purpose_code")
    list_select_related = ("contact",)
    ordering = ("-queued_at",)


class SuppressionAdmin(EvidenceAdmin):
    view_act = "consent.view"
    list_display = ("created_at", "channel", "reason", "lifted_at")
    list_filter = ("channel", "reason")
    ordering = ("-created_at",)


class NoticeAdmin(EvidenceAdmin):
    view_act = "consent.view"
    list_display = ("created_at", "language", "purpose", "sha256")
    list_select_related = ("purpose",)


class PurposeAdmin(EvidenceAdmin):
    list_display = ("code", "version", "title", "basis", "valid_from")


class ImportBatchAdmin(EvidenceAdmin):
    list_display = ("created_at", "state", "source", "total_rows", "new_rows", "bad_rows")
    ordering = ("-created_at",)


class OptInAdmin(EvidenceAdmin):
    view_act = "consent.view"
    list_display = ("asked_at", "contact", "channel", "expires_at", "answered_at")
    list_select_related = ("contact",)
    ordering = ("-asked_at",)


class RenderAdmin(EvidenceAdmin):
    list_display = ("created_at", "campaign", "language", "state", "problem", "finished_at")
    list_filter = ("state", "language")
    list_select_related = ("campaign",)
    ordering = ("-created_at",)


class EgressManifestAdmin(EvidenceAdmin):
    list_display = ("at", "vendor", "region", "size_bytes", "body_sha256")
    list_filter = ("vendor",)
    ordering = ("-at",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [*super().get_fields(request, obj), "what_left"]

    @admin.display(description="what left, byte for byte")
    def what_left(self, row: EgressManifest) -> str:
        return bytes(row.body).decode("utf-8", errors="replace")


class DeletionReceiptAdmin(EvidenceAdmin):
    list_display = ("observed_at", "render", "delete_status", "observed_absent", "residual_days")
    list_filter = ("observed_absent",)
    list_select_related = ("render",)
    ordering = ("-observed_at",)


class IncidentAdmin(EvidenceAdmin):
    list_display = ("opened_at", "kind", "object_type", "object_id", "closed_at")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    ordering = ("-opened_at",)


class AssetAdmin(EvidenceAdmin):
    list_display = ("created_at", "public_id", "contact", "state", "labelled_ai", "delete_at")
    list_filter = ("state",)
    list_select_related = ("contact",)
    ordering = ("-created_at",)


class LinkAdmin(EvidenceAdmin):
    list_display = ("created_at", "public_id", "contact", "expires_at", "revoked_at", "plays")
    list_select_related = ("contact",)
    ordering = ("-created_at",)


class PlayAdmin(EvidenceAdmin):
    list_display = ("at", "link", "expires_at")
    list_select_related = ("link",)
    ordering = ("-at",)


class SealedObjectAdmin(EvidenceAdmin):
    list_display = ("created_at", "name", "state", "size_bytes", "deleted_at")
    list_filter = ("state",)
    ordering = ("-created_at",)


class RunItemAdmin(EvidenceAdmin):
    list_display = ("run", "record_class", "object_id", "state", "problem", "due_at")
    list_filter = ("state", "record_class")
    list_select_related = ("run",)
    ordering = ("-id",)


class HoldAdmin(EvidenceAdmin):
    list_display = ("placed_at", "record_class", "object_id", "reason", "released_at")
    ordering = ("-placed_at",)


class RunAdmin(EvidenceAdmin):
    list_display = ("planned_at", "trigger", "state", "item_count", "finished_at")
    list_filter = ("state", "trigger")
    ordering = ("-planned_at",)


class PolicyAdmin(EvidenceAdmin):
    view_act = "policy.view"
    list_display = ("title", "period_days", "action", "legal_source")


class CertificateAdmin(EvidenceAdmin):
    list_display = ("number", "issued_at", "contact_id", "document_hash")
    ordering = ("-number",)


class SubjectRequestAdmin(EvidenceAdmin):
    list_display = ("received_at", "public_id", "kind", "state", "due_at", "closed_at")
    list_filter = ("kind", "state")
    ordering = ("-received_at",)


PAGES: tuple[tuple[type[Model], type[ReadOnlyAdmin]], ...] = (
    (ConsentEvent, ConsentEventAdmin),
    (Decision, DecisionAdmin),
    (Message, MessageAdmin),
    (Suppression, SuppressionAdmin),
    (Notice, NoticeAdmin),
    (Purpose, PurposeAdmin),
    (ImportBatch, ImportBatchAdmin),
    (OptIn, OptInAdmin),
    (Render, RenderAdmin),
    (EgressManifest, EgressManifestAdmin),
    (DeletionReceipt, DeletionReceiptAdmin),
    (Incident, IncidentAdmin),
    (Asset, AssetAdmin),
    (Link, LinkAdmin),
    (Play, PlayAdmin),
    (SealedObject, SealedObjectAdmin),
    (Run, RunAdmin),
    (RunItem, RunItemAdmin),
    (Hold, HoldAdmin),
    (Policy, PolicyAdmin),
    (Certificate, CertificateAdmin),
    (SubjectRequest, SubjectRequestAdmin),
)
for _model, _page in PAGES:
    admin.site.register(_model, _page)
