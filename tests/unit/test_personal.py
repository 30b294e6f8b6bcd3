"""Personal data in texts: what is found, what must not be, and where the rules fail."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.enrich.annotator import annotate, resolve
from pipeline.enrich.check_digits import ID_RULES, is_card, is_iban, is_isbn, luhn
from pipeline.enrich.personal import Found
from pipeline.enrich.personal import find as find_all

FOUND = [
    ("Write to anna.berg+news@mail.example.org today.", "email", "anna.berg+news@mail.example.org"),
    ("Call +44 20 7946 0958 before noon.", "phone", "+44 20 7946 0958"),
    ("Ring (212) 555-0147.", "phone", "(212) 555-0147"),
    ("Tel.: 030 901820", "phone", "030 901820"),
    ("Téléphone : 01 99 00 12 34", "phone", "01 99 00 12 34"),
    ("电话:010-5550 1234", "phone", "010-5550 1234"),
    ("Pay to DE89 3704 0044 0532 0130 00 now", "iban", "DE89 3704 0044 0532 0130 00"),
    ("CH93 0076 2011 6238 5295 7", "iban", "CH93 0076 2011 6238 5295 7"),
    ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
    ("4111 1111 1111 1111", "card", "4111 1111 1111 1111"),
    ("Visa 4111111111111111", "card", "4111111111111111"),
    (
        "378282246310005 is no card without its word; Amex 378282246310005",
        "card",
        "378282246310005",
    ),
    ("DNI 12345678Z", "id", "12345678Z"),
    ("NIE X1234567L", "id", "X1234567L"),
    ("codice RSSMRA85T10A562S", "id", "RSSMRA85T10A562S"),
    ("CPF 111.444.777-35", "id", "111.444.777-35"),
    ("PESEL 44051401359", "id", "44051401359"),
    ("号码11010519491231002X。", "id", "11010519491231002X"),
    ("Hetu 131052-308T", "id", "131052-308T"),
    ("RUT 12.345.678-5", "id", "12.345.678-5"),
    ("BSN: 111222333", "id", "111222333"),
    ("TC kimlik 10000000146", "id", "10000000146"),
    ("personnummer 811218-9876", "id", "811218-9876"),
    ("93.05.18-223.61", "id", "93.05.18-223.61"),
    ("NIR 2 55 08 14 168 025 38", "id", "2 55 08 14 168 025 38"),
]

NOTHING = [
    "",
    "photo_4111111111111111.jpg and IMG_20261121_101512.jpg",
    "Image id 4111111111111111 (Getty 1234567890)",
    "/images/2026/11/21/44051401359.png",
    "https://example.org/a/4111-1111-1111-1111?tel=+442079460958",
    "icon@2x.png and logo@3x.webp",
    "On 2026-11-21 at 10:15:30, and 21.11.2026, and 20261121101530.",
    "between 2019-2024 and 1914-1918",
    "ISBN 978-0-306-40615-7, ISBN 0-306-40615-2",
    "9780306406157",
    "It cost 1 234 567 890 crowns, or $1,234,567,890.12.",
    "4111 1111 1111 1112",
    "DE89 3704 0044 0532 0130 01",
    "DNI 12345678A",
    "CPF 111.444.777-36",
    "44051401359 without a word",
    "#2125550147 and order 212555014799",
    "sha256 4f1c9a0e1234567890123456789012",
    "3.14159265358979",
    "52.5200 13.4050, 48.856613 2.352222",
    "10.1000/182 and 192.168.100.200",
    "@user said hello @all",
    "1 2 3 4 5 6 7 8 9",
]  # fmt: skip


def find(text: str) -> list[Found]:
    """Return what is found in one text."""
    return find_all(pa.array([text], pa.string())).get(0, [])


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_personal_data_is_found(text: str, kind: str, value: str) -> None:
    """Each kind is found where it stands, and nothing beside it."""
    found = [(one.kind, text[one.start : one.end]) for one in find(text)]
    assert found == [(kind, value)]


@pytest.mark.parametrize("text", NOTHING)
def test_other_numbers_are_not(text: str) -> None:
    """Image ids, file names, links, dates, book numbers, sums and places are nobody's."""
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("anna at example dot org", "an address that is spelt out"),
        ("030 901820", "a phone number that no word names"),
        ("4111111111111111", "a card number in one run that no word names"),
        ("219-09-9999", "a number without check digits (US)"),
    ],
)
def test_known_misses(text: str, why: str) -> None:
    """These are personal data and not found; a rule that learns one moves it to FOUND."""
    assert find(text) == [], why


def test_known_false_alarms() -> None:
    """A number in the form of a North American phone is taken for one, whatever it numbers."""
    assert [one.kind for one in find("Invoice 212-555-0147")] == ["phone"]


def test_one_wrong_digit_breaks_each_check() -> None:
    """Every check digit notices any single digit that is wrong."""
    for good, holds in (
        ("4111111111111111", is_card), ("4111111111111111", luhn),
        ("DE89370400440532013000", is_iban), ("9780306406157", is_isbn),
    ):  # fmt: skip
        assert holds(good)
        last = good[:-1] + str((int(good[-1]) + 1) % 10)
        assert not holds(last)
    known = {"ES": "12345678Z", "BR": "11144477735", "PL": "44051401359", "NL": "111222333",
             "TR": "10000000146", "CL": "123456785", "BE": "93051822361"}  # fmt: skip
    for rule in ID_RULES:
        if (good := known.get(rule.country)) is not None:
            assert rule.holds(good), rule.country
            for place in range(len(good) - 2):
                wrong = good[:place] + str((int(good[place]) + 1) % 10) + good[place + 1 :]
                assert not rule.holds(wrong), (rule.country, wrong)


def test_columns_count_and_hold_no_value() -> None:
    """Counts and half-open spans are written, and no column holds the address itself."""
    text = "Äöü: a@example.org, b@example.org or +44 20 7946 0958"
    row = annotate(pa.array([text, "none"]), resolve(("personal",))).to_pylist()
    assert (row[0]["personal_emails"], row[0]["personal_phones"]) == (2, 1)
    spans = [text[one["start"] : one["end"]] for one in row[0]["personal_spans"]]
    assert spans == ["a@example.org", "b@example.org", "+44 20 7946 0958"]
    assert "example.org" not in str({name: row[0][name] for name in row[0]})
    assert (row[1]["personal_emails"], row[1]["personal_spans"]) == (0, [])
