"""What may a member of staff do? One table of acts by role; an act that is not in it is refused."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from accounts.models import User

Role = User.Role

# Who may do what. An administrator may do everything that is named here.
CAMPAIGN = frozenset(
    {"campaign.view", "campaign.edit", "campaign.preview", "campaign.send", "campaign.end_links"}
)
FORMS = frozenset({"form.view", "form.edit"})
LISTS = frozenset(
    {"contact.view", "contact.import", "connection.view", "template.refresh", "phone.view"}
)
CONSOLE = frozenset({"console.view", "consent.view", "trail.view", "trail.verify", "policy.view"})
COMPLIANCE = frozenset(
    {
        "campaign.end_links",
        "contact.reveal",
        "contact.edit",
        "consent.record",
        "consent.withdraw",
        "erasure.start",
        "hold.place",
        "hold.release",
        "link.revoke",
        "message.settle",
        "policy.change",
        "proof.export",
        "request.open",
        "request.close",
        "run.start",
    }
)
HOUSE = frozenset({"connection.manage", "partner.manage", "people.manage"})
ACTS = {
    Role.MARKETER: CAMPAIGN | FORMS | LISTS,
    # An officer judges what marketers do, and so does not send.
    Role.OFFICER: CONSOLE | COMPLIANCE | LISTS | {"campaign.view", "form.view"},
    Role.AUDITOR: CONSOLE | {"campaign.view", "form.view", "contact.view", "connection.view"},
    Role.ADMINISTRATOR: CAMPAIGN | FORMS | LISTS | CONSOLE | COMPLIANCE | HOUSE,
}


class NotPermitted(PermissionDenied):
    """The person's role does not allow this act."""


class UnknownAct(LookupError):
    """The act is not in the table: a slip in the code, which must not pass as an allowance."""


def may(*, user: AbstractBaseUser | AnonymousUser, act: str) -> bool:
    """Say whether a person may do an act; nobody may who is signed out or switched off.

    :raises UnknownAct: the act is not in the table.
    """
    _require_known(act)
    return isinstance(user, User) and user.is_active and act in ACTS[Role(user.role)]


def require(*, user: AbstractBaseUser | AnonymousUser, act: str) -> None:
    """Refuse an act that a person may not do.

    :raises NotPermitted: the role does not allow it.
    """
    if not may(user=user, act=act):
        raise NotPermitted(act)


def requires(act: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Guard a view: signed out leads to the sign-in page, a role without the act to a refusal.

    :raises UnknownAct: the act is not in the table; found when the view is defined.
    """
    _require_known(act)

    def passes(user: AbstractBaseUser | AnonymousUser) -> bool:
        if user.is_authenticated:
            require(user=user, act=act)
        return user.is_authenticated

    return user_passes_test(passes)


def _require_known(act: str) -> None:
    if act not in ACTS[Role.ADMINISTRATOR]:
        raise UnknownAct(act)
