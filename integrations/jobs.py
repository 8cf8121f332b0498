"""What of connections runs by itself?"""

from config.lib import clock
from integrations import oauth


def tidy() -> int:
    return oauth.end_late(at=clock.now())
