"""A form on paper: printed once, reprinted with a reason, copied for the file and the patient."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, url_for

from clinic import ui
from clinic.act import Act
from clinic.answers import Page, WhyForm, carried_out
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.scripts import commands, facts, pdf, presenters, queries
from clinic.scripts.forms import PrintForm
from clinic.scripts.models import Script
from clinic.scripts.pages import ONE

paper_pages = Blueprint("paper_pages", __name__)


@paper_pages.post(f"{ONE}/print")
@needs("prescribing.prescribe")
def print_form(patient_id: int, script_id: int) -> Any:
    """The form itself on paper, for the first time."""
    if not PrintForm().validate_on_submit():
        raise Invalid("The page was open too long. Open the form again.")
    return printed(act(), patient_id, script_id, None)


@paper_pages.route(f"{ONE}/reprint", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def reprint(patient_id: int, script_id: int) -> Any:
    """Once more, marked as a reprint, with the reason."""
    patient, row = queries.one(act(), patient_id, script_id)
    form = WhyForm()
    made: list[Response] = []
    if carried_out(
        form, lambda: made.append(printed(act(), patient_id, script_id, form.reason.data or ""))
    ):
        return made[0]
    page = render_template(
        "one_form.jinja", form=form, title=f"Reprint form {row.id}", button="Reprint",
        warning=True, banner=banner(act(), patient),
        lead="Destroy the earlier paper first. The reprint says that it is one.",
        cancel=url_for("scripts_pages.one", patient_id=patient.id, script_id=row.id),
    )  # fmt: skip
    return page, form.status


def printed(work: Act, patient_id: int, script_id: int, reason: str | None) -> Response:
    """Print, and answer the PDF. The page and the API print through here."""
    made = commands.print_script(work, patient_id, script_id, reason=reason)
    _, row = queries.one(work, patient_id, script_id)
    footer = f"Printed {ui.moment(made.printed_at)} by {work.staff_name}"
    return as_pdf(
        pdf.form_pdf(row.paper or {}, footer, made.number), f"form-{row.id}.pdf", keep=True
    )


def as_pdf(content: bytes, name: str, *, keep: bool = False) -> Response:
    """`keep`: saved and not shown, so that looking again is not printing again."""
    how = "attachment" if keep else "inline"
    return Response(
        content, mimetype="application/pdf",
        headers={
            "Content-Disposition": f'{how}; filename="{name}"', "Cache-Control": "no-store",
        },
    )  # fmt: skip


def _issued(work: Act, patient_id: int, script_id: int) -> tuple[Patient, Script]:
    patient, row = queries.one(work, patient_id, script_id)
    if row.paper is None:
        raise Conflict("That form is not issued: there is nothing to print.")
    return patient, row


@paper_pages.get(f"{ONE}/sheet")
@needs("prescribing.read")
def sheet(patient_id: int, script_id: int) -> Page:
    """The words of an issued form as a plain page: a copy for the file."""
    work = act()
    patient, row = _issued(work, patient_id, script_id)
    return render_template(
        "scripts/sheet.jinja", row=row, paper=row.paper, patient=patient,
        banner=banner(work, patient), mark=pdf.MARKS[pdf.FILE],
        **presenters.instalment_table(row.paper or {}),
    )  # fmt: skip


@paper_pages.get(f"{ONE}/copy.pdf")
@needs("prescribing.read")
def file_copy(patient_id: int, script_id: int) -> Response:
    """The same as PDF, marked as a copy."""
    work = act()
    _, row = _issued(work, patient_id, script_id)
    footer = f"Copied {ui.moment(work.at)} by {work.staff_name}"
    return as_pdf(pdf.file_pdf(row.paper or {}, footer), f"form-{row.id}-copy.pdf")


@paper_pages.get(f"{ONE}/patient")
@needs("prescribing.read")
def patient_copy(patient_id: int, script_id: int) -> Page:
    """The patient's copy in plain language, to read and to print."""
    work = act()
    patient, row = _issued(work, patient_id, script_id)
    return render_template(
        "scripts/patient.jinja", row=row, paper=row.paper, patient=patient,
        banner=banner(work, patient), mark=pdf.MARKS[pdf.PATIENT],
        plain=presenters.patient_copy(row, facts.home_of(work, patient.id).children),
    )  # fmt: skip


@paper_pages.get(f"{ONE}/patient.pdf")
@needs("prescribing.read")
def patient_copy_pdf(patient_id: int, script_id: int) -> Response:
    """The same as PDF."""
    work = act()
    patient, row = _issued(work, patient_id, script_id)
    plain = presenters.patient_copy(row, facts.home_of(work, patient.id).children)
    footer = f"Printed {ui.moment(work.at)}"
    return as_pdf(pdf.patient_pdf(row.paper or {}, plain, footer), f"form-{row.id}-patient.pdf")
