from datetime import timedelta
from typing import Any

import pytest

from accounts import audit
from accounts.models import TrailLeaf
from consent import likeness
from consent.likeness import NotReleased
from consent.models import Contact, Decision, LikenessRelease, Message
from integrations import connections
from integrations.models import SandboxMessage
from tests.accounts.staff import member
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.stage import AT
from tests.videos.vendor import Vendor
from videos import campaigns, declarations, delivery, personalising, rendering
from videos.campaigns import NotACampaign, NotNow
from videos.models import Campaign, EgressManifest, Recipient, Render

pytestmark = pytest.mark.django_db
STAFF = audit.Actor("staff", "marketer")
LATER = AT + timedelta(minutes=1)
ANNA = "anna-office"


def released(**changed: object) -> LikenessRelease:
    said: dict[str, Any] = {
        "presenter_code": ANNA,
        "name": "Ottilie Quandt",
        "signature": "O. Quandt",
        "document": b"%PDF-1.7",
        "covers_face": True,
        "covers_voice": True,
        "languages": ["en"],
        "purposes": ["marketing"],
        "signed_at": AT - timedelta(days=1),
        "valid_until": AT + timedelta(days=90),
        "at": AT,
        "staff": member("officer"),
    }
    return likeness.record(**{**said, **changed})


def revoke(release: LikenessRelease) -> None:
    likeness.revoke(release=release, at=LATER, actor=STAFF)


def shown(made: Campaign, code: str = ANNA) -> Campaign:
    Campaign.objects.filter(pk=made.pk).update(presenter_code=code)
    return Campaign.objects.get(pk=made.pk)


def order(made: Campaign) -> Render:
    return rendering.start(campaign=made, language="en", at=AT, actor=STAFF)


def queued(release: LikenessRelease) -> tuple[Campaign, Contact]:
    """A person's message about a video in which the presenter of a release is seen."""
    connections.ensure_local(at=AT)
    who = stage.agreed(stage.person())
    made = shown(stage.campaign(), release.presenter_code)
    render = stage.rendered(made)
    Render.objects.filter(pk=render.pk).update(presenter_code=release.presenter_code)
    stage.asset(who, made)
    campaigns.start(campaign=made, at=AT, actor=STAFF)
    delivery.work(campaign_id=made.pk, at=AT)
    assert Message.objects.get().state == "queued"
    return made, who


def check_of(made: Campaign, at: Any = AT) -> tuple[str, str]:
    found = next(one for one in campaigns.checks(campaign=made, at=at) if one.code == "presenter")
    return found.state, found.detail


def test_the_drawn_figure_needs_no_release(vendor: Vendor) -> None:
    assert order(played.written()).presenter_code == "drawn"
    assert len(vendor.sent) == 0


def test_a_person_is_rendered_under_a_release(vendor: Vendor) -> None:
    released()
    render = played.done(order(shown(played.written())))
    assert (render.state, render.presenter_code) == ("done", ANNA)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"presenter_code": "ben"}, "presenter_not_released"),
        ({"valid_until": AT + timedelta(seconds=1)}, "presenter_expired"),
        ({"languages": ["fr"]}, "presenter_language"),
        ({"purposes": ["service"]}, "presenter_purpose"),
        ({"covers_voice": False}, "presenter_cover"),
    ],
)
def test_without_a_fitting_release_nothing_is_ordered(
    vendor: Vendor, changed: dict[str, object], code: str
) -> None:
    released(**changed)
    made = shown(played.written())
    with pytest.raises(NotReleased) as refused:
        rendering.start(campaign=made, language="en", at=AT + timedelta(seconds=2), actor=STAFF)
    assert refused.value.code == code
    assert not Render.objects.exists()


def test_what_is_revoked_after_the_order_never_reaches_the_socket(vendor: Vendor) -> None:
    release = released()
    render = order(shown(played.written()))
    revoke(release)
    render = rendering.advance(render=render, at=LATER)
    assert (render.state, render.problem) == ("failed", "permanent:presenter_revoked")
    assert vendor.sent == []
    assert not EgressManifest.objects.exists()


def test_another_presenter_is_another_render(vendor: Vendor) -> None:
    released()
    made = shown(played.written())
    first = played.done(order(made))
    drawn = shown(made, "drawn")
    assert rendering.current(campaign=drawn, language="en") is None
    assert order(drawn).pk != first.pk


def test_a_presenter_is_chosen_among_those_released_and_is_made_anew() -> None:
    made = stage.campaign()
    with pytest.raises(NotACampaign) as refused:
        declarations.choose_presenter(campaign=made, presenter_code=ANNA, at=AT, actor=STAFF)
    assert refused.value.field == "presenter_code"
    release = released()
    chosen = declarations.choose_presenter(campaign=made, presenter_code=ANNA, at=AT, actor=STAFF)
    assert (chosen.presenter_code, chosen.state) == (ANNA, "draft")
    assert TrailLeaf.objects.get(action="videos.campaign.presenter_chosen").details == {
        "presenter": ANNA
    }
    Campaign.objects.update(state="sending")
    revoke(release)
    with pytest.raises(NotNow):
        declarations.choose_presenter(campaign=made, presenter_code="drawn", at=AT, actor=STAFF)


def test_the_checks_say_whether_the_presenter_is_released() -> None:
    connections.ensure_local(at=AT)
    stage.agreed(stage.person())
    made = stage.campaign()
    stage.rendered(made)
    assert check_of(made) == ("good", "A drawn figure: nobody's face or voice.")
    made = shown(made)
    assert check_of(made)[0] == "bad"
    release = released()
    assert check_of(made)[0] == "good"
    revoke(release)
    state, detail = check_of(made, LATER)
    assert (state, "took the release back (English)" in detail) == ("bad", True)
    with pytest.raises(campaigns.NotReady):
        campaigns.start(campaign=made, at=LATER, actor=STAFF)


def test_preparing_says_why_in_words(vendor: Vendor) -> None:
    made = shown(played.written())
    with pytest.raises(NotNow, match="signed no release"):
        campaigns.prepare(campaign=made, at=AT, actor=STAFF)


def test_a_released_presenter_is_sent() -> None:
    queued(released())
    assert delivery.dispatch(at=LATER).sent == 1


def test_revoking_kills_what_was_not_sent() -> None:
    release = released()
    queued(release)
    revoke(release)
    assert delivery.dispatch(at=LATER).refused == 1
    assert not SandboxMessage.objects.filter(direction="to_phone").exists()
    decision = Decision.objects.get(phase="hand_off")
    reason = decision.reasons[0]
    assert (reason["code"], reason["rule"]) == ("presenter_revoked", "house.presenter")
    assert "740 ILCS 14/15(b)" in reason["source"]
    assert Message.objects.get().problem == "presenter_revoked"


def test_a_face_that_was_rendered_is_asked_for_whomever_the_campaign_shows_now() -> None:
    release = released()
    made, _ = queued(release)
    shown(made, "drawn")
    revoke(release)
    assert delivery.dispatch(at=LATER).refused == 1


def test_no_video_is_made_of_a_presenter_who_took_it_back() -> None:
    release = released()
    made, who = queued(release)
    other = stage.agreed(stage.person(name="Ana", email="ana@example.org", phone=""))
    revoke(release)
    with pytest.raises(personalising.NotPersonalised, match="presenter_revoked"):
        personalising.personalise(campaign=made, contact=who, at=LATER)
    Recipient.objects.create(campaign=made, contact=other, created_at=AT)
    assert delivery.work(campaign_id=made.pk, at=LATER).states == {"failed": 1}
    assert Recipient.objects.get(contact=other).reason_code == "presenter_revoked"


def test_nobody_is_taken_on_by_the_api_for_a_presenter_who_took_it_back() -> None:
    release = released()
    made, _ = queued(release)
    other = stage.agreed(stage.person(name="Ana", email="ana@example.org", phone=""))
    revoke(release)
    with pytest.raises(NotReleased):
        delivery.send_one(
            campaign=Campaign.objects.get(pk=made.pk), contact=other, at=LATER, actor=STAFF
        )
    assert not Recipient.objects.filter(contact=other).exists()
