import pytest

from config.lib import languages


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("fr", "French"),
        ("pt-BR", "Brazilian Portuguese"),
        ("de-AT", "German"),
        ("xx-YY", "xx-YY"),
        ("", ""),
    ],
)
def test_a_tag_has_a_name_or_stands_for_itself(tag: str, name: str) -> None:
    assert languages.name(tag) == name
