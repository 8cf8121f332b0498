"""What did a person write themselves? An e-mail repeats our words; those are not theirs."""

import re

from consent import keywords
from consent.keywords import Meaning
from consent.models import Channel

# A subject that begins so is ours, sent back.
ANSWERED = re.compile(
    r"^\s*(?:(?:re|aw|antw|sv|vs|odp|res|rif|fw|fwd|wg|tr|ynt|отв|رد|回复|答复)"
    r"\s*(?:\[\d+\])?\s*[:：]\s*)+",
    re.IGNORECASE,
)
# Where mail programs put all that came before, without marking each line.
ALL_BELOW = re.compile(
    r"^\s*(?:_{10,}|-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|"
    r"mensaje original|message d'origine|messaggio originale|mensagem original|"
    r"oorspronkelijk bericht|исходное сообщение|原始邮件)\s*-*)\s*$",
    re.IGNORECASE,
)
# "On Monday Ana wrote:", in any language: a line that ends so, before the quoted ones.
INTRODUCED = re.compile(
    r"^.{0,200}(?:wrote|schrieb|escribió|a écrit|ha scritto|escreveu|schreef|napisał|пишет|"
    r"написал|كتب|写道)\b.{0,100}[:：]\s*$",
    re.IGNORECASE,
)
# What is heard first where subject and words differ: the side that protects.
STRONGEST = (Meaning.STOP, Meaning.UNSURE)


def meaning(*, channel: str, subject: str, text: str) -> Meaning:
    """Return what an answer means; of an e-mail, its subject and the person's own lines.

    Law: 47 CFR 64.1200(a)(10), any reasonable means.
    """
    if channel != Channel.EMAIL:
        return keywords.read(text)
    words = keywords.read(own_lines(text))
    title = keywords.read(ANSWERED.sub("", subject))
    if ANSWERED.match(subject) and title != Meaning.STOP:
        # Our own subject came back: of that, only a plain stop can be the person's.
        title = Meaning.OTHER
    for strong in STRONGEST:
        if strong in {words, title}:
            return strong
    return words if words != Meaning.OTHER else title


def own_lines(text: str) -> str:
    """Return the lines of an e-mail that its writer typed, without those they answer to."""
    kept = []
    for line in text.splitlines():
        if ALL_BELOW.match(line):
            break
        if not line.lstrip().startswith((">", "|")) and not INTRODUCED.match(line):
            kept.append(line)
    return "\n".join(kept).strip()
