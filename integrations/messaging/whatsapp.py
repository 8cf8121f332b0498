"""What may be written on WhatsApp? A template that Meta approved; anything else needs a window.

The window opens for 24 hours when a person writes; who sends knows whether it is open. Without that
word a connection without a template refuses in plain words instead of guessing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from integrations.messaging.base import OutgoingMessage, ProviderError

# A list of templates that is longer is not an account of ours.
PAGES_MAX = 50
LINK = re.compile(r"https?://\S+")
VARIABLES = ("link", "text", "subject")
# By whether it asks for consent: the name of the template, and what its variables hold.
FIELDS = {
    False: ("whatsapp_template", "template_variables"),
    True: ("question_template", "question_variables"),
}
# Of words of our own, within a window; the same with every provider.
LONGEST_TEXT = 4096


@dataclass(frozen=True)
class Template:
    """A template at the provider, and what its variables hold, in their order."""

    name: str
    variables: tuple[str, ...]

    def values(self, message: OutgoingMessage) -> list[str]:
        """Return what fills the variables for one message.

        :raises ProviderError: a variable asks for a link, and the message has none.
        """
        link = LINK.search(message.text)
        if "link" in self.variables and link is None:
            raise ProviderError("permanent", "no_link_for_template")
        held = {
            "link": link.group(0).rstrip(".,;)") if link else "",
            # Meta refuses line breaks and runs of blanks in a variable.
            "text": " ".join(message.text.split()),
            "subject": " ".join(message.subject.split()),
        }
        return [held[name] for name in self.variables]


def template_of(settings: Mapping[str, str], *, is_question: bool) -> Template:
    """Return the template of a connection for campaigns, or the one that asks for consent.

    Neither stands in for the other: a person would read other words than the law means.
    :raises ProviderError: it has none, or its variables have names we do not know.
    """
    name = name_of(settings, is_question=is_question)
    variables = variables_of(settings, is_question=is_question)
    if not name:
        raise ProviderError("permanent", "whatsapp_needs_a_template")
    if not set(variables) <= set(VARIABLES):
        raise ProviderError("permanent", "template_variable_unknown")
    return Template(name, variables)


def words_of(message: OutgoingMessage) -> str:
    """Return words of our own, for somebody whose window is open.

    :raises ProviderError: they are too long.
    """
    if len(message.text) > LONGEST_TEXT:
        raise ProviderError("permanent", "too_long")
    return message.text


def name_of(settings: Mapping[str, str], *, is_question: bool) -> str:
    """Return the name of a connection's template, as typed; empty if none is."""
    return str(settings.get(FIELDS[is_question][0]) or "")


def variables_of(settings: Mapping[str, str], *, is_question: bool) -> tuple[str, ...]:
    """Return what the variables of a connection's template hold, in their order, as typed."""
    # A form that is left empty keeps the empty text.
    typed = settings.get(FIELDS[is_question][1]) or "link"
    return tuple(typed.replace(" ", "").split(","))


def not_listed(status: int) -> ProviderError:
    """Return what an answer without the list of templates means: it is asked for again later."""
    refused = status in (401, 403)
    return ProviderError("transient", "account_refused" if refused else f"http_{status}")


def digits(address: str) -> str:
    """Return a number as WhatsApp's resellers write it: digits, no plus."""
    return "".join(char for char in address if char.isdigit())


def number(value: str) -> str:
    """Return a number as this house writes it, from digits with or without a plus."""
    return f"+{digits(value)}" if digits(value) else ""


def problem_of(known: list[tuple[str, str]], settings: Mapping[str, str]) -> str:
    """Return what is wrong with the templates of a connection; empty if they may be used."""
    states = {name: state.upper() for name, state in known}
    if problem := _problem(states, name_of(settings, is_question=False)):
        return problem
    asks = name_of(settings, is_question=True)
    problem = _problem(states, asks) if asks else ""
    return f"Of the template that asks for consent: {problem}" if problem else ""


def _problem(states: Mapping[str, str], name: str) -> str:
    if name not in states:
        return "The account answers, and has no template of this name. Enter the name of another."
    if states[name] != "APPROVED":
        return "Meta has not approved this template: until then every message would be refused."
    return ""
