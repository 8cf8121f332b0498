"""What of connections runs by itself?"""

import uuid

from config.lib import clock
from integrations import oauth, templates
from integrations.crm import channels
from integrations.models import Connection


def tidy() -> int:
    return oauth.end_late(at=clock.now())


def read_templates(connection_id: str) -> str:
    row = Connection.objects.get(pk=uuid.UUID(connection_id))
    return templates.refresh(connection=row, at=clock.now())


def read_all_templates() -> int:
    return templates.refresh_all(at=clock.now())


def hold_channels() -> int:
    return channels.hold_open()
