"""How long is a stand-in waited for? As long as the product waits, but for one that never ends.

A machine that is held up answers late: who gives up after a moment takes it for silent.
"""

import pytest

from config.lib import http
from integrations.messaging import smtp
from integrations.video import wire

# What misbehaves so (tests.simulators) is given up on by whoever asks: then it may be soon.
ENDLESS = ("stall", "drip", "_none")
# What is waited by, and how long is soon: a letter has many steps before the one that is silent.
SOON = (
    (http, "READ_SECONDS", 0.2),
    (http, "WHOLE_SECONDS", 0.2),
    (wire, "FILM_SECONDS", 0.2),
    (smtp, "TIMEOUT_SECONDS", 1.0),
)
USUAL = {name: getattr(module, name) for module, name, _ in SOON}


def with_mode(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Wait as is due for a stand-in that behaves like this."""
    for module, name, soon in SOON:
        monkeypatch.setattr(module, name, soon if mode.endswith(ENDLESS) else USUAL[name])


def mode_of(request: pytest.FixtureRequest) -> str:
    """Return how the stand-in of a test behaves, where the test has a parameter for it."""
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return str(params.get("mode", ""))
