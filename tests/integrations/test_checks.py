"""Does `manage.py providers test NAME` say plainly what is wrong, whatever the answer was?"""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts import audit
from config.lib import clock
from integrations import messaging, tokens
from integrations.messaging import wire
from integrations.models import Connection
from integrations.video import wire as video_wire
from tests import patience
from tests.contracts.test_provider_calls import MESSAGES
from tests.integrations import dance as dances
from tests.integrations.video import accounts
from tests.simulators.server import OUTCOMES, Simulator

TITLES = {"did": "D-ID", "heygen": "HeyGen", "sendgrid": "SendGrid", "wati": "WATI"}
# What bodies hold and nobody may read in an answer of ours.
# One strange row in a list is a list: the key opens the account.
FINE = {("heygen", "wrong_members")}
ECHOES = ("Ana", "ana@", "oops", "traceback", "{", "<html", "SSH-")


def said_of(name: str, said: str) -> str:
    """Return what is wrong with what was said; empty if it is plain."""
    title = TITLES.get(name, name.capitalize())
    # 400 and more is of the vendor; what a person can do stands in the second sentence.
    plain = title in said and said.endswith(".") and said.count(". ") >= 1 and len(said) <= 200
    return "" if plain and not any(echo in said for echo in ECHOES) else said or "nothing"


def asked(simulator: Simulator, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    simulator.acts = frozenset({"GET"})
    found = {}
    for mode in OUTCOMES:
        simulator.mode = mode
        patience.with_mode(monkeypatch, mode)
        if name in accounts.VENDORS:
            said = accounts.adapter(name).check()
        else:
            row = Connection(provider=name, credentials_sealed=MESSAGES[name][1])
            said = messaging.provider_for(row).check()
        if (name, mode) not in FINE and (wrong := said_of(name, said)):
            found[mode] = wrong
    return found


@pytest.mark.parametrize("name", [*MESSAGES, *accounts.VENDORS])
def test_each_misbehaviour_is_said_in_plain_words(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = accounts.VENDORS[name][0] if name in accounts.VENDORS else MESSAGES[name][0]
    with kind() as simulator:
        for place in [one for one in wire.ORIGINS if one.startswith(name)]:
            monkeypatch.setitem(wire.ORIGINS, place, simulator.origin)
        monkeypatch.setitem(video_wire.STAND_INS, name, simulator.origin)
        assert not (wrong := asked(simulator, name, monkeypatch)), wrong


@pytest.mark.django_db
@pytest.mark.parametrize("slug", dances.VENDORS)
def test_the_command_asks_who_signed_in_and_says_what_ended(slug: str) -> None:
    out = StringIO()
    with dances.dancing(slug) as dance:
        dance.connect()
        call_command("providers", "test", slug, stdout=out)
        assert "answers" in out.getvalue()
        dance.vendor.end_all()
        with pytest.raises(CommandError, match="1 of 1 do not answer"):
            call_command("providers", "test", slug, stdout=out)
    said = out.getvalue().strip().splitlines()[-1]
    assert "Reconnect" in said or "onnect" in said
    assert said.endswith(".")


@pytest.mark.django_db
def test_each_misbehaviour_of_an_api_that_is_signed_in_to_is_said_in_plain_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {}
    with dances.dancing("hubspot") as dance:
        row = dance.connect()
        for mode in OUTCOMES:
            dance.vendor.mode = mode
            patience.with_mode(monkeypatch, mode)
            said = tokens.problem(connection_id=row.pk, now=clock.now, actor=audit.SYSTEM)
            # An object with other members than were asked for is no error: the token is good.
            if (mode != "wrong_members" and not said.endswith(".")) or any(
                echo in said for echo in ECHOES
            ):
                wrong[mode] = said or "nothing"
    assert not wrong
