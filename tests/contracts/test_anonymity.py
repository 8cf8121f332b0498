"""Promise 2: the bytes that leave for an AI are the same, whoever is in the database."""

import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django_q.models import OrmQ
from hypothesis import given
from hypothesis import strategies as st

from accounts import audit
from accounts.models import TrailLeaf
from consent import contacts
from consent.models import Contact
from integrations import connections
from integrations.models import LocalVideoJob
from integrations.video import local
from tests.videos import stage
from tests.videos import vendor as played
from tests.videos.vendor import Vendor
from videos import anonymisation, personalising, rendering
from videos.anonymisation import ScriptRefused
from videos.models import EgressManifest

SETS, PEOPLE = 100, 5
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéñçøąłşğ"
TEXT = "Hello {{ name|there }} of {{ company|your firm }}. Our new plan saves time.\n\nDo come."


@dataclass(frozen=True)
class Sent:
    """One request as the vendor saw it, and what was declared of it."""

    body: bytes
    sha256: str
    size_bytes: int
    slots: tuple[str, ...]


def word(dice: random.Random) -> str:
    return "".join(dice.choices(LETTERS, k=dice.randint(5, 12))).capitalize()


def people(dice: random.Random, count: int) -> list[Contact]:
    return [
        contacts.register(
            partner=None,
            name=f"{word(dice)} {word(dice)}",
            email=f"p{dice.getrandbits(60)}@example.org",
            phone=f"+49151{dice.randint(10**7, 10**8 - 1)}",
            language=dice.choice(["en", "de", "ar"]),
            time_zone="Europe/Berlin",
            country=dice.choice(["DE", "US", "FR"]),
            attributes={"company": word(dice), "city": word(dice)},
            source="test",
            at=stage.AT,
            actor=audit.SYSTEM,
        )
        for _ in range(count)
    ]


def sent_with(vendor: Vendor, *, text: str = TEXT) -> Sent:
    """Order a base video and return what left."""
    made = played.written(text=text)
    render = rendering.start(campaign=made, language="en", at=stage.AT, actor=audit.SYSTEM)
    rendering.advance(render=render, at=stage.AT)
    manifest = EgressManifest.objects.get(render=render)
    body = vendor.sent[-1]
    assert bytes(manifest.body) == body
    return Sent(body, manifest.body_sha256, manifest.size_bytes, tuple(manifest.slots))


def test_any_hundred_sets_of_people_give_the_same_bytes(vendor: Vendor) -> None:
    seen = {sent_with(vendor)}
    for number in range(SETS):
        saved = transaction.savepoint()
        people(random.Random(number), number % PEOPLE)
        seen.add(sent_with(vendor))
        transaction.savepoint_rollback(saved)
    assert len(vendor.sent) == SETS + 1
    assert len(seen) == 1


def test_no_value_of_anybody_appears_where_it_could_leak(
    vendor: Vendor, capfd: pytest.CaptureFixture[str]
) -> None:
    vendor.before["poll"] = played.dies
    audience = people(random.Random(7), 12)
    values = [value for one in audience for value in values_of(one)]
    sent_with(vendor, text=played.TEXT)
    with pytest.raises(played.Killed):
        rendering.advance(render=EgressManifest.objects.get().render, at=stage.AT)
    render = played.done(EgressManifest.objects.get().render, at=stage.AT.replace(hour=23))
    personalising.personalise(
        campaign=render.campaign, contact=audience[0], at=stage.AT.replace(hour=23)
    )
    captured = capfd.readouterr()
    places = {
        "egress": b"".join(vendor.sent).decode(),
        "logs": captured.out + captured.err,
        "tasks": "".join(str(task.payload) for task in OrmQ.objects.all()),
        "trail": json.dumps(
            list(TrailLeaf.objects.values_list("details", "object_id")), default=str
        ),
    }
    leaks = {name for name, text in places.items() for value in values if value in text}
    assert len(values) == 12 * 6
    assert leaks == set()


def values_of(contact: Contact) -> list[str]:
    person = contacts.opened(contact=contact, at=stage.AT)
    return [*person.name.split(), person.email, person.phone, *person.attributes.values()]


@given(
    words=st.lists(st.text(LETTERS, min_size=1, max_size=9), min_size=1, max_size=30),
    fallback=st.text("QXZ", min_size=3, max_size=12),
    language=st.sampled_from(["en", "de-AT", "ar"]),
)
def test_the_bytes_follow_from_the_fixed_text_alone(
    words: list[str], fallback: str, language: str
) -> None:
    fixed = " ".join(words)
    try:
        one = anonymisation.anonymise(
            script_text=f"Hi {{{{ name|{fallback} }}}}. {fixed}.", language=language
        )
    except ScriptRefused:
        return
    two = anonymisation.anonymise(script_text=f"Hi {{{{ city }}}}.  {fixed}.", language=language)
    assert one.body == two.body
    assert fallback.encode() not in one.body
    assert {key for item in json.loads(one.body)["items"] for key in item} == {
        "slot",
        "ms",
        "speech",
    }


def test_a_known_person_stops_the_script_and_never_changes_it(vendor: Vendor) -> None:
    with pytest.raises(ScriptRefused):
        sent_with_name_in_text(vendor)
    assert vendor.sent == []
    assert not EgressManifest.objects.exists()


def sent_with_name_in_text(vendor: Vendor) -> None:
    stage.person(name="Ottilie Quandt")
    made = played.written(text="Hello {{ name }}. We thank Ottilie Quandt.")
    rendering.start(campaign=made, language="en", at=stage.AT, actor=audit.SYSTEM)


def test_nothing_but_the_bytes_reaches_the_studio(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name of a file, argument, environment or date of a person's own goes along."""
    given: list[tuple[list[str], dict[str, str], list[str]]] = []

    def start(command: list[str], **options: Any) -> SimpleNamespace:
        folder = Path(command[-1])
        names = sorted(path.name for path in folder.iterdir())
        given.append((command, options["env"], names))
        return SimpleNamespace(pid=0)

    monkeypatch.setattr(subprocess, "Popen", start)
    connections.ensure_local(at=stage.AT)
    people(random.Random(3), 4)
    rendering.advance(render=played.ordered(text=TEXT), at=stage.AT)
    ((command, environment, names),) = given
    assert names == ["lock", "request.json"]
    assert set(environment) <= set(local.PASSED_ON)
    assert command[1:3] == ["-m", "integrations.video.studio_worker"]
    # Its folder bears the name of the job, of which nobody but the studio knew before.
    assert Path(command[3]).name == LocalVideoJob.objects.get().pk.hex
    manifest = EgressManifest.objects.get()
    assert (Path(command[3], "request.json")).read_bytes() == bytes(manifest.body)
    assert (manifest.vendor, manifest.endpoint, manifest.region) == (
        "local",
        "local:studio",
        "local",
    )


def test_one_request_leaves_for_a_language_however_many_people(vendor: Vendor) -> None:
    made = played.written(text=played.TEXT)
    for number in range(5):
        people(random.Random(number), 3)
        render = rendering.start(campaign=made, language="en", at=stage.AT, actor=audit.SYSTEM)
        rendering.advance(render=render, at=stage.AT)
    assert len(vendor.sent) == 1


def test_the_search_for_leaks_sees_one(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an anonymiser that leaks is told from one that does not."""
    wire, (person,) = anonymisation._wire, people(random.Random(5), 1)
    name = contacts.opened(contact=person, at=stage.AT).name

    def leaking(parsed: anonymisation.ParsedScript, language: str) -> bytes:
        return wire(parsed, language).replace(b"Do come.", f"Do come, {name}.".encode())

    clean = sent_with(vendor)
    monkeypatch.setattr(anonymisation, "_wire", leaking)
    leaked = sent_with(vendor)
    assert leaked != clean
    assert name in leaked.body.decode()
