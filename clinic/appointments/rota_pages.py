"""The pages of the rota: its sessions, and whether they keep the prescribing model."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from clinic import ui
from clinic.appointments import rota_commands, rota_queries
from clinic.appointments.forms import (
    WEEKDAYS,
    ChangeSessionForm,
    DayOffForm,
    EndForm,
    SessionForm,
    SureForm,
)
from clinic.appointments.hours_pages import withdrawn
from clinic.appointments.hours_queries import things
from clinic.appointments.models import RotaPattern
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.forms import CHOOSE, Form

rota_pages = Blueprint("rota_pages", __name__, url_prefix="/appointments")
ui.nav("Rota", "rota_pages.rota", "appointments.read", "community")

Page = str | Response | tuple[str, int]


# -- the rota ------------------------------------------------------------------------------


@rota_pages.get("/rota")
@needs("appointments.read")
def rota() -> Page:
    """The weekly sessions, and whether they keep the prescribing model."""
    return render_template(
        "appointments/rota.jinja", view=rota_queries.rota_page(act()), weekdays=WEEKDAYS,
        may_set=act().may("appointments.rota"), sure=SureForm(),
    )  # fmt: skip


@rota_pages.route("/rota/add", methods=["GET", "POST"])
@needs("appointments.rota")
def add_session() -> Page:
    """A new session."""
    form = SessionForm(from_on=act().today, slot_minutes=90)
    doctors, workers, nurses = rota_queries.possible_staff(act())
    _offer_nurse_and_room(form, nurses)
    form.doctor_id.choices = [CHOOSE, *(SelectChoice(*each) for each in doctors)]
    form.worker_id.choices = [CHOOSE, *(SelectChoice(*each) for each in workers)]
    if form.carried_out(lambda: rota_commands.add_session(act(), **form.answers())):
        return _to_rota("The session is on the rota.")
    return (
        render_template("appointments/session.jinja", form=form, doctors=doctors, workers=workers),
        form.status,
    )


def _offer_nurse_and_room(
    form: SessionForm | ChangeSessionForm, nurses: list[tuple[int, str]]
) -> None:
    form.nurse_id.choices = [SelectChoice("", "None"), *(SelectChoice(*each) for each in nurses)]
    form.room_id.choices = [
        SelectChoice("", "None"),
        *(SelectChoice(each.id, each.name) for each in things(act(), "room")),
    ]


@rota_pages.route("/rota/<int:session_id>/change", methods=["GET", "POST"])
@needs("appointments.rota")
def change_session(session_id: int) -> Page:
    """Another nurse, room or use from a day on; what that would hit is shown first."""
    row = _session(session_id)
    form = ChangeSessionForm(
        nurse_id=row.nurse_id, room_id=row.room_id, kept_for=row.kept_for,
        routine_from_hours=row.routine_from_hours, version=row.version,
    )  # fmt: skip
    title = "Change the session from a day on"
    _offer_nurse_and_room(form, rota_queries.possible_staff(act())[2])
    answer = withdrawn(
        form, lambda: rota_commands.change_session(act(), session_id, **form.answers()),
        "The session is other from that day on.", url_for("rota_pages.rota"), title,
    )  # fmt: skip
    return answer or _about_session(
        _session(session_id), form, title,
        tells="Until the day before it stays as it is. You see the visits it hits before you save.",
    )  # fmt: skip


def _to_rota(says: str) -> Response:
    flash(says)
    return redirect(url_for("rota_pages.rota"))


def _session(session_id: int) -> RotaPattern:
    row = act().session.get(RotaPattern, session_id)
    if row is None or row.site_id != act().site_id:
        raise NotFound("There is no such session on this site's rota.")
    return row


def _about_session(row: RotaPattern, form: Form, title: str, **more: Any) -> Page:
    lead = f"{WEEKDAYS[row.weekday]} {row.starts:%H:%M} to {row.ends:%H:%M}."
    page = render_template(
        "appointments/step.jinja", form=form, title=title, lead=f"{lead} {more.pop('tells', '')}",
        back=url_for("rota_pages.rota"), back_to="rota", **more,
    )  # fmt: skip
    return page, form.status


@rota_pages.route("/rota/<int:session_id>/end", methods=["GET", "POST"])
@needs("appointments.rota")
def end_session(session_id: int) -> Page:
    """The session's last day, or that it goes on."""
    row = _session(session_id)
    form, title = EndForm(to_on=row.to_on, version=row.version), "End the session"
    answer = withdrawn(
        form, lambda: rota_commands.end_session(act(), session_id, **form.answers()),
        "The session's last day is set.", url_for("rota_pages.rota"), title,
    )  # fmt: skip
    return answer or _about_session(
        _session(session_id), form, title,
        tells="Visits booked after its last day stay booked; you see them before anything is saved.",
    )  # fmt: skip


@rota_pages.route("/rota/<int:session_id>/day-off", methods=["GET", "POST"])
@needs("appointments.rota")
def take_day_off(session_id: int) -> Page:
    """A day on which the session is not held."""
    form, title = DayOffForm(), "Take a day off the rota"
    answer = withdrawn(
        form, lambda: rota_commands.take_day_off(act(), session_id, **form.answers()),
        "The day is off the rota.", url_for("rota_pages.rota"), title,
    )  # fmt: skip
    return answer or _about_session(
        _session(session_id), form, title,
        tells="Visits booked on that day stay booked; you see them before anything is saved.",
    )  # fmt: skip


@rota_pages.post("/rota/days-off/<int:day_off_id>/withdraw")
@needs("appointments.rota")
def withdraw_day_off(day_off_id: int) -> Page:
    """The session is held after all."""
    if SureForm().validate_on_submit():
        rota_commands.withdraw_day_off(act(), day_off_id)
        flash("The session is held on that day after all.")
    return redirect(url_for("rota_pages.rota"))
