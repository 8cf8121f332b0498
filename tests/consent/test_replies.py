import pytest

from consent import keywords, replies
from consent.keywords import Meaning

# The parser has tests of its own: here it knows four texts.
READ = {
    "unsubscribe": Meaning.STOP,
    "stop": Meaning.STOP,
    "yes": Meaning.YES,
    "do not send me these": Meaning.UNSURE,
}


@pytest.fixture(autouse=True)
def _parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(text: str) -> Meaning:
        # Whatever holds more than its own words, holds ours.
        ours = Meaning.STOP if "unsubscribe" in text.lower() else Meaning.OTHER
        return READ.get(text.strip().lower(), ours)

    monkeypatch.setattr(keywords, "read", read)


OURS = "> Unsubscribe at any time: answer STOP\n> to end all messages"


@pytest.mark.parametrize(
    "text",
    [
        f"Thank you!\n\nOn Mon, 5 Oct 2026 Acme wrote:\n{OURS}",
        f"Danke\n\nAm 5. Oktober 2026 schrieb Acme:\n{OURS}",
        "Great\n-----Original Message-----\nFrom: Acme\nTo stop, answer STOP or unsubscribe",
        "Merci\n________________________________\nDe : Acme\nSTOP pour tout terminer, unsubscribe",
    ],
)
def test_our_own_words_sent_back_are_no_stop(text: str) -> None:
    assert replies.meaning(channel="email", subject="Re: Hello", text=text) == Meaning.OTHER


@pytest.mark.parametrize(
    ("subject", "text", "meaning"),
    [
        ("", f"STOP\n{OURS}", Meaning.STOP),
        ("", f"{OURS}\nSTOP", Meaning.STOP),
        ("unsubscribe", "", Meaning.STOP),
        ("unsubscribe", "Best regards, Ana", Meaning.STOP),
        ("RE: Stop", "", Meaning.STOP),
        ("STOP", "yes", Meaning.STOP),
        ("Question", "Do not send me these", Meaning.UNSURE),
        ("Do not send me these", "", Meaning.UNSURE),
        ("AW: Do not send me these", "Nice", Meaning.OTHER),
        ("Re: Please confirm", "yes", Meaning.YES),
    ],
)
def test_subject_and_own_lines_are_read(subject: str, text: str, meaning: Meaning) -> None:
    assert replies.meaning(channel="email", subject=subject, text=text) == meaning


def test_a_text_message_is_read_whole() -> None:
    assert replies.meaning(channel="sms", subject="", text="> unsubscribe") == Meaning.STOP
