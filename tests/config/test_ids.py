"""Does a public id lead to its row, and to no row of another kind?"""

import uuid

import pytest

from config.lib import ids

ROW = uuid.UUID("12345678-1234-4678-9234-567812345678")


def test_an_id_leads_back_to_its_row() -> None:
    assert ids.public("con", ROW) == "con_12345678123446789234567812345678"
    assert ids.parse("con", ids.public("con", ROW)) == ROW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "con_",
        "con",
        "12345678123446789234567812345678",
        "lnk_12345678123446789234567812345678",
        "con_12345678-1234-4678-9234-567812345678",
        "con_1234567812344678923456781234567",
        "con_123456781234467892345678123456789",
        "con_zz345678123446789234567812345678",
        "CON_12345678123446789234567812345678",
        "con_12345678123446789234567812345678 ",
    ],
)
def test_what_is_no_id_of_the_kind_is_refused(text: str) -> None:
    with pytest.raises(ids.NotAnId):
        ids.parse("con", text)
