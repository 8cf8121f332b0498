import pytest

from consent.keywords import Meaning, read

SEVEN = ["STOP", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"]


@pytest.mark.parametrize("word", SEVEN)
@pytest.mark.parametrize("spelt", ["{}", " {}! ", "«{}»", "{}.", "🛑 {} 🛑", "\u200b{}\n"])
def test_the_seven_words_in_any_spelling(word: str, spelt: str) -> None:
    assert read(spelt.format(word)) == Meaning.STOP
    assert read(spelt.format(word.lower())) == Meaning.STOP
    assert read(spelt.format(word.title())) == Meaning.STOP


@pytest.mark.parametrize(
    "text",
    [
        *["S T O P", "s.t.o.p", "ＳＴＯＰ", "opt-out", "Stop!!!", "STOP STOP"][:5],
        *["Abmelden", "arrêt", "Désabonner", "baja", "SAIR", "afmelden", "стоп", "İptal"],
        *["रोको", "توقف", "إلغاء", "退订", "停止", "berhenti", "basta"],
    ],
)
def test_a_stop_in_many_tongues(text: str) -> None:
    assert read(text) == Meaning.STOP


@pytest.mark.parametrize(
    "text",
    [
        "please stop sending me these",
        "Can you take me off your list?",
        "Don't text me again",
        "DON’T CONTACT ME",
        "Bitte schickt mir nichts, ich will das nicht mehr",
        "Ya no quiero recibir esto",
        "Arrêtez de m'écrire",
        "мне не пишите больше",
        "لا ترسلوا لي شيئًا",
        "stop it please, thank you",
    ],
)
def test_when_unsure_it_is_a_stop(text: str) -> None:
    assert read(text) == Meaning.UNSURE


@pytest.mark.parametrize("text", ["YES", "yes!", "Ja", "Sí", "Oui 👍", "sim", "हाँ", "نعم"])
def test_a_yes(text: str) -> None:
    assert read(text) == Meaning.YES


@pytest.mark.parametrize("text", ["", "🙂", "Thanks, Ana", "yes but who is this", "What is it?"])
def test_anything_else_is_neither(text: str) -> None:
    assert read(text) == Meaning.OTHER
