"""The pages of what is done for a leaver, and of the mailbox that hears of critical flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic import home
from clinic.act import Act
from clinic.auth import act, needs
from clinic.forms import Form, MomentField
from clinic.patients.queries import banner
from clinic.release import care, consents
from clinic.release.access import open_plan
from clinic.release.care_models import (
    CONSENTS,
    OUTCOMES,
    OWNERS,
    TASKS,
    LeaverTask,
    outcomes_of,
)
from clinic.staff.queries import site_names

release_care_pages = Blueprint("release_care_pages", __name__, url_prefix="/release")

Page = str | Response | tuple[str, int]
MOST_ON_HOME = 20


class TaskForm(Form):
    kind = RadioField("What is to be done?", [InputRequired()], choices=list(care.BY_HAND.items()))
    owner = RadioField("Whose is it?", [InputRequired()], choices=list(OWNERS.items()))
    due_at = MomentField("By when", [InputRequired()])
    note = TextAreaField("Who, where and how", [Length(max=care.LONGEST)])


class FinishForm(Form):
    outcome = RadioField("What came of it?", [InputRequired()], choices=list(OUTCOMES.items()))
    done_at = MomentField("When", [InputRequired()])
    says = TextAreaField("What was done, and by whom", [InputRequired(), Length(max=care.LONGEST)])


class WhyForm(Form):
    reason = StringField("Why", [InputRequired(), Length(max=care.LONGEST)])


class DutyForm(Form):
    address = StringField(
        "E-mail address of the duty mailbox", [Length(max=254)],
        description="Empty: nobody is told. No message names a patient",
    )  # fmt: skip


# -- tasks ---------------------------------------------------------------------------------


def _row(work: Act, each: LeaverTask) -> home.Row:
    late = care.late(each, work.at)
    return home.Row(
        due=each.due_at, person=each.plan.patient.listed_name,
        href=url_for("release_pages.plan", plan_id=each.plan_id),
        what=TASKS[each.kind] + (f": {each.note}" if each.note else ""), who=OWNERS[each.owner],
        risk="Late" if late else "To do", risk_colour="red" if late else "blue",
    )  # fmt: skip


@home.worklist("release.read")
def leaver_tasks(work: Act) -> home.Worklist | None:
    """What is to be done for people who leave, at the site whose part it is."""
    rows = [_row(work, each) for each in care.tasks_here(work)]
    if not rows:
        return None
    return home.Worklist(
        title="To do for people who leave", rows=rows[:MOST_ON_HOME], empty="",
        more_text="All coming releases", more_href=url_for("release_pages.coming"),
    )  # fmt: skip


@release_care_pages.route("/plans/<int:plan_id>/tasks/add", methods=["GET", "POST"])
@needs("release.plan")
def add_task(plan_id: int) -> Page:
    """Plan something, with an owner and a time."""
    plan, patient = open_plan(act(), plan_id, "release.plan_seen", right="release.plan")
    form = TaskForm()
    return _form(
        form, lambda: care.add_task(act(), plan_id, **form.answers()), "Something to do", plan.id,
        patient, says="Planned.",
    )  # fmt: skip


@release_care_pages.route("/tasks/<int:task_id>/finish", methods=["GET", "POST"])
@needs("release.plan")
def finish_task(task_id: int) -> Page:
    """What came of it."""
    row = care.task_open(act(), task_id, "release.plan_seen")
    form = FinishForm()
    form["outcome"].choices = list(outcomes_of(row.kind).items())
    return _form(
        form, lambda: care.finish_task(act(), task_id, **form.answers()), TASKS[row.kind],
        row.plan_id, row.plan.patient, says="Recorded.",
    )  # fmt: skip


@release_care_pages.route("/tasks/<int:task_id>/strike", methods=["GET", "POST"])
@needs("release.plan")
def strike_task(task_id: int) -> Page:
    """It was wrong, or what was recorded of it was."""
    row = care.task_open(act(), task_id, "release.plan_seen")
    form = WhyForm()
    return _form(
        form, lambda: care.strike_task(act(), task_id, **form.answers()),
        f"Strike out: {TASKS[row.kind]}", row.plan_id, row.plan.patient, says="Struck out.",
        button="Strike out", warning=True,
    )  # fmt: skip


@release_care_pages.route("/tasks/<int:task_id>/undo", methods=["GET", "POST"])
@needs("release.plan")
def undo_task(task_id: int) -> Page:
    """It is not finished after all."""
    row = care.task_open(act(), task_id, "release.plan_seen")
    form = WhyForm()
    return _form(
        form, lambda: care.undo_task(act(), task_id, **form.answers()),
        f"Not finished after all: {TASKS[row.kind]}", row.plan_id, row.plan.patient,
        says="It waits again.", button="It waits again",
    )  # fmt: skip


# -- consents by recipient ----------------------------------------------------------------


class ConsentForm(Form):
    """Whom it is about, and what was said. Nothing is preset."""

    to_site_id = SelectField(
        "Service that uses this system", [Optional()], coerce=int, validate_choice=False
    )
    recipient = StringField(
        "Or another recipient", [Length(max=200)], description="Its name, team and town"
    )
    says = RadioField("What was said?", [InputRequired()], choices=list(CONSENTS.items()))
    decided_at = MomentField("When", [InputRequired()])
    because = TextAreaField(
        "What was agreed, or what the lawful basis is", [Length(max=consents.LONGEST)],
        description="Needed for a lawful basis: what it is, and who decided it",
    )  # fmt: skip


@release_care_pages.get("/plans/<int:plan_id>/consents")
@needs("release.read")
def consents_listed(plan_id: int) -> Page:
    """Who may be told, and everything that was said about it."""
    work = act()
    plan, patient = open_plan(work, plan_id, "release.plan_seen")
    return render_template(
        "release/consents.jinja", plan=plan, rows=consents.consents_of(work, plan_id),
        words=CONSENTS, banner=banner(work, patient), may_plan=work.may("release.plan"),
    )  # fmt: skip


@release_care_pages.route("/plans/<int:plan_id>/consents/add", methods=["GET", "POST"])
@needs("release.plan")
def add_consent(plan_id: int) -> Page:
    """Something was said about a recipient."""
    work = act()
    _, patient = open_plan(work, plan_id, "release.plan_seen", right="release.plan")
    form = ConsentForm()
    others = {key: name for key, name in site_names(work).items() if key != work.site_id}
    form["to_site_id"].choices = [(0, "None of these"), *others.items()]

    def work_it() -> None:
        given = form.answers()
        consents.record_consent(
            act(), plan_id, **{**given, "to_site_id": given["to_site_id"] or None}
        )

    return _form(
        form, work_it, "Consent to share with a recipient", plan_id, patient, says="Recorded.",
        to="consents_listed",
    )  # fmt: skip


@release_care_pages.route(
    "/plans/<int:plan_id>/consents/<int:consent_id>/strike", methods=["GET", "POST"]
)
@needs("release.plan")
def strike_consent(plan_id: int, consent_id: int) -> Page:
    """It was recorded wrongly."""
    _, patient = open_plan(act(), plan_id, "release.plan_seen", right="release.plan")
    form = WhyForm()
    return _form(
        form, lambda: consents.strike_consent(act(), plan_id, consent_id, **form.answers()),
        "Strike out what was recorded of consent", plan_id, patient, says="Struck out.",
        to="consents_listed", button="Strike out", warning=True,
    )  # fmt: skip


# -- the duty mailbox ----------------------------------------------------------------------


@release_care_pages.route("/duty", methods=["GET", "POST"])
@needs("release.read")
def duty() -> Page:
    """Where critical flags of this site are told, and what was told."""
    work = act()
    form = DutyForm() if work.may("sites.manage") else None
    standing = care.duty_address(work)
    if form is not None:
        if not form.is_submitted() and standing is not None:
            form["address"].data = standing.address
        if form.carried_out(lambda: care.set_duty_address(act(), address=form["address"].data)):
            flash("Saved.")
            return redirect(url_for("release_care_pages.duty"))
    page = render_template(
        "release/duty.jinja", form=form, standing=standing, notices=care.notices_here(work)
    )
    return page, 200 if form is None else form.status


def _form(
    form: Form, work: Callable[[], object], title: str, plan_id: int, patient: Any, *, says: str,
    to: str | None = None, **more: Any,
) -> Page:  # fmt: skip
    page = "release_pages.plan" if to is None else f"release_care_pages.{to}"
    here = url_for(page, plan_id=plan_id)
    if form.carried_out(work):
        flash(says)
        return redirect(here)
    page = render_template(
        "one_form.jinja", form=form, title=title, cancel=here, banner=banner(act(), patient), **more
    )
    return page, form.status
