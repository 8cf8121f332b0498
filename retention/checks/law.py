"""Promise 1: does the law that is loaded say what counsel meant, and do its answers stand?"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from accounts import keys
from consent import contacts, purposes, receipts, records, replays, rule_tests, rulebook
from consent.models import ConsentState, Contact, Decision
from retention.checks.tally import Tally

# What is judged, or made, again row by row; the newest are the ones that tell.
DECISIONS_AGAIN = 1000
PEOPLE_AGAIN = 200
# Shorter values stand in words by chance.
SHORTEST_CHARS = 6


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about the rules, and about what they led to."""
    yield _rules()
    yield _replayed(at)
    yield _papers(at)


def _rules() -> Tally:
    book = rulebook.book()
    tally = Tally(
        "each rule that is loaded passes its own tests",
        rows=sum(len(rule.tests) for rule in book.rules),
    )
    for failed in rule_tests.failures(book):
        tally.blame(f"rule {failed.rule}: {failed.test} came to {failed.found}")
    return tally


def _replayed(at: datetime) -> Tally:
    """Judge the newest decisions again, on the facts of then, by the law that is loaded.

    What other packs decided is left alone: law may change, and then its answers do too.
    """
    book = rulebook.book()
    others = Decision.objects.exclude(packs_version=book.version).order_by("-at")
    last_other = others.values_list("at", flat=True).first()
    again = replays.replay(
        book=book,
        since=last_other + timedelta(microseconds=1) if last_other else purposes.FIRST_VALID,
        until=at,
        at=at,
        refusals_too=True,
        newest=DECISIONS_AGAIN,
    )
    tally = Tally(
        f"judged again, the newest {DECISIONS_AGAIN:,} decisions of these packs come out the same",
        rows=again.judged,
    )
    for _ in range(again.left_out["law"]):
        tally.blame("a decision: the same facts lead to another verdict under the rules loaded")
    return tally


def _papers(at: datetime) -> Tally:
    """Make the newest receipts and records again: the words as shown, and nobody's name."""
    tally = Tally(f"the newest {PEOPLE_AGAIN} receipts hold what was shown, and name nobody")
    newest = Contact.objects.filter(erased_at=None).select_related("key", "place", "partner")
    with_acts = newest.filter(pk__in=ConsentState.objects.values("contact_id"))
    for contact in with_acts.order_by("-created_at", "pk")[:PEOPLE_AGAIN]:
        tally.saw()
        receipt = receipts.receipt(contact=contact, at=at)
        papers = json.dumps([receipt, records.export(contact=contact, at=at)], ensure_ascii=False)
        if _is_named(contact, papers.casefold(), at):
            tally.blame(f"contact {contact.pk}: their receipt or record names them")
        tally.blame_all(_changed(receipt["notices"]))
    return tally


def _is_named(contact: Contact, papers: str, at: datetime) -> bool:
    try:
        person = contacts.opened(contact=contact, at=at)
    except keys.KeyRefused:
        return False
    values = (person.name, person.email, person.phone)
    return any(len(one) >= SHORTEST_CHARS and one.casefold() in papers for one in values)


def _changed(notices: object) -> Iterator[str]:
    for sha256, notice in notices.items() if isinstance(notices, dict) else ():
        if hashlib.sha256(notice["text"].encode()).hexdigest() != sha256:
            yield f"notice {sha256[:12]}: is not the text that was shown"
