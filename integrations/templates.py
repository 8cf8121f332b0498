"""May a WhatsApp template be used? As its provider last said; what nobody said is not approved.

Meta approves each template, and pauses or disables one that people complain of. The list is read
by a job and on demand; the check of a campaign and each hand-off look here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import get_language_info
from django_q.tasks import async_task

from accounts import audit
from integrations import messaging
from integrations.messaging import whatsapp
from integrations.messaging.base import KeepsTemplates, KnownTemplate, ProviderError
from integrations.models import Connection, MessageTemplate

State = MessageTemplate.State
WHATSAPP = "whatsapp"
# After it whoever was to read the list is taken for dead, and it may be asked for again.
ASKED_LASTS = timedelta(minutes=2)
PLACE = re.compile(r"\{\{\s*([^{}]{1,60}?)\s*\}\}")
# The vendors' words for a state, in small letters; Meta's own are among them.
STATES = {
    "approved": State.APPROVED,
    "enabled": State.APPROVED,
    "pending": State.PENDING,
    "received": State.PENDING,
    "submitted": State.PENDING,
    "in_appeal": State.PENDING,
    "unsubmitted": State.PENDING,
    "draft": State.PENDING,
    "rejected": State.REJECTED,
    "failed": State.REJECTED,
    "paused": State.PAUSED,
    "flagged": State.PAUSED,
    "disabled": State.DISABLED,
    "deactivated": State.DISABLED,
    "deleted": State.GONE,
}
WORDS = {
    "template_none": "No template is entered for this connection. Enter one under its keys.",
    "template_no_question": "No template that asks for consent is entered for this connection: an "
    "administrator enters one under its keys. Until then ask by another channel.",
    "template_unread": "Its templates have not been read yet. Press Refresh on their page.",
    "template_missing": "The account has no template of the name that is entered. Choose another.",
    "template_pending": "Meta has not approved the template yet. Nothing can be sent until it has.",
    "template_rejected": "Meta rejected the template. Have its words changed, or choose another.",
    "template_paused": "Meta has paused the template, because people complained of it or did not "
    "read it. Wait, or choose another.",
    "template_disabled": "Meta has disabled the template for good. Choose another.",
    "template_gone": "The template is no longer in the account. Choose another.",
    "template_other_words": "An answer did not leave within a day of the person's words, and no "
    "template has its words. Nothing is left to do.",
    "template_unknown": "The provider does not say whether Meta approved the template. Look there.",
}


@dataclass(frozen=True)
class Standing:
    """Whether the template of a connection may be used: an empty code, or why not, in words."""

    code: str
    template: MessageTemplate | None = None

    @property
    def words(self) -> str:
        return WORDS.get(self.code, "")


@dataclass(frozen=True)
class Part:
    """A piece of a template: its words, or a place with what fills it; `fills` is empty if none."""

    words: str
    is_place: bool = False
    fills: str = ""


def keeps(*, connection: Connection) -> bool:
    """Say whether WhatsApp over this connection needs a template that Meta approved."""
    adapter = messaging.PROVIDERS.get(connection.provider)
    has_list = adapter is not None and isinstance(adapter(connection), KeepsTemplates)
    return has_list and WHATSAPP in connection.scopes


def chosen(*, connection: Connection, is_question: bool = False) -> str:
    """Return the name of the template that is entered for a connection; empty if none is.

    That of campaigns, or the one that asks for consent.
    """
    return whatsapp.name_of(_held(connection), is_question=is_question)


def standing(*, connection: Connection, is_question: bool = False) -> Standing:
    """Say whether the entered template is approved, as the provider last told."""
    code = chosen(connection=connection, is_question=is_question)
    if not code:
        return Standing("template_no_question" if is_question else "template_none")
    if connection.templates_read_at is None:
        return Standing("template_unread")
    rows = list(MessageTemplate.objects.filter(connection=connection, code=code))
    if not rows:
        return Standing("template_missing")
    # One name may stand for several languages: the worst of them decides.
    worst = next((row for row in rows if row.state != State.APPROVED), None)
    return Standing(f"template_{worst.state}", worst) if worst else Standing("", rows[0])


def listed(*, connection: Connection) -> Sequence[MessageTemplate]:
    """Return the templates of a connection that are still there, by title."""
    rows = MessageTemplate.objects.filter(connection=connection).exclude(state=State.GONE)
    return list(rows.order_by("title", "language"))


def parts(
    *, template: MessageTemplate, connection: Connection, is_question: bool = False
) -> list[Part]:
    """Return a template's words with their places, and what this connection puts into each."""
    variables = whatsapp.variables_of(_held(connection), is_question=is_question)
    pieces = PLACE.split(template.words)
    found = []
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            found += [Part(piece)] if piece else []
            continue
        place = int(piece) if piece.isascii() and piece.isdigit() else 0
        fills = variables[place - 1] if 0 < place <= len(variables) else ""
        found.append(Part(piece, is_place=True, fills=fills))
    return found


def doubts(
    *, template: MessageTemplate, connection: Connection, is_question: bool = False
) -> list[str]:
    """Say what of a template does not fit what this connection fills in.

    No refusal: of a template with buttons or a heading not every place is told.
    """
    every = parts(template=template, connection=connection, is_question=is_question)
    places = [part for part in every if part.is_place]
    empty = sorted({part.words for part in places if not part.fills})
    found = []
    if empty:
        named = ", ".join(f"{{{{{name}}}}}" for name in empty)
        found.append(f"Nothing fills {named}: Meta refuses a message with an empty place.")
    if template.words and not {"link", "text"} & {part.fills for part in places}:
        found.append("Its words have no place for the link. It must be in a button of it.")
    return found


def language(code: str) -> str:
    """Return a language as Meta writes it (`en_US`) with its name; alone if nobody knows it."""
    try:
        return f"{get_language_info(code.replace('_', '-').lower())['name']} ({code})"
    except KeyError:
        return code


def is_asked(*, connection: Connection, at: datetime) -> bool:
    """Say whether somebody waits for the list to be read."""
    asked_at = connection.templates_asked_at
    return asked_at is not None and at - asked_at < ASKED_LASTS


@transaction.atomic
def ask(
    *, connection: Connection, at: datetime, actor: audit.Actor, is_other_account: bool = False
) -> bool:
    """Have a job read the templates of one account at once; False: one is about to already.

    `is_other_account`: who reads now may be reading with the keys of the one before.
    """
    rows = Connection.objects.filter(pk=connection.pk)
    if not is_other_account:
        over = Q(templates_asked_at=None) | Q(templates_asked_at__lte=at - ASKED_LASTS)
        rows = rows.filter(over)
    # Compared and set: a button that is pressed often asks the provider once.
    if not rows.update(templates_asked_at=at):
        return False
    async_task("integrations.jobs.read_templates", str(connection.pk))
    audit.record(
        action="integrations.template.asked",
        at=at,
        actor=actor,
        object_type="integrations.connection",
        object_id=str(connection.pk),
        details={"provider": connection.provider},
    )
    return True


def refresh(*, connection: Connection, at: datetime, actor: audit.Actor = audit.SYSTEM) -> str:
    """Read the templates of one account; return what went wrong, in words, or the empty text.

    The provider is asked outside of any transaction. Without a whole list nothing is changed.
    """
    provider = messaging.provider_for(connection)
    if not isinstance(provider, KeepsTemplates):
        return ""
    try:
        found = provider.templates()
    except ProviderError as refused:
        problem = _problem(connection, refused)
        Connection.objects.filter(pk=connection.pk).update(
            templates_problem=problem, templates_asked_at=None
        )
        return problem
    _keep(connection, found, at, actor)
    return ""


def refresh_all(*, at: datetime) -> int:
    """Read the templates of all accounts in use; return of how many."""
    rows = Connection.objects.filter(
        kind=Connection.Kind.MESSAGING, state=Connection.State.ACTIVE, provider__in=_providers()
    )
    return sum(not refresh(connection=row, at=at) for row in rows if WHATSAPP in row.scopes)


def _held(connection: Connection) -> dict[str, str]:
    held = connection.credentials_sealed
    return held if isinstance(held, dict) else {}


def _providers() -> Iterable[str]:
    return [name for name in messaging.PROVIDERS if name != "sandbox"]


@transaction.atomic
def _keep(
    connection: Connection, found: Sequence[KnownTemplate], at: datetime, actor: audit.Actor
) -> None:
    Connection.objects.filter(pk=connection.pk).update(
        templates_read_at=at, templates_problem="", templates_asked_at=None
    )
    before = {
        (row.code, row.language): row
        for row in MessageTemplate.objects.select_for_update().filter(connection=connection)
    }
    for one in found:
        row = before.pop((one.code[:120], one.language[:16]), None)
        if one.code:
            _keep_one(connection, row, one, at, actor)
    for row in before.values():
        _move(row, State.GONE, at, actor)


def _keep_one(
    connection: Connection,
    row: MessageTemplate | None,
    one: KnownTemplate,
    at: datetime,
    actor: audit.Actor,
) -> None:
    if row is None:
        row = MessageTemplate(
            connection=connection,
            code=one.code[:120],
            language=one.language[:16],
            state=State.UNKNOWN,
            changed_at=at,
        )
    row.title, row.words = one.title[:120] or one.code[:120], one.words[:4000]
    row.category, row.quality = one.category[:24].lower(), one.quality[:24].lower()
    row.reason = one.reason[:200]
    row.save()
    _move(row, STATES.get(one.state.lower(), State.UNKNOWN), at, actor)


def _move(row: MessageTemplate, state: str, at: datetime, actor: audit.Actor) -> None:
    if row.state == state:
        return
    row.state, row.changed_at = state, at
    row.save(update_fields=["state", "changed_at"])
    audit.record(
        action="integrations.template.changed",
        at=at,
        actor=actor,
        object_type="integrations.messagetemplate",
        object_id=str(row.pk),
        details={"connection": str(row.connection_id), "state": str(state)},
    )


def _problem(connection: Connection, refused: ProviderError) -> str:
    if refused.code == "account_refused":
        return f"{connection.label} refuses the key: enter it again under its keys."
    return (
        f"{connection.label} gave no list of its templates ({refused.code}). What is shown is as "
        "of the last time. It is asked again within the hour."
    )[:200]
