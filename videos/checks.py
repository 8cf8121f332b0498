"""May this campaign go out? One list of what was looked at; red blocks, amber warns."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consent.models import Channel
from integrations import connections, keyed, prices, registrations, templates
from integrations.models import Connection
from videos import (
    anonymisation,
    audiences,
    codes,
    content_rules,
    contents,
    costs,
    devices,
    languages,
    presenters,
)
from videos.models import Campaign, Script

GOOD, WARN, BAD = "good", "warn", "bad"
SHORT_LINK_HOURS = 24
SHOWN_WORDS = 6
# The list is read each hour: an account that was silent for so long has a fault.
TOLD_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: its state, what was found, and the step that mends it."""

    code: str
    state: str
    title: str
    detail: str
    step: str = ""
    fix: str = ""
    # Refusals by reason, where the check has any.
    reasons: list[dict[str, object]] = field(default_factory=list)


def checks(*, campaign: Campaign, at: datetime) -> list[Check]:
    """Look at everything that must hold before a campaign may start.

    Law: EU AI Act Art. 50, GDPR Art. 25: told, minimised and judged before anything leaves.
    """
    return [
        consent_check(campaign, at),
        *script_checks(campaign, at),
        content_check(campaign, at),
        presenter_check(campaign, at),
        language_check(campaign),
        label_check(),
        messaging_check(campaign),
        *template_check(campaign, at),
        *sms_checks(campaign, at),
        studio_check(),
        link_check(campaign),
        code_check(campaign),
        sender_check(campaign),
    ]


def consent_check(campaign: Campaign, at: datetime) -> Check:
    """Say how many may be written to, and why the others may not."""
    seen = audiences.outlook(campaign=campaign, at=at)
    detail = f"{seen.allowed} allowed now, {seen.deferred} at their hour, {seen.refused} refused."
    title = "Consent of each person"
    if not seen.total:
        return Check("consent", BAD, title, "Nobody is in the audience.", "audience", "Choose them")
    state = GOOD if not seen.refused else WARN
    if not seen.reachable:
        state, detail = BAD, f"All {seen.total} would be refused. Nothing would be sent."
    return Check("consent", state, title, detail, "audience", "See the audience", seen.reasons)


def script_checks(campaign: Campaign, at: datetime) -> list[Check]:
    """Say for each language whether its script may leave for the AI."""
    scripts = list(Script.objects.filter(campaign=campaign).exclude(text="").order_by("language"))
    if not scripts:
        return [Check("script", BAD, "Script", "There is no script yet.", "script", "Write it")]
    everybody = anonymisation.Everybody(campaign.partner, at)
    return [_script_check(script, everybody) for script in scripts]


def content_check(campaign: Campaign, at: datetime) -> Check:
    """Say what the words speak of that asks for more than plain consent, and whom that leaves.

    Law: GDPR Art. 9(2)(a) and 8; 45 CFR 164.508(a)(3).
    """
    title = "What it speaks of"
    spoken = [one for one in content_rules.look(campaign=campaign, at=at) if one.counts]
    unread = content_rules.unread(campaign)
    if not spoken:
        detail = "Nothing was found that asks for more than plain consent."
        return Check("content", WARN if unread else GOOD, title, f"{detail} {unread}".strip())
    named = "; ".join(_named(one) for one in spoken)
    left = audiences.outlook(campaign=campaign, at=at).reachable
    plain = audiences.outlook(campaign=campaign, at=at, content=()).reachable
    detail = f"{named}. {left} of the {plain} people who agreed to plain messages may get it."
    asking = {rule.id: rule for one in spoken for rule in one.rules}
    if not asking:
        detail = f"{named}. No rule where your audience is asks more of that."
    reasons = [content_rules.plain(rule) for rule in asking.values()]
    detail = f"{detail} {unread}".strip()
    return Check("content", WARN, title, detail, "script", "See the words", reasons)


def presenter_check(campaign: Campaign, at: datetime) -> Check:
    """Say whether the presenter's written release covers each language and the purpose.

    Law: BIPA 740 ILCS 14/15(b); GDPR Art. 9(2)(a).
    """
    title = "Presenter"
    if campaign.presenter_code == presenters.DRAWN:
        return Check("presenter", GOOD, title, "A drawn figure: nobody's face or voice.")
    refused = presenters.refusals(campaign=campaign, at=at)
    if refused:
        said = {reason.words for reason in refused.values()}
        words = ", ".join(languages.name(language) for language in refused)
        detail = f"{'; '.join(sorted(said))} ({words}). No video is made or sent."
        return Check("presenter", BAD, title, detail, "presenter", "Choose another")
    detail = f"{campaign.presenter_code} has released face and voice for this."
    return Check("presenter", GOOD, title, detail, "presenter", "See it")


def language_check(campaign: Campaign) -> Check:
    """Say who reads a language for which there is no script."""
    written = set(
        Script.objects.filter(campaign=campaign).exclude(text="").values_list("language", flat=True)
    )
    others = {
        language: people
        for language, people in audiences.languages(campaign).items()
        if not {language, language.partition("-")[0]} & written
    }
    title = "Languages"
    if not others:
        return Check("languages", GOOD, title, "Everyone gets a video in a language of theirs.")
    mine = languages.name(campaign.default_language)
    count, words = sum(others.values()), ", ".join(sorted(map(languages.name, others)))
    detail = f"{count} people read {words}: they get the video in {mine}."
    return Check("languages", WARN, title, detail, "script", "Add a language")


def label_check() -> Check:
    """Say that every video carries its label; the database refuses one that does not."""
    detail = "Every video says “Made with AI” from its first frame, and so do the message and page."
    return Check("label", GOOD, "AI label", detail)


def messaging_check(campaign: Campaign) -> Check:
    """Say whether there is a connection that carries the channel."""
    channel = Channel(campaign.channel).label
    found = connection_for(campaign)
    if found is None:
        detail = f"No connection in use can send {channel}."
        return Check("connection", BAD, "Messaging", detail, "connections", "Connect one")
    detail = f"{channel} goes out over {found.label}.{keyed.unheard(provider=found.provider)}"
    return Check("connection", GOOD, "Messaging", detail)


def template_check(campaign: Campaign, at: datetime) -> list[Check]:
    """Say which template a message on WhatsApp is, and whether Meta approved it.

    As the hand-off does for whoever has not written to us within a day.
    """
    found = connection_for(campaign)
    needs = campaign.channel == Channel.WHATSAPP and found and templates.keeps(connection=found)
    if found is None or not needs:
        return []
    title, leads = "WhatsApp template", ("templates", "See the templates")
    standing = templates.standing(connection=found)
    one = standing.template
    named = f"“{one.title if one else templates.chosen(connection=found)}”"
    if standing.code or one is None:
        words = f"Every message would be {named}. " if named != "“”" else ""
        return [Check("template", BAD, title, f"{words}{standing.words}", *leads)]
    spoken = f" in {templates.language(one.language)}" if one.language else ""
    detail = f"Every message is {named}{spoken}, with the person's own link. Meta approved it"
    detail += f", as {found.label} says."
    doubts = templates.doubts(template=one, connection=found)
    if found.templates_read_at and at - found.templates_read_at > TOLD_WITHIN:
        doubts.append(f"{found.label} has not said so for more than a day: press Refresh.")
    state = WARN if doubts else GOOD
    return [Check("template", state, title, " ".join([detail, *doubts]), *leads)]


def sms_checks(campaign: Campaign, at: datetime) -> list[Check]:
    """Say what the text messages cost, and whether their sender may send them where people are."""
    found = connection_for(campaign)
    if campaign.channel != Channel.SMS or found is None:
        return []
    known = found.provider in keyed.PROVIDERS
    typed = keyed.prices(connection=found) if known else prices.Prices()
    bill = costs.bill(campaign=campaign, prices=typed, at=at)
    asked = registrations.asked(connection=found, countries=bill.countries)
    return [
        _cost_check(bill, typed, asks_for_prices=known),
        *[_registration_check(one, bill.countries[one.country]) for one in asked],
    ]


def studio_check() -> Check:
    """Say whether there is an AI provider to make the base video."""
    found = connections.usable(kind="video").first()
    if found is None:
        detail = "No AI video provider is connected."
        return Check("studio", BAD, "AI video provider", detail, "connections", "Connect one")
    region = found.terms.get("region", "")
    detail = f"{found.label} makes the base video (region: {region}); its copy is then deleted."
    return Check("studio", GOOD, "AI video provider", detail)


def link_check(campaign: Campaign) -> Check:
    """Say how long a link lives and how often it plays."""
    hours = campaign.link_ttl_hours
    life = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
    detail = f"A link lives {life} from its sending and plays {campaign.plays_allowed} times."
    if hours < SHORT_LINK_HOURS:
        detail += " Many people look at their messages once a day."
        return Check("link", WARN, "Links", detail, "settings", "Change it")
    return Check("link", GOOD, "Links", detail)


def code_check(campaign: Campaign) -> Check:
    """Say who is asked for a code, and how many people no code can reach.

    Law: GDPR Art. 9(1), 32(1); 45 CFR 164.312(d).
    """
    title, asks = "Who opens it", devices.step_up(campaign=campaign)
    always = asks == Campaign.StepUp.ALWAYS
    first = f"The link alone opens it on {campaign.devices_allowed} devices."
    if asks == Campaign.StepUp.NEVER:
        return Check("code", GOOD, title, first)
    detail = "Every device" if always else f"{first} Each further one"
    detail += " asks for a code, sent to another address of the person."
    if devices.SPECIAL & set(contents.of(campaign)):
        detail += " It must: the words are about special data."
    without, people = codes.unreached(campaign=campaign), audiences.audience(campaign).count()
    if not without:
        return Check("code", GOOD, title, detail)
    end = "get no video" if always else "cannot open it there"
    detail += f" {without} of {people} people have no second address that we can use: they {end}."
    state = BAD if always and without == people else WARN
    return Check("code", state, title, detail, "settings", "Change it")


def sender_check(campaign: Campaign) -> Check:
    """Say who the recipients see as the sender."""
    if not campaign.sender_name.strip():
        return Check("sender", BAD, "Sender", "Nobody is named.", "settings", "Name the sender")
    detail = f"Recipients see “{campaign.sender_name}”. Every message says how to stop."
    return Check("sender", GOOD, "Sender and way to stop", detail)


def connection_for(campaign: Campaign) -> Connection | None:
    """Return the connection in use that carries a campaign's channel."""
    return connections.carrier(channel=campaign.channel)


def _cost_check(bill: costs.Bill, typed: prices.Prices, *, asks_for_prices: bool) -> Check:
    title = "Length and cost"
    if not bill.people:
        return Check("cost", GOOD, title, "Nobody would get a message.")
    said = [costs.length_words(bill), costs.money_words(bill)]
    lacks = bool(typed) and bool(bill.unpriced)
    if lacks:
        said.append(costs.unpriced_words(bill))
    elif asks_for_prices and not typed:
        said.append("No price is entered for this connection, so that no cost is shown.")
    state = WARN if lacks else GOOD
    return Check("cost", state, title, " ".join(filter(None, said)), "connections", "See prices")


def _registration_check(one: registrations.Registration, people: int) -> Check:
    title = f"Sender registration in {one.name}"
    number = f"{people:,} people have a number there." if people > 1 else "One number is there."
    if one.missing:
        words = f"{one.words} {number} Not entered for this connection: {', '.join(one.missing)}."
        words += " An administrator enters it under the connection's keys."
        return Check("registration", BAD, title, words, "connections", "Enter it")
    held = ", ".join(f"{label} {value}" for label, value in one.held.items())
    return Check("registration", GOOD, title, f"{number} Entered: {held}.")


def _named(one: content_rules.Spoken) -> str:
    how = ", ".join(f"“{word}”" for word in one.words[:SHOWN_WORDS])
    if len(one.words) > SHOWN_WORDS:
        how += f" and {len(one.words) - SHOWN_WORDS} more"
    added = "added by hand" if one.is_declared else ""
    return f"{one.label} ({', '.join(filter(None, [how, added]))})"


def _script_check(script: Script, known: anonymisation.Known) -> Check:
    title = f"Script in {languages.name(script.language)}"
    try:
        made = anonymisation.anonymise(
            script_text=script.text, language=script.language, known=known
        )
    except anonymisation.ScriptRefused as refused:
        first = refused.problems[0]
        detail = f"Line {first.line}, column {first.column}: {first.message}"
        return Check("script", BAD, title, detail, "script", "Mend it")
    slots = f"{len(made.slots)} empty slot{'' if len(made.slots) == 1 else 's'}"
    detail = f"{len(made.body)} bytes leave for the AI, with {slots} in them."
    return Check("script", GOOD, title, detail, "script", "See the bytes")
