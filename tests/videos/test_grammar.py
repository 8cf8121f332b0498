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
    ],
)
def test_the_first_sentence_is_the_personal_one(text: str, personal: str) -> None:
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
