"""Does the paper say what the record says, and nothing that does not agree with itself?"""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pypdf
import pytest

from clinic.scripts import paper, pdf, presenters
from clinic.scripts.models import Script
from scheduling.instalments import WORDINGS

HOSTILE = '#panic("x") [y] $z$ \\ "quoted" <script>'


def a_paper(**more: Any) -> dict[str, Any]:
    return {
        "form": "FP10MDA", "release": None,
        "patient": {"name": "MORGAN, Dewi", "born": "14-Mar-1986", "nhs_number": "999 000 0018",
                    "address": "3 Mill Lane"},
        "prescriber": {"name": "Dr Huw Pugh", "number": "GMC 9990001", "service": "Taff Vale",
                       "address": "1 High Street", "telephone": "01632 960001", "body": None,
                       "ods_code": None},
        "pharmacy": {"name": "Bridge Pharmacy", "address": None, "telephone": None},
        "item": {"name": "Methadone", "form": "oral solution", "strength": "1 mg/ml"},
        "doses": [{"when": "Fri 6 Nov 2026 to Sun 8 Nov 2026", "mg": "40",
                   "text": "40 mg (40 ml) by mouth once a day"}],
        "unit": "ml", "total": "120", "total_in_words": "one hundred and twenty millilitres",
        "total_mg": "120", "tablets": [],
        "instalments": [
            {"number": 1, "due": "Fri 6 Nov 2026", "for": "Fri 6 Nov 2026", "supervised": True,
             "take_home_days": 0, "amount": "40", "mg": "40"},
            {"number": 2, "due": "Sat 7 Nov 2026", "for": "Sat 7 Nov 2026 to Sun 8 Nov 2026",
             "supervised": True, "take_home_days": 1, "amount": "80", "mg": "80"},
        ],
        "wordings": [], "first_day": "Fri 6 Nov 2026", "last_day": "Sun 8 Nov 2026",
        "signed_on": "Wed 4 Nov 2026", "start_on": "Fri 6 Nov 2026",
        "valid_until": "Fri 4 Dec 2026", "unsigned": paper.UNSIGNED,
        **more,
    }  # fmt: skip


def text_of(content: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_a_form_is_tagged_and_the_same_bytes_each_time() -> None:
    first = pdf.form_pdf(a_paper(), "Printed today", 1)
    second = pdf.form_pdf(a_paper(), "Printed today", 1)

    reader = pypdf.PdfReader(io.BytesIO(first))
    assert first == second
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en-GB"
    assert b"pdfuaid" in first


def test_what_somebody_typed_is_printed_and_never_run() -> None:
    patient = {**a_paper()["patient"], "address": HOSTILE}

    text = text_of(pdf.form_pdf(a_paper(patient=patient), "Printed today", 1))

    assert '#panic("x") [y] $z$' in text.replace("“", '"').replace("”", '"')
    assert "<script>" in text


def test_forty_instalments_run_over_pages_that_each_say_whose_they_are() -> None:
    each = a_paper()["instalments"][0]
    many = [{**each, "number": number} for number in range(1, 71)]
    long = a_paper(
        instalments=many, total="2800", total_mg="2800",
        total_in_words="two thousand eight hundred millilitres",
    )  # fmt: skip

    pages = pypdf.PdfReader(io.BytesIO(pdf.form_pdf(long, "Printed today", 2))).pages

    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert "MORGAN, Dewi" in text
        assert "999 000 0018" in text
        assert "Methadone oral solution 1 mg/ml" in text
        assert "Total 2800 ml, 2800 mg" in text
        assert f"Page {number} of {len(pages)}" in text
        assert "Printed today" in text


def test_two_weeks_from_a_prison_printed_again_fit_on_one_sheet() -> None:
    """The most a usual form has on it; its signature stands below what it signs for."""
    each = a_paper()["instalments"][0]
    words = [{"id": name, "version": "2015", "text": row.text} for name, row in WORDINGS.items()]
    long = a_paper(
        release=paper.RELEASE, instalments=[{**each, "number": n} for n in range(1, 15)],
        total="560", total_mg="560", total_in_words="five hundred and sixty millilitres",
        wordings=words,
        prescriber={**a_paper()["prescriber"], "body": "Taff NHS Trust", "ods_code": "Y12345"},
    )  # fmt: skip

    pages = pypdf.PdfReader(io.BytesIO(pdf.form_pdf(long, "Printed today", 2))).pages

    assert len(pages) == 1


@pytest.mark.proves("L-04", "L-05", "L-06", "L-07")
@pytest.mark.parametrize(
    "wrong",
    [
        {"total_in_words": "one hundred and twenty-one millilitres"},
        {"total": "121", "total_in_words": "one hundred and twenty-one millilitres"},
        {"total_mg": "119"},
        {"doses": [{"when": "", "mg": "40", "text": " "}]},
        {"item": {"name": "Methadone", "form": "oral solution", "strength": ""}},
        {"tablets": [{"strength": "2 mg", "total": "3", "total_in_words": "three millilitres"}]},
    ],
)
def test_a_form_that_disagrees_with_itself_is_not_put_on_paper(wrong: dict[str, Any]) -> None:
    with pytest.raises(paper.WillNotPrint):
        pdf.form_pdf(a_paper(**wrong), "Printed today", 1)


def test_a_copy_says_that_nothing_may_be_dispensed_on_it() -> None:
    text = text_of(pdf.file_pdf(a_paper(), "Copied today"))

    assert "Not a prescription: nothing may be dispensed against it" in text


@pytest.mark.proves("S-05")
@pytest.mark.parametrize(
    ("children", "told"), [(True, True), (None, True), (False, False)]
)  # fmt: skip
def test_the_patients_copy_tells_days_and_safe_storage(children: bool | None, told: bool) -> None:
    plain = presenters.patient_copy(Script(paper=a_paper()), children)

    text = text_of(pdf.patient_pdf(a_paper(), plain, "Printed today"))

    assert "Sat 7 Nov 2026" in text
    assert "take home the doses for 1 day" in text
    assert "caps that children cannot open" in text
    assert ("Use a locked box" in text) is told
    assert "This is not the prescription" in text


def test_who_takes_every_dose_at_the_pharmacy_has_nothing_to_store() -> None:
    only = a_paper(instalments=a_paper()["instalments"][:1])

    plain = presenters.patient_copy(Script(paper=only), True)

    assert plain["storage"] == [
        "You take every dose at the pharmacy. There is nothing to keep at home."
    ]


def test_the_service_starts_without_loading_what_makes_pdfs() -> None:
    asking = (
        "import sys\nfrom clinic import create_app\nfrom config.settings import Settings\n"
        "create_app(Settings(mode='test'))\nprint('typst' in sys.modules)\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", asking], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "False"
