"""How is a caption written so that no text can break out of its cue? (WebVTT)"""

import unicodedata


def timestamp(seconds: float) -> str:
    """Write a time as HH:MM:SS.mmm."""
    total_ms = max(0, round(seconds * 1000))
    minutes, rest_ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest_ms // 1000:02d}.{rest_ms % 1000:03d}"


def escape(text: str) -> str:
    """Make text safe inside a cue: one line, no tags, no arrow, no control signs."""
    kept = (" " if sign.isspace() else sign for sign in text if _is_written(sign))
    line = " ".join("".join(kept).split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cue(*, start_seconds: float, end_seconds: float, text: str, settings: str = "") -> str:
    """Write one cue with a blank line after it."""
    times = f"{timestamp(start_seconds)} --> {timestamp(end_seconds)}"
    return f"{times} {settings}".rstrip() + f"\n{escape(text)}\n\n"


def _is_written(sign: str) -> bool:
    # ZWNJ and ZWJ shape Persian, Indic and emoji; other invisible signs disguise.
    return sign in "\u200c\u200d" or sign.isspace() or unicodedata.category(sign)[0] != "C"
