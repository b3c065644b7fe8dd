"""The pages of pharmacies and clinics, and when they open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, url_for

from clinic.auth import act, needs
from clinic.errors import Stale
from clinic.forms import Form
from clinic.release import premises as pharmacies
from clinic.release import queries
from clinic.release.forms import (
    WEEKDAY_NAMES,
    ClosureForm,
    OpeningForm,
    PremisesCorrectForm,
    PremisesForm,
    StrikeForm,
    WeekForm,
)
from clinic.release.page_parts import Page, one_form
from clinic.release.pages import release_pages
from clinic.release.places import nation_of
from clinic.release.sections import PREMISES
from clinic.sites.models import NATIONS


@release_pages.get("/premises")
@needs("release.read")
def premises_listed() -> Page:
    """The pharmacies and clinics plans may name."""
    return render_template(
        "release/premises_list.jinja", premises=queries.premises_list(act()), kinds=PREMISES
    )


@release_pages.route("/premises/add", methods=["GET", "POST"])
@needs("release.plan")
def add_premises() -> Page:
    """Add one."""
    form = PremisesForm()
    made: list[int] = []
    if form.carried_out(lambda: made.append(pharmacies.add_premises(act(), **form.answers()))):
        flash("Added. Its hours are not known until they are recorded.")
        return redirect(url_for("release_pages.premises", premises_id=made[0]))
    return one_form(form, "Add a pharmacy or clinic", url_for("release_pages.premises_listed"))


@release_pages.get("/premises/<int:premises_id>")
@needs("release.read")
def premises(premises_id: int) -> Page:
    """When one is open, and what was ever recorded of it."""
    place, hours, rows, names = queries.premises_shown(act(), premises_id)
    return render_template(
        "release/premises.jinja", place=place, hours=hours, rows=rows, names=names,
        kinds=PREMISES, weekdays=WEEKDAY_NAMES, nations=NATIONS, today=act().today,
        changes=queries.premises_changes(act(), premises_id),
    )  # fmt: skip


@release_pages.route("/premises/<int:premises_id>/correct", methods=["GET", "POST"])
@needs("release.plan")
def correct_premises(premises_id: int) -> Page:
    """Its address or telephone is another."""
    place, _, _, _ = queries.premises_shown(act(), premises_id)
    form = PremisesCorrectForm()
    if not form.is_submitted():
        form.version.data = place.version
        form.address.data, form.telephone.data = place.address, place.telephone

    def work_it() -> None:
        pharmacies.correct_premises(
            act(), premises_id, version=form.version.data or 0, address=form.address.data,
            telephone=form.telephone.data, reason=form.reason.data or "",
        )  # fmt: skip

    title = f"Address and telephone of {place.name}"
    try:
        return _premises_form(form, title, premises_id, work_it, "Corrected.")
    except Stale as stale:
        form.refuse(
            f"{stale.detail} It now reads: {place.address or 'no address'}, "
            f"{place.telephone or 'no telephone'}. Nothing of yours was saved yet."
        )
        form.version.data, form.version.raw_data = stale.more["version"], None
        here = url_for("release_pages.premises", premises_id=premises_id)
        return one_form(form, title, here)


@release_pages.route("/premises/<int:premises_id>/week", methods=["GET", "POST"])
@needs("release.plan")
def week(premises_id: int) -> Page:
    """Its opening hours."""
    place, hours, _, _ = queries.premises_shown(act(), premises_id)
    form = WeekForm()
    if not form.is_submitted():
        for key in WEEKDAY_NAMES:
            form[key].data = ", ".join((hours.get("hours") or {}).get(key, ()))
        form["nation"].data = nation_of(act().session, premises_id, act().at)

    def work_it() -> None:
        pharmacies.set_week(
            act(), premises_id, form.week(), nation=form["nation"].data, reason=form["reason"].data
        )

    return _premises_form(form, f"Opening hours of {place.name}", premises_id, work_it)


@release_pages.route("/premises/<int:premises_id>/closed", methods=["GET", "POST"])
@needs("release.plan")
def closed(premises_id: int) -> Page:
    """Days it is closed."""
    place, _, _, _ = queries.premises_shown(act(), premises_id)
    form = ClosureForm()

    def work_it() -> None:
        pharmacies.close_premises(act(), premises_id, **form.answers())

    return _premises_form(form, f"Days {place.name} is closed", premises_id, work_it)


@release_pages.route("/premises/<int:premises_id>/open", methods=["GET", "POST"])
@needs("release.plan")
def opened(premises_id: int) -> Page:
    """A day it opens out of the ordinary."""
    place, _, _, _ = queries.premises_shown(act(), premises_id)
    form = OpeningForm()

    def work_it() -> None:
        hours = [each.strip() for each in form["hours"].data.split(",")]
        pharmacies.open_premises(
            act(), premises_id, form["on"].data, hours, reason=form["reason"].data
        )

    return _premises_form(form, f"A day {place.name} opens", premises_id, work_it)


@release_pages.route(
    "/premises/<int:premises_id>/facts/<int:fact_id>/strike", methods=["GET", "POST"]
)
@needs("release.plan")
def strike_premises_fact(premises_id: int, fact_id: int) -> Page:
    """Hours, a closure or an opening were wrong."""
    place, _, _, _ = queries.premises_shown(act(), premises_id)
    form = StrikeForm()

    def work_it() -> None:
        pharmacies.strike_premises_fact(act(), fact_id, reason=form["reason"].data)

    return _premises_form(
        form, f"Strike out what is recorded of {place.name}", premises_id, work_it,
        button="Strike out", warning=True,
    )  # fmt: skip


def _premises_form(
    form: Form, title: str, premises_id: int, work: Callable[[], object],
    says: str = "Saved. Every plan that uses it was looked at again.", **more: Any,
) -> Page:  # fmt: skip
    here = url_for("release_pages.premises", premises_id=premises_id)
    if form.carried_out(work):
        flash(says)
        return redirect(here)
    return one_form(form, title, here, **more)
