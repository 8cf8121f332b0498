"""How does the page of a stand-in look? Plain, and as no vendor's: it says what it is first."""

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulators.front import Front

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:#1b1b1f;background:#fff}
.what{background:#fff4d6;border:2px solid #8a6100;border-radius:8px;padding:.75rem 1rem}
.said{background:#e5f5ea;border:2px solid #1d6b38;border-radius:8px;padding:.75rem 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.5rem;
border-bottom:1px solid #ccc;overflow-wrap:anywhere}code{background:#f2f2f4;padding:.1rem .3rem}
input,select{font:inherit;padding:.5rem;border:1px solid #666;border-radius:6px}
.keys th{width:14rem}.wide{width:100%;box-sizing:border-box}
button{font:inherit;padding:.5rem 1rem;border:1px solid #1b1b1f;border-radius:6px;
background:#1b1b1f;color:#fff;margin-block:.25rem}.quiet{color:#55555c}
"""


def whole(title: str, inside: str) -> str:
    """Return a page of a stand-in."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{inside}</body></html>"
    )


def banner(vendor: str) -> str:
    """Say what this is, before anything else."""
    name = html.escape(vendor)
    return (
        f'<h1>Stand-in of {name}</h1><p class="what"><strong>This is not {name}.</strong> '
        f"A program on your own machine answers in its place. Nothing reaches {name}, "
        "and nobody is written to.</p>"
    )


def written(desk: "Front") -> str:
    keys = "".join(
        f"<tr><th>{html.escape(name)}</th><td><code>{html.escape(value)}</code></td></tr>"
        for name, value in desk.keys.items()
    )
    said = f'<p role="status" class="said">{html.escape(desk.said)}</p>' if desk.said else ""
    return whole(
        f"Stand-in of {desk.title}",
        f"{banner(desk.title)}{said}<p>{html.escape(desk.note)}</p>"
        f"<h2>What opens it</h2><p>No secrets: they open this program and nothing else.</p>"
        f'<table class="keys">{keys}</table>'
        f"{_hook(desk)}{_moods(desk)}{_table(desk)}",
    )


def _hook(desk: "Front") -> str:
    return (
        "<h2>Where it posts to</h2><p>The webhook address that Sealcast shows under "
        "“Keys and webhook”, as you would enter it in the vendor's settings.</p>"
        '<form method="post" action="/"><p><label>Webhook address<br>'
        f'<input class="wide" name="webhook" value="{html.escape(desk.webhook)}" '
        f'placeholder="{html.escape(desk.hooks_at)}..."></label></p>'
        "<button>Enter the address</button></form>"
    )


def _moods(desk: "Front") -> str:
    options = "".join(
        f'<option value="{html.escape(mood)}"{" selected" if mood == desk.mood else ""}>'
        f"{html.escape(words)}</option>"
        for mood, words in desk.moods.items()
    )
    return (
        "<h2>How it answers</h2><p>What goes wrong at a vendor can be tried here.</p>"
        '<form method="post" action="/"><label>It answers '
        f'<select name="mood">{options}</select></label> <button>Answer so</button></form>'
        f"{_buttons(desk.wide_acts)}"
    )


def _table(desk: "Front") -> str:
    head, *rows = desk.rows()
    acts = desk.acts() or [()] * len(rows)
    empty = f'<tr><td colspan="{len(head) + 1}" class="quiet">Nothing yet.</td></tr>'
    lines = [
        f"<tr>{''.join(f'<td>{_cell(desk, cell)}</td>' for cell in row)}"
        f"<td>{_buttons(pressed, number)}</td></tr>"
        for number, (row, pressed) in reversed([*enumerate(zip(rows, acts, strict=False))])
    ]
    titles = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    return (
        '<h2>What came in</h2><p><a href="/">Look again</a></p>'
        f"<table><tr>{titles}<th></th></tr>{''.join(lines) or empty}</table>"
    )


def _cell(desk: "Front", text: str) -> str:
    """Write a text; an address of our installation can be pressed, as on a phone."""
    ours = re.compile(rf"{re.escape(html.escape(desk.public_url))}/[\w./-]+")
    return ours.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', html.escape(text))


def _buttons(acts: tuple[str, ...], number: int | None = None) -> str:
    row = "" if number is None else f'<input type="hidden" name="row" value="{number}">'
    return "".join(
        f'<form method="post" action="/">{row}{_words(act)}'
        f'<button name="act" value="{html.escape(act)}">{html.escape(act)}</button></form>'
        for act in acts
    )


def _words(act: str) -> str:
    if act != "Answer":
        return ""
    return '<input name="words" value="STOP" size="8" aria-label="What the person says"> '
