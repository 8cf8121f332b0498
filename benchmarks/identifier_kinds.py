"""The classes: the 18 of HIPAA as far as they are text, and their kin of Europe and beyond.

Of the 18, fingerprints and voices (16) and faces (17) have no text; the 12th is vehicles.
"""

from benchmarks import identifiers as made
from benchmarks.identifiers import Kind, of, one_of, that_holds
from config.lib import check_digits, national_numbers

HIPAA = (
    Kind("names", "1", made.name, "name", "", made.no_name),
    Kind("streets", "2", made.address, "address vehicle", "at", made.no_address),
    Kind(
        "postcodes",
        "2",
        of("SW%A %??", "EC%? %AB", "M% %AB", "CA 9####", "NY 1####"),
        "address",
        "in",
        of("room B %#", "A% paper", "MP% and %G", "hall C%#", "a CA team", "the NY office"),
    ),
    Kind("dates", "3", made.date, "date phone national_id", "on", made.no_date),
    Kind(
        "ages over 89",
        "3",
        of("9# years old", "aged 9#", "10# years old", "9#-year-old", "age 9#"),
        "age",
        "and is",
        of("%# customers", "1# years old", "aged 6#", "over 9# per cent", "for 2# years"),
    ),
    Kind("phones", "4", made.phone, "phone long_number", "call", made.no_phone),
    Kind("fax numbers", "5", made.phone, "phone long_number", "fax", made.no_phone),
    Kind(
        "e-mails", "6", made.mail, "email", "to", of("3 @ %# euros", "a team @ work", "at the dot")
    ),
    Kind(
        "SSN",
        "7",
        of("1##-%#-%###", "4##-#%-#%##", "77#-%%-###%"),
        "national_id phone",
        "SSN",
        of("000-##-####", "9##-00-####"),
        free=False,
    ),
    Kind(
        "medical records",
        "8",
        one_of(
            of("MRN: #######", "MRN ######", "patient no. ####-##", "medical record number %#####")
        ),
        "record_number",
        "the",
        of(
            "% patients",
            "%# medical teams",
            "a record of %## years",
            "patient since 20##",
            "records of 20##",
        ),
    ),
    Kind(
        "health plans",
        "9",
        of(
            "health plan number ???######",
            "member ID ?########",
            "policy no. %#######",
            "beneficiary no. ??#####",
        ),
        "record_number unique_code national_id",
        "the",
        of("health plan of 20##", "% members", "our policy since 20##", "%,### members", "plan %"),
    ),
    Kind(
        "accounts",
        "10",
        of(
            "account number ##-#####",
            "Kundennummer ###-####",
            "account no. ########",
            "customer no. %####",
            "Konto %######",
        ),
        "record_number",
        "the",
        of(
            "%## accounts",
            "account % of %",
            "%,### customers",
            "Kunden seit 20##",
            "account managers in 20##",
        ),
    ),
    Kind(
        "licences",
        "11",
        of(
            "license number ?#######",
            "licence ??######",
            "certificate no. ?####-##",
            "driving licence %#####",
        ),
        "record_number unique_code national_id vehicle",
        "the",
        of(
            "ISO %### certificate",
            "a licence for 20##",
            "%# licences",
            "EN 60601",
            "certificate of 20##",
        ),
    ),
    Kind(
        "vehicles",
        "12",
        of(
            "??-?? ####",
            "??-? ###",
            "AB## ?!!",
            "??-###-??",
            "?? ### ??",
            "#### !!!",
            "%-!!!-##",
            "MH##AB####",
        ),
        "vehicle unique_code address national_id",
        "the car",
        of(
            "A% paper",
            "room B%#",
            "MP% file",
            "COVID-19",
            "Windows 1%",
            "%### KWH",
            "%### GBP",
            "Boeing 7#7",
        ),
    ),
    Kind(
        "VIN",
        "12",
        that_holds(check_digits.vehicle, "1HGCM8###3A######", "5YJSA1E##MF######"),
        "vehicle",
        "the car",
        that_holds(check_digits.vehicle, "1HGCM8###3A######", wanted=False),
        free=False,
    ),
    Kind(
        "devices",
        "13",
        of(
            "~~:~~:~~:~~:~~:~~",
            "~~-~~-~~-~~-~~-~~",
            "serial number ??#######",
            "device ID ####-????-##",
        ),
        "device record_number unique_code ip_address",
        "device",
        of(
            "%# devices",
            "serial production since 20##",
            "iPhone 1%",
            "version %.#.#",
            "ratio %:%",
            "%:%#:##",
        ),
    ),
    Kind(
        "URLs",
        "14",
        of(
            "https://example.org/~~~~",
            "www.example.com/?id=###",
            "example.co.uk/~~~",
            "shop.example.net",
            "http://example.com",
        ),
        "url",
        "see",
        of("e.g. this", "%.# per cent", "and/or", "24/7", "at %.%0", "i.e. now", "No.% of all"),
    ),
    Kind(
        "IP addresses",
        "15",
        one_of(of("192.168.%#.%#", "203.0.113.%#", "10.#.%#.%"), made.ip_6),
        "ip_address",
        "host",
        of("version %.#.%", "%:## or %:##", "section %.#.%", "ratio %:%:%", "%.###.###"),
    ),
    Kind(
        "unique codes",
        "18",
        of("~~~~~~~~-~~~~-4~~~-8~~~-~~~~~~~~~~~~", "?#??##?#*#?", "##?#??#?##"),
        "unique_code national_id vehicle device iban",
        "code",
        of(
            "code SAVE%#",
            "WELCOME20##",
            "code SPRING%",
            "COVID-19",
            "ISO27001",
            "GPT-%",
            "%GB of data",
        ),
    ),
)
KIN = (
    Kind(
        "IBAN",
        "bank",
        made.iban,
        "iban",
        "IBAN",
        of("DE## #### ####", "GB##", "BIC of %# banks", "EUR %#,###"),
    ),
    Kind(
        "cards",
        "bank",
        that_holds(check_digits.luhn, "4### #### #### ####", "5%##############", "37#############"),
        "card",
        "card",
        that_holds(check_digits.luhn, "4### #### #### ####", wanted=False),
        free=False,
    ),
    Kind(
        "VAT numbers",
        "tax",
        of(
            *"ATU######## BE0######### DE######### DK######## EL######### ESB########".split(),
            *"FI######## FR########### HU######## IE#######W IT########### LU########".split(),
            *"NL#########B0# PL########## PT######### SE##########01".split(),
        ),
        "national_id unique_code iban",
        "VAT number",
        of("VAT of %#%", "DE ####", "FR %#", "VAT 20##", "AT %# sites"),
    ),
    Kind(
        "passports",
        "identity",
        of(
            "C0%&##&#%",
            "##AA#####",
            "YA#######",
            "AAA######",
            "A########",
            "P#######",
            "?########",
            "GBR#######",
        ),
        "national_id unique_code record_number vehicle",
        "passport",
        of("passport to %# ideas", "A% paper", "B2B", "passport since 20##", "MP3", "C%#"),
    ),
    Kind(
        "licence plates, EU",
        "vehicle",
        of(
            "B-?? ####",
            "M-? ###",
            "AA-###-BB",
            "#### !!!",
            "AB ### CD",
            "WX## ABC",
            "%-TRS-##",
            "GT-##-RS",
        ),
        "vehicle address national_id",
        "the car",
        of("A-level", "B-side %", "%#-%# euros", "F1", "G%# summit", "U2", "ISO-9001"),
    ),
)
NATIONAL = (
    made.national(
        "India Aadhaar", "Aadhaar", check_digits.verhoeff, "4### #### ####", "7###########"
    ),
    made.national("UK NHS", "NHS number", check_digits.nhs, "4## ### ####", "9#########"),
    made.national("Spain DNI and NIE", "DNI", check_digits.spanish, "########?", "X#######?"),
    made.national(
        "France NIR", "NIR", check_digits.french, "2 69 05 49 ### ### ##", "1850175######%#"
    ),
    made.national(
        "Germany tax", "Steuer-ID", check_digits.german_tax, "%# ### ### ###", "%##########"
    ),
    made.national("Netherlands BSN", "BSN", check_digits.dutch, "%########", "%###.##.###"),
    made.national("Poland PESEL", "PESEL", check_digits.polish, dated_shape="%y%m%d#####"),
    made.national("Italy fiscal code", "codice fiscale", check_digits.italian, "RSSMRA8#T1#A###?"),
    made.national(
        "Finland HETU",
        "HETU",
        lambda n: check_digits.finnish(f"{n[:6]}-{n[6:]}"),
        dated_shape="%d%m%y-###*",
    ),
    made.national("Sweden", "personnummer", national_numbers.swedish, dated_shape="%y%m%d-####"),
    made.national("Norway", "fødselsnummer", national_numbers.norwegian, dated_shape="%d%m%y#####"),
    made.national(
        "Denmark CPR",
        "CPR",
        national_numbers.danish,
        dated_shape="%d%m%y-####",
        miss=of("3%13##-####", "##2%##-####"),
    ),
    made.national(
        "Belgium", "rijksregisternummer", national_numbers.belgian, dated_shape="%y.%m.%d-###.##"
    ),
    made.national("Portugal NIF", "NIF", national_numbers.portuguese, "2########", "2## ### ###"),
    made.national("Austria", "SVNR", national_numbers.austrian, dated_shape="####%d%m%y"),
    made.national("Switzerland AHV", "AHV", national_numbers.swiss, "756.####.####.##"),
    made.national(
        "Czechia, Slovakia", "rodné číslo", national_numbers.czech, dated_shape="%y%m%d/####"
    ),
    made.national("Romania CNP", "CNP", national_numbers.romanian, dated_shape="1%y%m%d######"),
    made.national("Bulgaria EGN", "EGN", national_numbers.bulgarian, dated_shape="%y%m%d####"),
    made.national("Greece AMKA", "AMKA", national_numbers.greek, dated_shape="%d%m%y#####"),
    made.national("Croatia OIB", "OIB", national_numbers.croatian, "%##########"),
    made.national("Ireland PPS", "PPS", national_numbers.irish, "#######?", "#######?A"),
    made.national(
        "Estonia, Lithuania", "isikukood", national_numbers.baltic, dated_shape="3%y%m%d####"
    ),
    made.national("Hungary TAJ", "TAJ", national_numbers.hungarian, "### ### ###", "#########"),
    made.national("Brazil CPF", "CPF", national_numbers.brazilian, "###.###.###-##"),
    made.national("Turkey", "kimlik", national_numbers.turkish, "%##########"),
    made.national(
        "Korea RRN",
        "RRN",
        national_numbers.korean,
        dated_shape="%y%m%d-1######",
        miss=of("##2%##-1######", "##13##-1######"),
    ),
    made.national("China", "resident ID", national_numbers.chinese, "11010519####31####"),
    made.national(
        "South Africa", "ID number", national_numbers.south_african, dated_shape="%y%m%d#######"
    ),
    made.national("Canada SIN", "SIN", check_digits.luhn, "%## ### ###", "1##-###-###"),
    made.national("Germany health card", "KVNR", national_numbers.german_health, "?#########"),
)
KINDS = (*HIPAA, *KIN, *NATIONAL)
