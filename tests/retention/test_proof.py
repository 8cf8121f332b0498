import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import verify_proof
from accounts import audit
from consent import ledger
from retention import proof, subject_requests
from retention.models import Certificate
from tests.retention import people, rich, story

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
LATER = story.AT + timedelta(days=1)
Path_ = tuple[str | int, ...]


def built(*, at: Any = LATER) -> dict[str, Any]:
    person, _ = story.whole()
    return dict(proof.build(contact=person, at=at))


def faults(document: dict[str, Any]) -> list[str]:
    return [fault for _, _, found in verify_proof.examine(document) for fault in found]


def test_a_proof_holds_and_says_what_it_went_over() -> None:
    document = built()
    assert faults(document) == []
    counts = {title: count for title, count, _ in verify_proof.examine(document)}
    assert counts["acts of consent"] == 2
    assert counts["messages"] == counts["plays"] == counts["links"] == 1
    assert counts["decisions of the gate"] == 2


def test_a_proof_names_nobody() -> None:
    text = json.dumps(built(), ensure_ascii=False)
    for value in ("Zoë", "Ångström", "zoe@example.org", "15112345678", "192.0.2.7"):
        assert value not in text


def test_the_command_line_needs_nothing_of_the_house(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(built()))
    outcome = run(file)
    assert outcome.returncode == 0, outcome.stdout
    assert "THE PROOF HOLDS." in outcome.stdout
    assert run(file, "--key", audit.public_key()[1]).returncode == 0
    other = run(file, "--key", "0" * 64)
    assert (other.returncode, "key: it is another one" in other.stdout) == (1, True)


def run(file: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    script = [sys.executable, "-I", str(ROOT / "verify_proof.py"), str(file), *more]
    return subprocess.run(script, capture_output=True, text=True, check=False, cwd=file.parent)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1, "format": 2}', "{}"])
def test_a_file_that_is_no_proof_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "proof.json"
    file.write_text(text)
    assert run(file).returncode == 1


def whole() -> dict[str, Any]:
    """Return the proof of a person to whom everything happened that a proof tells of."""
    return dict(proof.build(contact=rich.person(), at=rich.END))


def test_a_proof_of_everything_holds_and_leaves_no_section_empty() -> None:
    document = whole()
    assert faults(document) == []
    empty = [name for name, _ in verify_proof.SECTIONS if not document[name]]
    assert empty == ["certificates"]
    text = json.dumps(document, ensure_ascii=False)
    for value in ("Zoë", "Ångström", "zoe@example.org", "15112345678", "Quandt", "Müller"):
        assert value not in text


@pytest.mark.one_engine
def test_every_changed_value_is_noticed() -> None:
    document = whole()
    missed = [path for path, changed in with_one_value_changed(document) if not faults(changed)]
    assert not missed, missed[:10]


def test_every_missing_element_is_noticed() -> None:
    document = built()
    missed = [path for path, changed in with_one_element_less(document) if not faults(changed)]
    assert not missed, missed[:10]


def test_every_two_elements_that_changed_places_are_noticed() -> None:
    document = built()
    missed = [path for path, changed in with_two_swapped(document) if not faults(changed)]
    assert not missed, missed[:10]


@pytest.mark.parametrize("section", [name for name, _ in verify_proof.SECTIONS])
def test_the_changed_element_is_named(section: str) -> None:
    document = built()
    # Where nothing of the kind happened, an element that is put in is as wrong as a changed one.
    document[section] = [{**first, "planted": 1} for first in document[section][:1] or [{}]]
    assert any(fault.startswith(f"{section}[0]") for fault in faults(document))


def test_a_proof_that_was_signed_anew_still_needs_the_whole_trail() -> None:
    document = built()
    del document["trail"][2]
    found = faults(signed_anew(document))
    assert any(fault.startswith("trail[2]: has number 4") for fault in found)


def test_a_message_after_a_withdrawal_is_named_even_if_signed() -> None:
    person, _ = story.whole()
    ledger.withdraw(contact=person, act="button", source="test", at=LATER, actor=audit.SYSTEM)
    document: dict[str, Any] = dict(proof.build(contact=person, at=LATER + timedelta(days=1)))
    hand_off = next(one for one in document["decisions"] if one["phase"] == "hand_off")
    hand_off["at"] = document["made_at"]
    found = faults(signed_anew(document))
    assert "messages[0]: it left when the person had not agreed" in found


def test_an_erased_person_is_proven_with_the_certificate() -> None:
    person, _ = story.whole()
    people.house()
    request = subject_requests.open_request(
        contact=person, kind="erasure", channel="email", at=LATER
    )
    subject_requests.carry_out(request=request, at=LATER)
    document: dict[str, Any] = dict(proof.build(contact=person, at=LATER))
    assert faults(document) == []
    assert [one["document"]["number"] for one in document["certificates"]] == [
        Certificate.objects.get().number
    ]


def signed_anew(document: dict[str, Any]) -> dict[str, Any]:
    for name, _ in verify_proof.SECTIONS:
        document["contents"][name] = [verify_proof.digest(one) for one in document[name]]
    head = {name: document[name] for name in verify_proof.HEAD}
    return {**document, "signature": audit.sign(head)["signature"]}


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict):
        for name in value:
            yield from leaves(value[name], (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    else:
        yield path, value


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value:
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    return "planted"


def at_path(document: Any, path: Path_) -> Any:
    for step in path:
        document = document[step]
    return document


def with_one_value_changed(document: dict[str, Any]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    for path, value in list(leaves(document)):
        holder = at_path(document, path[:-1])
        holder[path[-1]] = other(value)
        yield path, document
        holder[path[-1]] = value


def with_one_element_less(document: dict[str, Any]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    places = {whole[:end] for whole, _ in leaves(document) for end in range(1, len(whole) + 1)}
    for path in sorted(places, key=str):
        changed = copy.deepcopy(document)
        del at_path(changed, path[:-1])[path[-1]]
        yield path, changed


def with_two_swapped(document: dict[str, Any]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    lists = {
        path[:end]
        for path, _ in leaves(document)
        for end in range(len(path))
        if isinstance(path[end], int)
    }
    for path in sorted(lists, key=str):
        rows = at_path(document, path)
        for place in range(len(rows) - 1):
            if rows[place] != rows[place + 1]:
                rows[place], rows[place + 1] = rows[place + 1], rows[place]
                yield (*path, place), document
                rows[place], rows[place + 1] = rows[place + 1], rows[place]
