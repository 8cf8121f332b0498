"""What does the console show of people, partners and jobs? Lists; acts go through functions."""

from typing import Any, ClassVar

import allauth.account.admin
import allauth.idp.oidc.admin
import allauth.mfa.admin
import django.contrib.auth.admin
import django_q.admin
from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from accounts import admin_trail, audit, people, roles
from accounts.models import Partner, PartnerClient, User
from accounts.readonly import ReadOnlyAdmin
from config.lib import clock

__all__ = ["admin_trail"]

# Imported above so that they have registered before this module takes them off again: their
# pages would edit a client's scopes, show a secret, or unpickle what a row of the queue holds.
FOREIGN = {
    module.__name__.removesuffix(".admin")
    for module in (
        allauth.account.admin,
        allauth.idp.oidc.admin,
        allauth.mfa.admin,
        django.contrib.auth.admin,
        django_q.admin,
    )
}
for _model in list(admin.site._registry):
    if any(_model.__module__.startswith(f"{package}.") for package in FOREIGN):
        admin.site.unregister(_model)

# The console has no sign-in of its own: the house's has rate limits and the second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    view_act = "people.manage"
    list_display = ("email", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "role", "is_active", "date_joined", "last_login")
    actions = ["switch_off", "switch_on"]  # type: ignore[assignment]

    @admin.action(description="Switch off: end their sessions and take no sign-in")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        roles.require(user=request.user, act="people.manage")
        for user in queryset.exclude(pk=_actor(request).id):
            people.disable(user=user, at=clock.now(), by=_actor(request))
        messages.success(request, "Switched off. Their sessions have ended; nothing was deleted.")

    @admin.action(description="Switch on: let them sign in again")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        roles.require(user=request.user, act="people.manage")
        for user in queryset:
            people.enable(user=user, at=clock.now(), by=_actor(request))
        messages.success(request, "Switched on. They can sign in again.")


@admin.register(Partner)
class PartnerAdmin(ReadOnlyAdmin):
    list_display = ("name", "public_id", "is_active", "created_at")
    fields = ("name", "public_id", "is_active", "created_at")


@admin.register(PartnerClient)
class PartnerClientAdmin(ReadOnlyAdmin):
    list_display = ("client_id", "partner", "created_at", "last_used_at", "revoked_at")
    fields = ("client_id", "partner", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("partner",)


class TaskAdmin(ReadOnlyAdmin):
    """Finished tasks; the pickled columns are never selected, and so never unpickled."""

    columns: ClassVar[tuple[str, ...]] = ("id", "name", "func", "started", "stopped", "success")
    list_display = ("name", "func", "started", "stopped", "success")
    fields = ("id", "name", "func", "started", "stopped", "success")
    list_filter = ("func",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).only(*self.columns)


@admin.register(OrmQ)
class QueueAdmin(ReadOnlyAdmin):
    list_display = ("id", "key", "lock")
    fields = ("id", "key", "lock")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).only("id", "key", "lock")


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "minutes", "next_run")
    fields = ("name", "func", "minutes", "next_run")


admin.site.register(Success, TaskAdmin)
admin.site.register(Failure, TaskAdmin)


def _actor(request: HttpRequest) -> audit.Actor:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 the console is behind the sign-in
    return people.actor(user)
