"""Is a proof refused that was signed, and tells of something that must not have happened?"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from retention import proof
from tests.retention import rich
from tests.retention.test_proof import faults, signed_anew

pytestmark = pytest.mark.django_db(transaction=True)
Document = dict[str, Any]
LONG_AGO, NEVER = "2020-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"


def put(section: str, name: str, value: object) -> Callable[[Document], None]:
    """Change one value of a section's first row."""

    def change(document: Document) -> None:
        document[section][0][name] = value

    return change


def less(section: str) -> Callable[[Document], None]:
    """Leave a whole section out."""

    def change(document: Document) -> None:
        document[section] = []

    return change


def one_look(document: Document) -> None:
    document["receipts"] = document["receipts"][:1]


def untold(document: Document) -> None:
    row = document["propagations"][0]
    row["state"], row["done_at"], row["due_at"] = "waiting", None, LONG_AGO


def twice(document: Document) -> None:
    first = document["confirmations"][0]
    document["confirmations"].append({**first, "message_id": document["messages"][0]["id"]})


def late_answer(document: Document) -> None:
    for message in document["messages"]:
        if message["purpose"] == "stop_confirmation":
            message["sent_at"] = NEVER


def other_browser(document: Document) -> None:
    document["plays"][0]["device"] = 99


CHANGES: list[tuple[Callable[[Document], None], str]] = [
    (put("elements", "not_a_condition", False), "elements[0]: not_a_condition is missing"),
    (put("elements", "seller", ""), "elements[0]: seller is missing"),
    (less("elements"), "its elements are missing"),
    (put("papers", "file_sha256", "0" * 64), "papers[0]: the trail tells of it otherwise"),
    (put("revocations", "channels", ["sms"]), "revocations[0]: the trail tells of it otherwise"),
    (put("revocations", "effective_at", LONG_AGO), "revocations[0]: the trail does not tell"),
    (less("revocations"), "propagations[0]: there is no such stop"),
    (untold, "propagations[0]: the other system should know by now"),
    (put("propagations", "done_at", None), "propagations[0]: its clock does not fit its state"),
    (put("propagations", "done_at", LONG_AGO), "propagations[0]: the trail does not tell of it"),
    (less("confirmations"), "confirms no stop"),
    (twice, "confirmations: a stop was confirmed twice"),
    (late_answer, "confirmed a stop too late"),
    (put("confirmations", "send_by", NEVER), "confirmed a stop too late"),
    (put("reviews", "state", "stop"), "reviews[0]: the trail tells of it otherwise"),
    (put("reviews", "decided_at", None), "reviews[0]: its end does not fit its state"),
    (less("agreements"), "manifests[0]: no whole agreement was in force when it left"),
    (put("agreements", "clauses", ["a"]), "manifests[0]: no whole agreement was in force"),
    (put("agreements", "region", "us"), "manifests[0]: no whole agreement was in force"),
    (put("agreements", "expires_on", "2026-06-01"), "no whole agreement was in force"),
    (put("agreements", "ended_at", LONG_AGO), "no whole agreement was in force"),
    (put("agreements", "created_at", NEVER), "no whole agreement was in force"),
    (less("attestations"), "manifests[0]: nobody had seen how the account was set"),
    (put("attestations", "holds", False), "attestations[0]: the trail tells of it otherwise"),
    (put("attestations", "at", LONG_AGO), "manifests[0]: nobody had seen how the account"),
    (one_look, "manifests[0]: nobody looked for the copy after 1:00:00"),
    (put("manifests", "vendor", "another"), "manifests[0]: the trail tells of it otherwise"),
    (less("releases"), "renders[0]: its presenter had signed no release"),
    (put("releases", "covers_voice", False), "renders[0]: its presenter had signed no release"),
    (put("releases", "revoked_at", LONG_AGO), "renders[0]: its presenter had signed no release"),
    (put("releases", "document_sha256", "0" * 64), "releases[0]: the trail tells of it otherwise"),
    (put("assets", "mark", ""), "assets[0]: was never seen to carry its mark"),
    (put("assets", "mark_read_at", None), "assets[0]: was never seen to carry its mark"),
    (other_browser, "plays[0]: was on no browser of its link"),
    (put("devices", "proved_at", NEVER), "plays[0]: opened without a code what needs one"),
    (put("devices", "proved_at", None), "plays[0]: opened without a code what needs one"),
    (put("codes", "used_at", None), "devices[0]: no code was used on it"),
    (put("codes", "expires_at", NEVER), "codes[0]: was good for too long"),
]


def test_what_must_not_have_happened_is_named_even_if_signed() -> None:
    document: Document = dict(proof.build(contact=rich.person(), at=rich.END))
    missed = []
    for place, (change, words) in enumerate(CHANGES):
        changed = copy.deepcopy(document)
        change(changed)
        found = faults(signed_anew(changed))
        if not any(words in fault for fault in found):
            missed.append((place, words, found[:3]))
    assert missed == []


def test_an_open_incident_says_what_was_not_seen() -> None:
    document: Document = dict(proof.build(contact=rich.person(), at=rich.END))
    one_look(document)
    document["incidents"][0]["closed_at"] = None
    assert not [fault for fault in faults(signed_anew(document)) if "nobody looked" in fault]
