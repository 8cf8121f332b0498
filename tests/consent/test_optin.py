"""Does the question whether somebody agrees go out over an account that carries its channel?"""

import pytest

from accounts.audit import SYSTEM
from consent import optin
from consent.models import Message, OptIn
from integrations import keyed
from integrations.models import Connection
from tests.consent.people import NOON, act, person

pytestmark = pytest.mark.django_db
PHONE = "+4915112345678"


def account(provider: str) -> Connection:
    return keyed.connect(provider=provider, label=provider, values={}, at=NOON, actor=SYSTEM)


def ask(channel: str) -> OptIn | None:
    contact = person(email="ana@example.org", phone=PHONE)
    act(contact, channel, "given")
    return optin.ask(
        contact=contact, purpose_code="marketing", channel=channel, at=NOON, actor=SYSTEM
    )


def test_each_channel_goes_over_the_account_that_carries_it() -> None:
    twilio, sendgrid = account("twilio"), account("sendgrid")
    for channel, carrier in (("email", sendgrid), ("sms", twilio)):
        assert ask(channel) is not None
        assert Message.objects.get(channel=channel).connection == carrier


def test_nobody_is_asked_over_an_account_that_carries_another_channel() -> None:
    account("twilio")
    assert ask("email") is None
    assert not Message.objects.exists()
