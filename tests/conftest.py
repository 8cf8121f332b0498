"""What every test stands on: no network, fast passwords, a database that can be emptied."""

import os

import pytest
from django.conf import settings
from django.db import connection

from tests import environment, flush
from tests.browser import chromium, page, phone
from tests.network import no_network

CAMPAIGN = "test_from_an_empty_page_to_sent_messages"
__all__ = ["chromium", "no_network", "page", "phone"]


def pytest_configure() -> None:
    flush.install()
    # The cost of a password hash is its purpose, and here it would be minutes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Nothing is collected for a test: plain names, served from where the files are kept.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    # Each client of a test would read all static files before its first page: a tenth of the run.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session", autouse=True)
def _database_in_a_file() -> None:
    # In memory all threads of SQLite share one connection, and locks are never met.
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(environment.HOME / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_database_in_a_file: None, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a second engine, leave out what cannot come out otherwise there.

    That is what meets no database, what is marked `one_engine`, and the walks in a browser, whose
    pages are asked for without one too; a campaign from the first page to what was sent is walked
    on both.
    """
    if not os.environ.get("ONLY_DATABASE_TESTS"):
        return
    kept = [item for item in items if _meets_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _meets_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("browser") and item.name != CAMPAIGN:
        return False
    if item.get_closest_marker("one_engine"):
        return False
    marked = item.get_closest_marker("django_db") is not None
    return marked or bool(names & {"db", "transactional_db", "live_server"})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"database: {connection.vendor}")
    if before := os.environ.get("FAILED_BEFORE"):
        terminalreporter.write_line(f"FAILED before these tests: {before}", red=True)
