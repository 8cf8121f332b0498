import pytest

from tests.videos import stage
from tests.videos.stage import AT
from videos import specimens

pytestmark = pytest.mark.django_db
NAMES = {
    "Maximiliana Theodora von Hohenstein": "the longest name",
    "محمد علي": "written right to left",
    "José 🎉": "a sign that is a picture",
    "山田太郎": "not in Latin letters",
}


def test_the_hardest_names_come_first_and_masked() -> None:
    people = [*NAMES, "Tom Ford", "Ana Lima", "Li Wei"]
    for number, name in enumerate(people):
        stage.person(name=name, email=f"p{number}@example.org", phone=f"+4915112345{number:03}")
    found = specimens.worst(campaign=stage.campaign(), at=AT)
    assert set(NAMES.values()) <= {one.why for one in found}
    assert len(found) == len(people)
    assert not {one.masked_name for one in found} & set(people)


def test_nobody_is_shown_of_an_empty_audience() -> None:
    assert specimens.worst(campaign=stage.campaign(), at=AT) == []
