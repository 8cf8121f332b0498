import html
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import keys
from config.lib import clock
from consent import ledger, personal_data, preferences, purposes, wording
from consent.models import ConsentEvent, Contact, PreferenceLink
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db


class Page(HTMLParser):
    """What a person may press, fill in and read on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.boxes: list[dict[str, str]] = []
        self.links: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": found.get("action", "")})
        elif tag == "input" and found.get("type") == "hidden":
            self.forms[-1][found["name"]] = found.get("value", "")
        elif tag == "input" and found.get("type") == "checkbox":
            self.boxes.append(found)
        elif tag == "a":
            self.links.append(found.get("href", ""))
        self.scripts += tag == "script"


def linked(contact: Contact, channel: str = "email") -> str:
    address = preferences.link(
        contact=contact, channel=channel, message_id=None, at=clock.now() - timedelta(days=1)
    )
    return "/choices/" + address.rpartition("/")[2]


def shown(client: Client, path: str) -> Page:
    return Page(client.get(path).content.decode())


def state(contact: Contact, channel: str = "email", purpose: str = "marketing") -> str | None:
    return ledger.state_of(contact=contact, purpose_code=purpose, channel=channel, at=clock.now())


def post(client: Client, path: str, **fields: str) -> Any:
    return client.post(path, fields)


def test_the_page_has_a_switch_for_each_thing_and_one_for_all(client: Client) -> None:
    contact = agreed(person(), "email")
    page = shown(client, linked(contact))
    stops = [form for form in page.forms if form["action"].endswith("/stop")]
    assert {"action": stops[0]["action"]} == stops[0]
    assert {"purpose": "marketing", "channel": "email"}.items() <= stops[1].items()
    assert any(link.endswith("/allow/marketing/sms") for link in page.links)
    # It works without scripts, because there are none.
    assert page.scripts == 0


def test_a_look_changes_nothing(client: Client) -> None:
    path = linked(agreed(person(), "email"))
    before = ConsentEvent.objects.count()
    for leaf in ("", "/allow", "/allow/marketing/sms", "/receipt", "/receipt.json", "/stop"):
        for ask in (client.get, client.head):
            assert ask(path + leaf).status_code in (200, 404, 405)
    assert ConsentEvent.objects.count() == before


def test_what_is_private_is_not_kept_by_browsers_and_told_to_no_site(client: Client) -> None:
    answer = client.get(linked(agreed(person(name="Ana Müller"), "email")))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    text = answer.content.decode()
    assert "Müller" not in text
    assert not re.search(r"ana\d+@example\.org", text)


def test_wrong_old_and_erased_links_are_one_answer(client: Client) -> None:
    contact, old = agreed(person(), "email"), person()
    erased_path, old_path = linked(contact), linked(old)
    personal_data.erase(contact_id=contact.pk, at=clock.now())
    PreferenceLink.objects.filter(contact=old).update(expires_at=clock.now())
    answers = [client.get(path) for path in (erased_path, old_path, "/choices/" + "x" * 43)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    posted = [client.post(f"{path}/stop") for path in (erased_path, old_path)]
    assert {answer.status_code for answer in posted} == {404}


def test_one_post_stops_everything_without_a_question(client: Client) -> None:
    contact = agreed(agreed(person(), "email"), "sms")
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(linked(contact) + "/stop", follow=True)
    assert answer.redirect_chain[0][1] == 303
    assert wording.words("fr")["done_holds"] in html.unescape(answer.content.decode())
    assert {state(contact, "email"), state(contact, "sms")} == {"withdrawn"}


def test_one_post_stops_one_thing_and_the_page_says_which(client: Client) -> None:
    contact = agreed(agreed(person(language="en"), "email"), "sms")
    path = linked(contact)
    answer = post(client, f"{path}/stop", purpose="marketing", channel="sms")
    assert (state(contact, "email"), state(contact, "sms")) == ("confirmed", "withdrawn")
    text = client.get(answer["Location"]).content.decode()
    assert "Stopped: Advertising, SMS." in text
    # A word in the address that the rows do not bear out is not repeated.
    untrue = client.get(f"{path}?stopped=marketing.email").content.decode()
    assert "Stopped: Advertising, " not in untrue


@pytest.mark.parametrize("pair", [("gifts", "email"), ("marketing", "fax"), ("marketing", "")])
def test_what_is_no_choice_cannot_be_stopped(client: Client, pair: tuple[str, str]) -> None:
    path = linked(agreed(person(), "email"))
    answer = post(client, f"{path}/stop", purpose=pair[0], channel=pair[1])
    assert answer.status_code == 404
    assert ConsentEvent.objects.filter(kind="withdrawn").count() == 0


def test_giving_asks_for_an_act_of_its_own_beside_the_exact_words(client: Client) -> None:
    contact = person(language="de")
    path = linked(contact) + "/allow/marketing/email"
    page = shown(client, path)
    assert [box["name"] for box in page.boxes] == ["agree_marketing.email"]
    assert "checked" not in page.boxes[0]
    refused = client.post(path, {})
    assert refused.status_code == 422
    assert wording.words("de")["tick_needed"] in refused.content.decode()
    assert state(contact) is None
    assert post(client, path, **{"agree_marketing.email": "on"}).status_code == 303
    assert state(contact) == "confirmed"
    notice = ConsentEvent.objects.filter(kind="given").get().notice
    assert notice is not None
    assert notice.text == purposes.shipped_text(language="de")


def test_undo_is_a_fresh_act_with_nothing_ticked(client: Client) -> None:
    contact = agreed(person(language="en"), "email")
    path = linked(contact)
    post(client, f"{path}/stop")
    assert f"{path}/allow" in shown(client, f"{path}?stopped=all").links
    page = shown(client, f"{path}/allow")
    assert len(page.boxes) == 1
    assert "checked" not in page.boxes[0]
    post(client, f"{path}/allow", **{page.boxes[0]["name"]: "on"})
    assert state(contact) == "confirmed"


def test_a_signature_is_asked_for_where_the_law_wants_one(client: Client) -> None:
    us: dict[str, Any] = {"country": "US", "time_zone": "America/New_York", "language": "en"}
    contact = person(phone="+12125550143", **us)
    path = linked(contact, "sms") + "/allow/marketing/sms"
    unsigned = post(client, path, **{"agree_marketing.sms": "on"})
    assert unsigned.status_code == 422
    assert wording.words("en")["signature_needed"] in unsigned.content.decode()
    fields = {"agree_marketing.sms": "on", "signature_marketing.sms": "Ana Rivera"}
    assert post(client, path, **fields).status_code == 303
    assert ConsentEvent.objects.filter(kind="given").get().permission == "written"


def test_a_childs_guardian_has_to_agree_as_well(client: Client) -> None:
    contact = person(country="DE", phone="", language="en")
    particulars = ledger.Particulars(age_years=14, guardian="Eva Müller")
    act(contact, "email", "given", clock.now(), particulars=particulars)
    path = linked(contact) + "/allow/sharing/email"
    ticked = {"agree_sharing.email": "on"}
    assert post(client, path, **ticked).status_code == 422
    post(client, path, **ticked, guardian="Eva Müller", guardian_agrees="on")
    assert state(contact, purpose="sharing") == "confirmed"
    assert ConsentEvent.objects.filter(purpose_code="sharing", kind="given").get().guardian_sealed


def test_the_receipt_is_a_signed_file_and_a_page_to_print(client: Client) -> None:
    path = linked(agreed(person(), "email"))
    answer = client.get(f"{path}/receipt.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    receipt = json.loads(answer.content)
    assert receipt["signed"]["signature"]
    assert re.search(r"<code>[0-9a-f]{128}</code>", client.get(f"{path}/receipt").content.decode())


def test_somebody_past_their_time_can_still_stop_and_nothing_more(client: Client) -> None:
    contact = agreed(person(), "email")
    path = linked(contact)
    keys.destroy(key=contact.key, at=clock.now())
    page = shown(client, path)
    assert not any("/allow" in link for link in page.links)
    assert post(client, f"{path}/stop").status_code == 303
    assert state(contact) == "withdrawn"


def test_a_browsers_signal_is_kept_and_does_not_undo_a_tick(client: Client) -> None:
    us: dict[str, Any] = {"country": "US", "region": "CA", "language": "en"}
    contact = person(phone="", **us)
    path = linked(contact) + "/allow/sharing/email"
    answer = client.post(path, {"agree_sharing.email": "on"}, headers={"Sec-GPC": "1"})
    assert answer.status_code == 303
    assert state(contact, purpose="sharing") == "confirmed"
    said = client.get(path.partition("/allow")[0], headers={"Sec-GPC": "1"}).content.decode()
    assert wording.words("en")["gpc"].partition(" (")[0] in said


@pytest.mark.parametrize("language", purposes.LANGUAGES)
def test_every_language_has_every_word_with_its_places(language: str) -> None:
    english, own = wording.words("en"), wording.words(language)
    assert set(own) == set(english)
    places = re.compile(r"\{\w+\}")
    for name, text in own.items():
        assert set(places.findall(text)) == set(places.findall(english[name])), name


@pytest.mark.parametrize("language", ["ar", "hi"])
def test_the_page_speaks_the_persons_language(client: Client, language: str) -> None:
    path = linked(agreed(person(language=language), "email", NOON))
    text = client.get(path).content.decode()
    assert wording.words(language)["stop_all"] in text
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in text
    assert "October" not in text
    assert wording.words("en")["stop_all"] in client.get(f"{path}?language=en").content.decode()


def test_the_confirmation_leads_on_to_the_choices(client: Client) -> None:
    token = preferences.token_behind("t" * 43)
    page = shown(client, reverse("join:confirmed", args=[token]))
    assert f"/choices/{token}" in page.links
