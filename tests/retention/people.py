"""Who is in the tests of this storey? People of nobody, made through the doors of the house."""

from datetime import UTC, datetime, timedelta

from accounts import audit, people
from accounts.models import User
from consent import contacts
from consent.models import Contact
from retention import policies

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
LATER = AT + timedelta(days=731)


def contact(*, number: int = 1, at: datetime = AT) -> Contact:
    """Return a person with both addresses and a name that stands nowhere else."""
    return contacts.register(
        partner=None,
        name=f"Ottilie Quandt{number}",
        email=f"ottilie.quandt{number}@example.org",
        phone=f"+4915112{number:06d}",
        language="de",
        time_zone="Europe/Berlin",
        country="DE",
        attributes={"city": "Bernkastel"},
        source="test",
        at=at,
        actor=audit.SYSTEM,
    )


def officer(role: str = User.Role.OFFICER) -> User:
    """Return a member of staff."""
    return people.create_staff(
        email=f"{role}@example.org", name="", role=role, password="a long password here", at=AT
    )


def house() -> None:
    """Make what every house has."""
    policies.ensure_defaults(at=AT)
