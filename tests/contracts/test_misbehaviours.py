"""Does each call that docs/providers.md names meet every misbehaviour, and is none taken for a yes?

Each act is done once well: the calls that it makes are known then. It is done again with each of
them spoiled in each way: it must fail by the adapters' own errors, or bring what is there.
"""

import re
from collections.abc import Iterator

import pytest

from integrations.crm.base import CrmError
from integrations.messaging.base import ProviderError as NotSent
from integrations.oauth import TokenRefused
from integrations.pins import PinRefused
from integrations.video.base import ProviderError as NotMade
from tests import patience
from tests.contracts import vendor_acts as acts
from tests.contracts.test_provider_calls import named
from tests.contracts.vendor_acts import Act, Stage
from tests.simulators.server import OUTCOMES, OneCall

pytestmark = [pytest.mark.django_db, pytest.mark.one_engine]
ERRORS = (acts.Said, CrmError, NotMade, NotSent, PinRefused, TokenRefused)
YES = "taken for a yes"
BROWSER = "a browser calls it, and never we"
# What the document names and no act here calls, and why.
NOT_CALLED = {
    ("GET", "/oauth/authorize"): BROWSER,
    ("GET", "/services/oauth2/authorize"): BROWSER,
    ("GET", "/oauth/v2/auth"): BROWSER,
}
NO_BODY = {"html", "garbage_json", "empty", "wrong_type", "brackets", "not_utf8"}
# What is a yes all the same, by vendor and act ("" of all), and why.
FINE: dict[tuple[str, str], set[str]] = {
    # RFC 7009: 200 is the answer, and nothing has to stand in it.
    ("", "revoke"): {*NO_BODY, "wrong_members"},
    # An object that holds no error: the token opens the account, whatever else stands there.
    **{
        (name, "test"): {"wrong_members"}
        for name in ("hubspot", "salesforce", "zoho", "heygen_sign_in")
    },
    # One strange row in a list is a list: the key opens the account.
    ("heygen", "test"): {"wrong_members"},
}
Form = tuple[str, str]


def forms() -> dict[Form, re.Pattern[str]]:
    """Return the calls of the document, each with the form of its path."""
    return {(method, form.pattern): form for method, form in named()}


def hit(stage: Stage, act: Act) -> set[Form]:
    """Do an act well; return the calls of the document that it made."""
    stage.vendor.calls.clear()
    act.run()
    known = forms()
    return {key for key in known for call in stage.calls() if is_of(key, known, call)}


def is_of(key: Form, known: dict[Form, re.Pattern[str]], call: tuple[str, str]) -> bool:
    return call[0] == key[0] and known[key].fullmatch(call[1]) is not None


def spoiled(stage: Stage, act: Act, key: Form, mode: str, wanted: object) -> str:
    """Do an act with one call spoiled; return what is wrong with what came of it."""
    stage.vendor.only, stage.vendor.mode = OneCall(key[0], forms()[key]), mode
    try:
        with pytest.MonkeyPatch.context() as patch:
            patience.with_mode(patch, mode)
            found = act.run()
    except ERRORS as failed:
        return "a person stands in it" if "ana@" in f"{failed!r}" else ""
    finally:
        stage.vendor.mode = ""
        acts.restore()
    return "" if act.reads and found == wanted else YES


def trials(stage: Stage) -> Iterator[tuple[Act, Form]]:
    """Yield each call once, with the first act that makes it."""
    met: set[Form] = set()
    for act in stage.acts:
        for key in sorted(hit(stage, act) - met):
            met.add(key)
            yield act, key


def test_each_call_of_the_document_is_made_here_or_there_is_a_reason() -> None:
    made: set[Form] = set()
    for name in acts.NAMES:
        with acts.stage(name) as stage:
            for act in stage.acts:
                made |= hit(stage, act)
    missing = {(method, path.replace("\\", "")) for method, path in set(forms()) - made}
    assert missing == set(NOT_CALLED)


@pytest.mark.parametrize("name", acts.NAMES)
def test_no_misbehaviour_of_any_call_is_taken_for_a_yes(name: str) -> None:
    wrong: list[str] = []
    with acts.stage(name) as stage:
        for act, key in trials(stage):
            wanted = act.run() if act.reads else None
            fine = FINE.get((name, act.name), set()) | FINE.get(("", act.name), set())
            wrong += [
                f"{act.name}, {' '.join(key)}, {mode}: {said}"
                for mode in OUTCOMES
                if (said := spoiled(stage, act, key, mode, wanted)) != (YES if mode in fine else "")
            ]
    assert not wrong, "\n".join(wrong)
