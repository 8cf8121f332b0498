"""What has every page of a stand-in? It says what it is, takes our webhook's address, and obeys.

It posts to one installation alone. How it answers can be chosen, since what goes wrong at a vendor
is what nobody can try there.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.simulators import desk_page
from tests.simulators.server import Hook

Poster = Callable[[Hook], int]
# The first part of a mood is a misbehaviour of `tests.simulators.server`.
MOODS = {
    "": "as it should",
    "429": "that there are too many calls (429)",
    "401": "that it does not know us (401)",
    "500": "with an error of its own (500)",
    "closed": "nothing, and takes nothing",
}
TAKEN = "closed taken"


class Front:
    """The page of one stand-in."""

    note = ""
    moods: Mapping[str, str] = MOODS
    # What can be pressed beside the rows.
    wide_acts: tuple[str, ...] = ()

    def __init__(self, title: str, vendor: Any, *, public_url: str, keys: Mapping[str, str]):
        self.title, self.vendor, self.keys = title, vendor, dict(keys)
        self.public_url, self.hooks_at = public_url, f"{public_url}/hooks/"
        self.webhook, self.said, self.mood = "", "", ""
        self.post: Poster = send

    def done(self, form: Mapping[str, str]) -> None:
        """Do what was pressed on the page."""
        if "webhook" in form:
            self.enter(form["webhook"].strip())
        if form.get("mood") in self.moods:
            self.behave(form["mood"])

    def enter(self, address: str) -> None:
        """Take the address to post to: of our one installation, or none."""
        is_ours = address.startswith(self.hooks_at)
        self.webhook = address if is_ours else ""
        words = "posts to it" if is_ours else f"posts to addresses under {self.hooks_at} only"
        self.said = f"The stand-in {words}."

    def behave(self, mood: str) -> None:
        """Answer so from now on."""
        self.mood, self.vendor.mode = mood, mood.partition(" ")[0]
        self.said = f"The stand-in answers {self.moods[mood]}."

    def tell(self, hook: Hook) -> int:
        """Post something; 0 where it may not, or nobody answered."""
        if not hook.url.startswith(self.hooks_at):
            return 0
        return self.post(hook)

    def told(self, status: int, what: str) -> None:
        """Say on the page what became of a post."""
        words = {0: "Enter the webhook address first.", 200: f"Sealcast took {what}."}
        self.said = words.get(status, f"Sealcast refused {what} ({status}).")

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the page's table, the head first."""
        return []

    def acts(self) -> list[tuple[str, ...]]:
        """Return, for each row, what can be pressed there."""
        return []

    def page(self) -> str:
        return desk_page.written(self)


def send(hook: Hook) -> int:
    """Post to our webhook and return the status; 0 where nobody answered."""
    headers = {**hook.headers, "Content-Type": hook.content_type}
    asked = Request(hook.url, hook.body, headers)  # noqa: S310 loopback, as its caller checked
    try:
        with urlopen(asked, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as refused:
        return refused.code
    except (URLError, OSError):
        return 0
