"""What does a person see who has just started Sealcast? Addresses, sign-ins and one link."""

import io
import json
from datetime import datetime
from typing import Any

import segno
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.conf import settings

RULE = "─" * 72


def read_demo() -> dict[str, Any] | None:
    """Return what the demo keeps for its sign-ins, if this is a demo."""
    path = settings.HOME / "demo.json"
    if not settings.DEMO or not path.is_file():
        return None
    demo: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return demo


def text(*, at: datetime) -> str:
    """Return the lines to print once the web server answers."""
    demo = read_demo()
    lines = ["", RULE, f"  Sealcast {settings.VERSION} is ready: {settings.PUBLIC_URL}/", RULE]
    if demo is None:
        return "\n".join([*lines, f"  Data and keys: {settings.HOME}", RULE, ""])
    for person in demo["people"]:
        lines += _sign_in(person)
    client, link = demo["client"], settings.PUBLIC_URL + demo["link"]
    lines += [
        "",
        f"  Partner API   {settings.PUBLIC_URL}/api/v1/docs/",
        f"    client id     {client['id']}",
        f"    client secret {client['secret']}",
        "",
        f"  Phones        {settings.PUBLIC_URL}/phones/   (what each recipient's phone shows)",
        "",
        f"  A recipient's link: {link}",
        _qr(link),
        f"  Data and keys: {settings.HOME}    Stop: Ctrl-C    Start over: make reset",
        RULE,
        "",
    ]
    return "\n".join(lines)


def _sign_in(person: dict[str, str]) -> list[str]:
    lines = [
        "",
        f"  {person['title']:<13} {settings.PUBLIC_URL}{person['path']}",
        f"    e-mail        {person['email']}",
        f"    password      {person['password']}",
    ]
    code = _recovery_code(person["email"])
    if code:
        lines.append(f"    code          {code}   (works once; `make code` prints another)")
    return lines


def one_time_code(*, email: str) -> str | None:
    """Return the code that the authenticator of one of the demo's people would show now."""
    demo = read_demo()
    if demo is None or email not in {person["email"] for person in demo["people"]}:
        return None
    row = Authenticator.objects.filter(user__email=email, type=Authenticator.Type.TOTP).first()
    if row is None:
        return None
    secret = TOTP(row).instance.data["secret"]
    counters = list(yield_hotp_counters_from_time())
    # Those around the present one are taken as well; the present one stands in the middle.
    counter = counters[len(counters) // 2]
    return str(format_hotp_value(hotp_value(decrypt(secret), counter)))


def _recovery_code(email: str) -> str:
    kind = Authenticator.Type.RECOVERY_CODES
    row = Authenticator.objects.filter(user__email=email, type=kind).first()
    # The last one: a person who takes codes from the top does not meet it.
    return RecoveryCodes(row).get_unused_codes()[-1] if row else ""


def _qr(link: str) -> str:
    out = io.StringIO()
    segno.make(link, error="l").terminal(out, border=1, compact=True)
    return "\n".join(f"  {line}" for line in out.getvalue().splitlines())
