import time

import pytest

from consent import topics
from consent.rule_format import CONTENT
from consent.topics import hits, topics_of

LANGUAGES = set("en de es fr pt it nl pl ru hi ar zh".split())
# One sentence of each class, in some of the languages.
SPOKEN = [
    ("health", "en", "Book your diabetes check-up with us."),
    ("health", "de", "Ihre Darmkrebsvorsorge ist wieder fällig."),
    ("health", "es", "Su consulta médica está lista."),
    ("health", "fr", "Votre rendez-vous à l'hôpital approche."),
    ("health", "pt", "A sua vacinação está marcada."),
    ("health", "it", "I nostri ospedali sono aperti."),
    ("health", "nl", "Uw huisartsenpost is open."),
    ("health", "pl", "Badania w ciąży są bezpłatne."),
    ("health", "ru", "Запишитесь к нашим врачам."),
    ("health", "hi", "हमारे डॉक्टरों से मिलें।"),
    ("health", "ar", "نعالج السكري وللسرطان علاج."),
    ("health", "zh", "关注您的糖尿病风险。"),
    ("religion", "en", "Your church needs you."),
    ("religion", "de", "Für unsere muslimischen Kunden."),
    ("religion", "ru", "Для православных семей."),
    ("religion", "ar", "المساجد القريبة منك."),
    ("politics", "en", "The election is close."),
    ("politics", "fr", "Les élections approchent."),
    ("politics", "hi", "चुनाव पास है।"),
    ("union", "en", "Join the union."),
    ("union", "de", "Werden Sie Gewerkschaftsmitglied."),
    ("union", "zh", "加入工会。"),
    ("union", "pl", "Nasz związek zawodowy rośnie."),
    ("orientation", "en", "For lesbian couples."),
    ("orientation", "es", "Para parejas del mismo sexo."),
    ("orientation", "it", "Viaggi per coppie omosessuali."),
    ("biometrics", "en", "Pay by fingerprint."),
    ("biometrics", "nl", "Betaal met gezichtsherkenning."),
    ("biometrics", "pt", "Pague com a sua impressão digital."),
    ("child_directed", "en", "Hey, kids! Look at this."),
    ("child_directed", "fr", "Salut les enfants !"),
    ("child_directed", "ru", "Привет, дети!"),
    ("child_directed", "zh", "小朋友们，看这里！"),
]
HARMLESS = [
    ("en", "Healthy savings near Union Station, on a political map of the European Union."),
    (
        "en",
        "Fine hospitality, clinically proven pillows, a patient team, reunions and unique offers.",
    ),
    ("de", "Gesunde Finanzen, schwüle Tage, eine politische Karte. Ihre Wahl, er sucht Rezepte."),
    (
        "es",
        "Saludos, finanzas saludables, política de privacidad, carne de vacuno, Julio Iglesias.",
    ),
    (
        "fr",
        "Prière de lire la politique de confidentialité. Maladroit à Athènes, enceinte Bluetooth.",
    ),
    ("pt", "Venha depressa: finanças saudáveis e política de privacidade."),
    ("it", "Disabilita i cookie. Saluti, e la politica di reso. Cristiano Ronaldo gioca."),
    ("nl", "Gezond verstand, verslavend lekker, in de Kerkstraat te Kerkrade."),
    ("pl", "Polityka prywatności, zdrowe oszczędności, parafina i recepcja, my buddy."),
    ("ru", "Здорово! Политика конфиденциальности, в зависимости от партии товара."),
    ("hi", "रोगन जोश पर चर्चा, यूनियन बैंक और स्वस्थ बचत।"),
    ("ar", "حامل البطاقة الصحيح، صحة البيانات، الخريطة السياسية."),
    ("zh", "财务健康、政治地图和化工会展。"),
]


def test_there_is_a_list_for_each_language_and_class() -> None:
    assert topics.languages() == LANGUAGES
    for language in LANGUAGES:
        assert set(topics._table()[language]) == CONTENT - {"phi"} | {topics.GUARDS}


@pytest.mark.parametrize(("content", "language", "text"), SPOKEN)
def test_a_class_is_found(content: str, language: str, text: str) -> None:
    assert topics_of(text, language) == {content}


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_harmless_words_are_no_hits(language: str, text: str) -> None:
    assert hits(text, language) == ()


@pytest.mark.parametrize("class_", sorted(CONTENT - {"phi"}))
def test_each_class_is_tried_in_three_languages(class_: str) -> None:
    assert len({language for content, language, _ in SPOKEN if content == class_}) >= 3


def test_a_guard_covers_its_own_words_only() -> None:
    found = hits("Healthy savings for your health. Meet the union at Union Station.", "en")
    assert [(hit.content, hit.word) for hit in found] == [("health", "health"), ("union", "union")]


def test_a_hit_says_its_place_and_its_whole_word() -> None:
    text = "Hello {{ name }}.\nOur DIABETES-care, in the diabetics' clinic."
    found = hits(text, "en")
    assert [text[hit.start : hit.end] for hit in found] == ["DIABETES", "diabetics", "clinic"]
    assert [hit.word for hit in found] == ["DIABETES", "diabetics", "clinic"]


@pytest.mark.parametrize(
    "text",
    [
        "dia\u00adbetes",
        "ｄｉａｂｅｔｅｓ",
        "dia\u200bbetes",
        "DIABETES",
        "blood\n pressure",
        "blood-pressure",
    ],
)
def test_hidden_and_wide_signs_hide_no_word(text: str) -> None:
    assert topics_of(f"About {text} today.", "en") == {"health"}


def test_accents_do_not_count_but_an_umlaut_does() -> None:
    assert topics_of("Votre sante, votre SANTÉ", "fr") == {"health"}
    assert topics_of("Schwule Paare", "de") == {"orientation"}
    assert topics_of("Лёгкая мигрень и легкая мигрень", "ru") == {"health"}


def test_a_region_reads_the_list_of_its_language() -> None:
    assert topics_of("A sua vacina", "pt-BR") == {"health"}


def test_a_language_without_a_list_is_read_by_all() -> None:
    assert not topics.knows("ja")
    assert topics_of("健康診断", "ja") == {"health"}
    assert topics_of("Your diabetes", "xx") == {"health"}


def test_no_text_speaks_of_nothing() -> None:
    assert hits("", "en") == hits(" \n", "ar") == ()


@pytest.mark.parametrize("piece", ["healthy savings diabetes ", "krankheit", "gewerkschaft "])
def test_a_script_of_any_kind_is_read_in_a_moment(piece: str) -> None:
    began = time.perf_counter()
    hits(piece * (80_000 // len(piece)), "de")
    # Ten times the longest script there can be; about 0.1 s where this was written.
    assert time.perf_counter() - began < 3
