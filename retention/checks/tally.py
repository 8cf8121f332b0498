"""What did one check find? How many rows it went over, and the first that break the promise."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

# So many are named; the rest is counted.
NAMED = 10


@dataclass
class Tally:
    """One check of a promise."""

    what: str
    rows: int = 0
    faults: int = 0
    first: list[str] = field(default_factory=list)

    def saw(self, count: int = 1) -> None:
        """Count rows that were looked at."""
        self.rows += count

    def blame(self, violation: str) -> None:
        """Note a violation: ids and codes, never a personal value."""
        self.faults += 1
        if len(self.first) < NAMED:
            self.first.append(violation)

    def blame_all(self, violations: Iterable[str]) -> None:
        """Note violations, one after the other."""
        for violation in violations:
            self.blame(violation)

    def plain(self) -> dict[str, object]:
        """Return the check as a report keeps it."""
        return asdict(self)
