"""One person at the hatch: who they are, how they seem, the gates, the dose, and what was wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from clinic import ui
from clinic.act import Act
from clinic.answers import (
    Page,
    SureForm,
    WhyForm,
    answered,
    carried_out,
    patient_of,
    why_page,
)
from clinic.assessments.kinds import PRODUCT_NAMES
from clinic.auth import act, needs
from clinic.consumption import commands, corrections, gates, presenters, queries, supply_commands
from clinic.consumption.commands import AlreadyRecorded
from clinic.consumption.facts import standing_event
from clinic.consumption.forms import (
    CorrectForm,
    DispenseForm,
    ElsewhereDoseForm,
    GiveForm,
    IncidentForm,
    PlaceForm,
    VomitedForm,
)
from clinic.consumption.gates import GatesShut
from clinic.consumption.places import choices
from clinic.consumption.words import (
    GLASS_REASONS,
    HANDED_OVER,
    IDENTIFIED_BY,
    INCIDENT_REASONS,
    OUTCOMES,
    RESTS,
    SIGNS,
    SWALLOWED,
    WITHHELD_FOR,
)
from clinic.errors import NotFound, NotReady
from clinic.forms import Form
from clinic.patients.models import Patient
from clinic.patients.pages import Section, record_link, record_section
from clinic.patients.queries import banner, same_person
from clinic.prescriptions import queries as prescribing
from clinic.prescriptions.doses import days_at_home, days_of, increments_of
from clinic.prescriptions.models import DoseDecision
from clinic.scripts.facts import home_of
from clinic.scripts.presenters import storage_advice
from clinic.sites.models import Site

consumption_pages = Blueprint("consumption_pages", __name__)
record_link("Doses at the hatch", "consumption_pages.person", "consumption.read")

BASE = "/patients/<int:patient_id>/doses"


def to_person(patient_id: int, says: str) -> Response:
    """Back to the person at the hatch, saying what was done."""
    flash(says)
    return redirect(url_for("consumption_pages.person", patient_id=patient_id))


def _page(template: str, form: Form, patient: Patient, title: str, **more: Any) -> Page:
    page = render_template(
        template, form=form, title=title, banner=banner(act(), patient), patient=patient,
        cancel=url_for("consumption_pages.person", patient_id=patient.id), **more,
    )  # fmt: skip
    return page, form.status


def _why(patient_id: int, form: Form, title: str, lead: str) -> Page:
    cancel = url_for("consumption_pages.person", patient_id=patient_id)
    return why_page(patient_id, form, title, lead, cancel=cancel)


@record_section("consumption.read")
def on_the_record(work: Act, patient: Patient) -> Section:
    """What is to be taken today, and what was taken last."""
    records = same_person(work, patient.id)
    today = [
        f"{ui.mg(row.dose_mg * row.doses_that_day)} {PRODUCT_NAMES[row.product]}"
        for row in queries.in_force(work, records, work.today)
    ]
    last = queries.last_taken(work, records)
    taken = "none recorded"
    if last is not None:
        amount = f"{ui.mg(last.dose_mg)} " if last.dose_mg is not None else ""
        taken = f"{amount}{PRODUCT_NAMES[last.product]}, {ui.moment(last.consumed_at)}"
        taken += " (claimed, taken elsewhere)" if last.elsewhere else ""
    return Section("Doses", [
        {"label": "Decided for today", "value": " and ".join(today) or "none",
         "href": url_for("consumption_pages.person", patient_id=patient.id), "link": "Open"},
        {"label": "Last dose taken", "value": taken},
    ])  # fmt: skip


@consumption_pages.get(BASE)
@needs("consumption.read")
def person(patient_id: int) -> Page:
    """Today's doses of a person, missed days, what was handed over, and every look before a dose."""
    work = act()
    found = queries.hatch_record(work, patient_id)
    return render_template(
        "consumption/person.jinja", found=found, patient=found.patient,
        banner=banner(work, found.patient), products=PRODUCT_NAMES, outcomes=OUTCOMES,
        swallowed=SWALLOWED, rests=RESTS, whys=WITHHELD_FOR, handed_over=HANDED_OVER,
        identified=IDENTIFIED_BY, signs=SIGNS, reasons={**GLASS_REASONS, **INCIDENT_REASONS},
        home_days=days_at_home, today=work.today,
    )  # fmt: skip


# -- a dose ----------------------------------------------------------------------------------


@consumption_pages.route(f"{BASE}/give/<int:decision_id>", methods=["GET", "POST"])
@consumption_pages.route(f"{BASE}/give/<int:decision_id>/<int:increment>", methods=["GET", "POST"])
@needs("consumption.record")
def give(patient_id: int, decision_id: int, increment: int | None = None) -> Page:
    """Give a dose: who is this, how do they seem, which gates are shut, and what became of it."""
    work = act()
    patient, row = prescribing.decision(work, patient_id, decision_id)
    number = increment or row.first_increment
    if number not in increments_of(row):
        raise NotFound
    form = GiveForm()
    _offer(form, patient, row)
    earlier = _earlier_day(row)
    if earlier is not None and not form.is_submitted():
        form.consumed_at.boxes.update(
            day=str(earlier.day), month=str(earlier.month), year=str(earlier.year)
        )
    stands: tuple[Any, Any] | None = None
    first: Any = None
    if form.validate_on_submit():
        try:
            if not form.outcome.data:
                gates.record_checks(work, patient.id, **form.checks(), checked_at=None)
                flash("Recorded what was checked. Nothing is recorded of the dose yet.")
                return redirect(
                    url_for("consumption_pages.give", patient_id=patient.id,
                            decision_id=row.id, increment=number)
                )  # fmt: skip
            given = commands.record_dose(
                work, patient.id, row.id, increment=number, **form.given(), **form.checks(),
                glass=form.glass(),
                replaces_id=int(form.replaces_id.data) if form.replaces_id.data else None,
            )  # fmt: skip
            if given.first:
                return to_person(patient.id, "The dose is recorded.")
            return to_person(
                patient.id,
                "This dose was already recorded, and says the same. Nothing was added: do not give it again.",
            )
        except GatesShut as refused:
            presenters.told_shut(form, refused, "This dose may not be given.")
            stands = refused.hatch, refused.verdict
        except AlreadyRecorded as refused:
            first = refused.row
            form.refuse(refused.detail)
        except NotReady as not_ready:
            form.refuse(not_ready.detail)
        except presenters.REFUSALS as refusal:
            presenters.told(form, refusal)
    # After a refusal the list says how the gates stood with the answers that are still in the form.
    hatch, verdict = stands or queries.verdict_at(act(), patient.id, row.id, number)
    before = standing_event(
        act(), same_person(act(), patient.id), row.drug, earlier or act().today, number
    )
    page = render_template(
        "consumption/give.jinja", form=form, patient=patient, banner=banner(act(), patient),
        row=row, number=number, of=row.doses_that_day, product=PRODUCT_NAMES[row.product],
        earlier=earlier,
        tasks=presenters.gate_tasks(
            hatch, verdict, patient.id, act().may("consumption.arrange")
        ), verdict=verdict,
        first=first or before, outcomes=OUTCOMES, today=act().today,
        names=prescribing.staff_names(
            act(), row.recorded_by, *((first or before).recorded_by,) if first or before else ()
        ),
        may_break=act().may("consumption.glass") and any(each.breakable for each in verdict.shut),
        findings=hatch.judged.findings, rule_set=row.rule_set, version=row.rule_set_version,
        cancel=url_for("consumption_pages.person", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


def _earlier_day(row: DoseDecision) -> date | None:
    """The day a link asks about, where it is one of the decision's that has passed."""
    try:
        day = date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return None
    return day if day < act().today and day in days_of(row) else None


def _offer(form: GiveForm, patient: Patient, row: DoseDecision) -> None:
    """The choices of this person and this site."""
    site = act().session.get_one(Site, act().site_id)
    second = site.has("second_observer", act().today)
    form.observer_id.choices = [
        ("", "Choose who watched" if second else "Nobody besides me"),
        *((str(key), name) for key, name in queries.observers(act())),
    ]
    vomited = queries.vomited_today(act(), patient.id, row)
    form.replaces_id.choices = [("", "No"), *((str(key), says) for key, says in vomited)]


@consumption_pages.route(f"{BASE}/<int:dose_id>/correct", methods=["GET", "POST"])
@needs("consumption.correct")
def correct(patient_id: int, dose_id: int) -> Page:
    """Say anew what became of a dose."""
    patient = patient_of(patient_id, "consumption.correct")
    old = commands.dose_of(act(), same_person(act(), patient.id), dose_id)
    if old.decision_id is None:
        raise NotFound
    row = prescribing.decided(act(), patient.id, old.decision_id)
    form = CorrectForm()
    _offer(form, patient, row)
    if form.validate_on_submit():
        try:
            corrections.correct_dose(
                act(), patient.id, old.id, reason=form.reason.data or "", **form.given(),
                **form.checks(), glass=form.glass(),
            )  # fmt: skip
            return to_person(patient.id, "Put right. The old record stays, struck out.")
        except GatesShut as refused:
            presenters.told_shut(form, refused, "The gates were shut then.")
        except presenters.REFUSALS as refusal:
            presenters.told(form, refusal)
    return _page(
        "consumption/correct.jinja", form, patient, "Put a dose right", old=old, row=row,
        outcomes=OUTCOMES, product=PRODUCT_NAMES[row.product],
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/<int:dose_id>/vomited", methods=["GET", "POST"])
@needs("consumption.record")
def vomited(patient_id: int, dose_id: int) -> Page:
    """A dose taken was vomited."""
    patient = patient_of(patient_id, "consumption.record")
    form = VomitedForm(vomited_at=act().at)
    if carried_out(
        form,
        lambda: commands.record_vomited(act(), patient.id, dose_id, **answered(form)),
    ):
        return to_person(
            patient.id, "Recorded. The dose counts in full; another needs a prescriber's decision."
        )
    return _page(
        "one_form.jinja", form, patient, "A dose was vomited",
        lead="It counts as fully taken. Whether there is another is a prescriber's decision.",
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/vomited/<int:vomited_id>/strike", methods=["GET", "POST"])
@needs("consumption.correct")
def strike_vomited(patient_id: int, vomited_id: int) -> Page:
    """Strike out that a dose was vomited."""
    form = WhyForm()
    if form.carried_out(
        lambda: corrections.strike_vomited(act(), patient_id, vomited_id, form.reason.data or "")
    ):
        return to_person(patient_id, "Struck out.")
    return _why(patient_id, form, "Strike out that it was vomited", "It stays, struck out.")


@consumption_pages.route(f"{BASE}/elsewhere", methods=["GET", "POST"])
@needs("prescribing.assess")
def dose_elsewhere(patient_id: int) -> Page:
    """Record a dose taken at another service."""
    patient = patient_of(patient_id)
    form = ElsewhereDoseForm(consumed_at=act().at)
    if carried_out(
        form,
        lambda: commands.record_dose_elsewhere(act(), patient.id, **answered(form)),
    ):
        return to_person(patient.id, "Recorded as a claim, until it is confirmed.")
    return _page("one_form.jinja", form, patient, "Record a dose taken elsewhere")


@consumption_pages.route(f"{BASE}/incident", methods=["GET", "POST"])
@needs("consumption.correct")
def incident(patient_id: int) -> Page:
    """A dose was found to have been swallowed although the gates were shut."""
    patient = patient_of(patient_id, "consumption.correct")
    form = IncidentForm()
    rows = queries.in_force(act(), same_person(act(), patient.id), act().today)
    form.decision_id.choices = [
        ("", "None, or another day's"),
        *(
            (str(row.id), f"Decision {row.id}: {ui.mg(row.dose_mg)} {PRODUCT_NAMES[row.product]}")
            for row in rows
        ),
    ]

    def work() -> None:
        given = answered(form)
        chosen = given.pop("decision_id")
        commands.record_incident(
            act(), patient.id, **given, decision_id=int(chosen) if chosen else None
        )

    if carried_out(form, work):
        return to_person(
            patient.id, "Recorded. The dose counts from now on; the clinical lead sees it."
        )
    return _page(
        "one_form.jinja", form, patient, "A dose was swallowed against shut gates", warning=True,
        lead="Only for what has happened. It opens nothing, counts in every check, and the clinical "
        "lead sees it.", button="Record the incident",
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/<int:dose_id>/strike", methods=["GET", "POST"])
@needs("consumption.correct")
def strike_dose(patient_id: int, dose_id: int) -> Page:
    """Strike out what was recorded of a dose."""
    form = WhyForm()
    if form.carried_out(
        lambda: corrections.strike_dose(act(), patient_id, dose_id, form.reason.data or "")
    ):
        return to_person(patient_id, "Struck out.")
    return _why(
        patient_id, form, "Strike this dose out",
        "If it was recorded as taken, it counts in today's checks until a second person agrees.",
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/<int:dose_id>/agree", methods=["GET", "POST"])
@needs("consumption.correct")
def agree_strike(patient_id: int, dose_id: int) -> Page:
    """Agree that a dose struck out was not taken."""
    form = SureForm()
    if form.carried_out(lambda: corrections.agree_strike(act(), patient_id, dose_id)):
        return to_person(patient_id, "Agreed. The dose counts no longer.")
    return _why(
        patient_id, form, "Agree that this dose was not taken",
        "From then on it counts in no check. Somebody other than who struck it out must agree.",
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/checks/<int:check_id>/strike", methods=["GET", "POST"])
@needs("consumption.correct")
def strike_check(patient_id: int, check_id: int) -> Page:
    """Strike a look before a dose out as wrong."""
    form = WhyForm()
    if form.carried_out(
        lambda: gates.strike_check(act(), patient_id, check_id, form.reason.data or "")
    ):
        return to_person(patient_id, "Struck out. It opens and shuts no gate.")
    return _why(
        patient_id, form, "Strike this check out",
        "A finding against a dose is struck out by somebody other than who made it.",
    )  # fmt: skip


# -- supply ----------------------------------------------------------------------------------


@consumption_pages.route(f"{BASE}/place", methods=["GET", "POST"])
@needs("consumption.arrange")
def place(patient_id: int) -> Page:
    """Set where this person takes their doses."""
    patient = patient_of(patient_id, "consumption.arrange")
    form = PlaceForm()
    form.place.choices = [("", "Choose"), *choices(act())]

    def work() -> None:
        where, from_on = form.place.data or "", form.from_on.data
        assert from_on is not None, "the form requires it"
        supply_commands.set_place(
            act(), patient.id, kind="on_site" if where == "on_site" else "pharmacy",
            premises_id=None if where == "on_site" else int(where), from_on=from_on,
            note=form.note.data,
        )  # fmt: skip

    if carried_out(form, work):
        return to_person(patient.id, "The place is set.")
    return _page(
        "one_form.jinja", form, patient, "Where doses are taken",
        lead="Set before the first dose. A pharmacy is added under Pharmacies and clinics.",
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/places/<int:place_id>/strike", methods=["GET", "POST"])
@needs("consumption.arrange")
def strike_place(patient_id: int, place_id: int) -> Page:
    """Strike a place out as wrong."""
    form = WhyForm()
    if form.carried_out(
        lambda: supply_commands.strike_place(act(), patient_id, place_id, form.reason.data or "")
    ):
        return to_person(patient_id, "Struck out.")
    return _why(patient_id, form, "Strike this place out", "It stays, struck out.")


@consumption_pages.route(f"{BASE}/take-home/<int:decision_id>", methods=["GET", "POST"])
@needs("consumption.record")
def take_home(patient_id: int, decision_id: int) -> Page:
    """Hand over doses to take home, each for its own day."""
    work = act()
    patient, row = prescribing.decision(work, patient_id, decision_id)
    form = DispenseForm()
    home = home_of(work, patient.id)
    days = queries.days_to_hand_over(work, row, work.today, work.today + queries.HANDED_AHEAD)
    form.dates.choices = [(day.isoformat(), ui.day(day)) for day in days]
    if form.validate_on_submit():
        try:
            supply_commands.dispense(
                work, patient.id, row.id,
                dates=[date.fromisoformat(each) for each in form.dates.data or ()],
                handed_at=form.handed_at.data, note=form.note.data, **form.checks(),
                glass=form.glass(),
            )  # fmt: skip
            return to_person(patient.id, "Handed over. Each dose covers its own day.")
        except GatesShut as refused:
            presenters.told_shut(form, refused, "Nothing may be handed over.")
        except NotReady as not_ready:
            form.refuse(not_ready.detail)
        except presenters.REFUSALS as refusal:
            presenters.told(form, refusal)
    return _page(
        "consumption/take_home.jinja", form, patient, "Hand over doses to take home", row=row,
        product=PRODUCT_NAMES[row.product], days=days, may_break=work.may("consumption.glass"),
        home=home, advice=storage_advice(True, home.children),
    )  # fmt: skip


@consumption_pages.route(f"{BASE}/handed-over/<int:dispensed_id>/strike", methods=["GET", "POST"])
@needs("consumption.correct")
def strike_dispensed(patient_id: int, dispensed_id: int) -> Page:
    """Strike out that a dose was handed over."""
    form = WhyForm()
    if form.carried_out(
        lambda: supply_commands.strike_dispensed(
            act(), patient_id, dispensed_id, form.reason.data or ""
        )
    ):
        return to_person(patient_id, "Struck out. Its day is covered no longer.")
    return _why(patient_id, form, "Strike out what was handed over", "It stays, struck out.")
