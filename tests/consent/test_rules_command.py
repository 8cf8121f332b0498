import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from consent import contacts, replays
from tests.consent.people import NOON, agreed, person
from tests.consent.test_replays import PACK, given, send

pytestmark = pytest.mark.django_db
AT = "2026-10-07T14:00"
SINCE = "2026-10-01"


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("rules", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_case_is_explained_in_plain_text_and_for_a_machine() -> None:
    contact = agreed(person(), "email")
    ask = ("explain", contact.public_id, "--channel", "email", "--at", AT)
    text = said(*ask)
    assert text.startswith(f"YES: {contact.public_id} by E-mail")
    assert "house.consent: GDPR Art. 4(11), 6(1)(a), 7(1), from 2018-05-25" in text
    assert json.loads(said(*ask, "--json"))["answer"] == "Yes"


def test_a_person_is_named_by_an_address_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    contact = person()
    address = contacts.opened(contact=contact, at=NOON).email
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{address}\n"))
    text = said("explain", "--email", "--channel", "email", "--at", AT)
    assert text.startswith(f"NO: {contact.public_id}")
    assert address not in text


@pytest.mark.parametrize("more", [["--purpose", "nothing"], ["--content", "cats"]])
def test_what_is_not_known_is_refused(more: list[str]) -> None:
    with pytest.raises(CommandError):
        said("explain", person().public_id, "--channel", "email", "--at", AT, *more)


def test_the_rules_of_a_place_are_listed() -> None:
    text = said("list", "--place", "US-FL", "--on", "2026-10-07")
    assert "us.tcpa.hours (hours), " in text
    assert "eu.eprivacy.consent" not in text
    rows = json.loads(said("list", "--on", "1990-01-01", "--json"))["rules"]
    assert all(row["valid_from"] <= "1990-01-01" for row in rows)


def test_the_past_is_judged_by_a_pack_in_a_file(tmp_path: Path) -> None:
    message = send(given())
    path = tmp_path / "draft.toml"
    path.write_text(PACK)
    text = said("replay", "--pack", str(path), "--since", SINCE)
    assert "  allow -> refuse: 1" in text
    assert message.public_id in text
    found = json.loads(said("replay", "--pack", str(path), "--since", SINCE, "--json"))
    assert (found["changed"], found["by_rule"][0]["source"]) == (1, "A bill")


@pytest.mark.parametrize("pack", ["proposed", replays.pack_names()[0], "2027-01-31"])
def test_the_past_is_judged_by_a_name_or_a_date(pack: str) -> None:
    send(given())
    assert json.loads(said("replay", "--pack", pack, "--since", SINCE, "--json"))["total"] == 1


@pytest.mark.parametrize("pack", ["nothing", "nothing.toml", "2027-13-31"])
def test_a_pack_that_is_not_there_is_refused(pack: str) -> None:
    with pytest.raises(CommandError):
        said("replay", "--pack", pack, "--since", SINCE)
