import hashlib

import pytest

from consent import forms_shown, purposes
from consent.models import Notice, RenderedForm
from tests.consent.people import NOON

pytestmark = pytest.mark.django_db
WORDS = "I agree to get offers from Acme & Sons."
BOX = "<label><input type='checkbox' name='agree'> I agree to get <b>offers</b>\n from {} </label>"
FORM = "<form>" + BOX.format("Acme &amp; Sons.") + "<input name='email'><button>Go</button></form>"


@pytest.fixture
def notice() -> Notice:
    purposes.ensure_defaults(at=NOON)
    purpose = purposes.current("marketing", NOON)
    return purposes.notice(purpose=purpose, language="en", text=WORDS, at=NOON)


def test_a_form_is_kept_once_by_the_hash_of_what_was_shown(notice: Notice) -> None:
    first = forms_shown.keep(notice=notice, html=FORM, at=NOON)
    assert forms_shown.keep(notice=notice, html=FORM, at=NOON) == first
    assert first.sha256 == hashlib.sha256(FORM.encode()).hexdigest()
    assert RenderedForm.objects.get().html == FORM


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("type='checkbox'", "type='checkbox' checked"), "ticked before"),
        (("type='checkbox'", "type=RADIO CHECKED=''"), "ticked before"),
        (("name='email'", "name='email' value='ana@example.org'"), "email holds an answer"),
        (("<form>", f"<form><input type='hidden' name='key' value='{'x' * 43}'>"), "key holds"),
        (("<button>", "<textarea>Ana</textarea><button>"), "textarea holds an answer"),
        (("offers", "calls"), "does not show the words"),
        (("I agree to get", "<script>I agree to get</script>"), "does not show the words"),
        (("<form>", "<form>" + " " * forms_shown.HTML_MAX_CHARS), "longer than"),
    ],
)
def test_a_form_nobody_can_have_been_shown_so_is_refused(
    notice: Notice, change: tuple[str, str], words: str
) -> None:
    with pytest.raises(forms_shown.NotAsShown, match=words):
        forms_shown.keep(notice=notice, html=FORM.replace(*change), at=NOON)
    assert RenderedForm.objects.count() == 0
