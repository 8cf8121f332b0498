"""What does consent do by itself? Ids in, nothing personal."""

from config.lib import clock
from consent import intake, outbox


def send_due() -> int:
    at = clock.now()
    outbox.recover(at=at)
    return outbox.dispatch(at=at, limit=50).total


def take_inbox() -> int:
    return intake.take_waiting(at=clock.now())
