"""The pages of a prison's wings: which there are."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for

from clinic.auth import act, needs
from clinic.custody import queries, wing_commands, wings
from clinic.custody.forms import WingForm
from clinic.custody.pages import Page, custody_pages
from clinic.errors import Invalid, NotFound
from clinic.forms import Form


@custody_pages.route("/wings", methods=["GET", "POST"])
@needs("sites.manage")
def wings_of_prison() -> Page:
    """The wings people are put on, and one more."""
    if not queries.at_a_prison(act()):
        raise NotFound("Wings belong to a prison. This site is a community service.")
    form = WingForm()
    if form.carried_out(lambda: wing_commands.add_wing(act(), form.name.data or "")):
        flash("The wing is added.")
        return redirect(url_for("custody_pages.wings_of_prison"))
    rows = wings.wings_here(act(), closed=True)
    return render_template("custody/wings.jinja", form=form, rows=rows), form.status


@custody_pages.post("/wings/<int:wing_id>/close")
@needs("sites.manage")
def close_wing(wing_id: int) -> Page:
    """Nobody new is put on it."""
    if not Form().validate_on_submit():
        raise Invalid("This page was open too long. Open the list of wings again.")
    wing_commands.close_wing(act(), wing_id)
    flash("The wing is closed. Whoever is on it is still shown there until they are moved.")
    return redirect(url_for("custody_pages.wings_of_prison"))
