"""The pages of what groups need: material, half-days, facilitators, rooms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from flask import url_for

from clinic.appointments import things_commands
from clinic.auth import act, needs
from clinic.errors import Invalid
from clinic.forms import Form
from clinic.groups import commands, facts, forms, queries
from clinic.groups.pages import Page, done, groups_pages, one_form, show
from dosing.days import days_between


@groups_pages.get("/needs")
@needs("custody.read")
def what_groups_need() -> Page:
    """Material, half-days, facilitators and rooms of this prison."""
    work = act()
    today = work.today
    monday = today - timedelta(days=today.weekday())
    own = queries.half_days(work)
    return show(
        "needs", materials=queries.materials(work), own=own, today=today,
        week=[facts.half_days(own, day) for day in days_between(monday, monday + queries.WEEK)],
        facilitators=queries.facilitators(work), rooms=queries.rooms(work),
        may_manage=work.may("groups.manage"),
    )  # fmt: skip


def _needs_form(form: Form, title: str, work: Callable[[], object], **more: Any) -> Page:
    where = url_for("groups_pages.what_groups_need")
    if form.carried_out(work):
        return done("It is saved.", where)
    return one_form(form, title, where, **more)


@groups_pages.route("/needs/material", methods=["GET", "POST"])
@needs("groups.manage")
def add_material() -> Page:
    """Validated material of a topic."""
    form = forms.MaterialForm()
    return _needs_form(
        form, "Add validated material", lambda: commands.add_material(act(), **form.answers())
    )


@groups_pages.route("/needs/material/<int:material_id>/end", methods=["GET", "POST"])
@needs("groups.manage")
def end_material(material_id: int) -> Page:
    """It is used no more."""
    form = forms.ReasonForm()
    return _needs_form(
        form, "End this material",
        lambda: commands.end_material(act(), material_id, **form.answers()), warning=True,
    )  # fmt: skip


@groups_pages.route("/needs/half-day", methods=["GET", "POST"])
@needs("groups.manage")
def set_half_day() -> Page:
    """The hours of a half-day from a day on."""
    form = forms.HalfDayForm()

    def save() -> object:
        given = form.answers()
        for name in ("starts", "ends"):
            given[name] = _clock(name, given[name])
        return commands.set_half_day(act(), **given)

    return _needs_form(form, "Set the hours of a half-day", save)


def _clock(field: str, given: str | None) -> time | None:
    if not (given or "").strip():
        return None
    try:
        return time.fromisoformat((given or "").strip())
    except ValueError:
        raise Invalid.field(field, "must be a time on the 24-hour clock, such as 09:00") from None


@groups_pages.route("/needs/half-day/<int:block_id>/end", methods=["GET", "POST"])
@needs("groups.manage")
def end_half_day(block_id: int) -> Page:
    """What stood before counts again."""
    form = forms.ReasonForm()
    return _needs_form(
        form, "Take these hours back",
        lambda: commands.end_half_day(act(), block_id, **form.answers()), warning=True,
    )  # fmt: skip


@groups_pages.route("/needs/facilitator", methods=["GET", "POST"])
@needs("groups.manage")
def set_facilitator() -> Page:
    """Who leads which topics."""
    form = forms.FacilitatorForm()
    form.staff_id.choices = forms.named((row.id, row.name) for row in queries.staff_here(act()))
    return _needs_form(
        form, "Say who leads groups", lambda: commands.set_facilitator(act(), **form.answers())
    )


@groups_pages.route("/needs/facilitator/<int:staff_id>/end", methods=["GET", "POST"])
@needs("groups.manage")
def end_facilitator(staff_id: int) -> Page:
    """They lead no more."""
    form = forms.ReasonForm()
    return _needs_form(
        form, "They lead groups no more",
        lambda: commands.end_facilitator(act(), staff_id, **form.answers()), warning=True,
    )  # fmt: skip


@groups_pages.route("/needs/room/<int:resource_id>", methods=["GET", "POST"])
@needs("groups.manage")
def confidential(resource_id: int) -> Page:
    """Is a room confidential?"""
    row = things_commands.thing_here(act(), resource_id)
    form = forms.ConfidentialForm()
    return _needs_form(
        form, f"{row.name}: is it fit for groups?",
        lambda: things_commands.say_confidential(
            act(), resource_id, confidential=forms.CONFIDENTIAL[form.confidential.data]
        ),
    )  # fmt: skip
