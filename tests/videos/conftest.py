import pytest

from integrations.video import providers
from tests.videos import vendor as played
from tests.videos.vendor import Vendor


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch, db: None) -> Vendor:
    """A vendor of our own, connected and agreed with."""
    account = Vendor()
    monkeypatch.setitem(providers.PROVIDERS, "played", account)
    played.connected()
    return account
