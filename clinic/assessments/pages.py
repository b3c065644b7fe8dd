"""The assessment: its task list, start or continuation, help and plan, and the form of each part."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic import home, ui
from clinic.act import Act
from clinic.answers import Page, WhyForm, carried_out, offered, patient_of, why_page, words
from clinic.assessments import commands, presenters, queries
from clinic.assessments.arrival import answers, to_ask
from clinic.assessments.claims import STATES, is_claimed
from clinic.assessments.dues import UNCONFIRMED, URGENT, WHATS
from clinic.assessments.forms import FORMS, EntryForm, ReminderForm
from clinic.assessments.kinds import (
    ABOUT_CODES,
    ABOUT_ROWS,
    ASKED,
    IN_PRISON_ONLY,
    ITEMS,
    KINDS,
    PRODUCT_NAMES,
    WORKERS,
    about_of,
    may_record,
    right_to_record,
)
from clinic.assessments.models import AssessmentDue, ClinicalEntry
from clinic.assessments.tasks import CANNOT_START, COMPLETED, IN_PROGRESS, NOT_YET
from clinic.assessments.words import ARRIVALS
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.forms import Form
from clinic.patients.models import Patient
from clinic.patients.pages import record_link
from clinic.patients.queries import banner
from clinic.sites.queries import staff_at
from clinic.web import row_number
from dosing.alcohol import UNITS
from scheduling import assessment as rules

assessments_pages = Blueprint("assessments_pages", __name__)
record_link("Assessment", "assessments_pages.journey", "prescribing.read")

RECORDS = "/patients/<int:patient_id>/prescribing"
BASE = "/patients/<int:patient_id>/assessment"
COLOURS = {COMPLETED: None, IN_PROGRESS: "aqua-green", NOT_YET: "blue", CANNOT_START: None}
LISTS = {"opioid_use": "opioid_use", "medicines": "medicine", "treatment_elsewhere": "steady_dose"}
MORE = ("opioid_use", "medicine", "steady_dose", "risk", "ecg", "monitoring_plan",
        "arrest", "arrival", "onward")  # fmt: skip


@home.worklist("assessments.record")
def worklist(work: Act) -> home.Worklist:
    """What is due about assessments, whoever is to do it."""
    due = [row for row in queries.due_now(work) if row[0].what not in UNCONFIRMED]
    return home.Worklist(
        title="Assessments and follow-up",
        rows=_rows(due, "journey"),
        empty="Nothing about an assessment is due.",
    )


@home.worklist("assessments.record")
def came_from_elsewhere(work: Act) -> home.Worklist:
    """Who came from elsewhere, and what about that nobody has asked or confirmed."""
    return home.Worklist(
        title="Came from elsewhere: not asked or not confirmed",
        rows=_rows(queries.unconfirmed(work), "continuity"),
        empty="Everybody who came from elsewhere was asked, and what they said is confirmed.",
    )


def _rows(due: list[tuple[AssessmentDue, Patient, str | None]], page: str) -> list[home.Row]:
    return [
        home.Row(
            due=row.due_on,
            person=patient.listed_name,
            href=url_for(f"assessments_pages.{page}", patient_id=patient.id),
            what=row.says,
            who=who,
            risk=WHATS[row.what],
            risk_colour="red" if row.what in URGENT else "grey",
        )
        for row, patient, who in due
    ]


@assessments_pages.get(BASE)
@needs("prescribing.read")
def journey(patient_id: int) -> Page:
    """The task list, what makes the case complex, and what keeps a first dose waiting."""
    work = act()
    found = queries.assessment(work, patient_id)
    return render_template(
        "assessments/journey.jinja", found=found, banner=banner(work, found.patient),
        colours=COLOURS, said=presenters.said, what=presenters.what, kinds=KINDS, more=MORE,
        parts=_other_parts(), about_of=about_of,
        may=lambda kind, about=None: may_record(work.rights, kind, about),
    )  # fmt: skip


def _other_parts() -> dict[str, str]:
    """The parts recorded outside the task list, at this kind of site."""
    prison = g.staff.site_kind == "prison"
    listed = ("opioid_use_history", "dependence_evidence", "physical_examination", "mental_state",
              "risk_assessment", "safe_storage")  # fmt: skip
    return {
        item: says
        for item, says in ITEMS.items()
        if item not in listed and (prison or item not in IN_PRISON_ONLY)
    }


@assessments_pages.get(f"{BASE}/continuity")
@needs("prescribing.read")
def continuity(patient_id: int) -> Page:
    """Start or continuation: every claim, who confirmed it, and what the dosing rules make of it."""
    work = act()
    found = queries.continuity(work, patient_id)
    case, arrived = found.case, found.case.arrived
    return render_template(
        "assessments/continuity.jinja", found=found, banner=banner(work, found.patient),
        confirmers=ASKED, states=STATES, products=PRODUCT_NAMES, said=presenters.said,
        came=arrived, wheres=ARRIVALS,
        on_arrival=list(reversed(answers(case.of, arrived))) if arrived else (),
        to_ask=to_ask(case.of, arrived, work.today), lines=presenters.lines,
        onward=case.of.last("onward"),
        asked=found.case.own.last("asked", topic="treatment_elsewhere"), is_claimed=is_claimed,
    )  # fmt: skip


@assessments_pages.get(f"{BASE}/help")
@needs("prescribing.read")
def help_and_plan(patient_id: int) -> Page:
    """Immediate help, the plan's minimum and the crack pathway, each offered, given or declined."""
    work = act()
    found = queries.assessment(work, patient_id)
    lists = [
        ("Immediate help", rules.IMMEDIATE_HELP),
        ("The plan", {**rules.PLAN, **rules.RULES["AS-09"]["items"]}),
        ("Crack pathway", rules.CRACK_PATHWAY),
    ]
    return render_template(
        "assessments/help.jinja", found=found, banner=banner(work, found.patient), lists=lists,
        said=presenters.said, gaps={item: rule for rule, item in found.case.plan_gaps},
        next_reminder=rules.next_reminder_on(found.case.reminded_on, found.case.began_on)
        if found.case.began_on
        else None,
    )  # fmt: skip


# -- recording -----------------------------------------------------------------------------


@assessments_pages.route(f"{RECORDS}/record/<kind>", methods=["GET", "POST"])
@assessments_pages.route(f"{RECORDS}/record/<kind>/<about>", methods=["GET", "POST"])
@needs("assessments.record")
def entry(patient_id: int, kind: str, about: str | None = None) -> Page:
    """Record one thing. `about`: the part, list or item it is about, or the id of its entry."""
    if kind not in FORMS:
        raise NotFound
    own = _own(kind, about)
    act().need(right_to_record(kind, own))
    patient = patient_of(patient_id, WORKERS)
    found = queries.assessment_of(act(), patient)
    subject = _subject(found, kind, own)
    form = _form(found, kind, own, subject)
    replaces = _replaced()

    def work() -> None:
        happened_at = form.happened_at.data
        assert happened_at is not None, "the form requires it"
        commands.record_entry(
            act(), patient.id, kind, {**own, **form.content()},
            happened_at=happened_at, note=form.note.data, reason=form.reason.data,
            replaces_id=replaces,
        )  # fmt: skip

    if carried_out(form, work):
        flash(_recorded(kind, form))
        return redirect(_back(kind, patient.id))
    code = ABOUT_CODES.get(kind)
    lists = LISTS.get(about or "") if kind == "asked" else None
    title = code[1].get(own[code[0]], "") if code else KINDS[kind].says
    page = render_template(
        "assessments/entry.jinja", form=form, title=title, kind=kind, replaces=replaces,
        subject=subject, found=found, said=presenters.said, what=presenters.what,
        banner=banner(act(), patient), cancel=_back(kind, patient.id), lists=lists,
        listed=found.case.of.all(lists) if lists else (),
    )  # fmt: skip
    return page, form.status


def _own(kind: str, about: str | None) -> dict[str, Any]:
    """What the address says of the entry. NotFound for a part, list or item there is not."""
    if kind in ABOUT_CODES:
        field, codes = ABOUT_CODES[kind]
        if about not in codes:
            raise NotFound
        return {field: about}
    if kind in ABOUT_ROWS:
        field, _, needed = ABOUT_ROWS[kind]
        if about is None and not needed:
            return {}
        number = row_number(about)
        if number is None:
            raise NotFound
        return {field: number}
    if about is not None:
        raise NotFound
    return {}


def _subject(
    found: queries.Assessment, kind: str, own: dict[str, Any]
) -> ClinicalEntry | None:  # fmt: skip
    """The entry this one is about. NotFound when it is another person's, or struck out."""
    if kind not in ABOUT_ROWS or not own:
        return None
    field, of_kind, _ = ABOUT_ROWS[kind]
    rows = found.case.of.all(of_kind)
    row = next((row for row in rows if row.id == own[field]), None)
    if row is None:
        raise NotFound("There is no such entry for this patient.")
    return row


def _form(
    found: queries.Assessment, kind: str, own: dict[str, Any], subject: ClinicalEntry | None
) -> EntryForm:
    made = ReminderForm if own.get("item") == rules.REMINDER else FORMS[kind]
    form: EntryForm = made(happened_at=act().at)
    if kind == "drug_test":
        form["confirms_id"].choices = _on_site_tests(found)
    if kind == "risk_action" and subject is not None:
        form["action"].choices = [
            (action, says)
            for action, says in rules.ACTIONS.items()
            if rules.answers(subject.data["risk"], action)
        ]
        form["owner_id"].choices = _staff_here()
    return form


def _staff_here() -> list[tuple[str, str]]:
    work = act()
    return offered({str(staff.id): staff.name for staff in staff_at(work, work.site_id or 0)})


def _recorded(kind: str, form: EntryForm) -> str:
    content = form.content()
    says = "Recorded."
    if kind == "observation":
        if "cows_items" in content:
            says += f" COWS total {content['withdrawal_score']}."
        for unit in UNITS:
            if unit in content:
                says += f" The alcohol reading is {presenters.other_units(content, unit)}."
    return says


def _back(kind: str, patient_id: int) -> str:
    page = {"help": "help_and_plan", **dict.fromkeys(
        ("steady_dose", "confirmation", "arrival", "arrest", "onward"), "continuity"
    )}  # fmt: skip
    return url_for(f"assessments_pages.{page.get(kind, 'journey')}", patient_id=patient_id)


def _replaced() -> int | None:
    """The entry this form is in place of, by its id in the address."""
    return row_number(request.args.get("replaces"))


def _on_site_tests(found: queries.Assessment) -> list[tuple[str, str]]:
    return [("", "No on-site test: a sample of its own")] + [
        (str(row.id), ui.moment(row.happened_at))
        for row in reversed(found.case.of.all("drug_test"))
        if row.data["method"] == "on_site"
    ]


@assessments_pages.route(f"{RECORDS}/entries/<int:entry_id>/strike", methods=["GET", "POST"])
@needs("assessments.record")
def strike_entry(patient_id: int, entry_id: int) -> Page:
    """Strike an entry out as wrong."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_entry(act(), patient_id, entry_id, form.reason.data or "")
    ):
        flash("Struck out. It stays on the record and counts no longer.")
        return redirect(_back("", patient_id))
    return why_page(
        patient_id, form, "Strike this entry out", "It stays on the record, struck out.",
        cancel=_back("", patient_id),
    )  # fmt: skip


class WorkerForm(Form):
    """Who sees to the assessment and the plan."""

    kind = RadioField("Named as", [InputRequired()], choices=words(commands.NAMED))
    staff_id = SelectField("Who?", [InputRequired()], coerce=str, validate_choice=False)
    reason = TextAreaField(
        "Why is it somebody else now?", [Optional(), Length(max=2000)],
        description="Only when somebody is named already",
    )  # fmt: skip


@assessments_pages.route(f"{BASE}/keyworker", methods=["GET", "POST"])
@needs("assessments.record")
def keyworker(patient_id: int) -> Page:
    """Name the keyworker or case manager (RP-37)."""
    patient: Patient = patient_of(patient_id, WORKERS)
    form = WorkerForm()
    form.staff_id.choices = _staff_here()
    if form.carried_out(
        lambda: commands.name_worker(
            act(), patient.id, kind=form.kind.data or "", staff_id=int(form.staff_id.data),
            reason=form.reason.data,
        )
    ):  # fmt: skip
        flash("Named.")
        return redirect(_back("", patient.id))
    page = render_template(
        "one_form.jinja", form=form, title="Name a keyworker or case manager",
        banner=banner(act(), patient), cancel=_back("", patient.id),
    )  # fmt: skip
    return page, form.status
