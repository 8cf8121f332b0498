"""Every rule of every pack: read, cited, dated, and tested by the tests beside it."""

import pytest

from consent import rule_tests, rulebook
from consent.rule_format import Rule

JUDGED = [rule for rule in rulebook.book().rules if rule.kind in rulebook.JUDGED]


def test_there_are_packs() -> None:
    assert len(JUDGED) > 20


def test_every_rule_is_cited_and_worded() -> None:
    bare = [rule.id for rule in rulebook.book().rules if not (rule.source and rule.text)]
    assert not bare, bare


def test_every_judged_rule_has_two_tests_or_more() -> None:
    bare = [rule.id for rule in JUDGED if len(rule.tests) < 2]
    assert not bare, bare


@pytest.mark.parametrize("rule", JUDGED, ids=lambda rule: rule.id)
def test_the_tests_of(rule: Rule) -> None:
    book = rulebook.book()
    came_to = {test: rule_tests.outcome(rule=rule, test=test, book=book) for test in rule.tests}
    assert not {test: found for test, (found, wanted) in came_to.items() if found != wanted}
