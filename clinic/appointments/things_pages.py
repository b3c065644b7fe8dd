"""The pages of rooms, observation places and kit."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic.appointments import hours_queries, things_commands
from clinic.appointments.forms import ThingForm, ThingGoneForm, ThingNameForm
from clinic.appointments.hours_pages import withdrawn
from clinic.appointments.models import ITEMS, RESOURCE_KINDS
from clinic.appointments.pages import carried_out
from clinic.auth import act, needs
from clinic.forms import Form

things_pages = Blueprint("things_pages", __name__, url_prefix="/appointments/rota/things")

Page = str | Response | tuple[str, int]


@things_pages.get("")
@needs("appointments.read")
def things() -> Page:
    """What this site has."""
    return render_template(
        "appointments/things.jinja", things=hours_queries.things(act()), kinds=RESOURCE_KINDS,
        items=ITEMS, may_set=act().may("appointments.rota"),
    )  # fmt: skip


def _form(form: Form, title: str, **more: Any) -> Page:
    page = render_template(
        "appointments/step.jinja", form=form, title=title, back=url_for("things_pages.things"),
        back_to="rooms, places and kit", **more,
    )  # fmt: skip
    return page, form.status


def _back(says: str) -> Response:
    flash(says)
    return redirect(url_for("things_pages.things"))


@things_pages.route("/add", methods=["GET", "POST"])
@needs("appointments.rota")
def add() -> Page:
    """A room, an observation place or a piece of kit."""
    form = ThingForm()
    if form.carried_out(lambda: things_commands.add_thing(act(), **form.thing())):
        return _back("It is added.")
    return _form(form, "Add a room, place or kit")


@things_pages.route("/<int:resource_id>/name", methods=["GET", "POST"])
@needs("appointments.rota")
def rename(resource_id: int) -> Page:
    """Call it something else."""
    row = things_commands.thing_here(act(), resource_id)
    form = ThingNameForm(name=row.name, version=row.version)
    if carried_out(
        form, lambda: things_commands.rename_thing(act(), resource_id, **form.answers())
    ):
        return _back("The name is changed.")
    return _form(form, f"Call {row.name} something else")


@things_pages.route("/<int:resource_id>/gone", methods=["GET", "POST"])
@needs("appointments.rota")
def gone(resource_id: int) -> Page:
    """From when it is no longer there, or that it stays."""
    row = things_commands.thing_here(act(), resource_id)
    form, title = ThingGoneForm(gone_on=row.gone_on, version=row.version), f"Withdraw {row.name}"
    answer = withdrawn(
        form, lambda: things_commands.withdraw_thing(act(), resource_id, **form.answers()),
        "It is saved.", url_for("things_pages.things"), title,
    )  # fmt: skip
    return answer or _form(
        form, title,
        lead="Visits booked with it stay booked; you see them before anything is saved.",
    )  # fmt: skip
