import pytest

from videos import wording

URL = "https://v.example.org/v/" + "x" * 43


@pytest.mark.parametrize("language", [*wording.LANGUAGES, "xx", "en-GB"])
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_every_message_names_sender_person_link_and_a_way_to_stop(
    language: str, channel: str
) -> None:
    words = wording.message(
        channel=channel, language=language, sender="Aurora", name="Zoë", url=URL
    )
    for part in ("Aurora", "Zoë", URL):
        assert part in words.text
    assert "stop" in words.text.lower()
    assert bool(words.subject) == (channel == "email")
    assert "{" not in words.text


def test_a_name_with_braces_stays_a_name() -> None:
    words = wording.message(channel="sms", language="en", sender="{name}", name="{url}", url=URL)
    assert words.text.startswith("{name}: Hello {url},")
