"""The pages of how a prison counts the 28 days: what holds, and who set it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for

from clinic.auth import act, needs
from clinic.custody import queries, setting_commands
from clinic.custody import settings as held
from clinic.custody.forms import CompletionForm, DayCountForm
from clinic.custody.models import DAY_COUNTS
from clinic.custody.pages import Page, custody_pages
from clinic.errors import NotFound
from clinic.forms import Form
from clinic.sites.models import NATIONS


@custody_pages.get("/settings")
@needs("custody.read")
def settings() -> Page:
    """The conventions of this prison, the calendar its dates follow, and who chose what and why."""
    work = act()
    if not queries.at_a_prison(work):
        raise NotFound("This belongs to a prison. This site is a community service.")
    return render_template(
        "custody/settings.jinja", view=held.settings(work), day_counts=DAY_COUNTS, nations=NATIONS,
        may_set=work.may("sites.manage"),
    )  # fmt: skip


@custody_pages.route("/settings/day-count", methods=["GET", "POST"])
@needs("sites.manage")
def set_day_count() -> Page:
    """Number the days otherwise."""
    form = DayCountForm()
    if form.carried_out(lambda: setting_commands.set_day_count(act(), **form.answers())):
        return _set("The numbering of days is set.")
    return _asked(form, "How this prison numbers the days")


@custody_pages.route("/settings/completion", methods=["GET", "POST"])
@needs("sites.manage")
def set_completion_day() -> Page:
    """Let completion begin on another day."""
    form = CompletionForm()
    if form.carried_out(lambda: setting_commands.set_completion_day(act(), **form.answers())):
        return _set("The day completion begins on is set.")
    return _asked(form, "When completion begins here")


def _asked(form: Form, title: str) -> Page:
    page = render_template(
        "one_form.jinja", form=form, title=title, button="Set",
        lead="It holds for receptions from the day you give. Stays that have begun keep what they "
        "began with.",
        cancel=url_for("custody_pages.settings"),
    )  # fmt: skip
    return page, form.status


def _set(says: str) -> Page:
    flash(says)
    # Whoever sets up sites alone does not read stays, and goes on where they came from.
    there = "custody_pages.settings" if act().may("custody.read") else "sites_pages.listed"
    return redirect(url_for(there))
