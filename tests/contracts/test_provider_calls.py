"""Does docs/providers.md name every call that an adapter makes, with its method and its path?

Once by what the adapters wrote on the wire to their stand-ins, and once by every path that stands
in their source: one that no test drives is then missed by neither.
"""

import ast
import re
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from integrations import messaging
from integrations.messaging import wire
from integrations.messaging.base import KeepsTemplates, OutgoingMessage
from integrations.models import Connection
from integrations.video import wire as video_wire
from tests.contracts import source
from tests.integrations import dance as dances
from tests.integrations.messaging.test_providers import ACCOUNTS
from tests.integrations.video import accounts
from tests.simulators import base, sendgrid
from tests.simulators.server import Simulator

DOC = (source.ROOT / "docs" / "providers.md").read_text("utf-8")
NAMED = re.compile(r"`(GET|POST|PATCH|PUT|DELETE) ([^`\s?]+)")
# A path in the source: at the start of a text, or behind a host.
PATH = re.compile(r"(?:^|^https://[^/]+)(/[A-Za-z0-9_][\w./-]+)")
FOLDERS = ("integrations/crm", "integrations/messaging", "integrations/video")
LETTER = ("email", "ana@example.org")
OUR_OWN = {"/hooks/", "/proc/self/oom_score_adj"}
MESSAGES: dict[str, tuple[type[Simulator], dict[str, str]]] = {
    **ACCOUNTS,
    "sendgrid": (
        sendgrid.SendGridSimulator,
        {"api_key": sendgrid.KEY, "sender": "news@example.org"},
    ),
}


def named() -> list[tuple[str, re.Pattern[str]]]:
    """Return the calls of the document; what stands in braces is any one part of a path."""
    found = []
    for method, path in NAMED.findall(DOC):
        parts = re.split(r"\{\w+\}", path)
        found.append((method, re.compile("[^/]+".join(map(re.escape, parts)))))
    return found


def require_named(simulator: Simulator | base.Simulator) -> None:
    calls = {(call.method, urlsplit(call.path).path) for call in simulator.calls}
    assert calls
    # The vendor's own form, where the person presses Allow: no call of ours.
    calls -= {("POST", getattr(simulator, "authorize_path", ""))}
    known = named()
    strange = [
        (method, path)
        for method, path in sorted(calls)
        if not any(method == of and form.fullmatch(path) for of, form in known)
    ]
    assert not strange, f"not in docs/providers.md: {strange}"


@pytest.mark.parametrize("name", MESSAGES)
def test_each_call_about_messages_is_in_the_table(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, held = MESSAGES[name]
    with kind() as simulator:
        for place in [one for one in wire.ORIGINS if one.startswith(name)]:
            monkeypatch.setitem(wire.ORIGINS, place, simulator.origin)
        provider = messaging.provider_for(Connection(provider=name, credentials_sealed=held))
        channel, address = LETTER if name == "sendgrid" else ("whatsapp", "+14155550100")
        text = "Your video: https://example.org/v/abc"
        simulator.open = {"14155550100"}
        for within in {channel == "whatsapp", False}:
            one = OutgoingMessage(uuid.uuid4(), channel, address, "Your video", text, {}, within)
            provider.send(one)
        assert provider.check() == ""
        if isinstance(provider, KeepsTemplates):
            provider.templates()
        if name == "sendgrid":
            provider.stop(address=address, channel=channel)  # type: ignore[attr-defined]
        require_named(simulator)


@pytest.mark.parametrize("name", accounts.VENDORS)
def test_each_call_about_films_is_in_the_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with accounts.VENDORS[name][0]() as simulator:
        monkeypatch.setitem(video_wire.STAND_INS, name, simulator.origin)
        vendor = accounts.adapter(name)
        job = vendor.create(body=accounts.body())
        for _ in range(3):
            vendor.poll(job_id=job)
        assert vendor.find(body=accounts.body()) == [job]
        vendor.delete(job_id=job)
        assert (vendor.exists(job_id=job), vendor.check()) == (False, "")
        require_named(simulator)


@pytest.mark.django_db
@pytest.mark.parametrize("slug", dances.VENDORS)
def test_each_call_of_a_sign_in_is_in_the_table(slug: str) -> None:
    with dances.dancing(slug) as dance:
        row = dance.connect()
        dance.client.post(f"/connections/{row.pk}/test/")
        dance.client.post(f"{dance.home}/disconnect/")
        assert dance.row().state == Connection.State.NOT_CONNECTED
        require_named(dance.vendor)


def paths() -> Iterator[tuple[str, str]]:
    """Yield each path in the adapters' source, with where it stands."""
    for folder in FOLDERS:
        for file in sorted((source.ROOT / folder).glob("*.py")):
            tree = ast.parse(file.read_text("utf-8"))
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if not isinstance(node, ast.Constant) or id(node) in docs:
                    continue
                if isinstance(node.value, str) and node.value not in OUR_OWN:
                    for path in PATH.findall(node.value):
                        yield f"{file.name}:{node.lineno}", path.rstrip("/")


def test_each_path_in_the_source_is_in_the_table() -> None:
    found = list(paths())
    assert len(found) > 20
    missing = [(place, path) for place, path in found if path not in DOC]
    assert not missing, f"not in docs/providers.md: {missing}"
