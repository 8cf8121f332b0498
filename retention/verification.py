"""Are the seven promises kept, on the data that is here now? Looked at, not remembered."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction

from accounts import audit
from accounts.models import User
from retention.checks import anonymity, consent, links, periods, sealed, trail, vendor
from retention.checks.tally import Tally
from retention.models import VerificationReport

TITLES = (
    "Consent",
    "Anonymity",
    "Zero retention",
    "Sealed",
    "Only the recipient, only for a while",
    "Gone on time",
    "Provable",
)
ALL = range(1, len(TITLES) + 1)


@dataclass(frozen=True)
class PromiseReport:
    """What was found about one promise."""

    number: int
    title: str
    checks: list[Tally] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Say whether nothing breaks it."""
        return self.faults == 0

    @property
    def rows(self) -> int:
        """Return how many rows were looked at."""
        return sum(check.rows for check in self.checks)

    @property
    def faults(self) -> int:
        """Return how many violations there are."""
        return sum(check.faults for check in self.checks)

    def plain(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return {
            "number": self.number,
            "title": self.title,
            "is_kept": self.is_kept,
            "rows": self.rows,
            "faults": self.faults,
            "checks": [check.plain() for check in self.checks],
        }


def verify(
    *,
    at: datetime,
    heard: Callable[[PromiseReport], None] | None = None,
    numbers: Collection[int] = ALL,
) -> list[PromiseReport]:
    """Check the promises of these numbers on live data; `heard` is told of each as it is done.

    Acts that wait are entered into the trail first, so that they can be checked.
    """
    audit.seal(at=at)
    looks: tuple[Callable[[], Iterator[Tally]], ...] = (
        partial(consent.check, at=at),
        partial(anonymity.check, at=at),
        partial(vendor.check, at=at),
        partial(sealed.check, at=at),
        partial(links.check, at=at),
        partial(periods.check, at=at),
        partial(trail.check, at=at),
    )
    reports = []
    for number, (title, look) in enumerate(zip(TITLES, looks, strict=True), 1):
        if number not in numbers:
            continue
        report = PromiseReport(number, title, list(_looked(look)))
        reports.append(report)
        if heard is not None:
            heard(report)
    return reports


def _looked(look: Callable[[], Iterator[Tally]]) -> Iterator[Tally]:
    try:
        yield from look()
    except Exception as fault:  # noqa: BLE001 - damaged rows stop a check; that is a finding too
        stopped = Tally("the check was finished")
        stopped.blame(f"check: stopped by {type(fault).__name__}")
        yield stopped


def ask(*, at: datetime, staff: User | None) -> VerificationReport:
    """Make the row that a verification fills, so that a page can show how far it is."""
    return VerificationReport.objects.create(started_at=at, asked_by=staff)


def carry_out(*, report: VerificationReport, at: datetime) -> VerificationReport:
    """Verify and keep what was found, promise by promise."""

    def heard(promise: PromiseReport) -> None:
        report.promises = [*report.promises, promise.plain()]
        report.done = len(report.promises)
        report.save(update_fields=["promises", "done"])

    report.promises, report.done = [], 0
    reports = verify(at=at, heard=heard)
    report.is_kept = all(promise.is_kept for promise in reports)
    report.finished_at = at
    with transaction.atomic():
        report.save(update_fields=["is_kept", "finished_at"])
        audit.record(
            action="retention.promises.verified",
            at=at,
            actor=audit.staff(report.asked_by),
            object_type="retention.verificationreport",
            object_id=str(report.pk),
            details={
                "kept": report.is_kept,
                "broken": [str(promise.number) for promise in reports if not promise.is_kept],
            },
        )
    return report


def latest() -> VerificationReport | None:
    """Return the newest verification that is finished."""
    done = VerificationReport.objects.exclude(finished_at=None)
    return done.order_by("-finished_at").first()
