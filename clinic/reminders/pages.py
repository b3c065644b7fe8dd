"""The pages of reminders: what was sent, what is due, what failed; and how somebody is reached."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home
from clinic.act import Act
from clinic.appointments.queries import staff_names
from clinic.appointments.rota_queries import is_community
from clinic.auth import act, needs
from clinic.forms import Form
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.pages import record_link
from clinic.patients.queries import banner, same_person
from clinic.reminders import commands, queries
from clinic.reminders.forms import ChoiceForm, RetryForm, SureForm, WithdrawForm
from clinic.reminders.models import CHANNELS
from clinic.reminders.ports import Port, ports_of
from scheduling.reminders import LANGUAGES, words

reminders_pages = Blueprint("reminders_pages", __name__)
record_link("How they want to be reached", "reminders_pages.choice", "patients.read")

Page = str | Response | tuple[str, int]
COLOURS = {"failed": "red", "unsure": "orange", "not_asked": "yellow", "sent": "green"}


def ports() -> Mapping[str, Port]:
    """What this service can send by."""
    return ports_of(current_app.config["SETTINGS"])


@home.worklist("appointments.book")
def reminders_to_settle(work: Act) -> home.Worklist | None:
    """Reminders of visits ahead that failed or may not have gone: somebody rings instead."""
    if not is_community(work):
        return None
    return home.Worklist(
        title="Reminders that did not go",
        rows=[
            home.Row(
                due=line.visit_at, person=line.patient.listed_name, who=None,
                href=url_for("reminders_pages.reminder", reminder_id=line.reminder.id),
                what=f"{queries.WILL[line.stands]}. Send it again, or ring them.",
            )
            for line in queries.to_settle(work)
            if line.reminder is not None
        ],
        empty="Every reminder that was to go has gone.",
        more_text="All reminders", more_href=url_for("reminders_pages.reminders"),
    )  # fmt: skip


@reminders_pages.get("/reminders")
@needs("appointments.read")
def reminders() -> Page:
    """What was sent, what is due, and what failed."""
    able = ports()
    return render_template(
        "reminders/list.jinja", lines=queries.reminders_page(act(), frozenset(able)),
        will=queries.WILL, windows=queries.WORDS, channels=CHANNELS, colours=COLOURS,
        missing=[name for name in ("email", "text") if name not in able],
    )  # fmt: skip


@reminders_pages.route("/reminders/<int:reminder_id>", methods=["GET", "POST"])
@needs("appointments.book")
def reminder(reminder_id: int) -> Page:
    """One reminder with its tries; sent again when it failed or may not have gone."""
    row = commands.reminder_here(act(), reminder_id)
    unsure = row.stands(act().at) == "unsure"
    form: Form = SureForm() if unsure else RetryForm()
    if unsure and form.validate_on_submit() and form["sure"].data == "no":
        return redirect(url_for("reminders_pages.reminders"))
    sure = unsure and form["sure"].data == "yes"
    came: list[str] = []
    if form.carried_out(
        lambda: came.append(commands.retry(act(), reminder_id, ports(), sure=sure))
    ):
        flash(f"{queries.WILL[came[0]]}.")
        return redirect(url_for("reminders_pages.reminder", reminder_id=reminder_id))
    row = commands.reminder_here(act(), reminder_id)
    patient = act().session.get_one(Patient, row.patient_id)
    stands = row.stands(act().at)
    choice = commands.choice_in_force(act(), row.patient_id)
    said = words(choice.language if choice else "en", row.for_starts_at)
    page = render_template(
        "reminders/reminder.jinja", form=form, title=f"Reminder: {queries.WILL[stands]}",
        banner=banner(act(), patient), row=row, stands=stands, will=queries.WILL, said=said,
        windows=queries.WORDS, names=staff_names(act(), [each.by for each in row.tries]),
        again=stands in ("failed", "unsure") and row.for_starts_at > act().at,
    )  # fmt: skip
    return page, form.status


@reminders_pages.route("/patients/<int:patient_id>/reached", methods=["GET", "POST"])
@needs("patients.read")
def choice(patient_id: int) -> Page:
    """How somebody wants to be reached: what they said, when, and to whom."""
    patient = open_record(act(), patient_id, "reminders.read")
    known = commands.choice_in_force(act(), patient.id)
    form = ChoiceForm()
    if form.carried_out(lambda: commands.record_choice(act(), patient.id, **form.answers())):
        flash("What they said is recorded.")
        return redirect(url_for("reminders_pages.choice", patient_id=patient.id))
    said = queries.choices_of(act(), same_person(act(), patient.id))
    page = render_template(
        "reminders/choice.jinja", form=form, title="How they want to be reached",
        banner=banner(act(), patient), known=known, said=said, channels=CHANNELS,
        languages=LANGUAGES, patient=patient, withdraw=WithdrawForm(),
        names=staff_names(act(), [i for each in said for i in (each.recorded_by, each.ended_by)]),
    )  # fmt: skip
    return page, form.status


@reminders_pages.post("/patients/<int:patient_id>/reached/withdraw")
@needs("patients.edit")
def withdraw(patient_id: int) -> Page:
    """They no longer want to be reminded."""
    form = WithdrawForm()
    if form.validate_on_submit():
        commands.withdraw_choice(act(), patient_id)
        flash("Withdrawn. From now on nothing is sent.")
    return redirect(url_for("reminders_pages.choice", patient_id=patient_id))
