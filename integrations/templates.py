"""May a WhatsApp template be used? As its provider last said; what nobody said is not approved.

Meta approves each template, and pauses or disables one that people complain of. The list is read
by a job and on demand; the check of a campaign and each hand-off look here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import audit
from integrations import messaging
from integrations.messaging.base import KeepsTemplates, KnownTemplate, ProviderError
from integrations.models import Connection, MessageTemplate

State = MessageTemplate.State
WHATSAPP = "whatsapp"
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
    "template_unread": "Its templates have not been read yet. Press Refresh on their page.",
    "template_missing": "The account has no template of the name that is entered. Choose another.",
    "template_pending": "Meta has not approved the template yet. Nothing can be sent until it has.",
    "template_rejected": "Meta rejected the template. Have its words changed, or choose another.",
    "template_paused": "Meta has paused the template, because people complained of it or did not "
    "read it. Wait, or choose another.",
    "template_disabled": "Meta has disabled the template for good. Choose another.",
    "template_gone": "The template is no longer in the account. Choose another.",
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


def keeps(*, connection: Connection) -> bool:
    """Say whether WhatsApp over this connection needs a template that Meta approved."""
    adapter = messaging.PROVIDERS.get(connection.provider)
    has_list = adapter is not None and isinstance(adapter(connection), KeepsTemplates)
    return has_list and WHATSAPP in connection.scopes


def chosen(*, connection: Connection) -> str:
    """Return the name of the template that is entered for a connection; empty if none is."""
    held = connection.credentials_sealed
    return str(held.get("whatsapp_template") or "") if isinstance(held, dict) else ""


def standing(*, connection: Connection) -> Standing:
    """Say whether the entered template is approved, as the provider last told."""
    code = chosen(connection=connection)
    if not code:
        return Standing("template_none")
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
        Connection.objects.filter(pk=connection.pk).update(templates_problem=problem)
        return problem
    _keep(connection, found, at, actor)
    return ""


def refresh_all(*, at: datetime) -> int:
    """Read the templates of all accounts in use; return of how many."""
    rows = Connection.objects.filter(
        kind=Connection.Kind.MESSAGING, state=Connection.State.ACTIVE, provider__in=_providers()
    )
    return sum(not refresh(connection=row, at=at) for row in rows if WHATSAPP in row.scopes)


def _providers() -> Iterable[str]:
    return [name for name in messaging.PROVIDERS if name != "sandbox"]


@transaction.atomic
def _keep(
    connection: Connection, found: Sequence[KnownTemplate], at: datetime, actor: audit.Actor
) -> None:
    Connection.objects.filter(pk=connection.pk).update(templates_read_at=at, templates_problem="")
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
