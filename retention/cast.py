"""Who are the people of the demo? Made up by a seed: names of many scripts, addresses of nobody."""

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import NamedTuple

import phonenumbers


@dataclass(frozen=True)
class Person:
    """One row of the demo's list; the fields are the columns of an import."""

    name: str
    email: str
    phone: str
    language: str
    time_zone: str
    country: str
    company: str
    city: str
    consent: str = "yes"


class Culture(NamedTuple):
    language: str
    country: str
    time_zone: str
    city: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    joiner: str = " "


CULTURES = (
    Culture(
        "en",
        "US",
        "America/New_York",
        "Boston",
        ("Ashlynne", "Beatrix", "Thaddeus", "Marguerite", "Cornelius", "Philippa"),
        ("Featherstone", "Abernathy-Cole", "O'Shaughnessy", "Winterbourne", "Lockridge"),
    ),
    Culture(
        "en",
        "GB",
        "Europe/London",
        "Leeds",
        ("Saoirse", "Gwendolen", "Alasdair", "Rhiannon", "Tarquin", "Elspeth"),
        ("Cholmondeley", "Ravenscroft", "MacGillivray", "Butterworth", "Penhaligon"),
    ),
    Culture(
        "de",
        "DE",
        "Europe/Berlin",
        "Köln",
        ("Jörg-Uwe", "Annegret", "Friedhelm", "Käthe", "Waldtraut", "Götz"),
        ("Großkreutz", "Müller-Lüdenscheidt", "Schönhäuser", "Weißflog", "Krautwurst"),
    ),
    Culture(
        "es",
        "ES",
        "Europe/Madrid",
        "Sevilla",
        ("Íñigo", "Begoña", "Nuria María", "Fermín", "Asunción", "Gaizka"),
        ("Ibáñez de la Peña", "Etxebarria", "Zurbarán", "Núñez Ordóñez", "Villafañe"),
    ),
    Culture(
        "fr",
        "FR",
        "Europe/Paris",
        "Besançon",
        ("Zoë", "Anaïs", "Loïc", "Françoise", "Maëlys", "Cédric"),
        ("Beauséjour", "L'Héritier", "Delacroix-Noël", "Grandpierre", "Çalouste"),
    ),
    Culture(
        "pt",
        "BR",
        "America/Sao_Paulo",
        "Salvador",
        ("Conceição", "João Inácio", "Thaís", "Valdirene", "Anselmo", "Iracema"),
        ("Gonçalves Brandão", "Figueirôa", "Albuquerque", "Queirós", "Assunção"),
    ),
    Culture(
        "hi",
        "IN",
        "Asia/Kolkata",
        "पुणे",
        ("आशालता", "प्रियंवदा", "श्रीनिवास", "मृणालिनी", "क्षितिज", "दिव्यांशु"),
        ("चतुर्वेदी", "भट्टाचार्य", "देशपांडे", "कुलश्रेष्ठ", "त्रिपाठी"),
    ),
    Culture(
        "ar",
        "AE",
        "Asia/Dubai",
        "دبي",
        ("عبدالرحمن", "فاطمة الزهراء", "ميسون", "نورالدين", "شهرزاد", "إبراهيم"),
        ("الشنقيطي", "بن خلدون", "القيرواني", "الزمخشري", "المرزوقي"),
    ),
    Culture(
        "zh",
        "TW",
        "Asia/Taipei",
        "臺北",
        ("欧阳", "司马", "诸葛", "上官", "慕容", "令狐"),
        ("静雯琪", "承祯远", "明轩逸", "婉儿晴", "雪村霖"),
        joiner="",
    ),
    Culture(
        "el",
        "GR",
        "Europe/Athens",
        "Αθήνα",
        ("Ευανθία", "Θρασύβουλος", "Ιφιγένεια", "Παρασκευή", "Ξενοφών", "Χρυσάνθη"),
        ("Παπαδημητρίου", "Κωνσταντινίδου", "Χατζηγιάννης", "Μαυροκορδάτος", "Ψαρράς"),
    ),
)
BLOSSOMS = ("", "", "", "", " 🌸", " 🎉")


def people(*, count: int, seed: int) -> list[Person]:
    """Return `count` people, the same for the same seed; no two share a name or an address."""
    dice = random.Random(seed)  # noqa: S311 people of a demo, no secret
    made: list[Person] = []
    taken: set[str] = set()
    while len(made) < count:
        person = _person(CULTURES[len(made) % len(CULTURES)], len(made), dice)
        if taken.isdisjoint({person.name, person.phone}):
            taken |= {person.name, person.phone}
            made.append(person)
    return made


def as_csv(people: Iterable[Person]) -> bytes:
    """Return a list as the file a marketer would upload."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Person.__dataclass_fields__))
    writer.writeheader()
    for person in people:
        writer.writerow(asdict(person))
    return out.getvalue().encode()


def _person(culture: Culture, number: int, dice: random.Random) -> Person:
    name = culture.joiner.join((dice.choice(culture.given), dice.choice(culture.family)))
    mark = f"{dice.getrandbits(40):010x}"
    return Person(
        name=name + dice.choice(BLOSSOMS),
        email=f"guest.{mark}@example.org",
        phone=_phone(culture.country, number, dice),
        language=culture.language,
        time_zone=culture.time_zone,
        country=culture.country,
        company=dice.choice(("Northwind Optics", "Harbour Dental", "Lumen Telecom")),
        city=culture.city,
    )


def _phone(country: str, number: int, dice: random.Random) -> str:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        raise LookupError(f"no mobile number is known for {country}")
    stem = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[:-4]
    while True:
        # The last four digits name the person's number; those the sandbox refuses are left out.
        candidate = f"{stem}{dice.randrange(100) * 100 + number % 100:04d}"
        plausible = phonenumbers.is_valid_number(phonenumbers.parse(candidate))
        if plausible and not candidate.endswith(("0001", "0002", "0003", "0004")):
            return candidate
