"""Record what was found or asked, and strike out what was wrong."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for

from clinic import ui
from clinic.answers import Page, WhyForm, carried_out, patient_of, to_record, why_page
from clinic.assessments import commands
from clinic.assessments.forms import FORMS, EntryForm
from clinic.assessments.kinds import ITEMS, KINDS, TOPICS
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.prescriptions import queries

assessments_pages = Blueprint("assessments_pages", __name__)

BASE = "/patients/<int:patient_id>/prescribing"


@assessments_pages.route(f"{BASE}/record/<kind>", methods=["GET", "POST"])
@assessments_pages.route(f"{BASE}/record/<kind>/<about>", methods=["GET", "POST"])
@needs("prescribing.assess")
def entry(patient_id: int, kind: str, about: str | None = None) -> Page:
    """Record one thing. `about`: the part of the assessment, or the list that is whole."""
    if kind not in FORMS or (about is None) != (kind not in ("assessment", "asked")):
        raise NotFound
    known = {"assessment": ITEMS, "asked": TOPICS}.get(kind, {})
    if about is not None and about not in known:
        raise NotFound
    patient = patient_of(patient_id)
    replaces = _replaced(patient, kind)
    form: EntryForm = FORMS[kind](happened_at=act().at)
    if kind == "drug_test":
        form["confirms_id"].choices = _on_site_tests(patient)
    own = {"assessment": {"item": about}, "asked": {"topic": about}}.get(kind, {})

    def work() -> None:
        happened_at = form.happened_at.data
        assert happened_at is not None, "the form requires it"
        commands.record_entry(
            act(), patient.id, kind, {**own, **form.content()},
            happened_at=happened_at, note=form.note.data, reason=form.reason.data,
            replaces_id=replaces,
        )  # fmt: skip

    if carried_out(form, work):
        return to_record(patient.id, _recorded(kind, form))
    title = known.get(about or "", KINDS[kind].says)
    page = render_template(
        "assessments/entry.jinja", form=form, title=title, kind=kind, replaces=replaces,
        banner=banner(act(), patient),
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


def _recorded(kind: str, form: EntryForm) -> str:
    content = form.content()
    if kind == "observation" and "cows_items" in content:
        return f"Recorded. COWS total {content['withdrawal_score']}."
    return "Recorded."


def _replaced(patient: Patient, kind: str) -> int | None:
    """The entry this form is in place of, by its id in the address."""
    given = request.args.get("replaces", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _on_site_tests(patient: Patient) -> list[tuple[str, str]]:
    tests = queries.prescribing_record(act(), patient.id).of("drug_test")
    return [("", "No on-site test: a sample of its own")] + [
        (str(row.id), ui.moment(row.happened_at))
        for row in tests
        if row.data["method"] == "on_site"
    ]


@assessments_pages.route(f"{BASE}/entries/<int:entry_id>/strike", methods=["GET", "POST"])
@needs("prescribing.assess")
def strike_entry(patient_id: int, entry_id: int) -> Page:
    """Strike an entry out as wrong."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_entry(act(), patient_id, entry_id, form.reason.data or "")
    ):
        return to_record(patient_id, "Struck out. It stays on the record and counts no longer.")
    return why_page(
        patient_id, form, "Strike this entry out", "It stays on the record, struck out."
    )
