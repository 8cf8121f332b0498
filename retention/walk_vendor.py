"""Does an AI vendor get nothing without a contract, and does a stranger's browser get nothing?

The walk's own vendor is on this machine and needs no contract: what one far away would need is
asked of the same door, for the walk's account.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts import audit, people
from accounts.models import User
from consent.models import Message
from integrations import connections
from integrations.models import Connection
from retention import walk_phones
from retention.walk import Walk, require
from videos import (
    agreements,
    codes,
    delivery,
    devices,
    links,
    playback,
    vendor_facts,
    vendor_terms,
)
from videos.agreements import BadAgreement
from videos.codes import Asked
from videos.models import Link

CODE = re.compile(r"\b(\d{6})\b")
REFERENCE = "DPA-DEMO-1"
YEAR = timedelta(days=365)
# Quiet hours of every place are over within a day.
ROUNDS = 8


@dataclass
class Elsewhere:
    """A vendor that nobody connected; the door is asked what it would need."""

    endpoint: str = "https://api.vendor.example/v1"
    region: str = "eu"
    reads_setting: bool = False

    def keeps_nothing(self) -> bool:
        """Say whether the account is set to keep nothing; nobody asks it here."""
        return False


def agree(walk: Walk) -> dict[str, Any]:
    """Record a contract with a vendor whole, and one short of its parts; end it again."""
    _, account = connections.ensure_local(at=walk.at)
    officer = people.create_staff(
        email=f"contracts.{walk.tag}@example.org",
        name="Demo contracts",
        role=User.Role.OFFICER,
        password=secrets.token_urlsafe(16),
        at=walk.at,
    )
    refused = [_refusal(walk, account)]
    require(not _is_recorded(walk, account, officer, document=b""), "an empty contract was taken")
    require(_is_recorded(walk, account, officer, document=b"%PDF-1.7"), "no contract was taken")
    held = agreements.in_force(connection=account, at=walk.at)
    require(held is not None, "a contract that was recorded is not in force")
    refused.append(_refusal(walk, account))
    shown = vendor_facts.facts(connection=account, at=walk.at)
    if held is not None:
        agreements.end(agreement=held, at=walk.later(minutes=1), actor=audit.staff(officer))
    refused.append(_refusal(walk, account))
    people.disable(user=officer, at=walk.at, by=audit.SYSTEM)
    require(
        refused == ["no_agreement", "other_endpoint", "agreement_expired"],
        f"a vendor elsewhere was refused for {refused}",
    )
    return {"contracts": 1, "refused_for": refused, "facts_shown": len(shown)}


def show_whose(walk: Walk) -> dict[str, Any]:
    """Open a link on a second browser: refused until it shows, by a code, that it is theirs."""
    for _ in range(ROUNDS):
        for token in walk_phones.link_tokens([walk.campaigns["email"].pk]):
            link = links.look_up(token=token, at=walk.at)
            if asked := _asked(walk, link):
                return _entered(walk, link, asked)
        walk.later(hours=1)
    require(fact=False, words="nobody could be sent a code")
    return {}


def _asked(walk: Walk, link: Link) -> Asked | None:
    # The first browser opens it; the campaign lets in one by itself.
    if not link.plays:
        playback.start_play(link=link, at=walk.at)
    require(not _plays(walk, link, None), "a second browser opened a link without a code")
    try:
        return codes.ask(link=link, device=None, at=walk.at)
    except codes.NoWayToAsk:
        return None


def _entered(walk: Walk, link: Link, asked: Asked) -> dict[str, Any]:
    while delivery.dispatch(at=walk.at).total:
        continue
    device, message = asked.sent.device, Message.objects.get(pk=asked.sent.message_id)
    found = CODE.search(walk_phones.text_of(message))
    require(found, "no code arrived")
    code = found[1] if found else ""
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    require(not codes.enter(link=link, device=device, code=wrong, at=walk.at), "a wrong code held")
    require(codes.enter(link=link, device=device, code=code, at=walk.at), "the code did not hold")
    device.refresh_from_db()
    require(_plays(walk, link, device), "a browser that showed whose it is was refused")
    return {"second_browser_refused": 1, "codes_refused": 1, "opened_by_code": 1}


def _plays(walk: Walk, link: Link, device: Any) -> bool:
    try:
        playback.start_play(link=link, at=walk.at, device=device)
    except devices.NotThisDevice:
        return False
    return True


def _is_recorded(walk: Walk, account: Connection, officer: User, *, document: bytes) -> bool:
    try:
        agreements.record(
            connection=account,
            reference=REFERENCE,
            document=document,
            clauses=agreements.CLAUSES,
            sub_processors=["none"],
            region="eu",
            signed_on=walk.at.date(),
            expires_on=(walk.at + YEAR).date(),
            residual_days=30,
            at=walk.at,
            staff=officer,
        )
    except BadAgreement:
        return False
    return True


def _refusal(walk: Walk, account: Connection) -> str:
    try:
        vendor_terms.require(connection=account, vendor=Elsewhere(), at=walk.at)
    except vendor_terms.VendorNotAllowed as refused:
        return refused.code
    return ""
