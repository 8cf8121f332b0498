import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import timezone

from consent import addresses
from consent.addresses import NotAContact


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  Ana   María  ", "Ana María"),
        ("Ju\u0308rgen", "Jürgen"),
        ("O'Neill-Smith", "O'Neill-Smith"),
        ("محمد بن راشد", "محمد بن راشد"),
        ("प्रिया शर्मा", "प्रिया शर्मा"),
        ("王小明", "王小明"),
        ("Ana 🌟", "Ana 🌟"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_name_is_kept_in_its_own_script(text: str, kept: str) -> None:
    assert addresses.clean_name(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "🌟🌟",
        "12345",
        "A" * 121,
        "A" * 300,
        "Ana\x00",
        "Ana\nMüller",
        "Ana\u202eMüller",
        "<b>Ana</b>",
        "Ana\ue000",
    ],
)
def test_what_is_no_name_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(NotAContact) as refused:
        addresses.clean_name(text)
    assert refused.value.field == "name"
    assert not text.strip() or text not in str(refused.value)


@given(st.text(max_size=130))
def test_a_kept_name_is_kept_again_as_it_is(text: str) -> None:
    try:
        name = addresses.clean_name(text)
    except NotAContact:
        return
    assert addresses.clean_name(name) == name
    assert not set("<>\n\x00") & set(name)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        (" Ana@Example.ORG ", "ana@example.org"),
        ("ana+news@müller.de", "ana+news@xn--mller-kva.de"),
    ],
)
def test_an_address_is_kept_in_one_spelling(text: str, kept: str) -> None:
    assert addresses.clean_email(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "ana",
        "ana@",
        "@x.org",
        "a b@x.org",
        "a@x",
        "a..b@x.org",
        "a@x.org, b@y.org",
        "a@" + "x" * 260,
    ],
)
def test_what_mail_cannot_reach_is_refused(text: str) -> None:
    with pytest.raises(NotAContact):
        addresses.clean_email(text)


@pytest.mark.parametrize(
    ("text", "country", "kept"),
    [
        ("0151 23456789", "DE", "+4915123456789"),
        ("+1 (212) 555-0123", "", "+12125550123"),
        ("", "US", ""),
    ],
)
def test_a_number_is_kept_in_e164(text: str, country: str, kept: str) -> None:
    assert addresses.clean_phone(text, country=country) == kept


@pytest.mark.parametrize(
    "text", ["0151 23456789", "+1 23", "+999123456789", "call me", "+12125550123 ext 7"]
)
def test_a_number_that_no_phone_has_is_refused(text: str) -> None:
    with pytest.raises(NotAContact):
        addresses.clean_phone(text)


@pytest.mark.parametrize(
    ("text", "kept"), [("", "en"), ("pt-br", "pt-BR"), ("ZH_hant", "zh-Hant"), ("es-419", "es-419")]
)
def test_a_language_is_spelt_as_the_standard_does(text: str, kept: str) -> None:
    assert addresses.clean_language(text) == kept


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("language", "english please"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "CEST"),
        ("country", "Germany"),
        ("country", "XX"),
        ("region", "California"),
    ],
)
def test_a_place_that_does_not_exist_is_refused(field: str, text: str) -> None:
    with pytest.raises(NotAContact) as refused:
        getattr(addresses, f"clean_{field}")(text)
    assert refused.value.field == field


def test_only_listed_attributes_are_kept() -> None:
    assert addresses.clean_attributes({"company": "Acme", "plan": ""}) == {"company": "Acme"}
    with pytest.raises(NotAContact):
        addresses.clean_attributes({"diagnosis": "flu"})


def test_somebody_without_an_address_is_refused() -> None:
    with pytest.raises(NotAContact) as refused:
        addresses.clean(name="Ana", email="", phone="", language="", time_zone="", country="")
    assert refused.value.field == "email"


@pytest.mark.parametrize(
    ("field", "text"),
    [("email", "ana.mueller@example.org"), ("phone", "+4915123456789"), ("name", "Ana Müller")],
)
def test_a_mask_hides_what_names_somebody(field: str, text: str) -> None:
    masked = addresses.mask(field, text)
    assert masked
    assert text[2:8] not in masked


def test_seven_digits_say_all_that_is_known_of_a_north_american_number() -> None:
    luck = random.Random(7)
    for _ in range(400):
        prefix = f"+1{luck.randint(200, 999)}{luck.randint(200, 999)}{luck.randint(0, 9)}"
        whole = f"{prefix}{luck.randint(0, 999):03d}"
        number = phonenumbers.parse(whole)
        zones = tuple(sorted(timezone.time_zones_for_number(number)))
        country = phonenumbers.region_code_for_number(number)
        if phonenumbers.is_valid_number(number):
            assert addresses.clean_phone(whole) == whole
            known = () if addresses.UNKNOWN_ZONE in zones else zones
            shown = "" if country in {"001", "ZZ"} else country
            assert addresses.phone_places(whole) == (shown, known)
        elif whole[5:10] != "55501":
            with pytest.raises(NotAContact):
                addresses.clean_phone(whole)
