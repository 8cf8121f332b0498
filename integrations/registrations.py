"""Is a sender of text messages registered where the country's networks ask for it?

Networks there drop what an unregistered sender sends, or fine for it. It says nothing of consent:
the gate judges that. What is asked of whom stands in `integrations.providers`, and no public source
confirms all of it; nothing of it travels with a message.
"""

from collections.abc import Collection
from dataclasses import dataclass

from integrations import keyed, providers
from integrations.models import Connection
from integrations.providers import SHORT_CODE, TOLL_FREE

COUNTRIES = {"US": "the United States", "IN": "India"}
WORDS = {
    "US": "Networks in the United States take texts only from a sender that is registered "
    "(A2P 10DLC; a toll-free number is verified instead).",
    "IN": "Networks in India take texts only from a registered entity, in the words of a "
    "registered template (DLT).",
}
TOLL_FREE_PREFIXES = tuple(f"+1{code}" for code in (800, 833, 844, 855, 866, 877, 888))
SHORT_CODE_DIGITS = 6


@dataclass(frozen=True)
class Registration:
    """What one country's networks ask of a sender: what is entered, and what is missing."""

    country: str
    # The words of the form, with what was typed.
    held: dict[str, str]
    missing: tuple[str, ...]

    @property
    def name(self) -> str:
        return COUNTRIES.get(self.country, self.country)

    @property
    def words(self) -> str:
        """Say why it is asked for, in plain words."""
        plain = f"Networks in {self.name} take texts only from a sender that is registered."
        return WORDS.get(self.country, plain)


def of(*, connection: Connection) -> list[Registration]:
    """Return what each country asks of this connection's sender; none asks of the sandbox's."""
    facts = providers.senders(connection.provider)
    if facts is None:
        return []
    shown = keyed.shown(connection=connection)
    labels = {field.name: field.label for field in keyed.PROVIDERS[connection.provider].fields}
    kind = _kind(shown.get("sender", ""))
    found = []
    for country in sorted({code.partition(":")[0] for code in facts.demands}):
        names = facts.demands.get(f"{country}:{kind}", facts.demands.get(country, ()))
        held = {labels[name]: shown[name] for name in names if shown.get(name)}
        missing = tuple(labels[name] for name in names if not shown.get(name))
        if names:
            found.append(Registration(country, held, missing))
    return found


def asked(*, connection: Connection, countries: Collection[str]) -> list[Registration]:
    """Return what is asked of a sender who writes to numbers of these countries."""
    return [row for row in of(connection=connection) if row.country in countries]


def _kind(sender: str) -> str:
    if sender.startswith(TOLL_FREE_PREFIXES):
        return TOLL_FREE
    return SHORT_CODE if sender.isdigit() and len(sender) <= SHORT_CODE_DIGITS else "number"
