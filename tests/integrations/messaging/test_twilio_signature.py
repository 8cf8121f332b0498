"""Is only what Twilio signed believed, by its own known vectors?"""

import hashlib

import pytest

from integrations.messaging import twilio_signature

# The vector of Twilio's documentation.
TOKEN, URL = "12345", "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+12349013030"),
    ("Digits", "1234"),
    ("From", "+12349013030"),
    ("To", "+18005551212"),
]
SIGNATURE = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def signed(**changes: object) -> bool:
    given: dict[str, object] = {
        "token": TOKEN,
        "url": URL,
        "fields": FIELDS,
        "body": b"",
        "signature": SIGNATURE,
        **changes,
    }
    return twilio_signature.is_signed(**given)  # type: ignore[arg-type]


def test_the_vendor_s_vector_is_believed_in_any_order() -> None:
    assert signed()
    assert signed(fields=[*FIELDS[::-1], FIELDS[0]])


def test_the_port_may_stand_or_not() -> None:
    assert signed(url=URL.replace(".com", ".com:443"))
    text = URL.replace(".com", ".com:443") + "".join(a + b for a, b in FIELDS)
    assert signed(signature=twilio_signature.sign(token=TOKEN, text=text))


@pytest.mark.parametrize(
    "change",
    [
        {"token": "12346"},
        {"token": ""},
        {"url": URL + "&more=1"},
        {"url": URL.replace("https", "http")},
        {"url": URL.replace("mycompany", "other")},
        {"fields": FIELDS[1:]},
        {"fields": [*FIELDS, ("More", "1")]},
        {"fields": [*FIELDS, ("To", "+18005551213")]},
        {"fields": None},
        {"signature": ""},
        {"signature": SIGNATURE[:-1]},
        {"signature": SIGNATURE.swapcase()},
        {"signature": "ü"},
    ],
)
def test_anything_changed_is_not_believed(change: dict[str, object]) -> None:
    assert not signed(**change)


def test_a_body_that_is_no_form_is_signed_by_its_hash() -> None:
    body = b'{"a": 1}'
    url = f"https://example.org/x?bodySHA256={hashlib.sha256(body).hexdigest()}"
    held = {"url": url, "fields": None, "signature": twilio_signature.sign(token=TOKEN, text=url)}
    assert signed(**held, body=body)
    assert not signed(**held, body=body + b" ")
    assert not signed(**{**held, "url": "https://example.org/x"}, body=body)


@pytest.mark.parametrize("name", ["plain", "ünicode", "a b"])
def test_the_vendor_s_own_validator_agrees(name: str) -> None:
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(TOKEN)
    fields = {name: "väl ue+", "B": ""}
    signature = validator.compute_signature(URL, fields)
    assert signed(fields=list(fields.items()), signature=signature)
    assert validator.validate(URL, fields, signature)
