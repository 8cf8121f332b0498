import pytest

from videos import detectors

FOUND = [
    ("email", "anna.b+c@mail.example.co.uk"),
    ("email", "anna at example dot com"),
    ("email", "anna (at) example (dot) com"),
    ("handle", "@annaschmidt"),
    ("url", "https://acme.example/x?u=1"),
    ("url", "www.acme.example"),
    ("url", "acme.co.uk/offer"),
    ("ip_address", "192.168.1.44"),
    ("ip_address", "2001:db8::8a2e:370:7334"),
    ("device", "00:1B:44:11:3A:B7"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "gb82west12345698765432"),
    ("card", "4111 1111 1111 1111"),
    ("card", "378282246310005"),
    ("national_id", "123-45-6789"),
    ("national_id", "2341 2341 2346"),
    ("national_id", "AB 12 34 56 C"),
    ("national_id", "943 476 5919"),
    ("national_id", "12345678Z"),
    ("national_id", "X1234567L"),
    ("national_id", "2 69 05 49 588 157 80"),
    ("national_id", "86 095 742 719"),
    ("national_id", "111222333"),
    ("national_id", "44051401359"),
    ("national_id", "RSSMRA85T10A562S"),
    ("national_id", "ABCPE1234F"),
    ("vehicle", "1HGCM82633A004352"),
    ("vehicle", "B-AB 1234"),
    ("vehicle", "AB12 CDE"),
    ("date", "12 March 1980"),
    ("date", "March 12th, 1980"),
    ("date", "12. März 1980"),
    ("date", "3 de mayo de 1999"),
    ("date", "1980-03-12"),
    ("date", "12/03/80"),
    ("date", "1980年3月12日"),
    ("age", "92 years old"),
    ("record_number", "MRN: 4471234"),
    ("record_number", "account number 77-12345"),
    ("record_number", "Kundennummer 100-2345"),
    ("unique_code", "5ea1ca57-0000-4000-8000-000000000001"),
    ("unique_code", "K8ZX99P2Q4"),
    ("place", "52.52001, 13.40495"),
    ("address", "12 Baker Street"),
    ("address", "Hauptstraße 12a"),
    ("address", "12 rue Lafayette"),
    ("address", "SW1A 2AA"),
    ("address", "CA 94105"),
    ("phone", "+49 30 901820"),
    ("phone", "(212) 555-0123"),
    ("long_number", "99 88 77 66 55 4"),
]
FREE = [
    "In 2026 we grew by 12.5 percent, from 1,200 to 10,000 customers.",
    "It costs $1,299.99 or 1.299,99 euros, and lasts 36 months.",
    "We are there 24/7, in 190 countries, since 1998.",
    "Version 2.0.1 is here: 3 of 4 like it, 7:30 or 19:45.",
    "Meet us in May 2026, or on 30 June.",
    "Children from 9 to 12 and people over 65 pay half.",
    "Section 4.3 of our terms; room B 12; bus 100; A4 paper.",
    "Our account managers answer within 48 hours.",
    "4111 1111 1111 1112",
    "DE89 3704 0044",
]


def kinds(text: str, language: str = "en") -> list[str]:
    found = list(detectors.find(text=detectors.plain(text).text, language=language))
    return [kind for kind, _, _ in detectors.without_overlaps(found)]


@pytest.mark.parametrize(("kind", "value"), FOUND)
def test_a_value_is_found_whole_in_a_sentence(kind: str, value: str) -> None:
    text = f"Please note {value} for later."
    found = list(detectors.find(text=text, language="en"))
    spans = [
        text[start:end] for each, start, end in detectors.without_overlaps(found) if each == kind
    ]
    assert value in spans


@pytest.mark.parametrize("text", FREE)
def test_ordinary_numbers_and_words_are_free(text: str) -> None:
    assert set(kinds(text)) <= {"long_number"} if text[0] in "4D" else kinds(text) == []


def test_digits_of_other_scripts_are_digits() -> None:
    assert kinds("اتصل بنا ٠١٥١١٢٣٤٥٦٧٨ الآن", "ar") == ["long_number"]
    assert kinds("call ＋４９ ３０ ９０１８２０", "en") == ["phone"]


def test_places_lead_back_to_the_original() -> None:
    original = "a\u00adb ﬁ c"
    plain = detectors.plain(original)
    assert plain.text == "ab fi c"
    start = plain.text.index("fi")
    assert original[slice(*plain.original(start, start + 2))] == "ﬁ"
