"""What else reads a link besides its person? Twenty-seven behaviours, as they are seen in the wild.

A behaviour is a name, what it says it is, and what it does: `get` and `head` the page, `follow`
every address on it, guess the `leaves`, ask for `bytes`, `options`, `post` bare, `tap` while it
fetches ahead, or `submit` each form as a script does: without the button that nobody pressed.
"""

import re
from dataclasses import dataclass, field

from django.http import HttpResponse
from django.test import Client

from videos.models import Link

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari"
)
EDGE = f"{CHROME} Edg/126.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
FACEBOOK = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
LEAVES = ("", "/play", "/watch", "/stop", "/code", "/report", "/receipt")
ACTS = ("/play", "/stop", "/code", "/report")
ADDRESS = re.compile(r'(?:href|src|action)="([^"#]+)"')
FORM = re.compile(r'<form method="post" action="([^"]+)".*?</form>', re.DOTALL)
FIELD = re.compile(r'<input[^>]*name="([^"]+)"[^>]*?(?:value="([^"]*)")?[^>]*>')


@dataclass(frozen=True)
class Behaviour:
    """One reader that is not the person."""

    name: str
    agent: str
    does: str
    headers: dict[str, str] = field(default_factory=dict)


BEHAVIOURS = [
    Behaviour("Safe Links, at the click", EDGE, "head get follow"),
    Behaviour("Safe Links, detonation in a sandbox", EDGE, "get follow submit"),
    Behaviour("Proofpoint URL Defense", "Mozilla/5.0 (compatible; Proofpoint)", "get follow"),
    Behaviour("Barracuda, which posts as well", "BarracudaCentral/1.0", "head get follow post"),
    Behaviour("Mimecast", "Mimecast-URL-Scanner/1.0", "head get leaves"),
    Behaviour("Symantec Email Security", "Symantec Email Security.cloud", "get follow"),
    Behaviour("Cisco IronPort", "Cisco-IronPort-URL-Scanner", "head get"),
    Behaviour("FortiGuard", "FortiGuard/1.0", "get leaves"),
    Behaviour("urlscan, with a whole browser", CHROME, "get follow submit"),
    Behaviour("WhatsApp preview", "WhatsApp/2.23.20.0 A", "get", {"Range": "bytes=0-65535"}),
    Behaviour("Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "get bytes"),
    Behaviour("iMessage", f"{IPHONE} facebookexternalhit/1.1 Facebot Twitterbot/1.0", "get follow"),
    Behaviour("Telegram", "TelegramBot (like TwitterBot)", "get bytes"),
    Behaviour("Facebook", FACEBOOK, "get", {"Range": "bytes=0-524287"}),
    Behaviour("Twitter", "Twitterbot/1.0", "head get"),
    Behaviour("LinkedIn", "LinkedInBot/1.0 (compatible; Mozilla/5.0)", "get follow"),
    Behaviour("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0)", "get bytes"),
    Behaviour("Skype and Teams", "SkypeUriPreview Preview/0.5", "head get"),
    Behaviour("Googlebot", "Googlebot/2.1 (+http://www.google.com/bot.html)", "get follow"),
    Behaviour("Bingbot", "bingbot/2.0 (+http://www.bing.com/bingbot.htm)", "get leaves"),
    Behaviour("Chrome prefetch", CHROME, "get", {"Sec-Purpose": "prefetch"}),
    Behaviour("Chrome prerender", CHROME, "get follow", {"Sec-Purpose": "prefetch;prerender"}),
    Behaviour("Firefox prefetch", "Mozilla/5.0 Gecko/20100101", "get", {"X-Moz": "prefetch"}),
    Behaviour("Fetched ahead, posts and all", CHROME, "tap", {"Sec-Purpose": "prefetch"}),
    Behaviour("Headless Chrome with scripts", f"{CHROME} HeadlessChrome", "get follow submit"),
    Behaviour("A probe of methods", "curl/8.5.0", "options head post"),
    Behaviour("A downloader of ranges", "Wget/1.21", "get bytes leaves"),
]


class Reader:
    """One behaviour at work on one link, with a browser's memory of its own."""

    def __init__(self, behaviour: Behaviour, link: Link, token: str) -> None:
        self.client = Client()
        self.behaviour, self.link, self.page = behaviour, link, f"/v/{token}"
        self.headers = {"User-Agent": behaviour.agent, **behaviour.headers}
        self.answers: list[HttpResponse] = []

    def read(self) -> list[HttpResponse]:
        """Do what the behaviour does; return every answer."""
        for word in self.behaviour.does.split():
            getattr(self, f"_{word}")()
        return self.answers

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> HttpResponse:
        asked = getattr(self.client, method)
        answer: HttpResponse = asked(path, body or {}, headers=self.headers)
        self.answers.append(answer)
        return answer

    def _get(self) -> None:
        self._ask("get", self.page)

    def _head(self) -> None:
        self._ask("head", self.page)

    def _leaves(self) -> None:
        for leaf in LEAVES:
            self._ask("get", f"{self.page}{leaf}")

    def _follow(self) -> None:
        for path in ADDRESS.findall(self._ask("get", self.page).content.decode()):
            if path.startswith("/") and not path.startswith("/static/"):
                self._ask("get", path)

    def _bytes(self) -> None:
        for leaf in ("video.mp4", "captions.vtt"):
            self._ask("get", f"/watch/{self.link.public_id}/{leaf}")
            self._ask("head", f"/watch/{self.link.public_id}/{leaf}")

    def _options(self) -> None:
        for leaf in LEAVES:
            self._ask("options", f"{self.page}{leaf}")

    def _post(self) -> None:
        for leaf in ACTS:
            self._ask("post", f"{self.page}{leaf}")

    def _tap(self) -> None:
        for leaf in ("/play", "/code", "/report"):
            self._ask("post", f"{self.page}{leaf}", {"gesture": "tap"})

    def _submit(self) -> None:
        page = self._ask("get", self.page).content.decode()
        for form in FORM.finditer(page):
            fields = {name: value or "x" for name, value in FIELD.findall(form.group(0))}
            self._ask("post", form.group(1), fields)
