"""What does a person see who has just started Sealcast? Addresses, sign-ins and one link."""

import io
import json
from datetime import datetime
from typing import Any

import segno
from django.conf import settings

from accounts import people

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
    client = demo["client"]
    lines += [
        "",
        f"  Partner API   {settings.PUBLIC_URL}/api/v1/docs/",
        f"    client id     {client['id']}",
        f"    client secret {client['secret']}",
        "",
        f"  Phones        {settings.PUBLIC_URL}/phones/   (what each recipient's phone shows)",
        "",
        f"  A recipient's link: {demo['link']}",
        _qr(demo["link"]),
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
    code = people.unused_recovery_code(email=person["email"])
    if code:
        lines.append(f"    code          {code}   (works once; `make code` prints another)")
    return lines


def _qr(link: str) -> str:
    out = io.StringIO()
    segno.make(link, error="l").terminal(out, border=1, compact=True)
    return "\n".join(f"  {line}" for line in out.getvalue().splitlines())
