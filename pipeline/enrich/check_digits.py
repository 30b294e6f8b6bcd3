"""Check digits: which strings of digits can be what they look like.

Holds: `luhn`, `is_card`, `is_iban`, `is_isbn`, `ID_RULES`. Pure. Not here: finding them in texts
(`personal.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

IBAN_LENGTHS: dict[str, int] = {
    pair[:2]: int(pair[2:])
    for pair in """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20
    EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30
    KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28
    PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24
    XK20
    """.split()  # noqa: SIM905 - read as a table
}
"""Country and length of every IBAN in use."""

_ITALIAN_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11,
            3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
        ),
        strict=True,
    )
)  # fmt: skip


class IdRule(NamedTuple):
    """A national number: how it is written, what must hold, and whether a word must name it.

    `labelled`: so many other numbers pass the check that one without a word beside it is none.
    """

    country: str
    pattern: str
    holds: Callable[[str], bool]
    labelled: bool


def luhn(digits: str) -> bool:
    """Whether the last digit is that of Luhn's formula."""
    doubled = (sum(divmod(2 * int(one), 10)) for one in digits[-2::-2])
    return (sum(doubled) + sum(int(one) for one in digits[::-2])) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's: an issuer's first digits, its length, Luhn's digit."""
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    known = (
        (digits[0] == "4" and len(digits) in {13, 16, 19})
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and len(digits) == 16)
        or (two in {34, 37} and len(digits) == 15)
        or ((four == 6011 or two == 65 or 644 <= three <= 649) and len(digits) == 16)
        or ((300 <= three <= 305 or two in {36, 38}) and len(digits) == 14)
        or (3528 <= four <= 3589 and len(digits) == 16)
        or (two == 62 and len(digits) in {16, 19})
    )
    return known and len(set(digits)) > 1 and luhn(digits)


def is_iban(text: str) -> bool:
    """Whether letters and digits without spaces are an IBAN: the country's length, and mod 97."""
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1


def is_isbn(digits: str) -> bool:
    """Whether 13 digits are a book's number."""
    if len(digits) != 13 or digits[:3] not in {"978", "979"}:
        return False
    return _weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(one) * weight for one, weight in zip(digits, weights, strict=False))


def _is_date(year: str, month: str, day: str) -> bool:
    """Whether there is such a day; a year of two digits is tried in both centuries."""
    years = (year,) if len(year) == 4 else ("19" + year, "20" + year)
    for one in years:
        try:
            date(int(one), int(month), int(day))
        except ValueError:
            continue
        return True
    return False


def _spanish(text: str) -> bool:
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


def _italian(text: str) -> bool:
    odd = sum(_ITALIAN_ODD[one] for one in text[:15:2])
    even = sum(int(one) if one.isdigit() else ord(one) - 65 for one in text[1:15:2])
    return chr(65 + (odd + even) % 26) == text[15]


def _french(text: str) -> bool:
    number = text[:-2].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(text[-2:])


def _brazilian(text: str) -> bool:
    if len(set(text)) == 1:
        return False
    first = _weighted(text, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(text, range(11, 1, -1)) * 10 % 11 % 10
    return text[-2:] == f"{first}{second}"


def _polish(text: str) -> bool:
    month = int(text[2:4]) % 20
    dated = _is_date(text[:2], str(month), text[4:6])
    return dated and _weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _chinese(text: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    known = "10X98765432"[_weighted(text, weights) % 11] == text[-1]
    return (
        known and "1900" <= text[6:10] <= "2099" and _is_date(text[6:10], text[10:12], text[12:14])
    )


def _finnish(text: str) -> bool:
    number = int(text[:6] + text[7:10])
    dated = _is_date(text[4:6], text[2:4], text[:2])
    return dated and "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == text[10]


def _belgian(text: str) -> bool:
    number, check = text[:9], int(text[9:])
    return check in {97 - int(number) % 97, 97 - int("2" + number) % 97}


def _chilean(text: str) -> bool:
    body = text[:-1][::-1]
    total = _weighted(body, (2, 3, 4, 5, 6, 7, 2, 3, 4))
    return "0K987654321"[total % 11] == text[-1]


def _dutch(text: str) -> bool:
    return _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and len(set(text)) > 1


def _turkish(text: str) -> bool:
    numbers = [int(one) for one in text]
    tenth = (7 * sum(numbers[0:9:2]) - sum(numbers[1:8:2])) % 10
    return numbers[9] == tenth and sum(numbers[:10]) % 10 == numbers[10]


def _korean(text: str) -> bool:
    total = _weighted(text, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    return _is_date(text[:2], text[2:4], text[4:6]) and (11 - total % 11) % 10 == int(text[12])


def _swedish(text: str) -> bool:
    return _is_date(text[:2], text[2:4], text[4:6]) and luhn(text)


ID_RULES: tuple[IdRule, ...] = (
    IdRule("ES", r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]", _spanish, labelled=False),
    IdRule(
        "IT",
        r"[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]",
        _italian,
        labelled=False,
    ),
    IdRule("FR", r"[12] ?\d\d ?[01]\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", _french, labelled=True),
    IdRule("BR", r"\d{3}\.\d{3}\.\d{3}-\d\d", _brazilian, labelled=False),
    IdRule("PL", r"\d{11}", _polish, labelled=True),
    IdRule("CN", r"[1-8]\d{16}[\dX]", _chinese, labelled=False),
    IdRule("FI", r"\d{6}[-+A]\d{3}[0-9A-Y]", _finnish, labelled=False),
    IdRule("BE", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", _belgian, labelled=False),
    IdRule("CL", r"\d{1,2}\.\d{3}\.\d{3}-[\dK]", _chilean, labelled=False),
    IdRule("NL", r"\d{9}", _dutch, labelled=True),
    IdRule("TR", r"[1-9]\d{10}", _turkish, labelled=True),
    IdRule("KR", r"\d{6}-[1-4]\d{6}", _korean, labelled=False),
    IdRule("SE", r"\d{6}[-+]\d{4}", _swedish, labelled=True),
)
"""Separators are dropped before a rule is asked, but in Finnish ids, where one is a century."""
