"""A person's titration: how it stands, reviews, contact made and planned."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home
from clinic.act import Act
from clinic.answers import Page, WhyForm, why_page
from clinic.auth import act, needs, secret_token
from clinic.forms import Form
from clinic.patients.pages import record_link
from clinic.patients.queries import banner
from clinic.titration import commands, presenters, queries, worklist
from clinic.titration.forms import ContactForm, PlanForm, ReviewForm
from clinic.titration.models import CHANGE_THE_DOSE, DECISIONS, HOW, REASONS, SEEN
from scheduling.targets import LOOKED_BACK

titration_pages = Blueprint("titration_pages", __name__)
record_link("Titration and reviews", "titration_pages.person", "prescribing.read")

BASE = "/patients/<int:patient_id>/titration"
RECENT = timedelta(days=2)
DAYS_SHOWN = 7


COLOURS = {
    worklist.BROKEN: "red", worklist.GAP: "red", worklist.MISSED: "red",
    worklist.DECIDE: "orange", worklist.REVIEW: "yellow",
}  # fmt: skip


@home.worklist("prescribing.assess")
def waiting(work: Act) -> home.Worklist:
    """Reviews due, decisions waited for, contact gaps and missed first days."""
    return home.Worklist(
        title="Reviews and contact",
        rows=[
            home.Row(
                due=due[0].due, person=patient.listed_name,
                href=url_for("titration_pages.person", patient_id=patient.id),
                what=" ".join(f"{each.what.rstrip('.')}." for each in due), who=None,
                risk=due[0].risk, risk_colour=COLOURS.get(due[0].risk, "grey"),
            )
            for patient, _, due in worklist.waiting(work)
        ],
        empty="Nobody waits for a review or for contact.",
        more_text="Titration board",
        more_href=url_for("sheet_pages.board"),
    )  # fmt: skip


@titration_pages.get("/titration/targets")
@needs("prescribing.read")
def rates() -> Page:
    """How many people of this service reached each target in time. Advice, and counts only."""
    return render_template(
        "titration/rates.jinja", rows=queries.rates_here(act()), model=queries.model_here(act()),
        days=LOOKED_BACK.days,
    )  # fmt: skip


@titration_pages.get(BASE)
@needs("prescribing.read")
def person(patient_id: int) -> Page:
    """How this person's build-up stands, every review, and contact made and planned."""
    found = queries.person(act(), patient_id)
    return render_template(
        "titration/person.jinja", found=found, patient=found.patient,
        banner=banner(act(), found.patient), facts=presenters.facts_now(found.standing),
        days=presenters.dose_days(found.standing, DAYS_SHOWN),
        flags=presenters.flag_rows(found.flags), decisions=DECISIONS, reasons=REASONS, seen=SEEN,
        hows=HOW, today=act().today,
    )  # fmt: skip


@titration_pages.route(f"{BASE}/review", methods=["GET", "POST"])
@needs("prescribing.assess")
def review(patient_id: int) -> Page:
    """Record what was decided on seeing this person. The facts of the day stand above the form."""
    found = queries.person(act(), patient_id)
    patient = found.patient
    form = ReviewForm(reviewed_at=act().at, once=secret_token())
    since = act().at - RECENT
    recent = [row for row in found.standing.observations if row.happened_at >= since]
    form.rests_on.choices = [
        (row.id, presenters.observation_words(row)) for row in reversed(recent)
    ]
    if form.carried_out(lambda: commands.record_review(act(), patient.id, **form.given())):
        return _after_review(patient.id, form.decision.data)
    page = render_template(
        "titration/review.jinja", form=form, found=found, patient=patient,
        banner=banner(act(), patient), facts=presenters.facts_now(found.standing),
        days=presenters.dose_days(found.standing, DAYS_SHOWN),
        flags=presenters.flag_rows(found.flags), recent=recent,
    )  # fmt: skip
    return page, form.status


def _after_review(patient_id: int, decision: str) -> Response:
    """A change of dose is a prescriber's own decision: they go on to state it."""
    said = f"The review is recorded: {DECISIONS[decision].lower()}."
    if decision not in CHANGE_THE_DOSE:
        return _to_person(patient_id, said)
    if not act().may("prescribing.prescribe"):
        return _to_person(patient_id, f"{said} It waits for a prescriber's dose decision.")
    flash(f"{said} State the dose.")
    return redirect(url_for("prescriptions_pages.order", patient_id=patient_id))


@titration_pages.route(f"{BASE}/contact", methods=["GET", "POST"])
@needs("contacts.record")
def contact(patient_id: int) -> Page:
    """Record contact made, or tried."""
    form = ContactForm(happened_at=act().at, once=secret_token())
    if form.carried_out(lambda: commands.record_contact(act(), patient_id, **form.given())):
        return _to_person(patient_id, "The contact is recorded.")
    return _contact_page(patient_id, form, "Record contact")


@titration_pages.route(f"{BASE}/contact/plan", methods=["GET", "POST"])
@needs("contacts.record")
def plan_contact(patient_id: int) -> Page:
    """Plan contact for a day, such as one of the weekend."""
    form = PlanForm(once=secret_token())
    if form.carried_out(lambda: commands.plan_contact(act(), patient_id, **form.given())):
        return _to_person(patient_id, "The contact is planned.")
    return _contact_page(patient_id, form, "Plan contact")


def _contact_page(patient_id: int, form: Form, title: str) -> Page:
    patient, _ = queries.contacts_of(act(), patient_id)
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=banner(act(), patient),
        cancel=url_for("titration_pages.person", patient_id=patient.id), more={"note": {"rows": 2}},
    )  # fmt: skip
    return page, form.status


@titration_pages.route(f"{BASE}/reviews/<int:review_id>/strike", methods=["GET", "POST"])
@needs("prescribing.assess")
def strike_review(patient_id: int, review_id: int) -> Page:
    """Strike a review out as wrong."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_review(act(), patient_id, review_id, form.reason.data or "")
    ):
        return _to_person(patient_id, "Struck out. It stays on the record and counts no longer.")
    return why_page(
        patient_id, form, "Strike this review out", "A dose that rested on it needs another review."
    )


@titration_pages.route(f"{BASE}/contacts/<int:contact_id>/strike", methods=["GET", "POST"])
@needs("contacts.record")
def strike_contact(patient_id: int, contact_id: int) -> Page:
    """Strike out contact recorded or planned in error."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_contact(act(), patient_id, contact_id, form.reason.data or "")
    ):
        return _to_person(patient_id, "Struck out. It stays on the record.")
    return why_page(patient_id, form, "Strike this contact out", "It stays on the record.")


def _to_person(patient_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("titration_pages.person", patient_id=patient_id))
