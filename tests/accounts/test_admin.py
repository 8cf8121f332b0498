"""Does the console show people and jobs without a way to edit them, or to be tricked by them?"""

import os
import pickle

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django_q.models import OrmQ, Task

from accounts.models import User
from accounts.readonly import ReadOnlyAdmin
from config.lib import clock
from tests.accounts.staff import browser, member, partner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


class Trap:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return os.putenv, ("SEALCAST_TRAP", "1")


def task() -> Task:
    row = Task.objects.create(
        id="a" * 32,
        name="trap",
        func="accounts.jobs.pulse",
        started=clock.now(),
        stopped=clock.now(),
        success=True,
    )
    # What somebody would plant who can write to the table.
    Task.objects.filter(pk=row.pk).update(args=Trap(), kwargs=Trap(), result=Trap())
    return row


def test_no_model_of_a_package_can_be_edited() -> None:
    ours = {"accounts", "integrations", "consent", "videos", "retention"}
    for model, shown in admin.site._registry.items():
        if model._meta.app_label not in ours:
            assert isinstance(shown, ReadOnlyAdmin), model._meta.label


def test_secrets_of_packages_are_not_shown_at_all() -> None:
    shown = {model._meta.label for model in admin.site._registry}
    hidden = {"allauth_idp_oidc.Client", "allauth_idp_oidc.Token", "mfa.Authenticator"}
    assert not shown & (hidden | {"auth.Group", "account.EmailAddress", "django_q.Task"})


def test_a_stranger_is_led_to_the_houses_own_sign_in() -> None:
    answer = Client().get("/admin/accounts/partner/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")


def test_a_marketer_does_not_enter_the_console() -> None:
    assert browser("marketer").get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("page", ["success", "success/{}/change", "failure", "ormq", "schedule"])
def test_pages_of_jobs_show_tasks_and_unpickle_nothing(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = task()
    OrmQ.objects.create(key="sealcast", payload="not even signed", lock=clock.now())
    opened: list[str] = []
    monkeypatch.setattr(pickle, "loads", lambda *_args, **_named: opened.append("task"))
    path = f"/admin/django_q/{page.format(planted.pk)}/"
    answer = browser("auditor").get(path)
    assert answer.status_code == 200
    assert not opened


def test_tasks_cannot_be_changed_or_sent_again() -> None:
    planted = task()
    client = browser("administrator")
    for leaf in ("delete", "change"):
        answer = client.post(f"/admin/django_q/success/{planted.pk}/{leaf}/", {"post": "yes"})
        assert answer.status_code == 403
    client.post(
        "/admin/django_q/success/",
        {"action": "resubmit_task", "_selected_action": planted.pk},
    )
    assert Task.objects.filter(pk=planted.pk).exists()
    assert not OrmQ.objects.exists()


def test_people_are_switched_off_and_on_by_administrators() -> None:
    user, client = member("marketer"), browser("administrator")
    page = "/admin/accounts/user/"
    client.post(page, {"action": "switch_off", "_selected_action": str(user.pk)})
    assert not User.objects.get(pk=user.pk).is_active
    client.post(page, {"action": "switch_on", "_selected_action": str(user.pk)})
    assert User.objects.get(pk=user.pk).is_active


def test_an_administrator_does_not_switch_themselves_off() -> None:
    client = browser("administrator")
    own = User.objects.get()
    client.post("/admin/accounts/user/", {"action": "switch_off", "_selected_action": str(own.pk)})
    assert User.objects.get().is_active


@pytest.mark.parametrize("role", ["officer", "auditor"])
def test_people_are_not_shown_to_others(role: str) -> None:
    user, client = member("marketer"), browser(role)
    assert client.get("/admin/accounts/user/").status_code == 403
    client.post("/admin/accounts/user/", {"action": "switch_off", "_selected_action": str(user.pk)})
    assert User.objects.get(pk=user.pk).is_active


def test_partners_are_shown_and_not_edited() -> None:
    made, client = partner("Charlie"), browser("auditor")
    assert "Charlie" in client.get("/admin/accounts/partner/").content.decode()
    answer = client.post(f"/admin/accounts/partner/{made.pk}/change/", {"name": "Other"})
    assert answer.status_code == 403
