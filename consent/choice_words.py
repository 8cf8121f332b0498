"""In which words does a person read what they chose? From codes to sentences; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import formats

from accounts import keys
from consent import allowing, choices, contacts, wording
from consent.choices import Act, Choice
from consent.models import Contact, PreferenceLink

# Colour and picture of each state, by the names of `config.lib.icons`; the words are ours.
LOOKS = {
    "contract": "active",
    "interest": "active",
    "given": "pending",
    # Off is what the person wanted, and no fault.
    **dict.fromkeys(("withdrawn", "refused", "suppressed", "expired"), "off"),
    "unsigned": "pending",
}
# On which ground the gate let a message pass, by the code of its reason.
WHY = {
    "consent_confirmed": "why_confirmed",
    "consent_given": "why_given",
    "consent_claimed": "why_claimed",
}
FORMS = ("web_form", "form-")
HISTORY_OPEN = 8


@dataclass(frozen=True)
class Speech:
    """The words of one language, and whose page it is."""

    words: Mapping[str, str]
    holder: str

    def say(self, name: str, /, **values: str) -> str:
        """Return a sentence with its places filled."""
        return wording.filled(self.words[name], **values)

    def purpose(self, code: str) -> str:
        """Return what a purpose is called; one that an officer added keeps its code."""
        return self.words.get(f"purpose_{code}", code)

    def channel(self, code: str) -> str:
        """Return what a channel is called."""
        return self.words[f"channel_{code}"]

    def since(self, at: datetime | None) -> str:
        """Return since when, in the words of the language; nothing if never."""
        return self.say("since", date=day(at)) if at else ""


def day(at: datetime) -> str:
    """Return a day with its month in letters, so that no reader takes it for another."""
    return formats.date_format(at, "j F Y")


def cards(
    speech: Speech, link: PreferenceLink, chosen: Sequence[Choice], at: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return the purposes, each with its channels: those that matter now, and those never asked."""
    opens = keys.opens(key=link.contact.key, at=at)
    reached = contacts.channels_of(link.contact) if opens else []
    found: dict[str, dict[str, Any]] = {}
    for choice in chosen:
        card = found.setdefault(choice.purpose_code, _card(speech, choice.purpose_code))
        may_give = choice.channel in reached and allowing.may_give(choice.purpose_code)
        card["rows"].append({**row(speech, choice), "may_give": may_give})
    asked = {choice.purpose_code for choice in chosen if choice.word != "none"}
    return {
        "asked": [card for code, card in found.items() if code in asked],
        "unasked": [card for code, card in found.items() if code not in asked],
    }


def row(speech: Speech, choice: Choice) -> dict[str, Any]:
    """Return one choice in words."""
    return {
        "purpose": choice.purpose_code,
        "channel": choice.channel,
        "purpose_title": speech.purpose(choice.purpose_code),
        "channel_title": speech.channel(choice.channel),
        "word": speech.words[f"state_{choice.word}"],
        "look": LOOKS.get(choice.word, choice.word),
        "since": speech.since(choice.since),
        "is_on": choice.is_on,
        "unsigned": choice.word == choices.UNSIGNED,
    }


def flash(speech: Speech, chosen: Iterable[Choice], stopped: str, allowed: str) -> dict[str, str]:
    """Return what just happened, from what the address says and the rows confirm."""
    if allowed in {"yes", "half"}:
        tone = "good" if allowed == "yes" else "info"
        return {"tone": tone, "text": speech.words[f"allowed_{allowed}"]}
    for choice in chosen:
        if stopped == f"{choice.purpose_code}.{choice.channel}" and not choice.is_on:
            what = f"{speech.purpose(choice.purpose_code)}, {speech.channel(choice.channel)}"
            pair = {"purpose": choice.purpose_code, "channel": choice.channel}
            return {"tone": "good", "text": speech.say("stopped_one", what=what), **pair}
    return {}


def about(speech: Speech, link: PreferenceLink, at: datetime) -> list[dict[str, Any]]:
    """Return who holds the data, where the person is reached, why they were written to."""
    contact = link.contact
    rows: list[dict[str, Any]] = [
        {"term": speech.words["holder"], "value": holder(speech, contact)},
        {"term": speech.words["reached_at"], "value": reached(contact, at), "ltr": True},
        *_why(speech, link),
        {"term": speech.words["came_from"], "value": source(speech, contact)},
        {"term": speech.words["known_since"], "value": day(contact.created_at)},
    ]
    return [item for item in rows if item["value"]]


def reached(contact: Contact, at: datetime) -> str:
    """Return the addresses of a person, masked: who reads over a shoulder learns none."""
    shown = contacts.masked(contact=contact, at=at)
    return " · ".join(filter(None, [shown.email, shown.phone]))


def holder(speech: Speech, contact: Contact) -> str:
    """Return who holds a person's data and how to reach them.

    Law: GDPR Art. 13(1)(a), 14(1)(a)-(b).
    """
    if contact.partner is not None:
        return speech.holder
    told = settings.CONTROLLER
    parts = [speech.holder, told["address"], told["email"], told["data_protection_officer"]]
    return " · ".join(filter(None, parts))


def source(speech: Speech, contact: Contact) -> str:
    """Return where a person's data came from.

    Law: GDPR Art. 14(2)(f).
    """
    if contact.source.startswith(FORMS):
        return speech.words["source_form"]
    return speech.say("source_list", name=contact.source)


def acts(speech: Speech, done: Sequence[Act]) -> dict[str, list[dict[str, Any]]]:
    """Return the history in words: the newest in sight, the others behind a word."""
    rows = [_act(speech, act) for act in done]
    return {"newest": rows[:HISTORY_OPEN], "earlier": rows[HISTORY_OPEN:]}


def _card(speech: Speech, code: str) -> dict[str, Any]:
    help_text = speech.words.get(f"help_{code}", "")
    return {"code": code, "title": speech.purpose(code), "help": help_text, "rows": []}


def _why(speech: Speech, link: PreferenceLink) -> list[dict[str, Any]]:
    told = choices.why(link=link)
    if told is None:
        return []
    ground = "why_question" if told.purpose_code == "permission_request" else "why_other"
    what = f"{speech.purpose(told.purpose_code)}, {speech.channel(told.channel)}, {day(told.at)}"
    return [
        {
            "term": speech.words["why_sent"],
            "value": f"{what}. {speech.words[WHY.get(told.code, ground)]}",
            "law": told.source,
        }
    ]


def _act(speech: Speech, act: Act) -> dict[str, Any]:
    event = act.event
    channels = ", ".join(speech.channel(code) for code in act.channels)
    notice = act.notice
    return {
        "title": f"{speech.words[f'kind_{event.kind}']}: {speech.purpose(event.purpose_code)}",
        "channels": channels,
        "state": event.kind,
        "at": event.at,
        "how": speech.words[f"act_{event.act}"],
        "seller": event.seller,
        "text": notice.text if notice else "",
        "language": notice.language if notice else "",
    }
