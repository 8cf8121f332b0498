import pytest

from videos import detectors, names
from videos.names import KnownIdentifiers

NAMED = [
    ("en", "Dear Anna, good news.", "Anna"),
    ("en", "Dear Valued Anna, good news.", "Valued Anna"),
    ("en", "Hello Anna Maria, good news.", "Anna Maria"),
    ("en", "Ask Mr. Smith or Dr Jones.", "Smith"),
    ("en", "My name is Peter O'Neil.", "Peter O'Neil"),
    ("de", "Fragen Sie Frau Müller-Lüdenscheidt.", "Müller-Lüdenscheidt"),
    ("de", "Sehr geehrter Herr Dr. Weber, gut.", "Weber"),
    ("fr", "Chère Amélie, bonne nouvelle.", "Amélie"),
    ("fr", "Demandez à Mme Dupont.", "Dupont"),
    ("es", "Pregunte a la señora, o a Señora García.", "García"),
    ("pl", "Proszę zapytać: Pani Kowalska.", "Kowalska"),
    ("tr", "Bay Yılmaz burada.", "Yılmaz"),
    ("ja", "田中様からです。", "田中"),
    ("zh", "王先生，您好。", "王"),
    ("ko", "김민수 씨 안녕하세요", "김민수"),
    ("ar", "السيد أحمد هنا", "أحمد"),
    ("hi", "श्री कुमार यहाँ", "कुमार"),
]
NOBODY = [
    ("en", "Dear customer, dear Customers, Dear Friends, Hello everyone, Hi there!"),
    ("en", "Welcome Back! Hello World. Dear Sir or Madam."),
    ("en", "The Bay Area office, and a frying Pan Asia night."),
    ("de", "Liebe Kundin, lieber Kunde, Hallo zusammen. Meine Damen und Herren."),
    ("fr", "Chers clients, Bonjour à tous. Madame, Monsieur."),
    ("ja", "お客様、皆様へ。"),
    ("zh", "女士们先生们，各位先生。"),
    ("ko", "고객님 안녕하세요"),
]


def known(*people: tuple[str, str, str]) -> KnownIdentifiers:
    made = KnownIdentifiers()
    for name, email, phone in people:
        made.add(name=name, email=email, phone=phone)
    return made.ready()


def shown(text: str, who: KnownIdentifiers) -> list[str]:
    return [text[start:end] for _, start, end in who.find(detectors.plain(text))]


@pytest.mark.parametrize(("language", "text", "name"), NAMED)
def test_a_name_is_found_by_how_it_is_addressed(language: str, text: str, name: str) -> None:
    found = [text[s:e] for _, s, e in names.find_addressed(text=text, language=language)]
    assert name in found


@pytest.mark.parametrize(("language", "text"), NOBODY)
def test_a_group_is_nobody(language: str, text: str) -> None:
    assert list(names.find_addressed(text=text, language=language)) == []


def test_whole_names_are_found_without_case_accents_and_in_either_order() -> None:
    who = known(("Zoë Ångström", "", ""))
    assert shown("We asked ZOE ANGSTROM and Ångström Zoë.", who)[0] == "ZOE ANGSTROM"
    assert "Ångström Zoë" in shown("We asked Ångström Zoë.", who)


def test_names_of_other_scripts_are_found() -> None:
    who = known(("王小明", "", ""), ("محمد علي", "", ""), ("राम कुमार", "", ""))
    assert shown("今天王小明来了", who) == ["王小明"]
    assert shown("قال محمد علي نعم", who) == ["محمد علي"]
    assert shown("आज राम कुमार आए", who) == ["राम कुमार"]


def test_one_word_of_a_name_counts_when_it_is_written_as_a_name() -> None:
    who = known(("Will Stark", "", ""), ("May Miller", "", ""))
    assert shown("Today Will came.", who) == ["Will"]
    assert shown("Will you come? You will. In May.", who) == []


def test_a_name_within_a_word_is_none() -> None:
    who = known(("Ann Lee", "", ""))
    assert shown("The Annual meeting of Leeds.", who) == []


def test_addresses_and_numbers_are_found_however_written() -> None:
    who = known(("", "a.b@example.org", "+4915112345678"))
    assert shown("to A.B@Example.ORG or 0151/123 456 78", who)[0] == "A.B@Example.ORG"
    assert shown("call 0151 123-456-78 now", who) == ["0151 123-456-78"]


def test_nobody_known_finds_nothing() -> None:
    assert shown("Anna Schmidt, anna@example.org", known()) == []
