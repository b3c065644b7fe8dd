"""The pages of prescription forms: who waits, each person's forms, one form through its life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from clinic import home, ui
from clinic.act import Act
from clinic.answers import Page, WhyForm, carried_out, field_of, patient_of
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid, NotFound, NotReady, Stale, Trouble
from clinic.forms import Form
from clinic.patients.models import Patient
from clinic.patients.pages import Section, record_link, record_section
from clinic.patients.queries import banner, same_person
from clinic.prescriptions.commands import ReasonNeeded, Stopped
from clinic.prescriptions.models import OVERRIDES
from clinic.prescriptions.pages import missing_link, ways_to_record
from clinic.prescriptions.queries import staff_names
from clinic.scripts import (
    commands,
    facts,
    presenters,
    queries,
    shut_commands,
)
from clinic.scripts.forms import (
    ArrangeForm,
    CallForm,
    CancelForm,
    IssueForm,
)
from clinic.scripts.models import DRAFT, FORMS, STATUSES, Script
from clinic.scripts.shut import shut_of
from dosing.days import ONE_DAY
from scheduling.instalments import WORDINGS

scripts_pages = Blueprint("scripts_pages", __name__)
ui.nav("Prescription forms", "scripts_pages.listed", "prescribing.read")
record_link("Prescription forms", "scripts_pages.held", "prescribing.read")

BASE = "/patients/<int:patient_id>/prescription-forms"
ONE = f"{BASE}/<int:script_id>"
FIELDS = {
    "decision_ids": "The dose decisions", "from_on": "The first dose", "to_on": "The last dose",
    "premises_id": "The pharmacy", "strength_mg_per_ml": "The strength",
}  # fmt: skip
OF_THE_FORM = ("L-", "S-01", "S-02", "S-03", "S-06", "S-07")
"""Rules that read what the writer of a form chose."""
COLOURS = {
    queries.VOID: "red",
    queries.UNTOLD: "red",
    queries.UNCOVERED: "red",
    queries.SHUT: "red",
    queries.SOON: "orange",
}
STATUS_COLOURS = {"draft": "yellow", "issued": "green", "cancelled": "red", "replaced": "grey"}


@record_section("prescribing.read")
def on_the_record(work: Act, patient: Patient) -> Section | None:
    """Until when do their forms cover them?"""
    uncovered = queries.first_uncovered(work, same_person(work, patient.id))
    if not uncovered and not facts.decisions_in_force(work, patient, work.today):
        return None
    covered = [f"{drug} to {ui.day(day - ONE_DAY)}" for drug, day in sorted(uncovered.items())]
    return Section("Prescription forms", [
        {"label": "Covered by a form", "value": ", ".join(covered) or "no day from today on",
         "href": url_for("scripts_pages.held", patient_id=patient.id), "link": "Open"},
    ])  # fmt: skip


@home.worklist("prescribing.assess")
def worklist(work: Act) -> home.Worklist:
    """Forms that end, are void, or wait for a prescriber."""
    return home.Worklist(
        title="Prescription forms",
        rows=_rows(work),
        empty="No form ends soon, and none waits.",
        more_text="Prescription forms at this site",
        more_href=url_for("scripts_pages.listed"),
    )


def _rows(work: Act) -> list[home.Row]:
    return [
        home.Row(
            due=each.due, person=patient.listed_name, what=each.why, who=None,
            href=url_for(
                "scripts_pages.one", patient_id=patient.id, script_id=each.script_id
            ),
            risk=each.risk or "Routine", risk_colour=COLOURS.get(each.risk or "", "grey"),
        )
        for patient, each in queries.waiting(work)
    ]  # fmt: skip


@scripts_pages.get("/prescription-forms")
@needs("prescribing.read")
def listed() -> Page:
    """What waits at this site."""
    return render_template("scripts/list.jinja", rows=_rows(act()))


@scripts_pages.get(BASE)
@needs("prescribing.read")
def held(patient_id: int) -> Page:
    """Every form of one person, how they collect, and until when they are covered."""
    work = act()
    found = queries.held(work, patient_id)
    people = [row.recorded_by for row in (*found.scripts, *found.regimens)]
    return render_template(
        "scripts/held.jinja", held=found, patient=found.patient, forms=FORMS, statuses=STATUSES,
        colours=STATUS_COLOURS, banner=banner(work, found.patient), one_day=ONE_DAY,
        names=staff_names(work, *people), days_words=presenters.days_words,
        shut={each.script.id for each in shut_of(work, found.scripts) if not each.arranged},
    )  # fmt: skip


# -- one form ------------------------------------------------------------------------------


@scripts_pages.get(ONE)
@needs("prescribing.read")
def one(patient_id: int, script_id: int) -> Page:
    """A form: a draft with what the rules say to it now, an issued one with its life so far."""
    return _shown(patient_id, script_id)


def _shown(
    patient_id: int,
    script_id: int,
    form: IssueForm | None = None,
    answer: dict[str, Any] | None = None,
    status: int | None = None,
) -> Page:
    work = act()
    patient, row = queries.one(work, patient_id, script_id)
    checked, refusal = None, None
    shut = shut_of(work, [row])
    if row.status == DRAFT:
        form = form or IssueForm(version=row.version)
        try:
            checked = commands.check_script(work, patient_id, script_id)
        except (Invalid, NotReady) as cannot:
            refusal = _in_words(cannot)
    shown = answer or (checked.answer if checked else None)
    people = (row.recorded_by, row.issued_by, row.ended_by, row.called_by, row.settled_by)
    page = render_template(
        "scripts/one.jinja", row=row, patient=patient, banner=banner(work, patient), form=form,
        checked=checked, ways=_ways(shown, row), answer=shown, refusal=refusal,
        missing=[missing_link(each, patient.id) for each in (checked.missing if checked else ())],
        forms=FORMS, statuses=STATUSES, colours=STATUS_COLOURS, wordings=WORDINGS,
        overrides=OVERRIDES, today=work.today, days_words=presenters.days_words,
        withdrawn=facts.withdrawn_decisions(work, row), shut=shut,
        left=commands.first_days_left(work, row), earlier=presenters.earlier_endings(row),
        names=staff_names(
            work, *people, *(each.printed_by for each in row.prints),
            *(each.arranged.recorded_by for each in shut if each.arranged),
        ),
        failed=answer is not None and answer["outcome"] == "STOP", **_table(row, checked),
    )  # fmt: skip
    return page, status or (form.status if form else 200)


def _ways(answer: dict[str, Any] | None, row: Script) -> dict[str, list[dict[str, str]]]:
    """Where what a finding reads is put right; what is on the form itself, by changing the draft."""
    asked = answer is not None and answer.get("outcome") == "ALERT"
    ways = ways_to_record(answer, row.patient_id, reason_asked=asked)
    edit = url_for("draft_pages.edit", patient_id=row.patient_id, script_id=row.id)
    for finding in (answer or {}).get("findings", ()):
        if finding["rule"].startswith(OF_THE_FORM):
            link = {"says": "Change this draft", "href": edit}
            ways.setdefault(finding["rule"], []).append(link)
    return ways


def _in_words(cannot: Trouble) -> str:
    """What keeps a draft from being worked out, beginning with the field it is about."""
    if not cannot.faults:
        return cannot.detail
    field, says = cannot.faults[0]
    return f"{FIELDS[field]} {says}" if field in FIELDS and says[0].islower() else says


def _table(row: Script, checked: commands.Checked | None) -> dict[str, Any]:
    if row.paper is not None:
        return presenters.instalment_table(row.paper)
    return presenters.planned_table(checked.made) if checked else {}


@scripts_pages.post(f"{ONE}/issue")
@needs("prescribing.prescribe")
def issue(patient_id: int, script_id: int) -> Page:
    """Issue a draft, unless a rule stops it."""
    form = IssueForm()
    if not form.validate_on_submit():
        return _shown(patient_id, script_id, form)
    try:
        commands.issue_script(
            act(), patient_id, script_id, version=form.version.data,
            reason_code=form.reason_code.data, reason=form.reason.data,
        )  # fmt: skip
    except Stopped as stopped:
        return _shown(patient_id, script_id, form, stopped.answer, stopped.status)
    except ReasonNeeded as needed:
        form.refuse(needed.detail, [_reason_fault(*fault) for fault in needed.faults])
        return _shown(patient_id, script_id, form, needed.answer)
    except Stale as stale:
        form.refuse(f"{stale.detail} Read it again below before you issue it.")
        form.version.data, form.version.raw_data = stale.more["version"], None
        return _shown(patient_id, script_id, form)
    except (Invalid, Conflict, NotReady) as refusal:
        form.refuse(
            refusal.detail, [(field_of(form, field), says) for field, says in refusal.faults]
        )
        return _shown(patient_id, script_id, form, status=refusal.status)
    return to_the_form(patient_id, script_id, "Issued. Print it, and sign the paper by hand.")


def _reason_fault(field: str, says: str) -> tuple[str, str]:
    """The code of a reason is chosen by its words on the page."""
    return (field, "Choose a reason for going on" if field == "reason_code" else says)


@scripts_pages.route(f"{ONE}/discard", methods=["GET", "POST"])
@needs("prescribing.assess")
def discard(patient_id: int, script_id: int) -> Page:
    """Put a draft aside."""
    form = WhyForm()
    return _asked(
        patient_id, script_id, form, f"Discard draft {script_id}", "It stays on the record.",
        lambda: commands.discard_draft(act(), patient_id, script_id, form.reason.data or ""),
        "Discarded.",
    )  # fmt: skip


@scripts_pages.route(f"{ONE}/cancel", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def cancel(patient_id: int, script_id: int) -> Page:
    """Cancel an issued form from a date on."""
    work = act()
    patient_of(patient_id, "prescribing.prescribe")
    _, row = queries.one(work, patient_id, script_id)
    left = commands.first_days_left(work, row)
    form = CancelForm()
    form.from_on.choices = [("", "Choose")] + [(day.isoformat(), ui.day(day)) for day in left]

    def work_it() -> None:
        day = next((each for each in left if each.isoformat() == form.from_on.data), None)
        if day is None:
            raise Invalid.field("from_on", "Choose from which doses on it is cancelled")
        commands.cancel_script(
            act(), patient_id, script_id, from_on=day, reason=form.reason.data or ""
        )

    return _asked(
        patient_id, script_id, form, f"Cancel form {script_id}",
        "First ask the pharmacy what they have handed out. Nothing later may be dispensed on the "
        "paper: the pharmacy must be told, and that call is then waited for.",
        work_it, "Cancelled. Now call the pharmacy.",
    )  # fmt: skip


@scripts_pages.route(f"{ONE}/call", methods=["GET", "POST"])
@needs("prescribing.assess")
def call(patient_id: int, script_id: int) -> Page:
    """The pharmacy was told."""
    form = CallForm()
    return _asked(
        patient_id, script_id, form, f"The pharmacy was told about form {script_id}", None,
        lambda: commands.record_call(act(), patient_id, script_id, who=form.who.data or ""),
        "The call is recorded.", warning=False, button="Record the call",
    )  # fmt: skip


@scripts_pages.route(f"{ONE}/shut-days/<day>", methods=["GET", "POST"])
@needs("prescribing.assess")
def arrange(patient_id: int, script_id: int, day: str) -> Page:
    """What is due on a shut day is handed out before it."""
    _, row = queries.one(act(), patient_id, script_id)
    found = next((s for s in shut_of(act(), [row]) if s.due_on.isoformat() == day), None)
    if found is None or found.before_on is None:
        raise NotFound("No collection of that form falls on such a day.")
    form = ArrangeForm()
    home = facts.home_of(act(), patient_id)
    unsafe = home.children is not False and not home.storage_recorded
    return _asked(
        patient_id, script_id, form, f"Collected before {ui.day(found.due_on)}",
        f"The form’s wording lets the pharmacy hand it out on {ui.day(found.before_on)}. The doses "
        "due from it are then taken at home, unseen. "
        + ("Children may live there and no safe storage is recorded. " if unsafe else "")
        + "If that is not safe, replace the form.",
        lambda: shut_commands.arrange_shut_day(
            act(), patient_id, script_id, due_on=found.due_on, who=form.who.data or "",
            patient_told=form.patient_told.data or "",
        ),
        "Recorded. It no longer waits on the list.", button="Record this",
    )  # fmt: skip


@scripts_pages.route(f"{ONE}/shut-days/<int:arranged_id>/strike", methods=["GET", "POST"])
@needs("prescribing.assess")
def strike_arranged(patient_id: int, script_id: int, arranged_id: int) -> Page:
    """It holds no longer."""
    form = WhyForm()
    return _asked(
        patient_id, script_id, form, "Strike out what was arranged",
        "It stays on the record. The collection waits on the list again.",
        lambda: shut_commands.strike_shut_arranged(
            act(), patient_id, script_id, arranged_id, reason=form.reason.data or ""
        ),
        "Struck out.", button="Strike out",
    )  # fmt: skip


@scripts_pages.route(f"{ONE}/settle", methods=["GET", "POST"])
@needs("prescribing.assess")
def settle(patient_id: int, script_id: int) -> Page:
    """No next form is to follow."""
    form = WhyForm()
    return _asked(
        patient_id, script_id, form, "No next form is needed",
        "Its end is then no longer warned of. Treatment that goes on needs a next form instead.",
        lambda: commands.settle_script(act(), patient_id, script_id, reason=form.reason.data or ""),
        "Recorded.",
    )  # fmt: skip


@scripts_pages.route(f"{ONE}/undo/<what>", methods=["GET", "POST"])
@needs("prescribing.assess")
def undo(patient_id: int, script_id: int, what: str) -> Page:
    """A call or a settling was recorded wrongly."""
    if what not in commands.UNDOABLE:
        raise NotFound
    form = WhyForm()
    return _asked(
        patient_id, script_id, form, commands.UNDOABLE[what],
        "It stays on the record. The form waits on the list again.",
        lambda: commands.undo_on_script(
            act(), patient_id, script_id, what=what, reason=form.reason.data or ""
        ),
        "Taken back.", button="Take it back",
    )  # fmt: skip


def _asked(
    patient_id: int,
    script_id: int,
    form: Form,
    title: str,
    lead: str | None,
    work_it: Callable[[], object],
    done: str,
    **more: Any,
) -> Page:
    """A page that asks one thing about a form, then goes back to it."""
    patient, _ = queries.one(act(), patient_id, script_id)
    if carried_out(form, work_it):
        return to_the_form(patient.id, script_id, done)
    page = render_template(
        "one_form.jinja", form=form, title=title, lead=lead, banner=banner(act(), patient),
        cancel=url_for("scripts_pages.one", patient_id=patient.id, script_id=script_id),
        **{"warning": True, "button": title, **more},
    )  # fmt: skip
    return page, form.status


def to_the_form(patient_id: int, script_id: int, says: str) -> Any:
    flash(says)
    return redirect(url_for("scripts_pages.one", patient_id=patient_id, script_id=script_id))
