"""Who is in the stand-ins of the CRMs, and what happens there after they were read once?

People of nobody: numbers kept free for fiction, addresses under example.org.
"""

from tests.simulators.base import Simulator
from tests.simulators.hubspot import HubSpot
from tests.simulators.salesforce import Salesforce
from tests.simulators.server import Hook
from tests.simulators.zoho import Zoho

PEOPLE = 40
FIRST = ("Ana", "Bo", "Chloé", "Dmitri", "Esra", "Femi", "Grete", "Hiro", "Inés", "Jun")
LAST = ("Nobody", "Nemo", "Niemand", "Personne")
CITIES = (("US", "Springfield"), ("FR", "Lyon"), ("DE", "Kiel"), ("IN", "Pune"))
# Everyone of this number opted out of e-mail before the first reading.
OPTED_OUT = 8
# Everyone of this number is said to have agreed, in the words of the CRM; that allows nothing.
AGREED = 3
Told = dict[str, str]


def fill(vendor: Simulator) -> list[str]:
    """Let a stand-in know forty people; return their ids."""
    ids = [_add(vendor, number) for number in range(PEOPLE)]
    for identity in ids[OPTED_OUT - 1 :: OPTED_OUT]:
        opt_out(vendor, identity)
    return ids


def happen(vendor: Simulator, ids: list[str], *, at: float) -> list[Hook]:
    """Let a day pass there: one opts out, one is deleted, two turn out to be one.

    Return what the vendor posts of it to whoever asked for that.
    """
    opt_out(vendor, ids[0])
    delete(vendor, ids[1], at=at)
    if isinstance(vendor, HubSpot):
        vendor.merge(ids[2], ids[3])
    elif isinstance(vendor, Salesforce):
        vendor.merge(ids[2], ids[3], at=at)
    elif isinstance(vendor, Zoho):
        # Of a merge Zoho tells that one record is gone, and no more.
        vendor.delete(ids[2], at=at)
        return [*vendor.hooks("edit", ids[0]), *vendor.hooks("delete", ids[1], ids[2])]
    return []


def opt_out(vendor: Simulator, identity: str) -> None:
    if isinstance(vendor, HubSpot):
        vendor.change(identity, hs_email_optout="true")
    elif isinstance(vendor, Salesforce):
        vendor.change(identity, HasOptedOutOfEmail=True)
    elif isinstance(vendor, Zoho):
        vendor.change(identity, Email_Opt_Out=True)


def delete(vendor: Simulator, identity: str, *, at: float) -> None:
    if isinstance(vendor, HubSpot):
        vendor.archive(identity)
    elif isinstance(vendor, Salesforce):
        vendor.change(identity, at=at, IsDeleted=True)
    elif isinstance(vendor, Zoho):
        vendor.delete(identity, at=at)


def was_read(vendor: Simulator) -> bool:
    """Say whether somebody has read all contacts of a stand-in, more than a preview of five."""
    marks = ("limit=100", "queryAll", "per_page=200")
    asked = [
        f"{call.path}?{'&'.join(f'{k}={v}' for k, v in call.query.items())}"
        for call in vendor.calls
    ]
    return any(mark in one for one in asked for mark in marks)


def _add(vendor: Simulator, number: int) -> str:
    name, last = FIRST[number % 10], LAST[number // 10]
    email, phone = (
        f"crm{number}@example.org",
        f"+1415555{100 + number:04d}",
    )
    country, city = CITIES[number % 4]
    agreed = number % AGREED == 0
    if isinstance(vendor, HubSpot):
        return vendor.add(
            firstname=name,
            lastname=last,
            email=email,
            mobilephone=phone,
            hs_country_region_code=country,
            city=city,
            hs_language="en",
            hs_legal_basis="Freely given consent from contact" if agreed else "",
        )
    if isinstance(vendor, Salesforce):
        return vendor.add(
            Name=f"{name} {last}",
            Email=email,
            MobilePhone=phone,
            MailingCountry=country,
            MailingCity=city,
        )
    assert isinstance(vendor, Zoho)
    return vendor.add(
        First_Name=name,
        Last_Name=last,
        Email=email,
        Mobile=phone,
        Mailing_Country=country,
        Mailing_City=city,
        Data_Processing_Basis="Consent - Obtained" if agreed else "Not Applicable",
    )
