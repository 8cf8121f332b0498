"""Promise 5: scanners and previews read a link as often as they like, and nothing happens."""

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import models
from django.test import Client

from config.lib import clock
from tests.videos import stage
from videos.models import Link, Play

pytestmark = pytest.mark.django_db
# Mail gateways, messengers' previews, search engines, and browsers that fetch ahead.
BOTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks",
    "Mozilla/5.0 (compatible; Microsoft Office Outlook; ms-office; MSOffice 16)",
    "BarracudaCentral/1.0 (+https://www.barracudacentral.org/)",
    "Mimecast-URL-Scanner/1.0",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "Mozilla/5.0 (compatible; Symantec Email Security.cloud)",
    "Cisco-IronPort-URL-Scanner",
    "Trend Micro WTP Add-On 1.2",
    "FortiGuard/1.0",
    "Mozilla/5.0 (compatible; urlscan.io)",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)",
    "Discordbot/2.0; +https://discordapp.com",
    "SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (Macintosh) AppleWebKit Facebot Applebot/0.1 (iMessage preview)",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "GoogleImageProxy via ggpht.com",
    "bingbot/2.0 (+http://www.bing.com/bingbot.htm)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Mozilla/5.0 HeadlessChrome/126.0 Safari/537.36",
]
AHEAD: list[dict[str, str]] = [{}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}]


def snapshot() -> dict[str, list[object]]:
    rows: dict[str, list[object]] = {}
    for model in apps.get_models():
        manager: models.Manager[models.Model] = model._base_manager
        rows[model._meta.label] = list(manager.order_by("pk").values_list())
    return rows


def paths(link: Link, token: str) -> list[str]:
    page = f"/v/{token}"
    own = [f"{page}{leaf}" for leaf in ("", "/play", "/watch", "/stop", "/receipt")]
    bytes_of = f"/watch/{link.public_id}"
    return [*own, f"{bytes_of}/video.mp4", f"{bytes_of}/captions.vtt"]


def walk(client: Client, addresses: list[str]) -> None:
    for ahead in AHEAD:
        for bot in BOTS:
            for address in addresses:
                cache.clear()
                client.get(address, headers={"User-Agent": bot, **ahead})
                client.head(address, headers={"User-Agent": bot, **ahead})


def test_no_bot_changes_a_row_by_reading() -> None:
    link, token = stage.link(at=clock.now())
    before = snapshot()
    walk(Client(), paths(link, token))
    assert snapshot() == before


def test_after_all_bots_the_person_still_plays() -> None:
    link, token = stage.link(plays_allowed=1, at=clock.now())
    walk(Client(), paths(link, token)[:2])
    assert Client().post(f"/v/{token}/play", stage.TAP).status_code == 303
    assert Play.objects.count() == 1


def test_reading_with_the_players_cookies_changes_nothing_either() -> None:
    link, token = stage.link(at=clock.now())
    client = Client()
    client.post(f"/v/{token}/play", stage.TAP)
    before = snapshot()
    for address in paths(link, token):
        client.get(address)
    assert snapshot() == before


def test_a_preview_card_tells_nothing_of_the_person() -> None:
    _, token = stage.link(at=clock.now())
    text = Client().get(f"/v/{token}", headers={"User-Agent": BOTS[10]}).content.decode()
    assert 'property="og:title" content="A video message"' in text
    assert "og:image" not in text
    assert "Zoë" not in text
