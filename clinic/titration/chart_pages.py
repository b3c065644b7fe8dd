"""A person's charts, each with the same in words and as a table."""

from __future__ import annotations

from flask import Blueprint, render_template

from clinic.answers import Page, patient_of
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.queries import banner
from clinic.titration import chart_words
from clinic.titration.charts import ATTENDANCE, SPANS, chart
from clinic.titration.drawing import draw
from dosing.carry_over import FAST_HOURS, SLOW_HOURS

chart_pages = Blueprint("chart_pages", __name__)


@chart_pages.get("/patients/<int:patient_id>/titration/charts")
@chart_pages.get("/patients/<int:patient_id>/titration/charts/<int:span>")
@needs("prescribing.read")
def charts(patient_id: int, span: int = SPANS[0]) -> Page:
    """Dose, withdrawal, attendance and carry-over over one time axis."""
    if span not in SPANS:
        raise NotFound
    patient = patient_of(patient_id, "prescribing.read")
    found = chart(act(), patient, span)
    return render_template(
        "titration/charts.jinja", chart=found, picture=draw(found), patient=patient,
        banner=banner(act(), patient), words=chart_words.summary(found), spans=SPANS,
        rows=chart_words.day_rows(found), attendance=ATTENDANCE, fast=FAST_HOURS, slow=SLOW_HOURS,
        source=chart_words.carry_source(),
    )  # fmt: skip
