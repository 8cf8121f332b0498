import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import User
from config.lib import clock
from consent import (
    boxes,
    confirmation,
    contacts,
    form_making,
    hosted_forms,
    ledger,
    outbox,
    wording,
)
from consent.form_making import Draft, FormRefused
from consent.models import (
    ConsentEvent,
    Contact,
    HostedForm,
    Notice,
    OptIn,
    RenderedForm,
    WrittenConsent,
)
from integrations import connections
from integrations.models import Connection, SandboxMessage
from tests.accounts.staff import browser, member, partner
from tests.consent.people import NOON, person, rests_on

pytestmark = pytest.mark.django_db
EXPRESS = {"purpose": "marketing", "channels": ["email"], "permission": "express", "texts": {}}
WRITTEN = {"purpose": "marketing", "channels": ["sms"], "permission": "written", "texts": {}}
SENSITIVE = {
    "purpose": "special_data",
    "channels": ["email"],
    "permission": "explicit",
    "texts": {},
}
PASSING = {"purpose": "sharing", "channels": ["email"], "permission": "express", "texts": {}}
NEW_YORK = "+12125550143"
SITE = "https://www.example.org"


@pytest.fixture(autouse=True)
def _house() -> None:
    cache.clear()
    connections.ensure_local(at=NOON)
    person()


def drafted(*asked: dict[str, Any], **more: Any) -> Draft:
    chosen = {"slug": "spring", "origins": [SITE], "asks_age": False, **more}
    return Draft(title="Spring", seller="Aurora Travel", boxes=asked or (EXPRESS,), **chosen)


def opened(*asked: dict[str, Any], **more: Any) -> HostedForm:
    staff = member("marketer")
    form = form_making.make(draft=drafted(*asked, **more), at=NOON, staff=staff)
    return form_making.publish(form=form, at=NOON, staff=staff)


def staff() -> User:
    return User.objects.filter(role="marketer")[0]


def sent(path: str = "/join/f/spring", *, look: str = "1", **fields: str) -> Any:
    typed = {"name": "Ana Rivera", "look": look, "language": "en", **fields}
    return Client().post(path, typed)


def found(email: str = "", phone: str = "") -> Contact | None:
    return contacts.find(partner=None, email=email, phone=phone)


# ---------- what a person sees and sends


def test_nothing_is_ticked_and_who_asks_is_named(client: Client) -> None:
    opened(EXPRESS, PASSING)
    text = client.get("/join/f/spring").content.decode()
    assert text.count('type="checkbox"') == 2
    assert "checked" not in text
    assert "Aurora Travel" in text


def test_a_sign_up_keeps_what_was_shown_and_asks_back() -> None:
    opened()
    answer = sent(agree_0="on", email="ana@example.org")
    assert answer["Location"].startswith("/join/asked")
    event = ConsentEvent.objects.get()
    assert (event.kind, event.permission, event.seller) == ("given", "express", "Aurora Travel")
    assert (event.locale, event.source) == ("en", "form-spring")
    assert event.form is not None
    assert event.form.html == boxes.html(
        hosted_forms.shown(form=HostedForm.objects.get(), language="en", look=hosted_forms.Look(1))[
            0
        ]
    )
    question = OptIn.objects.get()
    assert question.notice == event.notice


def test_only_the_network_of_an_address_is_kept_and_nobodys_name_in_the_form() -> None:
    opened()
    Client(REMOTE_ADDR="192.0.2.77").post(
        "/join/f/spring",
        {"name": "Ana Rivera", "email": "ana@example.org", "look": "1", "agree_0": "on"},
    )
    event = ConsentEvent.objects.get()
    assert b'"192.0.2"' in rests_on(event)
    assert "Rivera" not in str(RenderedForm.objects.values())


def test_the_question_comes_from_who_asked() -> None:
    opened()
    sent(agree_0="on", email="ana@example.org")
    outbox.dispatch(at=clock.now())
    assert "Aurora Travel" in SandboxMessage.objects.get().content_sealed["subject"]
    contact = found("ana@example.org")
    assert contact is not None
    assert contact.source == "form-spring"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"email": "ana@example.org"}, "agree_needed"),
        ({"email": "ana@", "agree_0": "on"}, "bad_email"),
        ({"phone": "12", "agree_1": "on", "signature_1": "Ana"}, "bad_phone"),
        ({"name": "<b>", "email": "a@example.org", "agree_0": "on"}, "bad_name"),
        ({"name": "", "email": "a@example.org", "agree_0": "on"}, "name_missing"),
        ({"agree_0": "on"}, "one_needed"),
        ({"phone": "+4915112345678", "agree_0": "on"}, "email_for_box"),
        ({"email": "a@example.org", "agree_1": "on", "signature_1": "Ana"}, "phone_for_box"),
        ({"phone": NEW_YORK, "agree_1": "on"}, "signature_needed"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(fields: dict[str, str], word: str) -> None:
    opened(EXPRESS, WRITTEN)
    before = Contact.objects.count()
    answer = sent(**fields)
    assert answer.status_code == 422
    told = wording.words("en")[word].replace("<", "&lt;").replace(">", "&gt;")
    assert told in answer.content.decode()
    assert Contact.objects.count() == before


def test_a_written_box_is_an_agreement_with_each_of_its_elements() -> None:
    opened(EXPRESS, WRITTEN)
    assert sent(phone=NEW_YORK, agree_1="on", signature_1="Ana Rivera").status_code == 302
    row = WrittenConsent.objects.get()
    assert (row.seller, row.signature_kind) == ("Aurora Travel", "typed_name")
    assert "as a condition of buying anything" in row.agreement.text
    assert "Aurora Travel" in row.disclosure.html


@pytest.mark.parametrize("phone", [NEW_YORK, "+4915112345678"])
def test_the_built_in_form_has_numbers_in_the_united_states_sign(phone: str) -> None:
    answer = sent("/join/marketing", phone=phone, agree_0="on")
    if phone != NEW_YORK:
        assert answer.status_code == 302
        return
    text = answer.content.decode()
    assert wording.words("en")["written_why"] in text
    assert ConsentEvent.objects.count() == 0
    look = re.search(r'name="look" value="(\w+)"', text)
    assert look is not None
    assert "agree_0s" in text
    assert 'name="agree_0"' not in text
    signed = {"look": look[1], "agree_0s": "on", "signature_0s": "Ana Rivera"}
    assert sent("/join/marketing", phone=phone, **signed).status_code == 302
    assert ConsentEvent.objects.get().permission == "written"


def test_with_both_addresses_each_gets_the_box_it_needs() -> None:
    both = {"email": "ana@example.org", "phone": NEW_YORK, "agree_0": "on"}
    text = sent("/join/marketing", **both).content.decode()
    assert 'name="agree_0" id="id_agree_0" checked' in text
    assert 'name="agree_0s" id="id_agree_0s">' in text
    sent("/join/marketing", look="1w", **both, agree_0s="on", signature_0s="Ana Rivera")
    kinds = {event.channel: event.permission for event in ConsentEvent.objects.all()}
    assert kinds == {"email": "express", "sms": "written"}


def test_under_the_age_of_the_place_a_guardian_agrees_as_well() -> None:
    opened(EXPRESS, {**WRITTEN, "permission": "express"}, asks_age=True)
    child = {"phone": "+4915112345678", "age": "14", "agree_1": "on"}
    assert sent(phone="+4915112345678", agree_1="on").status_code == 422
    text = sent(**child).content.decode()
    assert wording.words("en")["guardian_why"] in text
    assert sent(look="1g", **child).status_code == 422
    assert ConsentEvent.objects.count() == 0
    whole = {**child, "guardian": "Eva Rivera", "guardian_agrees": "on"}
    assert sent(look="1g", **whole).status_code == 302
    event = ConsentEvent.objects.get()
    assert event.age_years == 14
    assert event.guardian_sealed


def test_some_purposes_ask_the_age_whatever_the_maker_says() -> None:
    assert hosted_forms.asks_age(opened(EXPRESS, PASSING))


def test_known_and_unknown_addresses_are_answered_alike() -> None:
    opened()
    known = person(email="known@example.org", phone="", language="en")
    ledger.withdraw(contact=known, act="button", source="page", at=NOON, actor=SYSTEM)
    answers = [
        sent(agree_0="on", email=email) for email in ("known@example.org", "new@example.org")
    ]
    assert (
        len({(answer.status_code, answer["Location"], answer.content) for answer in answers}) == 1
    )
    assert (
        ledger.state_of(contact=known, purpose_code="marketing", channel="email", at=NOON)
        == "withdrawn"
    )


def test_a_machine_cannot_sign_up_many() -> None:
    opened()
    codes = [sent(agree_0="on", email=f"a{n}@example.org").status_code for n in range(21)]
    assert codes == [302] * 20 + [429]


def test_what_was_ticked_beside_other_words_is_not_taken() -> None:
    form = opened()
    changed = drafted({**EXPRESS, "texts": {"en": "I agree to get letters from Aurora."}})
    form_making.edit(form=form, draft=changed, at=NOON, staff=staff())
    answer = sent(agree_0="on", email="ana@example.org")
    assert answer.status_code == 422
    assert wording.words("en")["form_changed"] in answer.content.decode()
    assert ConsentEvent.objects.count() == 0
    assert sent(look="2", agree_0="on", email="ana@example.org").status_code == 302
    assert ConsentEvent.objects.get().notice == Notice.objects.get(
        text__startswith="I agree to get"
    )


@pytest.mark.parametrize("look", ["", "x", "0", "99999999999", "1" * 40, "-1"])
def test_a_look_that_nobody_was_shown_is_no_answer(look: str) -> None:
    opened()
    assert sent(look=look, agree_0="on", email="ana@example.org").status_code == 422


def test_a_draft_and_a_closed_form_are_not_there() -> None:
    form = form_making.make(draft=drafted(), at=NOON, staff=member("marketer"))
    assert Client().get("/join/f/spring").status_code == 404
    form_making.publish(form=form, at=NOON, staff=staff())
    assert Client().get("/join/f/spring").status_code == 200
    form_making.close(form=form, at=NOON, staff=staff())
    gone = sent(agree_0="on", email="ana@example.org")
    assert gone.status_code == 404
    assert gone.content == Client().post("/join/f/nothing", {"language": "en"}).content


def test_only_the_sites_it_names_can_frame_it() -> None:
    opened()
    for path in ("/join/f/spring/embed", "/join/f/spring/embed/asked"):
        answer = Client().get(path)
        assert f"frame-ancestors {SITE};" in answer.headers["Content-Security-Policy"] + ";"
        assert "X-Frame-Options" not in answer.headers
    page = Client().get("/join/f/spring")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    answer = sent("/join/f/spring/embed", agree_0="on", email="ana@example.org")
    assert answer["Location"].startswith("/join/f/spring/embed/asked")
    assert f"frame-ancestors {SITE}" in answer.headers["Content-Security-Policy"]


def test_a_form_that_names_no_site_cannot_be_framed() -> None:
    opened(origins=[])
    answer = Client().get("/join/f/spring/embed")
    assert answer.status_code == 404
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_partners_form_finds_a_partners_people() -> None:
    dora = partner("Dora")
    opened(partner=dora)
    sent(agree_0="on", email="ana@example.org")
    assert found("ana@example.org") is None
    contact = contacts.find(partner=dora, email="ana@example.org")
    assert contact is not None
    assert contact.partner == dora


# ---------- what a confirmation carries


def test_a_confirmation_carries_what_was_given_and_confirms_each_box() -> None:
    opened(EXPRESS, SENSITIVE)
    sent(agree_0="on", agree_1="on", email="ana@example.org", age="30")
    question = OptIn.objects.get()
    assert len(confirmation.texts_beside(opt_in=question)) == 1
    confirmation.confirm(opt_in_id=question.pk, act="button", at=clock.now())
    for code, permission in (("marketing", "express"), ("special_data", "explicit")):
        given, confirmed = ConsentEvent.objects.filter(purpose_code=code).order_by("number")
        assert (confirmed.kind, confirmed.permission) == ("confirmed", permission)
        assert (confirmed.form, confirmed.notice) == (given.form, given.notice)
        assert (confirmed.seller, confirmed.age_years) == ("Aurora Travel", 30)


def test_a_confirmation_of_a_claim_carries_nothing() -> None:
    contact = person(phone="")
    assert confirmation.given(contact=contact, purpose_code="marketing", channel="email") is None
    assert confirmation.carried(None) == ledger.NOTHING_MORE


# ---------- what a marketer may make


@pytest.mark.parametrize(
    ("asked", "more", "field"),
    [
        ((), {"slug": "Spring!"}, "slug"),
        ((), {"slug": "x" * 36}, "slug"),
        ((), {"origins": ["https://example.org/path"]}, "origins"),
        ((), {"origins": ["http://example.org"]}, "origins"),
        ((), {"origins": ["https://*.example.org"]}, "origins"),
        ((), {"origins": ["https://example.org; script-src *"]}, "origins"),
        (({**EXPRESS, "channels": []},), {}, "boxes"),
        (({**EXPRESS, "channels": ["fax"]},), {}, "boxes"),
        (({**EXPRESS, "purpose": "service"},), {}, "boxes"),
        (({**EXPRESS, "purpose": "phi_content"},), {}, "boxes"),
        (({**EXPRESS, "permission": "explicit"},), {}, "boxes"),
        (({**SENSITIVE, "permission": "express"},), {}, "boxes"),
        (({**WRITTEN, "channels": ["email"]},), {}, "boxes"),
        (({**PASSING, "permission": "written", "channels": ["sms"]},), {}, "boxes"),
        (({**EXPRESS, "ticked": True},), {}, "boxes"),
        ((EXPRESS, EXPRESS), {}, "boxes"),
        (({**EXPRESS, "texts": {"xx": "I agree."}},), {}, "boxes"),
        (
            (
                {**EXPRESS, "texts": {"en": "I agree to all."}},
                {**PASSING, "texts": {"en": "I agree to all."}},
            ),
            {},
            "boxes",
        ),
        ((EXPRESS,) * 5, {}, "boxes"),
    ],
)
def test_what_a_form_must_not_be(
    asked: tuple[dict[str, Any], ...], more: dict[str, Any], field: str
) -> None:
    with pytest.raises(FormRefused) as refused:
        form_making.make(draft=drafted(*asked, **more), at=NOON, staff=member("marketer"))
    assert refused.value.field == field
    assert HostedForm.objects.count() == 0


def test_words_of_one_purpose_are_not_taken_for_another() -> None:
    opened({**EXPRESS, "texts": {"en": "I agree to letters."}})
    sent(agree_0="on", email="ana@example.org")
    stolen = drafted({**PASSING, "texts": {"en": "I agree to letters."}}, slug="other")
    with pytest.raises(FormRefused):
        form_making.make(draft=stolen, at=NOON, staff=staff())


def test_a_change_of_what_people_saw_is_a_new_version_and_nothing_is_none() -> None:
    form = opened()
    same = form_making.edit(form=form, draft=drafted(), at=NOON, staff=staff())
    assert same.version == 1
    changed = form_making.edit(form=form, draft=drafted(asks_age=True), at=NOON, staff=staff())
    assert changed.version == 2
    with pytest.raises(FormRefused) as refused:
        form_making.edit(form=form, draft=drafted(slug="summer"), at=NOON, staff=staff())
    assert refused.value.field == "slug"


def test_sign_ups_are_counted_by_what_people_saw() -> None:
    form = opened()
    sent(agree_0="on", email="ana@example.org")
    question = OptIn.objects.get()
    confirmation.confirm(opt_in_id=question.pk, act="button", at=clock.now())
    sent(agree_0="on", email="bea@example.org")
    form_making.edit(form=form, draft=drafted(asks_age=True), at=NOON, staff=staff())
    sent(look="2", agree_0="on", email="cat@example.org", age="40")
    counted = form_making.figures(form=HostedForm.objects.get())
    assert {version: (row.signed_up, row.confirmed) for version, row in counted.items()} == {
        2: (1, 0),
        1: (2, 1),
    }


def test_a_form_shows_only_languages_in_which_every_box_can_be_read() -> None:
    form = opened({**EXPRESS, "texts": {"de": "Ja.", "ar": "نعم."}}, PASSING)
    assert hosted_forms.languages(form) == ["de", "ar"]
    assert hosted_forms.spoken(form, "fr-CA") == "de"
    text = Client().get("/join/f/spring?language=ar").content.decode()
    assert 'dir="rtl"' in text
    assert "نعم." in text


def test_a_marketer_makes_a_form_in_pages_and_opens_it() -> None:
    client = browser("marketer")
    fields = {
        "title": "Spring",
        "slug": "spring",
        "seller": "Aurora Travel",
        "origins": SITE,
        "box0-purpose": "marketing",
        "box0-channels": ["email"],
        "box0-permission": "express",
        **{f"box{n}-permission": "express" for n in (1, 2, 3)},
    }
    page = client.post("/forms/new/", fields)["Location"]
    assert client.get(page).status_code == 200
    assert "Preview: nothing is kept" in client.get(f"{page}preview/").content.decode()
    client.post(f"{page}publish/")
    text = client.get(page).content.decode()
    assert "&lt;iframe src=" in text
    assert "script" not in form_making.snippet(HostedForm.objects.get())
    assert 'value="Spring"' in client.get(f"{page}edit/").content.decode()
    assert client.post(f"{page}edit/", {**fields, "seller": "Aurora & Co"}).status_code == 302
    assert HostedForm.objects.get().version == 2
    refused = client.post(f"{page}edit/", {**fields, "origins": "nowhere"})
    assert (refused.status_code, HostedForm.objects.get().origins) == (422, [SITE])
    client.post(f"{page}close/")
    assert Client().get("/join/f/spring").status_code == 404


def test_an_officer_looks_and_does_not_make() -> None:
    opened()
    client = browser("officer")
    assert "Spring" in client.get("/forms/").content.decode()
    assert client.get("/forms/new/").status_code == 403


def test_a_marketer_reads_by_what_nobody_could_confirm() -> None:
    page = f"/forms/{opened({**EXPRESS, 'channels': ['sms', 'whatsapp']}).pk}/"
    assert "Nobody can confirm" not in browser("marketer").get(page).content.decode()
    Connection.objects.update(state=Connection.State.DISABLED)
    text = browser("marketer").get(page).content.decode()
    assert "Nobody can confirm by WhatsApp. No connection in use carries WhatsApp" in text
    assert "confirm by E-mail" not in text
