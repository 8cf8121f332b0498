"""Do the checks of a campaign say what its messages will be, before any of them leaves?"""

from datetime import timedelta

import pytest

from accounts import audit
from integrations import connections, keyed
from integrations.models import Connection, MessageTemplate
from tests.accounts.staff import browser
from tests.videos import stage
from tests.videos.stage import AT
from videos import campaigns, checks
from videos.checks import Check
from videos.models import Campaign, Recipient

pytestmark = pytest.mark.django_db
STAFF = audit.Actor("staff", "marketer")


@pytest.fixture(autouse=True)
def _studio() -> None:
    sandbox, _ = connections.ensure_local(at=AT)
    Connection.objects.filter(pk=sandbox.pk).update(state="disabled")


def whatsapp(*, state: str = "approved", words: str = "Your video: {{1}}") -> Connection:
    values = {"token": "t", "whatsapp_template": "video_ready"}
    row = keyed.connect(provider="wati", label="Our WATI", values=values, at=AT, actor=STAFF)
    MessageTemplate.objects.create(
        connection=row,
        code="video_ready",
        title="video_ready",
        language="en_US",
        state=state,
        words=words,
        changed_at=AT,
    )
    Connection.objects.filter(pk=row.pk).update(templates_read_at=AT)
    return row


def ready(channel: str) -> Campaign:
    stage.agreed(stage.person(), channel=channel)
    made = stage.campaign(channel=channel)
    stage.rendered(made)
    return made


def found(made: Campaign, code: str) -> Check:
    return next(one for one in campaigns.checks(campaign=made, at=AT) if one.code == code)


def test_the_template_that_every_message_will_be_is_named() -> None:
    whatsapp()
    one = found(ready("whatsapp"), "template")
    assert one.state == "good"
    assert "“video_ready” in English (en_US)" in one.detail
    assert "Meta approved it, as Our WATI says" in one.detail


@pytest.mark.parametrize(
    ("state", "words"),
    [("pending", "not approved"), ("paused", "paused"), ("rejected", "rejected")],
)
def test_one_that_meta_did_not_approve_stops_the_campaign_before_send(
    state: str, words: str
) -> None:
    row = whatsapp(state=state)
    made = ready("whatsapp")
    with pytest.raises(campaigns.NotReady) as refused:
        campaigns.start(campaign=made, at=AT, actor=STAFF)
    one = next(check for check in refused.value.checks if check.code == "template")
    assert words in one.detail
    assert not Recipient.objects.exists()
    page = browser("marketer").get(f"/campaigns/{made.pk}/checks/").content.decode()
    assert f"/connections/{row.pk}/templates/" in page


def test_one_that_was_never_read_or_is_not_there_is_red() -> None:
    row = whatsapp()
    made = ready("whatsapp")
    Connection.objects.filter(pk=row.pk).update(templates_read_at=None)
    assert (found(made, "template").state, found(made, "template").detail[-11:]) == (
        "bad",
        "their page.",
    )
    Connection.objects.filter(pk=row.pk).update(templates_read_at=AT)
    MessageTemplate.objects.all().delete()
    assert "no template of the name" in found(made, "template").detail


def test_what_does_not_fit_or_is_old_news_is_amber() -> None:
    row = whatsapp(words="Hello {{2}}")
    made = ready("whatsapp")
    one = found(made, "template")
    assert one.state == "warn"
    assert "Nothing fills {{2}}" in one.detail
    MessageTemplate.objects.update(words="{{1}}")
    assert found(made, "template").state == "good"
    Connection.objects.filter(pk=row.pk).update(templates_read_at=AT - timedelta(hours=25))
    assert "for more than a day" in found(made, "template").detail


def test_what_needs_no_template_is_not_asked_for_one() -> None:
    whatsapp()
    Connection.objects.filter(provider="sandbox").update(state="active")
    assert checks.template_check(ready("whatsapp"), AT) == []
    assert checks.template_check(ready("email"), AT) == []
