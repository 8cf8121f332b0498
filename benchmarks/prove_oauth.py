"""Does any attack on the return of a sign-in pass? `make prove-oauth` counts them.

The attacks are the tests, each alone in a fresh database; what is no attack is not counted.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = "tests/integrations/test_oauth_attacks.py"
# They show that the way itself works, so that a refusal says something.
CONTROLS = frozenset(
    {
        "test_the_same_return_unchanged_is_taken",
        "test_a_head_does_not_use_a_return_up",
        "test_what_a_late_dance_holds_is_forgotten",
    }
)


class Counted:
    """What became of each test."""

    def __init__(self) -> None:
        self.refused = 0
        self.passed: list[str] = []
        self.controls = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not report.failed:
            return
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            # An attack that broke on its way is not known to be refused.
            self.passed.append(name)
        elif name.partition("[")[0] in CONTROLS:
            self.controls += 1
        else:
            self.refused += 1


def main() -> int:
    counted = Counted()
    pytest.main(["-q", "--no-header", str(ROOT / TABLE)], plugins=[counted])
    passed = len(counted.passed)
    print(f"attacks refused: {counted.refused}, passed: {passed}, controls: {counted.controls}")
    for name in counted.passed:
        print(f"  {name}")
    return 1 if passed or not counted.refused or counted.controls != len(CONTROLS) else 0


if __name__ == "__main__":
    sys.exit(main())
