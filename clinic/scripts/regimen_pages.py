"""How somebody collects: from a date on, and struck out where that was wrong."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for

from clinic.answers import Page, WhyForm, carried_out, patient_of
from clinic.auth import act, needs
from clinic.patients.queries import banner
from clinic.scripts import regimen_commands
from clinic.scripts.forms import CollectForm
from clinic.scripts.pages import BASE

regimen_pages = Blueprint("regimen_pages", __name__)


@regimen_pages.route(f"{BASE}/collections/new", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def collect(patient_id: int) -> Page:
    """Say how somebody collects from a date on."""
    work = act()
    patient = patient_of(patient_id, "prescribing.prescribe")
    form = CollectForm()
    made: list[int] = []

    def work_it() -> None:
        made.append(
            regimen_commands.set_regimen(
                act(), patient.id, from_on=form.from_on.data, days=form.days(),
                reason=form.reason.data or "",
            )
        )  # fmt: skip

    if carried_out(form, work_it):
        flash("Saved. What the supervision rules say to it stands beside it.")
        return redirect(url_for("scripts_pages.held", patient_id=patient.id))
    page = render_template(
        "scripts/collect.jinja", form=form, banner=banner(work, patient),
        cancel=url_for("scripts_pages.held", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


@regimen_pages.route(f"{BASE}/collections/<int:regimen_id>/strike", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def strike_collecting(patient_id: int, regimen_id: int) -> Page:
    """That was wrong."""
    patient = patient_of(patient_id, "prescribing.prescribe")
    form = WhyForm()
    if carried_out(
        form,
        lambda: regimen_commands.strike_regimen(
            act(), patient.id, regimen_id, form.reason.data or ""
        ),
    ):
        flash("Struck out.")
        return redirect(url_for("scripts_pages.held", patient_id=patient.id))
    page = render_template(
        "one_form.jinja", form=form, title="Strike out how they collect", warning=True,
        lead="It stays on the record. What held before it holds again.", button="Strike out",
        banner=banner(act(), patient),
        cancel=url_for("scripts_pages.held", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status
