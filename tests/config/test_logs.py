"""Does a log line hold nothing personal and nothing secret, whatever was put into it?"""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest

from config.lib import logs

TOKEN = "q7RkXw3mS0aVd-ZyB1nUe_8LtGh5JcOiPf2EvQxW4Kz"
EMAIL = "ana.maria+x@example.co.uk"
PHONES = ["+14155550100", "+44 7700 900123", "(415) 555-0100 22", "0049 151 12345678"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    target = io.StringIO()
    handler = logging.StreamHandler(target)
    formatter = logging.config.DictConfigurator(
        logs.configuration(level="INFO")
    ).configure_formatter(logs.configuration(level="INFO")["formatters"]["json"])
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    yield target
    root.removeHandler(handler)


def last_line(target: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(target.getvalue().splitlines()[-1])
    return line


@pytest.mark.parametrize("value", [EMAIL, TOKEN, f"Bearer {TOKEN}x", *PHONES])
def test_what_looks_personal_or_secret_is_hidden(value: str) -> None:
    assert value not in logs.scrub(f"sent to {value} today")
    assert "today" in logs.scrub(f"sent to {value} today")


@pytest.mark.parametrize(
    "text",
    [
        "con_12345678123446789234567812345678",
        "3f2a9c1e-77b0-4c1d-9e52-0d6a4be1c7f8",
        "2026-11-23T10:00:00Z",
        "a1b2c3" * 10 + "abcd",
        "took 1234 ms for 100 rows",
    ],
)
def test_ids_hashes_and_counts_stay(text: str) -> None:
    assert logs.scrub(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "client_secret",
        "password",
        "Authorization",
        "cookie",
        "api_key",
        "apikey",
        "email",
        "e_mail",
        "phone",
        "name",
        "first_name",
        "address",
        "body",
        "totp_code",
    ],
)
def test_values_under_telling_names_are_hidden_whatever_they_hold(name: str) -> None:
    assert logs.redact(None, "info", {"event": "x", name: "Ana"})[name] == logs.HIDDEN


def test_ids_and_codes_of_an_event_stay() -> None:
    event = {"event": "consent.message.sent", "message_id": "msg_1", "count": 3}
    assert logs.redact(None, "info", dict(event)) == event


def test_a_line_is_one_json_object_with_its_event(written: io.StringIO) -> None:
    logs.get("tests").info("consent.message.sent", message_id="msg_1")
    line = last_line(written)
    assert (line["event"], line["message_id"], line["level"]) == (
        "consent.message.sent",
        "msg_1",
        "info",
    )


def test_a_packages_own_line_is_redacted(written: io.StringIO) -> None:
    logging.getLogger("some.package").warning("user %s used %s", EMAIL, TOKEN)
    assert EMAIL not in written.getvalue()
    assert TOKEN not in written.getvalue()
    assert "user [hidden] used [hidden]" in last_line(written)["event"]


def test_the_text_of_an_exception_is_redacted(written: io.StringIO) -> None:
    try:
        int(EMAIL)
    except ValueError:
        logging.getLogger("some.package").exception("it failed")
    assert EMAIL not in written.getvalue()
    assert "ValueError" in written.getvalue()


def test_the_path_of_a_link_is_redacted(written: io.StringIO) -> None:
    logging.getLogger("django.request").error("Internal Server Error: /v/%s", TOKEN)
    assert TOKEN not in written.getvalue()
