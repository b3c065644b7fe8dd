"""The page of how a prison counts the 28 days."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for

from clinic.auth import act, needs
from clinic.custody import queries, setting_commands
from clinic.custody.forms import DayCountForm
from clinic.custody.models import DAY_COUNTS
from clinic.custody.pages import Page, carried_out, custody_pages


@custody_pages.route("/settings", methods=["GET", "POST"])
@needs("sites.manage")
def settings() -> Page:
    """How this prison numbers the 28 days."""
    form = DayCountForm()

    def work() -> None:
        setting_commands.set_day_count(
            act(), form.day_count.data, from_on=form.from_on.data, reason=form.reason.data or ""
        )

    if carried_out(form, work):
        flash("The numbering of days is set.")
        return redirect(url_for("custody_pages.settings"))
    rows = queries.day_counts(act()) if act().may("custody.read") else []
    page = render_template("custody/settings.jinja", form=form, rows=rows, day_counts=DAY_COUNTS)
    return page, form.status
