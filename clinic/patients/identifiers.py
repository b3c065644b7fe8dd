"""Is this number well formed? Check digits and formats of the identifiers people carry.

NHS number: modulus 11. PNC id: a letter from the year and serial, modulus 23. Prison number
(NOMIS) and probation CRN have a format only. Values come out as stored: no spaces, upper case.
"""

from __future__ import annotations

import re

from clinic.errors import Invalid

DEMO_PREFIX = "999"
_PNC_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"


def nhs_number(text: str, *, demo: bool) -> str:
    """Ten digits whose check digit fits. In demo mode only the synthetic 999 range is taken."""
    digits = re.sub(r"[\s-]", "", text)
    if not (digits.isascii() and digits.isdigit() and len(digits) == 10):
        raise Invalid.field("nhs_number", "must have 10 digits, such as 999 000 0018")
    if len(set(digits)) == 1:
        raise Invalid.field("nhs_number", "cannot be one digit repeated")
    check = 11 - sum(int(d) * w for d, w in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    if check == 11:
        check = 0
    if check != int(digits[9]):
        raise Invalid.field("nhs_number", "is not a valid NHS number: check each digit")
    if demo and not digits.startswith(DEMO_PREFIX):
        raise Invalid.field(
            "nhs_number", "must start with 999 here: this is a demonstration, not for real people"
        )
    return digits


def prison_number(text: str) -> str:
    """NOMIS number: a letter, four digits, two letters."""
    value = re.sub(r"\s", "", text).upper()
    if re.fullmatch(r"[A-Z][0-9]{4}[A-Z]{2}", value) is None:
        raise Invalid.field(
            "prison_number", "must be a letter, 4 digits and 2 letters, such as A1234BC"
        )
    return value


def pnc_id(text: str) -> str:
    """PNC id as YYYY/NNNNNNNL; the short form is padded to seven digits."""
    found = re.fullmatch(r"([0-9]{4})/([0-9]{1,7})([A-Z])", re.sub(r"\s", "", text).upper())
    if found is None:
        raise Invalid.field("pnc_id", "must look like 1999/9999999V")
    year, serial, letter = found[1], found[2].zfill(7), found[3]
    # The force computes the letter over the two-digit year and the serial.
    if _PNC_LETTERS[int(year[2:] + serial) % 23] != letter:
        raise Invalid.field("pnc_id", "has a check letter that does not fit its digits")
    return f"{year}/{serial}{letter}"


def crn(text: str) -> str:
    """Probation case reference: a letter and six digits."""
    value = re.sub(r"\s", "", text).upper()
    if re.fullmatch(r"[A-Z][0-9]{6}", value) is None:
        raise Invalid.field("crn", "must be a letter and 6 digits, such as X000001")
    return value


def read(kind: str, text: str, *, demo: bool) -> str:
    """An identifier of a kind, checked. Invalid names the field."""
    if kind == "nhs":
        return nhs_number(text, demo=demo)
    readers = {"prison": prison_number, "pnc": pnc_id, "crn": crn}
    if kind not in readers:
        raise Invalid.field("kind", "must be one of: nhs, prison, pnc, crn")
    return readers[kind](text)
