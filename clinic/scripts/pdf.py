"""Put a form on paper: the words of `paper.py` as a tagged PDF (PDF/UA-1).

typst is loaded with the first PDF and not before, so that a process that prints none neither waits
for it nor holds it. The words go in as data and never become part of the template.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clinic.scripts.paper import must_agree

Data = dict[str, Any]
TEMPLATE = Path(__file__).with_name("form.typ")
FORM, FILE, PATIENT = "form", "file", "patient"
"""What is put on paper: the form itself, a copy for the file, the patient's own copy."""

MARKS = {
    FILE: "COPY FOR THE FILE. Not a prescription: nothing may be dispensed against it.",
    PATIENT: "For you to keep. This is not the prescription: the pharmacy has that.",
}


def reprint_mark(number: int) -> str | None:
    """What stands across a reprint; None for the first print."""
    if number == 1:
        return None
    return f"REPRINT, copy {number}. Destroy every earlier copy: only one may be dispensed against."


def form_pdf(paper: Data, printed: str, number: int) -> bytes:
    """The form itself. WillNotPrint unless what is kept agrees with itself."""
    must_agree(paper)
    return _render({"copy": FORM, "paper": paper, "printed": printed, "mark": reprint_mark(number)})


def file_pdf(paper: Data, printed: str) -> bytes:
    """A copy for the file, marked as one."""
    must_agree(paper)
    return _render({"copy": FILE, "paper": paper, "printed": printed, "mark": MARKS[FILE]})


def patient_pdf(paper: Data, plain: Data, printed: str) -> bytes:
    """The patient's copy in plain language; `plain` as `patient_copy` says it."""
    return _render(
        {"copy": PATIENT, "paper": paper, "printed": printed, "mark": MARKS[PATIENT], **plain}
    )


def _render(data: Data) -> bytes:
    import typst

    title = {PATIENT: "Your prescription"}.get(
        data["copy"], f"{data['paper']['form']} prescription"
    )
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        sys_inputs={"data": json.dumps({"title": title, **data})},
    )
    assert isinstance(made, bytes), "one document makes one file"
    return made
