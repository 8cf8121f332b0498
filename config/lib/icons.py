"""Which picture, colour and word stand for a state? One table for badges and timelines."""

from typing import NamedTuple

# Path data on a 24 x 24 grid, drawn as strokes.
PATHS = {
    "alert": "M12 4 2.8 20h18.4ZM12 10v4.5M12 17.4v.1",
    "arrow": "M5 12h14M13 6l6 6-6 6",
    "ban": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM5.7 5.7l12.6 12.6",
    "check": "M4.5 12.5 10 18 19.5 7",
    "chevron": "M6 9.5 12 15.5 18 9.5",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7v5l3.5 2",
    "copy": "M9 9h11v11H9ZM5 15H4V4h11v1",
    "cross": "M6 6l12 12M18 6 6 18",
    "dot": "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
    "down": "M12 4v11M7 10.5l5 5 5-5M4.5 20h15",
    "edit": "M4 20h4L19 9l-4-4L4 16ZM13 7l4 4",
    "eye": "M2.5 12C5 7.5 8.3 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-5.8 6.5-9.5 6.5S5 16.5 2.5 12Z"
    "M12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z",
    "file": "M6 3h8l4 4v14H6ZM14 3v4h4M9 12h6M9 16h6",
    "gauge": "M4 18a9 9 0 1 1 16 0M12 14l4-5M12 13.2v1.6",
    "help": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM9.6 9.3a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.9"
    "M12 16.8v.1",
    "hold": "M12 3v4M7 10.5V8a5 5 0 0 1 10 0v2.5M5 10.5h14V20H5ZM12 14v2.5",
    "hourglass": "M6 3h12M6 21h12M7.5 3v3.5L12 12l4.5-5.5V3M7.5 21v-3.5L12 12l4.5 5.5V21",
    "info": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 11v5.5M12 7.6v.1",
    "key": "M8 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM11 12.7 20 4M16.5 7.5l2.5 2.5M14 10l1.8 1.8",
    "link": "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7"
    "M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17",
    "lock": "M7 10.5V8a5 5 0 0 1 10 0v2.5M5 10.5h14V20H5Z",
    "mail": "M3 6h18v12.5H3ZM3.5 7 12 13.5 20.5 7",
    "message": "M4 5h16v11H11l-4.5 4v-4H4Z",
    "pause": "M8.5 6v12M15.5 6v12",
    "phone": "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM11 18h2",
    "play": "M8 5.5v13l10.5-6.5Z",
    "plug": "M9 3v5M15 3v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0ZM12 17v4",
    "plus": "M12 5v14M5 12h14",
    "refresh": "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9M20 4v5h-5",
    "scale": "M12 4v16M7.5 20h9M5 7h14M5 7l-2.5 6h5ZM19 7l-2.5 6h5Z",
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20.5 20.5",
    "send": "M3.5 11.5 20.5 4l-6 16.5-3.5-6.5ZM11 14l9.5-10",
    "shield": "M12 3 5 5.5V11c0 4.8 2.8 8 7 10 4.2-2 7-5.2 7-10V5.5ZM8.7 11.8l2.4 2.4 4.4-4.6",
    "signout": "M10 4H5v16h5M14.5 8l4 4-4 4M18 12H9.5",
    "stop": "M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2ZM8.5 12h7",
    "tag": "M4 4h7.5L20 12.5 12.5 20 4 11.5ZM8 8v.1",
    "trash": "M4.5 7h15M9.5 7V4h5v3M6.5 7l1 13.5h9l1-13.5M10 11v6M14 11v6",
    "up": "M12 16V4.5M7 9.5l5-5 5 5M4.5 20h15",
    "user": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20.5c.8-4 3.7-6 7.5-6s6.7 2 7.5 6",
    "users": "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z"
    "M2.5 20c.6-3.6 3.1-5.5 6.5-5.5s5.9 1.9 6.5 5.5"
    "M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.9c2.2.7 3.6 2.4 4 5.1",
    "video": "M3 6.5h12v11H3ZM15 10.5l6-3.5v10l-6-3.5Z",
}


class Look(NamedTuple):
    """How one state is shown: a tone for the colour, a picture, and always a word."""

    tone: str
    icon: str
    word: str


def _group(tone: str, icon: str, words: str) -> dict[str, Look]:
    names = words.split()
    return {name: Look(tone, icon, name.replace("_", " ").capitalize()) for name in names}


STATES = {
    **_group("good", "check", "checked committed"),
    **_group(
        "good", "check", "accepted active allow allowed answered approved certified completed"
    ),
    **_group("good", "check", "confirmed connected delivered done finished given good healthy"),
    **_group(
        "good", "check", "in_force kept matched ok passed played prepared ready read released"
    ),
    **_group("good", "check", "rendered sealed sent valid verified"),
    **_group("good", "eye", "opened viewed watched"),
    **_group("info", "refresh", "checking fetching handing_off in_progress personalising"),
    **_group("info", "refresh", "preparing processing rendering running sending working"),
    **_group(
        "info", "clock", "created future planned queued requested scheduled submitted waiting"
    ),
    **_group("info", "info", "info debug"),
    **_group("warn", "clock", "awaiting_confirmation deferred defer due overdue pending"),
    **_group("warn", "alert", "attention degraded paused reconnect unsealed warn warning"),
    **_group("warn", "help", "claimed unknown unclear unverified"),
    **_group("warn", "hold", "held hold on_hold"),
    **_group("bad", "cross", "bad blocked bounced broken error failed invalid"),
    **_group("bad", "cross", "refuse refused rejected"),
    **_group("bad", "ban", "denied revoked stopped suppressed withdrawn"),
    **_group("plain", "dot", "cancelled closed draft inactive new none off plain skipped"),
    **_group("plain", "hourglass", "ended expired lapsed"),
    **_group("plain", "dot", "not_connected"),
    **_group("plain", "trash", "deleted destroyed erased"),
    "claimed": Look("warn", "help", "Claimed, no evidence"),
    "success": Look("good", "check", "Done"),
    "suppressed": Look("bad", "ban", "Stopped"),
    "unknown": Look("warn", "help", "Sent, no answer"),
    "unsealed": Look("warn", "clock", "Not yet sealed"),
}


def look(state: str) -> Look:
    """Say how a state is shown; a state that is not in the table shows its own name, plainly."""
    return STATES.get(state, Look("plain", "dot", state.replace("_", " ").capitalize()))
