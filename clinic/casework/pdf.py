"""A certificate on paper: a tagged PDF (PDF/UA-1). typst is loaded with the first and not before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("certificate.typ")


def certificate_pdf(data: dict[str, Any]) -> bytes:
    """The words go in as data and never become part of the template."""
    import typst

    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        sys_inputs={"data": json.dumps(data)},
    )
    assert isinstance(made, bytes), "one document makes one file"
    return made
