from collections.abc import Callable

import pytest

from accounts import audit
from accounts.models import TrailLeaf
from consent import ledger
from consent.models import Contact, Decision, Message
from integrations import connections
from tests.videos import stage
from tests.videos.stage import AT
from videos import audiences, campaigns, content_rules, contents, declarations, delivery
from videos.anonymisation import anonymise
from videos.campaigns import NotACampaign, NotNow
from videos.models import Campaign, Recipient, Render, Script

pytestmark = pytest.mark.django_db
STAFF = audit.Actor("staff", "marketer")
HEALTH = "Hello {{ name }}. Your diabetes check-up is due. See our clinic."
PLAN = "Hello {{ name }} with {{ plan|a plan }}. Your diabetes check-up is due."
PLAIN = "Hello {{ name }}. Spring is here, with healthy savings."


@pytest.fixture(autouse=True)
def _connected() -> None:
    connections.ensure_local(at=AT)


def written(text: str = HEALTH, *, language: str = "en", made: Campaign | None = None) -> Campaign:
    made = made or stage.campaign()
    campaigns.update_script(campaign=made, language=language, text=text, at=AT, actor=STAFF)
    return Campaign.objects.get(pk=made.pk)


def dismiss(made: Campaign, content: str = "health", reason: str = "own_name") -> Campaign:
    return declarations.dismiss(campaign=made, content=content, reason=reason, at=AT, actor=STAFF)


def declare(made: Campaign, content: str) -> Campaign:
    return declarations.declare(campaign=made, content=content, at=AT, actor=STAFF)


def take_back(made: Campaign, content: str) -> Campaign:
    return declarations.take_back(campaign=made, content=content, at=AT, actor=STAFF)


def consented(*, explicit: bool, number: int) -> Contact:
    who = stage.person(
        name=f"P {number}", email=f"p{number}@example.org", phone=f"+491511234568{number}"
    )
    stage.agreed(who)
    if explicit:
        ledger.record(
            contact=who,
            purpose_code="special_data",
            channel="email",
            kind="given",
            act="checkbox",
            source="form",
            at=AT,
            actor=audit.Actor("recipient", str(who.pk)),
            particulars=ledger.Particulars(permission="explicit"),
        )
    return who


def test_a_saved_script_is_kept_with_what_it_speaks_of() -> None:
    assert written().content == ["health"]
    assert written(PLAIN).content == []


def test_all_languages_count_and_one_taken_out_counts_no_more() -> None:
    made = written("Bonjour {{ name }}. Votre syndicat vous attend.", language="fr", made=written())
    assert made.content == ["health", "union"]
    campaigns.update_script(campaign=made, language="en", text="", at=AT, actor=STAFF)
    assert made.content == ["union"]


def test_a_campaign_of_before_is_read_when_it_is_asked() -> None:
    made = stage.campaign()
    Script.objects.create(campaign=made, language="en", text=HEALTH, updated_at=AT)
    assert made.content is None
    assert contents.of(made) == ("health",)


def test_health_with_more_than_a_name_is_a_persons_own() -> None:
    made = written(PLAN)
    assert made.content == ["health", "phi"]
    word = next(one for one in contents.sightings(made) if one.content == "phi")
    assert (word.word, word.line, word.column) == ("{{ plan|a plan }}", 1, 23)
    assert written(PLAIN.replace("Hello", "Hello {{ plan|x }}")).content == []


def test_phi_goes_with_the_health_words_that_are_none() -> None:
    made = dismiss(written(PLAN))
    assert made.content == []


def test_what_is_declared_counts_whatever_the_words_are() -> None:
    made = written(PLAIN)
    declare(made, "child_directed")
    declare(made, "child_directed")
    made.refresh_from_db()
    assert (made.content, made.content_declared) == (["child_directed"], ["child_directed"])
    assert TrailLeaf.objects.filter(action="videos.campaign.content_declared").count() == 1
    assert take_back(made, "child_directed").content == []


def test_a_word_taken_out_leaves_its_reason_in_the_trail_and_another_counts_again() -> None:
    made = dismiss(written())
    assert made.content == []
    told = TrailLeaf.objects.get(action="videos.campaign.content_dismissed")
    assert told.details == {"content": "health", "reason": "own_name", "words": 2}
    assert told.actor_id == STAFF.id
    assert written(HEALTH, made=made).content == []
    assert written(f"{HEALTH} Our doctors wait.", made=made).content == ["health"]


def test_a_declared_class_stays_when_its_words_are_taken_out() -> None:
    made = declare(written(), "health")
    assert dismiss(made).content == ["health"]


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda made: declare(made, "weather"), "content"),
        (lambda made: take_back(made, "weather"), "content"),
        (lambda made: take_back(made, "health"), "content"),
        (lambda made: dismiss(made, "weather"), "content"),
        (lambda made: dismiss(made, "union"), "content"),
        (lambda made: dismiss(made, reason=""), "reason"),
        (lambda made: dismiss(made, reason="I want to"), "reason"),
    ],
)
def test_what_makes_no_sense_is_refused_in_plain_words(
    act: Callable[[Campaign], Campaign], field: str
) -> None:
    made = written()
    with pytest.raises(NotACampaign) as refused:
        act(made)
    assert refused.value.field == field
    assert refused.value.problem.endswith(".")
    assert Campaign.objects.get(pk=made.pk).content == ["health"]


@pytest.mark.parametrize("begun", ["started", "by the API"])
def test_nothing_is_taken_out_once_sending_has_begun(begun: str) -> None:
    made = declare(written(), "phi")
    if begun == "started":
        Campaign.objects.filter(pk=made.pk).update(state="sending", started_at=AT)
    else:
        Recipient.objects.create(campaign=made, contact=stage.person(), created_at=AT)
    with pytest.raises(NotNow, match="Sending has begun"):
        take_back(made, "phi")
    with pytest.raises(NotNow, match="Sending has begun"):
        dismiss(made)
    assert Campaign.objects.get(pk=made.pk).content == ["health", "phi"]


def test_more_is_declared_while_paused_and_not_while_messages_leave() -> None:
    made = written()
    Campaign.objects.filter(pk=made.pk).update(state="sending", started_at=AT)
    with pytest.raises(NotNow, match="Pause"):
        declare(made, "phi")
    Campaign.objects.filter(pk=made.pk).update(state="paused")
    assert declare(made, "phi").content == ["health", "phi"]


def test_the_rules_that_ask_for_more_are_those_where_the_audience_is() -> None:
    made = written()
    assert content_rules.look(campaign=made, at=AT)[0].rules == ()
    stage.person()
    spoken = content_rules.look(campaign=made, at=AT)[0]
    assert (spoken.content, spoken.words, spoken.counts) == ("health", ["diabetes", "clinic"], True)
    assert {rule.standing for rule in spoken.rules} == {"special_data"}
    assert all("DE" in rule.where for rule in spoken.rules)


def test_the_check_shows_words_rules_and_whom_it_leaves() -> None:
    consented(explicit=True, number=1)
    consented(explicit=False, number=2)
    made = written()
    found = next(one for one in campaigns.checks(campaign=made, at=AT) if one.code == "content")
    assert found.state == "warn"
    assert "“diabetes”, “clinic”" in found.detail
    assert "1 of the 2 people" in found.detail
    assert "GDPR Art. 9" in str(found.reasons[0]["source"])


def test_a_language_without_a_list_is_said_to_be_unread() -> None:
    stage.person()
    made = written("{{ name }}。春です。", language="ja")
    found = next(one for one in campaigns.checks(campaign=made, at=AT) if one.code == "content")
    assert (found.state, "no list of words for Japanese" in found.detail) == ("warn", True)


def test_a_mailing_about_health_reaches_only_who_said_so_explicitly() -> None:
    yes, no = consented(explicit=True, number=1), consented(explicit=False, number=2)
    made = stage.campaign()
    stage.rendered(made)
    Script.objects.update(text=HEALTH)
    seen = audiences.outlook(campaign=made, at=AT)
    assert (seen.reachable, seen.refused) == (1, 1)
    assert audiences.outlook(campaign=made, at=AT, content=()).reachable == 2
    sending(made, yes, no)
    assert Recipient.objects.get(contact=no).reason_code == "no_consent"
    message = Message.objects.get()
    assert (message.contact, message.content) == (yes, ["health"])
    assert Decision.objects.filter(contact=no, verdict="refuse").exists()


def sending(made: Campaign, *people: Contact) -> None:
    """Start a campaign whose videos are there, and let everybody have their turn."""
    render = Render.objects.get(campaign=made)
    text = Script.objects.get(campaign=made).text
    render.script_sha256 = anonymise(script_text=text, language="en").sha256
    render.save()
    for one in people:
        stage.asset(one, made)
    campaigns.start(campaign=made, at=AT, actor=STAFF)
    delivery.work(campaign_id=made.pk, at=AT)


def test_the_hand_off_judges_the_content_again() -> None:
    yes = consented(explicit=True, number=1)
    made = stage.campaign()
    stage.rendered(made)
    Script.objects.update(text=HEALTH)
    sending(made, yes)
    ledger.withdraw(
        contact=yes,
        act="button",
        source="page",
        at=AT,
        actor=audit.SYSTEM,
        purposes=["special_data"],
    )
    assert delivery.dispatch(at=AT).refused == 1


def test_what_was_judged_by_less_than_is_known_now_does_not_leave() -> None:
    who = consented(explicit=True, number=1)
    made = stage.campaign()
    stage.rendered(made)
    sending(made, who)
    Campaign.objects.filter(pk=made.pk).update(content=["health"])
    assert delivery.dispatch(at=AT).refused == 1
    decision = Decision.objects.get(phase="hand_off")
    assert [(row["code"], row["rule"]) for row in decision.reasons] == [
        ("content_changed", "house.content")
    ]
