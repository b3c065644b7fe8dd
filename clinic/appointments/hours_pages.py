"""The pages of leave and opening hours, and the list of visits without staff.

Whatever takes hours away shows first which booked visits it would hit; see `withdrawn`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from clinic import ui
from clinic.appointments import hits, hours_commands, hours_queries
from clinic.appointments.forms import WEEKDAYS, LeaveForm, OpeningForm, SureForm
from clinic.appointments.models import AWAY_BECAUSE
from clinic.appointments.pages import carried_out
from clinic.auth import act, needs
from clinic.errors import Invalid
from clinic.forms import CHOOSE, Form
from clinic.sites.queries import staff_at

hours_pages = Blueprint("hours_pages", __name__, url_prefix="/appointments/rota")

Page = str | Response | tuple[str, int]


def withdrawn(
    form: Form,
    work: Callable[[], object],
    says: str,
    to: str,
    title: str,
    *,
    leave_of: int | None = None,
    saves: Callable[[], str] | None = None,
) -> Page | None:
    """A form that may take hours away: saved when it hits nothing, else shown what it hits first.

    None: the form is to be shown (again). `work` is the command, `to` where it leads, `saves` what it
    would save, in words.
    """
    if not form.is_submitted() or form.changing:
        return None
    if not form.confirmed:
        found: list[hits.Hits] = []
        if not carried_out(
            form, lambda: found.append(hits.would_hit(act(), work, leave_of=leave_of))
        ):
            return None
        if found[0]:
            return render_template(
                "appointments/would_hit.jinja", form=form, found=found[0], title=title,
                saves=saves() if saves else None,
            )  # fmt: skip
    if not carried_out(form, work):
        return None
    left = len(hits.without_staff(act()).rows)
    flash(says if not left else f"{says} Visits without staff: {left}.")
    return redirect(url_for("hours_pages.without_staff") if form.confirmed and left else to)


@hours_pages.get("/without-staff")
@needs("appointments.read")
def without_staff() -> Page:
    """Booked visits ahead that the rota does not carry."""
    return render_template("appointments/without_staff.jinja", found=hits.without_staff(act()))


@hours_pages.get("/hours")
@needs("appointments.read")
def hours() -> Page:
    """Who is away, and when the site is open."""
    return render_template(
        "appointments/hours.jinja", leave=hours_queries.leave_ahead(act()),
        openings=hours_queries.openings(act()), weekdays=WEEKDAYS, reasons=AWAY_BECAUSE,
        may_set=act().may("appointments.rota"), sure=SureForm(), today=act().today,
    )  # fmt: skip


def _form(form: Form, title: str, lead: str, **more: Any) -> Page:
    page = render_template(
        "appointments/step.jinja", form=form, title=title, lead=lead,
        back=url_for("hours_pages.hours"), back_to="leave and hours", **more,
    )  # fmt: skip
    return page, form.status


@hours_pages.route("/leave", methods=["GET", "POST"])
@needs("appointments.rota")
def leave() -> Page:
    """Somebody is away."""
    form = LeaveForm()
    form.staff_id.choices = [CHOOSE] + [
        SelectChoice(each.id, each.name) for each in staff_at(act(), act().site_id or 0)
    ]
    title = "Record leave"
    answer = withdrawn(
        form, lambda: hours_commands.record_leave(act(), **form.answers()), "The leave is recorded.",
        url_for("hours_pages.hours"), title, leave_of=form.staff_id.data,
        saves=lambda: f"{_name(form)} is away from "
        f"{ui.moment(form.starts_at.data)}, back {ui.moment(form.ends_at.data)}.",
    )  # fmt: skip
    return answer or _form(
        form, title,
        "Their places are not offered then, at any site. Visits already booked stay booked; "
        "you see them before anything is saved.",
    )  # fmt: skip


def _name(form: LeaveForm) -> str:
    return next(
        str(each.label) for each in form.staff_id.choices if each.value == form.staff_id.data
    )


@hours_pages.post("/leave/<int:leave_id>/withdraw")
@needs("appointments.rota")
def withdraw_leave(leave_id: int) -> Page:
    """They are not away after all."""
    return _taken_back(
        lambda: hours_commands.withdraw_leave(act(), leave_id),
        "The leave is withdrawn: the places are back.",
    )


@hours_pages.route("/opening", methods=["GET", "POST"])
@needs("appointments.rota")
def opening() -> Page:
    """The site's hours on a weekday."""
    form = OpeningForm(from_on=act().today)
    title = "Set opening hours"
    answer = withdrawn(
        form, lambda: hours_commands.set_opening(act(), **form.answers()), "The hours are set.",
        url_for("hours_pages.hours"), title,
        saves=lambda: f"{WEEKDAYS[form.weekday.data]}: {_hours(form)}, from "
        f"{ui.day(form.from_on.data)}.",
    )  # fmt: skip
    return answer or _form(
        form, title, "Places outside the hours are not offered. Leave both times empty for a "
        "weekday the site is shut.",
    )  # fmt: skip


def _hours(form: OpeningForm) -> str:
    if form.opens.data is None or form.closes.data is None:
        return "shut"
    return f"open {form.opens.data:%H:%M} to {form.closes.data:%H:%M}"


@hours_pages.post("/opening/<int:opening_id>/withdraw")
@needs("appointments.rota")
def withdraw_opening(opening_id: int) -> Page:
    """The hours before these go on."""
    return _taken_back(
        lambda: hours_commands.withdraw_opening(act(), opening_id),
        "The hours are withdrawn: what held before goes on.",
    )


def _taken_back(work: Callable[[], object], says: str) -> Response:
    if SureForm().validate_on_submit():
        try:
            work()
        except Invalid as refusal:
            says = refusal.detail
        flash(says)
    return redirect(url_for("hours_pages.hours"))
