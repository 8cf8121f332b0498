from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts import audit
from accounts.models import TrailLeaf
from integrations import connections
from integrations.models import Connection
from tests.videos import stage
from tests.videos.stage import AT, TEXT
from videos import campaigns
from videos.anonymisation import ScriptRefused
from videos.campaigns import NotACampaign, NotNow, NotReady
from videos.models import Campaign, Recipient, Render, Script

pytestmark = pytest.mark.django_db
STAFF = audit.Actor("staff", "marketer")
State = Campaign.State


@pytest.fixture(autouse=True)
def _connected() -> None:
    connections.ensure_local(at=AT)
    stage.person()


def draft(**changes: object) -> Campaign:
    values = {
        "name": "Spring",
        "sender_name": "Aurora Travel",
        "purpose_code": "marketing",
        "channel": "email",
    }
    return campaigns.create(**{**values, **changes}, at=AT, actor=STAFF)  # type: ignore[arg-type]


def written() -> Campaign:
    made = draft()
    campaigns.update_script(campaign=made, language="en", text=TEXT, at=AT, actor=STAFF)
    return made


def ready() -> Campaign:
    made = stage.campaign()
    stage.rendered(made)
    return made


def test_a_campaign_begins_as_a_draft_with_a_key_of_its_own() -> None:
    made = draft()
    assert made.state == State.DRAFT
    assert made.key.owner_id == made.pk
    assert TrailLeaf.objects.filter(action="videos.campaign.created").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "n" * 121),
        ("sender_name", "<b>Aurora</b>"),
        ("sender_name", "s" * 61),
        ("channel", "fax"),
        ("purpose_code", "nothing"),
        ("link_ttl_hours", 0),
        ("plays_allowed", 101),
    ],
)
def test_an_unusable_value_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(NotACampaign) as refused:
        draft(**{field: value})
    assert refused.value.field == field
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "Hello {{ surname }}. Spring is here.",
        "Hello {{ name }}. Write to ana@example.org.",
        "word " * 10_000,
        "Hello {{ name }}. Zoë Ångström says hello.",
    ],
)
def test_a_refused_script_changes_nothing(text: str) -> None:
    made = written()
    with pytest.raises(ScriptRefused) as refused:
        campaigns.update_script(campaign=made, language="en", text=text, at=AT, actor=STAFF)
    assert refused.value.problems
    assert Script.objects.get().text == TEXT


def test_an_empty_script_takes_its_language_out() -> None:
    made = written()
    campaigns.update_script(campaign=made, language="de", text=TEXT, at=AT, actor=STAFF)
    assert list(campaigns.scripts(made)) == ["en", "de"]
    campaigns.update_script(campaign=made, language="de", text=" ", at=AT, actor=STAFF)
    assert list(campaigns.scripts(made)) == ["en"]


def test_a_changed_script_needs_another_video() -> None:
    made = ready()
    text = TEXT.replace("Spring", "Summer")
    campaigns.update_script(campaign=made, language="en", text=text, at=AT, actor=STAFF)
    made.refresh_from_db()
    assert made.state == State.DRAFT
    assert campaigns.renders(made) == []


def test_the_audience_is_filtered_and_empty_filters_mean_everyone() -> None:
    made = draft()
    stage.person(name="Ana", email="ana@example.org", phone="", language="es")
    filters = {"languages": ["es"], "countries": [], "sources": ["form"], "other": ["x"]}
    held = campaigns.set_audience(campaign=made, filters=filters, at=AT, actor=STAFF)
    assert held.audience == {"languages": ["es"], "sources": ["form"]}
    assert campaigns.audience(held).count() == 1
    assert campaigns.audience(made).count() == 2


def test_a_campaign_that_has_begun_is_not_edited() -> None:
    made = ready()
    Campaign.objects.filter(pk=made.pk).update(state=State.SENDING)
    with pytest.raises(NotNow):
        campaigns.update_script(campaign=made, language="en", text=TEXT, at=AT, actor=STAFF)
    with pytest.raises(NotNow):
        campaigns.set_audience(campaign=made, filters={}, at=AT, actor=STAFF)


def test_preparing_orders_the_base_video_and_sends_nothing() -> None:
    made = campaigns.prepare(campaign=written(), at=AT, actor=STAFF)
    assert made.state == State.RENDERING
    assert Render.objects.get().state == Render.State.WAITING
    assert not Recipient.objects.exists()
    Render.objects.update(state=Render.State.DONE)
    assert campaigns.settle_renders(campaign=made, at=AT).state == State.READY


def test_a_failed_base_video_leads_back_to_the_draft() -> None:
    made = campaigns.prepare(campaign=written(), at=AT, actor=STAFF)
    Render.objects.update(state=Render.State.FAILED)
    assert campaigns.settle_renders(campaign=made, at=AT).state == State.DRAFT


def test_nothing_is_prepared_without_a_script() -> None:
    with pytest.raises(NotNow, match="script"):
        campaigns.prepare(campaign=draft(), at=AT, actor=STAFF)


def test_starting_gives_everyone_a_row_and_sends_once_the_video_is_there() -> None:
    stage.agreed(stage.person())
    stage.person(name="Ana", email="ana@example.org", phone="")
    made = campaigns.start(campaign=ready(), at=AT, actor=STAFF)
    assert made.state == State.SENDING
    assert made.started_at == AT
    assert Recipient.objects.filter(campaign=made, state="waiting").count() == 2


def test_a_start_without_a_video_renders_first() -> None:
    stage.agreed(stage.person())
    made = campaigns.start(campaign=written(), at=AT, actor=STAFF)
    assert made.state == State.RENDERING
    Render.objects.update(state=Render.State.DONE)
    assert campaigns.settle_renders(campaign=made, at=AT).state == State.SENDING


def test_a_second_start_is_refused() -> None:
    stage.agreed(stage.person())
    made = campaigns.start(campaign=ready(), at=AT, actor=STAFF)
    with pytest.raises(NotNow):
        campaigns.start(campaign=made, at=AT, actor=STAFF)


def no_consent(_: Campaign) -> None:
    """Nobody has agreed to anything."""


def no_script(made: Campaign) -> None:
    stage.agreed(stage.person())
    Script.objects.filter(campaign=made).update(text="")


def no_connection(_: Campaign) -> None:
    stage.agreed(stage.person())
    Connection.objects.filter(kind="messaging").update(state=Connection.State.DISABLED)


def a_name_in_the_script(made: Campaign) -> None:
    stage.agreed(stage.person())
    text = "Hello {{ name }}. Zoë Ångström says hello."
    Script.objects.filter(campaign=made).update(text=text)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (no_consent, "consent"),
        (no_script, "script"),
        (no_connection, "connection"),
        (a_name_in_the_script, "script"),
    ],
)
def test_a_red_check_blocks_the_start(spoil: Callable[[Campaign], None], code: str) -> None:
    made = ready()
    spoil(made)
    with pytest.raises(NotReady) as refused:
        campaigns.start(campaign=made, at=AT, actor=STAFF)
    assert code in {check.code for check in refused.value.checks}
    assert not Recipient.objects.exists()


def test_the_checks_name_the_refusals_with_rule_and_source() -> None:
    stage.agreed(stage.person())
    stage.person(name="Ana", email="ana@example.org", phone="")
    consent = campaigns.checks(campaign=ready(), at=AT)[0]
    assert consent.state == "warn"
    reason = consent.reasons[0]
    assert (reason["count"], reason["code"]) == (1, "no_consent")
    assert "GDPR" in str(reason["source"])


def test_the_checks_of_a_sound_campaign_are_not_red() -> None:
    stage.agreed(stage.person())
    found = campaigns.checks(campaign=ready(), at=AT)
    assert {check.state for check in found} == {"good"}
    codes = "consent script content presenter languages label connection studio link code sender"
    assert [check.code for check in found] == codes.split()


def test_a_short_link_and_a_missing_language_are_amber() -> None:
    stage.agreed(stage.person(language="ja"))
    made = ready()
    Campaign.objects.filter(pk=made.pk).update(link_ttl_hours=3)
    made.refresh_from_db()
    amber = {one.code for one in campaigns.checks(campaign=made, at=AT) if one.state == "warn"}
    assert amber == {"languages", "link"}


def test_a_cancelled_campaign_leaves_nobody_waiting() -> None:
    stage.agreed(stage.person())
    made = campaigns.start(campaign=ready(), at=AT, actor=STAFF)
    over = campaigns.cancel(campaign=made, at=AT + timedelta(minutes=1), actor=STAFF)
    assert over.state == State.CANCELLED
    assert list(Recipient.objects.values_list("state", "reason_code")) == [
        ("skipped", "campaign_cancelled")
    ]
    with pytest.raises(NotNow):
        campaigns.resume(campaign=over, at=AT, actor=STAFF)


def test_what_is_not_sending_cannot_be_paused() -> None:
    with pytest.raises(NotNow):
        campaigns.pause(campaign=ready(), at=AT, actor=STAFF)
