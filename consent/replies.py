"""What did a person write themselves? An e-mail repeats our words; those are not theirs."""

import re

from consent import keywords
from consent.keywords import Meaning
from consent.models import Channel
from consent.reply_text import own

# A subject that begins so is ours, sent back.
ANSWERED = re.compile(
    r"^\s*(?:(?:re|aw|antw|sv|vs|odp|res|rif|fw|fwd|wg|tr|ynt|отв|رد|回复|答复)"
    r"\s*(?:\[\d+\])?\s*[:：]\s*)+",
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
    words = keywords.read(own(text))
    title = keywords.read(ANSWERED.sub("", subject))
    if ANSWERED.match(subject) and title != Meaning.STOP:
        # Our own subject came back: of that, only a plain stop can be the person's.
        title = Meaning.OTHER
    for strong in STRONGEST:
        if strong in {words, title}:
            return strong
    return words if words != Meaning.OTHER else title
