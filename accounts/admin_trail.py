"""How does an officer read the trail and the keys? Row by row, and never to change them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import DataKey, TrailLeaf, TrailSeal
from accounts.readonly import ReadOnlyAdmin


@admin.register(TrailLeaf)
class TrailLeafAdmin(ReadOnlyAdmin):
    view_act = "trail.view"
    list_display = ("at", "action", "actor_kind", "subject", "place")
    list_filter = ("actor_kind",)
    list_select_related = ("entry",)
    search_fields = ("=action", "=object_id", "=subject_id", "=leaf_hash")
    search_help_text = "An action, or the whole of an id or a hash"
    ordering = ("-id",)
    fields = (
        "uid",
        "at",
        "action",
        "actor_kind",
        "actor_id",
        "subject_id",
        "object_type",
        "object_id",
        "details",
        "leaf_hash",
        "place",
        "block",
        "entry_hash",
    )

    @admin.display(description="person")
    def subject(self, row: TrailLeaf) -> str:
        return f"con_{row.subject_id.hex[:8]}…" if row.subject_id else "–"

    @admin.display(description="place in the trail")
    def place(self, row: TrailLeaf) -> str:
        entry = getattr(row, "entry", None)
        return str(entry.position) if entry else "not yet sealed"

    @admin.display(description="signed block")
    def block(self, row: TrailLeaf) -> str:
        entry = getattr(row, "entry", None)
        return str(entry.seal_id) if entry else "none yet"

    @admin.display(description="entry hash")
    def entry_hash(self, row: TrailLeaf) -> str:
        entry = getattr(row, "entry", None)
        return str(entry.entry_hash) if entry else "none yet"


@admin.register(TrailSeal)
class TrailSealAdmin(ReadOnlyAdmin):
    view_act = "trail.view"
    list_display = ("number", "sealed_at", "first_position", "leaf_count", "short_hash")
    ordering = ("-number",)

    @admin.display(description="hash")
    def short_hash(self, row: TrailSeal) -> str:
        return f"{row.seal_hash[:16]}…"


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin):
    list_display = ("id", "scope", "root_key_id", "created_at", "delete_at", "destroyed_at")
    list_filter = ("scope", "root_key_id")
    fields = (
        "id",
        "scope",
        "owner_id",
        "parent_key",
        "root_key_id",
        "created_at",
        "delete_at",
        "destroyed_at",
    )
    ordering = ("-created_at",)

    @admin.display(description="under")
    def parent_key(self, row: DataKey) -> str:
        return str(row.parent_id or "the root key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataKey]:
        # The wrapped material is not even read for a list.
        return super().get_queryset(request).defer("wrapped")
