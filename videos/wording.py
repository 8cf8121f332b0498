"""What does the message say that carries the link? Sender, name, link, AI, and how to stop."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from consent import wording as choice_words
from consent.models import Channel


@dataclass(frozen=True)
class Words:
    """One language's words; `{sender}`, `{name}` and `{url}` are filled in."""

    short: str
    subject: str
    long: str


@dataclass(frozen=True)
class Wording:
    """One message to one person."""

    subject: str
    text: str


LANGUAGES = {
    "en": Words(
        "{sender}: Hello {name}, a short video for you, made with AI: {url} Reply STOP to stop.",
        "A video for you from {sender}",
        "Hello {name},\n\n{sender} has a short video for you. It is made with AI.\n\n{url}\n\n"
        "The link is yours alone and ends by itself. No more of these? Open it and press Stop.",
    ),
    "de": Words(
        "{sender}: Guten Tag {name}, ein kurzes Video für Sie, mit KI erstellt: {url} "
        "STOP antworten, um keine mehr zu erhalten.",
        "Ein Video für Sie von {sender}",
        "Guten Tag {name},\n\n{sender} hat ein kurzes Video für Sie. Es ist mit KI erstellt.\n\n"
        "{url}\n\nDer Link gehört nur Ihnen und läuft von selbst ab. Keine weiteren? "
        "Öffnen Sie ihn und drücken Sie auf Stop.",
    ),
    "es": Words(
        "{sender}: Hola {name}, un video corto para ti, hecho con IA: {url} "
        "Responde STOP para no recibir más.",
        "Un video para ti de {sender}",
        "Hola {name}:\n\n{sender} tiene un video corto para ti. Está hecho con IA.\n\n{url}\n\n"
        "El enlace es solo tuyo y caduca. ¿No quieres más? Ábrelo y pulsa Stop.",
    ),
    "fr": Words(
        "{sender} : bonjour {name}, une courte vidéo pour vous, faite avec l'IA : {url} "
        "Répondez STOP pour ne plus en recevoir.",
        "Une vidéo pour vous de {sender}",
        "Bonjour {name},\n\n{sender} a une courte vidéo pour vous. Elle est faite avec l'IA.\n\n"
        "{url}\n\nLe lien n'est qu'à vous et prend fin tout seul. Plus de messages ? "
        "Ouvrez-le et appuyez sur Stop.",
    ),
    "pt": Words(
        "{sender}: Olá {name}, um vídeo curto para você, feito com IA: {url} "
        "Responda STOP para não receber mais.",
        "Um vídeo para você de {sender}",
        "Olá {name},\n\n{sender} tem um vídeo curto para você. Ele é feito com IA.\n\n{url}\n\n"
        "O link é só seu e expira. Não quer mais? Abra-o e toque em Stop.",
    ),
    "hi": Words(
        "{sender}: नमस्ते {name}, आपके लिए AI से बना एक छोटा वीडियो: {url} रोकने के लिए STOP लिखें।",
        "{sender} की ओर से आपके लिए एक वीडियो",
        "नमस्ते {name},\n\n{sender} ने आपके लिए एक छोटा वीडियो भेजा है। यह AI से बना है।\n\n{url}\n\n"
        "यह लिंक केवल आपका है और अपने आप बंद हो जाता है। और नहीं चाहिए? इसे खोलें और Stop दबाएँ।",
    ),
    "ar": Words(
        "{sender}: مرحبًا {name}، فيديو قصير لك صُنع بالذكاء الاصطناعي: {url} أرسل STOP للإيقاف.",
        "فيديو لك من {sender}",
        "مرحبًا {name}،\n\nلدى {sender} فيديو قصير لك، صُنع بالذكاء الاصطناعي.\n\n{url}\n\n"
        "الرابط لك وحدك وينتهي من تلقاء نفسه. لا تريد المزيد؟ افتحه واضغط Stop.",
    ),
}

CODE_MINUTES = 10
# A subject and a text for the code that opens a video; neither says what the video is about.
CODES = {
    "en": (
        "Your code for a video from {sender}",
        "{sender}: {code} is your code to open the video. It holds for {minutes} minutes. "
        "Nobody will ask you for it.",
    ),
    "de": (
        "Ihr Code für ein Video von {sender}",
        "{sender}: {code} ist Ihr Code, um das Video zu öffnen. Er gilt {minutes} Minuten. "
        "Niemand fragt Sie danach.",
    ),
    "es": (
        "Tu código para un video de {sender}",
        "{sender}: {code} es tu código para abrir el video. Vale {minutes} minutos. "
        "Nadie te lo va a pedir.",
    ),
    "fr": (
        "Votre code pour une vidéo de {sender}",
        "{sender} : {code} est votre code pour ouvrir la vidéo. Il vaut {minutes} minutes. "
        "Personne ne vous le demandera.",
    ),
    "pt": (
        "Seu código para um vídeo de {sender}",
        "{sender}: {code} é o seu código para abrir o vídeo. Vale por {minutes} minutos. "
        "Ninguém vai pedir este código.",
    ),
    "hi": (
        "{sender} के वीडियो के लिए आपका कोड",
        "{sender}: वीडियो खोलने के लिए आपका कोड {code} है। यह {minutes} मिनट तक मान्य है। "
        "कोई भी आपसे यह नहीं माँगेगा।",
    ),
    "ar": (
        "رمزك لفيديو من {sender}",
        "{sender}: رمزك لفتح الفيديو هو {code}. يصلح لمدة {minutes} دقائق. لن يطلبه منك أحد.",
    ),
}


def code(*, channel: str, language: str, sender: str, code: str, site: str) -> Wording:
    """Write the message that carries a one-time code, in the person's language or in English.

    A phone offers the code by itself, on the page of `site` only (WICG, origin-bound codes).
    """
    subject, text = CODES.get(language.partition("-")[0], CODES["en"])
    values = {"sender": sender, "code": code, "minutes": str(CODE_MINUTES)}
    if channel == Channel.EMAIL:
        return Wording(_fill(subject, values), _fill(text, values))
    host = urlsplit(site).hostname
    return Wording("", _fill(text, values) + (f"\n\n@{host} #{code}" if host else ""))


def message(
    *, channel: str, language: str, sender: str, name: str, url: str, choices: str = ""
) -> Wording:
    """Write the message that carries a link, in the person's language or in English.

    An e-mail names the page of the person's choices as well; a text message has no room for it.

    Law: EU AI Act Art. 50(4), told at the first contact; CTIA and 15 USC 7704(a)(3), a way to stop.
    """
    words = LANGUAGES[written_in(language)]
    values = {"sender": sender, "name": name, "url": url}
    if channel == Channel.EMAIL:
        footer = f"\n\n{choice_words.words(language)['choices_title']}: {choices}"
        text = _fill(words.long, values)
        return Wording(_fill(words.subject, values), text + footer if choices else text)
    return Wording("", _fill(words.short, values))


def written_in(language: str) -> str:
    """Return the language in which somebody who reads this one is written to."""
    short = language.partition("-")[0]
    return short if short in LANGUAGES else "en"


def _fill(pattern: str, values: dict[str, str]) -> str:
    # Not str.format: a name with braces in it is a name, not a pattern.
    parts = pattern.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        key, _, rest = part.partition("}")
        filled += [values[key], rest]
    return "".join(filled)
