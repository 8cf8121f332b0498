from typing import Any

import pytest

from accounts.audit import Actor
from consent import (
    allowing,
    choices,
    ledger,
    optin,
    preferences,
    suppression,
)
from consent.boxes import Answer
from consent.choices import Choice, Pair
from consent.models import (
    ConsentEvent,
    Contact,
    OptIn,
    PreferenceLink,
    Revocation,
    WrittenConsent,
)
from integrations import connections
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
US: dict[str, Any] = {"country": "US", "time_zone": "America/New_York", "language": "en"}
NEW_YORK = "+12125550143"


def linked(contact: Contact, channel: str = "email") -> PreferenceLink:
    address = preferences.link(contact=contact, channel=channel, message_id=None, at=NOON)
    return preferences.own(token=address.rpartition("/")[2], at=NOON)


def choice(contact: Contact, purpose: str, channel: str) -> Choice:
    found = choices.of(contact=contact, at=NOON)
    return next(row for row in found if (row.purpose_code, row.channel) == (purpose, channel))


def state(contact: Contact, channel: str, purpose: str = "marketing") -> str | None:
    return ledger.state_of(contact=contact, purpose_code=purpose, channel=channel, at=NOON)


def allow(link: PreferenceLink, *pairs: Pair, signature: str = "") -> allowing.Allowed:
    boxes = allowing.asked(link=link, pairs=pairs, language="en", at=NOON)
    keys = [box.key for box in boxes]
    answer = Answer(frozenset(keys), signatures=dict.fromkeys(keys, signature))
    return allowing.allow(link=link, asked=boxes, answer=answer, at=NOON)


def stopped(contact: Contact, channel: str) -> bool:
    index = getattr(contact, f"{channel}_stop_index")
    return suppression.is_suppressed(channel=channel, address_index=index)


def test_a_link_is_unguessable_and_only_its_hash_is_kept() -> None:
    contact = person()
    tokens = [
        preferences.link(contact=contact, channel="email", message_id=None, at=NOON).rpartition(
            "/"
        )[2]
        for _ in range(2)
    ]
    assert len(set(tokens)) == 2
    assert all(len(token) == 43 for token in tokens)
    assert not any(token in str(PreferenceLink.objects.values()) for token in tokens)
    assert preferences.own(token=tokens[0], at=NOON).contact == contact


def test_a_link_behind_another_token_is_worked_out_from_it_alone() -> None:
    preferences.link(contact=person(), channel="sms", message_id=None, at=NOON, behind="v" * 43)
    token = preferences.token_behind("v" * 43)
    assert preferences.own(token=token, at=NOON).channel == "sms"
    assert len(bytes.fromhex(token)) == 32


def test_every_purpose_on_every_channel_is_shown_with_where_it_stands() -> None:
    contact = agreed(person(), "email")
    shown = choices.of(contact=contact, at=NOON)
    assert len(shown) == len(choices.ORDER) * 3
    assert choice(contact, "marketing", "email").word == "confirmed"
    assert choice(contact, "marketing", "sms").word == "none"
    assert choice(contact, "service", "sms").word == "contract"
    assert choice(contact, "ai_use", "email").word == "interest"


def test_a_channel_without_an_address_is_shown_only_where_something_happened() -> None:
    contact = agreed(person(phone=""), "email")
    choices.stop(link=linked(contact), at=NOON)
    by_sms = [row for row in choices.of(contact=contact, at=NOON) if row.channel == "sms"]
    assert [row.purpose_code for row in by_sms] == ["marketing"]


def test_one_tap_stops_one_thing_and_another_tap_all_the_rest() -> None:
    contact = agreed(agreed(person(), "email"), "sms")
    link = linked(contact)
    choices.stop(link=link, pair=("marketing", "sms"), at=NOON)
    assert (state(contact, "sms"), state(contact, "email")) == ("withdrawn", "confirmed")
    choices.stop(link=link, at=NOON)
    assert state(contact, "email") == "withdrawn"
    assert choices.is_all_stopped(choices.of(contact=contact, at=NOON))
    assert all(stopped(contact, channel) for channel in ("email", "sms", "whatsapp"))
    row = Revocation.objects.order_by("-effective_at", "-pk").first()
    assert row is not None
    assert row.means == "page"


def test_what_the_address_said_counts_before_what_was_agreed_to() -> None:
    contact = agreed(person(), "sms")
    suppression.suppress(contact=contact, channel="sms", reason="inbound_stop", at=NOON)
    shown = choice(contact, "marketing", "sms")
    assert (shown.word, shown.is_on) == ("suppressed", False)


def test_undo_offers_what_the_last_stop_ended_and_nothing_else() -> None:
    contact = agreed(agreed(person(), "email"), "sms")
    link = linked(contact)
    choices.stop(link=link, pair=("marketing", "sms"), at=NOON)
    assert choices.stopped_last(contact=contact) == [("marketing", "sms")]
    allow(link, ("marketing", "email"))
    assert choices.stopped_last(contact=contact) == [("marketing", "sms")]
    assert choices.stopped_last(contact=person()) == []


def test_a_link_sent_to_the_address_confirms_and_lifts_the_stop() -> None:
    contact = agreed(person(), "email")
    link = linked(contact)
    choices.stop(link=link, at=NOON)
    assert not allow(link, ("marketing", "email")).is_half
    assert state(contact, "email") == "confirmed"
    assert not stopped(contact, "email")
    assert stopped(contact, "sms")
    given = ConsentEvent.objects.filter(kind="given", source="choices").get()
    confirmed = ConsentEvent.objects.filter(kind="confirmed", source="choices").get()
    assert given.form is not None
    assert "checked" not in given.form.html
    assert (confirmed.form, confirmed.seller) == (given.form, given.seller)


def test_another_address_is_asked_to_confirm() -> None:
    connections.ensure_local(at=NOON)
    contact = agreed(person(), "sms")
    link = linked(contact)
    choices.stop(link=link, at=NOON)
    assert allow(link, ("marketing", "sms")).is_half
    assert state(contact, "sms") == "given"
    # A page sent by e-mail proves nothing of a phone: its stop stays, and nobody writes to it.
    assert stopped(contact, "sms")
    assert OptIn.objects.count() == 0


def test_an_address_that_never_stopped_gets_the_question() -> None:
    connections.ensure_local(at=NOON)
    contact = person()
    assert allow(linked(contact), ("marketing", "sms")).is_half
    assert OptIn.objects.get().channel == "sms"


def test_a_number_in_the_united_states_signs() -> None:
    contact = agreed(person(phone=NEW_YORK, **US), "sms")
    assert choice(contact, "marketing", "sms").word == "unsigned"
    boxes = allowing.asked(
        link=linked(contact, "sms"), pairs=[("marketing", "sms")], language="en", at=NOON
    )
    assert boxes[0].is_signed
    allow(linked(contact, "sms"), ("marketing", "sms"), signature="Ana Rivera")
    assert choice(contact, "marketing", "sms").word == "confirmed"
    row = WrittenConsent.objects.get()
    assert (row.signature_kind, row.seller) == ("typed_name", "Sealcast")


def test_health_information_is_not_given_by_a_box() -> None:
    link = linked(person())
    pairs = [("phi_content", "email"), ("gifts", "email"), ("marketing", "email")]
    boxes = allowing.asked(link=link, pairs=pairs, language="fr", at=NOON)
    assert [box.purpose_code for box in boxes] == ["marketing"]


def test_each_purpose_that_a_box_can_give_has_its_own_words() -> None:
    link = linked(person())
    pairs = [(code, "email") for code in choices.ORDER]
    boxes = allowing.asked(link=link, pairs=pairs, language="ar", at=NOON)
    assert len({box.text for box in boxes}) == len(choices.ORDER) - 1
    kinds = {box.purpose_code: box.permission for box in boxes}
    assert kinds["special_data"] == "explicit"
    assert allow(link, *pairs).given == len(boxes)
    assert state(link.contact, "email", "special_data") == "confirmed"


def test_who_told_to_be_a_child_agrees_with_a_guardian_only() -> None:
    contact = person(country="DE", phone="")
    particulars = ledger.Particulars(age_years=14, guardian="Eva Müller")
    act(contact, "email", "given", particulars=particulars)
    link = linked(contact)
    boxes = allowing.asked(link=link, pairs=[("sharing", "email")], language="de", at=NOON)
    assert allowing.needs_guardian(link=link, asked=boxes, at=NOON)
    grown = linked(person(country="DE", phone=""))
    assert not allowing.needs_guardian(link=grown, asked=boxes, at=NOON)


def test_the_history_has_each_act_once_however_many_channels_it_had() -> None:
    contact = agreed(person(), "email")
    choices.stop(link=linked(contact), at=NOON)
    newest = choices.history(contact=contact)[0]
    assert newest.event.kind == "withdrawn"
    assert newest.channels == ("email", "sms", "whatsapp")


def test_a_question_comes_with_the_way_to_the_choices() -> None:
    connections.ensure_local(at=NOON)
    contact = person()
    act(contact, "email", "claimed")
    asked = optin.ask(
        contact=contact,
        purpose_code="marketing",
        channel="email",
        at=NOON,
        actor=Actor("recipient", contact.public_id),
    )
    assert asked is not None
    link = PreferenceLink.objects.filter(message_id__isnull=False).order_by("pk").first()
    assert link is not None
    told = choices.why(link=link)
    assert told is not None
    assert (told.purpose_code, told.channel) == ("permission_request", "email")
