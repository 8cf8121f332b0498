import pytest

from videos import grammar


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("Hello {{ name }}. Good.", "Hello {{ name }}."),
        ("Dear Mr. {{ name }}, hi. Good.", "Dear Mr. {{ name }}, hi."),
        ("Hi {{ name|my friend. }}! Good.", "Hi {{ name|my friend. }}!"),
        ("Hi {{ name }}\nGood.", "Hi {{ name }}\n"),
        ("Version 2.0 for {{ name }}?! Good.", "Version 2.0 for {{ name }}?!"),
        ("你好，{{ name }}。很好。", "你好，{{ name }}。"),
        ("नमस्ते {{ name }}। अच्छा।", "नमस्ते {{ name }}।"),
        ("Nothing personal. Good.", ""),
        ("Hi {{ name }}. Your {{ plan }}! Good.", "Hi {{ name }}. Your {{ plan }}!"),
        ("Hi {{ name }}.\n\nGood.\nYour {{ plan }}. Bye.", "Hi {{ name }}.\n\n\nYour {{ plan }}."),
    ],
)
def test_the_sentences_with_slots_are_the_personal_ones(text: str, personal: str) -> None:
    assert grammar.parse(text).personal == personal


def test_slots_are_read_with_their_fallback_and_place() -> None:
    text = "Hi {{name}} of {{ company | your firm }}, {{ city|}}. Good."
    found = [
        (slot.name, slot.fallback, text[slot.start : slot.end])
        for slot in grammar.parse(text).slots
    ]
    assert found == [
        ("name", None, "{{name}}"),
        ("company", "your firm", "{{ company | your firm }}"),
        ("city", "", "{{ city|}}"),
    ]


def test_words_are_counted_in_scripts_without_spaces_too() -> None:
    assert grammar.parse("Hi {{ name }}. It's well-made, é.").word_count == 4
    assert grammar.parse("你好 {{ name }}。我们有新的优惠。").word_count == 5


def test_a_huge_text_is_not_searched() -> None:
    (problem,) = grammar.parse("{{" * 1_000_000).problems
    assert problem.kind == "too_long"


def test_passages_are_the_whole_text_in_turn() -> None:
    text = "\n Hi {{ name }}. \n\n All of you. And more?\n\n Your {{ plan }}, {{ city }}! … End"
    parsed = grammar.parse(text)
    assert "".join(text[one.start : one.end] for one in parsed.passages) == text
    assert [[slot.name for slot in one.slots] for one in parsed.passages] == [
        ["name"],
        [],
        ["plan", "city"],
        [],
    ]
    assert parsed.paragraphs(parsed.passages[1]) == ["All of you. And more?"]
