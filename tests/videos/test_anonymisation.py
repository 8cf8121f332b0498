import dataclasses
import json

import pytest

from config.lib import canonical
from tests.videos import stage
from videos import anonymisation
from videos.anonymisation import AnonymousScript, NotAnonymous, ScriptRefused, SlotMissing

GOOD = "Hello {{ name|there }}, welcome to Acme. Our new plan saves you time.\n\nCome and see."


def anonymised(text: str = GOOD, language: str = "en") -> AnonymousScript:
    return anonymisation.anonymise(script_text=text, language=language)


def refused(text: str, language: str = "en") -> list[anonymisation.Problem]:
    with pytest.raises(ScriptRefused) as caught:
        anonymised(text, language)
    return caught.value.problems


def test_what_leaves_is_the_fixed_text_and_an_empty_slot() -> None:
    made = anonymised()
    assert json.loads(made.body)["items"] == [
        {"slot": "s1", "ms": 4000},
        {"speech": "Our new plan saves you time."},
        {"speech": "Come and see."},
    ]
    assert made.slots == ("name",)
    assert made.body == canonical.encode(json.loads(made.body))


def test_no_word_of_the_personal_sentence_leaves() -> None:
    body = anonymised("Hello {{ name|dear friend }} of Acme. Come and see.").body
    assert b"Acme" not in body
    assert b"friend" not in body


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Hallo {{ name }}, schön, dass Sie da sind. Liebe Kundin, lieber Kunde, bis bald!"),
        ("fr", "Bonjour {{ name }} ! Notre offre est arrivée. À bientôt."),
        ("es", "Hola {{ name }}. Tenemos 3 novedades para este año 2026."),
        ("ar", "مرحبا {{ name }}. عرضنا الجديد متاح الآن."),
        ("hi", "नमस्ते {{ name }}। हमारी नई योजना आ गई है।"),
        ("ja", "こんにちは、{{ name }}さん。新しいプランをご紹介します。お客様のためのものです。"),
        ("zh", "你好，{{ name }}。我们有新的优惠。"),
        ("en", "Hi {{ name }}! In May 2026 we served 10,000 customers, 24/7, for $1,000,000."),
    ],
)
def test_ordinary_scripts_of_many_languages_may_leave(language: str, text: str) -> None:
    assert anonymised(text, language).language == language


def test_each_problem_has_its_place() -> None:
    problems = refused("Hello {{ name }}.\nWrite to anna@example.org\nor call Mrs Brown.")
    places = [(one.kind, one.line, one.column, one.text_shown) for one in problems]
    assert places == [("email", 2, 10, "anna@example.org"), ("name", 3, 13, "Brown")]


def test_hidden_signs_hide_nothing() -> None:
    shown = refused("Hello {{ name }}. Write to anna\u200b＠example.org now.")[0]
    assert (shown.kind, shown.start, shown.end) == ("email", 27, 44)


def test_the_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(ScriptRefused) as caught:
        anonymised("Hello {{ name }}. Write to anna@example.org.")
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("too_short", ""),
        ("too_short", " \n "),
        ("too_long", "Hello {{ name }}. " + "word " * 10_000),
        ("too_long", "Hello {{ name }}. " + "word " * 600),
        ("slot_unknown", "Hello {{ nmae }}. Good."),
        ("slot_unknown", "Hello {{ name.first }}. Good."),
        ("slot_misplaced", "Good of you all. Hello {{ name }}. Good."),
        ("slot_too_near", "Hello {{ name }}. Good so far. Your {{ plan }} is here. Bye."),
        ("slot_too_long", "Hello {{ name }}, " + "and again " * 20 + "welcome. Good."),
        ("slot_too_long", "Hello {{ name }}. " + "Your {{ plan }} plan, yes. " * 6 + "Good."),
        ("slots_too_many", "Hello {{ name }}. This is for all of you. " * 9),
        ("slot_missing", "Welcome to all. Good."),
        ("slot_unclosed", "Hello {{ name }}. Good { here."),
        ("nothing_to_say", "Hello {{ name }}."),
        ("nothing_to_say", "Hello {{ name }}. Good {{ city }}."),
        ("sign_unspeakable", "Hello {{ name }}. A bell\x07 rings."),
    ],
)
def test_a_script_of_bad_form_is_refused(kind: str, text: str) -> None:
    assert kind in [one.kind for one in refused(text)]


def test_a_language_that_is_none_is_refused() -> None:
    assert [one.kind for one in refused(GOOD, "english!")] == ["language_unknown"]


def test_nobody_else_makes_an_anonymous_script() -> None:
    with pytest.raises(NotAnonymous):
        AnonymousScript(b"", "", (), "en", "", made_by=object())
    with pytest.raises(ValueError, match="made_by"):
        dataclasses.replace(anonymised(), body=b"other")  # type: ignore[call-arg]
    with pytest.raises(dataclasses.FrozenInstanceError):
        anonymised().body = b"other"  # type: ignore[misc]


@pytest.mark.django_db
def test_people_of_the_audience_are_refused_in_the_fixed_text() -> None:
    person = stage.person(name="Will Turner", email="will@example.org", phone="+4915112345678")
    known = anonymisation.known_identifiers(contacts=[person], at=stage.AT)
    for words, kind in [
        ("Ask will turner.", "known_name"),
        ("We met Will today.", "known_name"),
        ("Mail WILL@Example.org.", "known_email"),
        ("Call 0151 12345678.", "known_phone"),
    ]:
        with pytest.raises(ScriptRefused) as caught:
            anonymisation.anonymise(
                script_text=f"Hello {{{{ name }}}}. {words}", language="en", known=known
            )
        assert kind in [one.kind for one in caught.value.problems], words
    anonymisation.anonymise(
        script_text="Hello {{ name }}. Will you come? You will.", language="en", known=known
    )


@pytest.mark.django_db
def test_who_is_past_their_time_is_not_opened() -> None:
    person = stage.person(name="Ottilie Quandt")
    known = anonymisation.known_identifiers(contacts=[person], at=stage.AT.replace(year=2036))
    text = "Hello {{ name }}. We met Ottilie Quandt."
    anonymisation.anonymise(script_text=text, language="en", known=known)


def test_a_person_is_put_into_their_sentence() -> None:
    values = {"name": "Zoë {{ city }} Ångström"}
    lines = anonymisation.personal_lines(script_text=GOOD, values=values)
    assert lines == ["Hello Zoë {{ city }} Ångström, welcome to Acme."]


def test_a_slot_further_on_leaves_its_time_empty_at_its_place() -> None:
    text = f"{GOOD}\n\nYour plan, {{{{ plan|our basic one }}}}, goes on. Thank you."
    assert json.loads(anonymised(text).body)["items"] == [
        {"slot": "s1", "ms": 4000},
        {"speech": "Our new plan saves you time."},
        {"speech": "Come and see."},
        {"slot": "s2", "ms": 5000},
        {"speech": "Thank you."},
    ]
    assert anonymisation.personal_lines(script_text=text, values={"name": "Ada"}) == [
        "Hello Ada, welcome to Acme.",
        "Your plan, our basic one, goes on.",
    ]


def test_a_fallback_stands_in_and_an_empty_one_leaves_the_word_out() -> None:
    assert anonymisation.personal_lines(script_text=GOOD, values={"name": " "}) == [
        "Hello there, welcome to Acme."
    ]
    text = "Hello {{ name| }}, hi. Go."
    assert anonymisation.personal_lines(script_text=text, values={}) == ["Hello, hi."]


def test_a_missing_value_without_fallback_is_named() -> None:
    with pytest.raises(SlotMissing) as caught:
        anonymisation.personal_lines(script_text="Hi {{ name }} of {{ company }}. Go.", values={})
    assert caught.value.slot == "name"


def test_bytes_that_left_are_judged_again() -> None:
    made = anonymised()
    assert anonymisation.judge_body(body=made.body, language="en") == []
    planted = made.body.replace(b"Come and see", b"Write to anna@example.org")
    assert anonymisation.judge_body(body=planted, language="en") == ["email"]
