"""Record what became of a dose, and put mistakes right."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for

from clinic import ui
from clinic.answers import (
    Page,
    SureForm,
    WhyForm,
    answered,
    carried_out,
    patient_of,
    to_record,
    why_page,
)
from clinic.assessments.kinds import PRODUCT_NAMES
from clinic.auth import act, needs
from clinic.consumption import commands
from clinic.consumption.forms import DoseForm, ElsewhereDoseForm
from clinic.patients.queries import banner
from clinic.prescriptions import facts, queries

consumption_pages = Blueprint("consumption_pages", __name__)

BASE = "/patients/<int:patient_id>/prescribing"


@consumption_pages.route(f"{BASE}/decisions/<int:decision_id>/dose", methods=["GET", "POST"])
@needs("prescribing.assess")
def dose(patient_id: int, decision_id: int) -> Page:
    """Record what became of a decided dose."""
    patient, row = queries.decision(act(), patient_id, decision_id)
    form = DoseForm(consumed_at=act().at)
    form.increment.choices = [
        (number, f"{number}") for number in facts.increments_of(row)
    ]  # fmt: skip
    if carried_out(
        form,
        lambda: commands.record_dose(
            act(), patient.id, row.id,
            **answered(form),
        ),
    ):  # fmt: skip
        return to_record(patient.id, "The dose is recorded.")
    page = render_template(
        "consumption/dose.jinja", form=form, title="Record a dose",
        lead=f"Decision {row.id}: {ui.mg(row.dose_mg)} {PRODUCT_NAMES[row.product]}, "
        f"{ui.day(row.dose_on)}.",
        banner=banner(act(), patient), one=row.doses_that_day == 1,
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


@consumption_pages.route(f"{BASE}/doses/elsewhere", methods=["GET", "POST"])
@needs("prescribing.assess")
def dose_elsewhere(patient_id: int) -> Page:
    """Record a dose taken at another service."""
    patient = patient_of(patient_id)
    form = ElsewhereDoseForm(consumed_at=act().at)
    if carried_out(
        form,
        lambda: commands.record_dose_elsewhere(act(), patient.id, **answered(form)),
    ):
        return to_record(patient.id, "Recorded as a claim, until it is confirmed.")
    page = render_template(
        "one_form.jinja", form=form, title="Record a dose taken elsewhere",
        banner=banner(act(), patient),
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


@consumption_pages.route(f"{BASE}/doses/<int:dose_id>/strike", methods=["GET", "POST"])
@needs("prescribing.assess")
def strike_dose(patient_id: int, dose_id: int) -> Page:
    """Strike out what was recorded of a dose."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_dose(act(), patient_id, dose_id, form.reason.data or "")
    ):
        return to_record(patient_id, "Struck out.")
    return why_page(
        patient_id, form, "Strike this dose out",
        "If it was recorded as taken, it counts in today's checks until a second person agrees.",
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/doses/<int:dose_id>/agree", methods=["GET", "POST"])
@needs("prescribing.assess")
def agree_strike(patient_id: int, dose_id: int) -> Page:
    """Agree that a dose struck out was not taken."""
    form = SureForm()
    if form.carried_out(lambda: commands.agree_strike(act(), patient_id, dose_id)):
        return to_record(patient_id, "Agreed. The dose counts no longer.")
    return why_page(
        patient_id, form, "Agree that this dose was not taken",
        "From then on it counts in no check. Somebody other than who struck it out must agree.",
    )  # fmt: skip
