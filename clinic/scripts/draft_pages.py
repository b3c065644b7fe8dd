"""Writing a form: begin a draft, change it, begin the one that takes an issued one's place."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for

from clinic import ui
from clinic.act import Act
from clinic.answers import Page, carried_out, patient_of
from clinic.auth import act, needs
from clinic.errors import Stale
from clinic.patients.models import Patient
from clinic.patients.queries import banner, same_person
from clinic.scripts import commands, facts, queries
from clinic.scripts.forms import DraftForm, EditForm
from clinic.scripts.models import Script
from clinic.scripts.pages import BASE, ONE, to_the_form
from clinic.scripts.shut import shut_of

draft_pages = Blueprint("draft_pages", __name__)


@draft_pages.route(f"{BASE}/new", methods=["GET", "POST"])
@needs("prescribing.assess")
def new(patient_id: int) -> Page:
    """Begin a form."""
    return _draft(patient_id, DraftForm(), None)


@draft_pages.route(f"{ONE}/replace", methods=["GET", "POST"])
@needs("prescribing.assess")
def replace(patient_id: int, script_id: int) -> Page:
    """Begin the form that takes the place of an issued one."""
    patient_of(patient_id)
    _, old = queries.one(act(), patient_id, script_id)
    return _draft(patient_id, DraftForm(), old)


def _draft(patient_id: int, form: DraftForm, old: Script | None) -> Page:
    work = act()
    patient = patient_of(patient_id)
    _offer(work, patient, form)
    if not form.is_submitted():
        _fill_in(work, patient, form, old)
    made: list[int] = []

    def work_it() -> None:
        given = {**form.asked(), "replaces_id": old and old.id}
        made.append(commands.draft_script(act(), patient.id, **given))

    if carried_out(form, work_it):
        return to_the_form(patient.id, made[0], "Drafted. It is not issued yet.")
    title = f"Replace form {old.id}" if old else "Write a prescription form"
    return _draft_page(work, patient, form, title)


@draft_pages.route(f"{ONE}/edit", methods=["GET", "POST"])
@needs("prescribing.assess")
def edit(patient_id: int, script_id: int) -> Page:
    """Change a draft."""
    work = act()
    patient = patient_of(patient_id)
    _, row = queries.one(work, patient_id, script_id)
    form = EditForm()
    _offer(work, patient, form)
    if not form.is_submitted():
        asked = row.asked
        form.form.data, form.decision_ids.data = row.form, asked["decision_ids"]
        form.from_on.process_data(row.from_on)
        form.to_on.process_data(row.to_on)
        form.show_days(asked["days"])
        form.premises_id.data = row.premises_id
        form.strength_mg_per_ml.data = asked["strength_mg_per_ml"]
        form.directions.data = asked["directions"]
        form.address.data, form.version.data = asked["address"], row.version

    def work_it() -> None:
        given = {**form.asked(), "version": form.version.data}
        commands.change_draft(act(), patient.id, row.id, **given)

    try:
        if carried_out(form, work_it):
            return to_the_form(patient.id, row.id, "Changed.")
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. Open the draft again.")
    return _draft_page(work, patient, form, f"Change draft {row.id}")


def _offer(work: Act, patient: Patient, form: DraftForm) -> None:
    form.decision_ids.choices = [
        (
            row.id,
            f"Decision {row.id}: {ui.mg(row.dose_mg * row.doses_that_day)} a day, "
            f"{facts.WRITTEN[row.product].name} {facts.WRITTEN[row.product].form}, "
            f"{ui.day(row.dose_on)} to {ui.day(row.last_on)}",
        )
        for row in facts.decisions_in_force(work, patient, work.today)
    ]
    form.premises_id.choices = [("", "Choose")] + [
        (row.id, ", ".join(part for part in (row.name, row.address) if part))
        for row in queries.pharmacies(work)
    ]


def _fill_in(work: Act, patient: Patient, form: DraftForm, old: Script | None) -> None:
    """What rows already say: how and where they collect, the address of the last form."""
    records = same_person(work, patient.id)
    regimen = queries.regimen_on(work, records, work.today)
    if regimen is not None:
        form.show_days(regimen.days)
    form.premises_id.data = facts.pharmacy_of(work, records, work.today)
    form.address.data = queries.last_address(work, records)
    uncovered = queries.first_uncovered(work, records)
    if uncovered and old is None:
        form.from_on.process_data(min(uncovered.values()))
    if old is not None:
        form.form.data = old.form
        form.premises_id.data = form.premises_id.data or old.premises_id
        form.directions.data = old.asked["directions"]
        form.strength_mg_per_ml.data = old.asked["strength_mg_per_ml"]
        if regimen is None:
            form.show_days(old.asked["days"])
        form.from_on.process_data(
            min((s.first_on for s in shut_of(work, [old]) if not s.arranged), default=None)
        )
        form.to_on.process_data(old.last_on)


def _draft_page(work: Act, patient: Patient, form: DraftForm, title: str) -> Page:
    page = render_template(
        "scripts/draft.jinja", form=form, title=title, banner=banner(work, patient),
        patient=patient, cancel=url_for("scripts_pages.held", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status
