"""The pages of missed contact: the ladder of one person, and what was tried to reach them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home
from clinic.act import Act
from clinic.appointments import missed_commands, missed_queries, queries, rota_queries
from clinic.appointments.forms import LostContactForm, TakeBackForm, TryForm
from clinic.appointments.missed_models import BEGAN, HOW, OUTCOMES, REASONS
from clinic.appointments.models import RISKS
from clinic.appointments.pages import RISK_COLOURS
from clinic.auth import act, needs
from clinic.forms import Form
from clinic.patients.access import open_record
from clinic.patients.pages import record_link
from clinic.patients.queries import banner
from scheduling.missed_contact import REBOOK, SAYS

missed_pages = Blueprint("missed_pages", __name__)
record_link("Contact lost: begin the ladder", "missed_pages.lost_contact", "contacts.record")

Page = str | Response | tuple[str, int]
STEP_HOW = {**HOW, REBOOK: "A new visit booked"}


@home.worklist("contacts.record")
def missed_contact(work: Act) -> home.Worklist | None:
    """People who missed a visit or were lost sight of, each with the step due first."""
    if not work.may("appointments.read") or not rota_queries.is_community(work):
        return None
    return home.Worklist(
        title="Missed contact",
        rows=[
            home.Row(
                due=each.next.due_at, person=each.patient.listed_name, what=each.waits_for(work.at),
                href=url_for("missed_pages.ladder", ladder_id=each.row.id), who=None,
                risk=RISKS.get((each.referral and each.referral.risk) or ""),
                risk_colour=RISK_COLOURS.get((each.referral and each.referral.risk) or "", "grey"),
            )
            for each in missed_queries.open_ladders(work)
            if each.next is not None
        ],
        empty="Nobody who missed a visit waits to be contacted.",
    )  # fmt: skip


def _to_ladder(ladder_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("missed_pages.ladder", ladder_id=ladder_id))


@missed_pages.get("/appointments/missed/<int:ladder_id>")
@needs("appointments.read")
def ladder(ladder_id: int) -> Page:
    """One ladder: its steps, what was tried, and what can be done next."""
    view = missed_queries.ladder(act(), ladder_id)
    names = queries.staff_names(
        act(), [i for row in (view.row, *view.tries) for i in (row.recorded_by, row.struck_by)]
    )
    return render_template(
        "appointments/missed.jinja", view=view, banner=banner(act(), view.patient), began=BEGAN,
        how=HOW, step_how=STEP_HOW, outcomes=OUTCOMES, reasons=REASONS, names=names,
        ended=missed_queries.ENDED, says=SAYS,
    )  # fmt: skip


@missed_pages.route("/appointments/missed/<int:ladder_id>/try", methods=["GET", "POST"])
@needs("contacts.record")
def record_try(ladder_id: int) -> Page:
    """What was tried, and what came of it."""
    form = TryForm(at=act().at)
    if form.carried_out(
        lambda: missed_commands.record_try(
            act(), ladder_id, how=form.how.data, at=form.at.data, outcome=form.outcome.data,
            reason=form.reason.data or None, note=form.note.data,
        )
    ):  # fmt: skip
        reached = form.outcome.data == "reached"
        return _to_ladder(
            ladder_id,
            "They were reached: the ladder has ended. Offer them a new time."
            if reached
            else "The try is recorded.",
        )
    return _about(ladder_id, form, "What was tried?", "Save")


@missed_pages.route(
    "/appointments/missed/<int:ladder_id>/try/<int:try_id>/strike", methods=["GET", "POST"]
)
@needs("contacts.record")
def strike_try(ladder_id: int, try_id: int) -> Page:
    """A try was recorded in error."""
    form = TakeBackForm()
    if form.carried_out(
        lambda: missed_commands.strike_try(act(), ladder_id, try_id, form.reason.data or "")
    ):
        return _to_ladder(ladder_id, "The try is struck out. It stays on record.")
    return _about(ladder_id, form, "Strike out this try", "Strike it out", warning=True)


@missed_pages.route("/appointments/missed/<int:ladder_id>/strike", methods=["GET", "POST"])
@needs("contacts.record")
def strike_lost_contact(ladder_id: int) -> Page:
    """Contact was not lost after all."""
    form = TakeBackForm()
    if form.carried_out(
        lambda: missed_commands.strike_lost_contact(act(), ladder_id, form.reason.data or "")
    ):
        return _to_ladder(ladder_id, "The ladder is struck out. It stays on record.")
    return _about(ladder_id, form, "Contact was not lost", "Strike it out", warning=True)


def _about(ladder_id: int, form: Form, title: str, button: str, *, warning: bool = False) -> Page:
    view = missed_queries.ladder(act(), ladder_id)
    due = view.next
    page = render_template(
        "appointments/step.jinja", form=form, title=title, banner=banner(act(), view.patient),
        lead=due.says if due and not warning else None, button=button, warning=warning,
        back=url_for("missed_pages.ladder", ladder_id=ladder_id), back_to="ladder",
    )  # fmt: skip
    return page, form.status


@missed_pages.route("/patients/<int:patient_id>/lost-contact", methods=["GET", "POST"])
@needs("contacts.record")
def lost_contact(patient_id: int) -> Page:
    """Contact with somebody was lost."""
    form, made = LostContactForm(), []
    if form.carried_out(
        lambda: made.append(
            missed_commands.begin_lost_contact(
                act(), patient_id, missed_at=form.missed_at.data, note=form.note.data or ""
            )
        )
    ):
        return _to_ladder(made[0], "The ladder has begun. Its steps are below.")
    patient = open_record(act(), patient_id, "appointments.lost_contact", right="appointments.read")
    page = render_template(
        "appointments/step.jinja", form=form, title="Contact is lost", lead=SAYS,
        banner=banner(act(), patient), button="Begin the ladder",
        back=url_for("patients_pages.record", patient_id=patient.id), back_to="record",
    )  # fmt: skip
    return page, form.status
