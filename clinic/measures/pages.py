"""The measures of a site: a month or quarter at a look, one measure with its people, a sheet to print."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic import clock, periods, sheets, ui
from clinic.answers import Page, WhyForm, words
from clinic.auth import act, needs
from clinic.forms import Form
from clinic.measures import commands, presenters, queries
from scheduling.measures import LATE, REASONS, SMALL_SAYS, SOURCES

measure_pages = Blueprint("measure_pages", __name__, url_prefix="/measures")
ui.nav("Measures", "measure_pages.overview", "measures.read")


class ExplainForm(Form):
    """Why one case was late. Nothing is preset."""

    code = RadioField("Why was it late?", [InputRequired()], choices=words(REASONS))
    note = TextAreaField(
        "Note", [Optional(), Length(max=commands.LONGEST)],
        description="Needed for another reason. Without names",
    )  # fmt: skip


def _period() -> periods.Period:
    """The period of the address; this month when none is named."""
    name = request.args.get("period")
    return periods.named(name) if name else periods.Month.of(act().today)


def _choices(shown: periods.Period) -> list[periods.Period]:
    """A year of months and of quarters, the newest first, and the one shown."""
    today = act().today
    months = periods.ending(periods.Month.of(today), 12)[::-1]
    quarters = periods.ending(periods.Quarter.of(today), 4)[::-1]
    found: list[periods.Period] = [*months, *quarters]
    return found if shown in found else [shown, *found]


@measure_pages.get("")
@needs("measures.read")
def overview() -> str:
    """Every measure of this site in a period."""
    period = _period()
    return render_template(
        "measures/overview.jinja", found=queries.measures(act(), period), period=period,
        periods=_choices(period), says=presenters.says, small_says=SMALL_SAYS,
    )  # fmt: skip


@measure_pages.get("/sheet/<period>")
@needs("measures.read")
def sheet(period: str) -> str:
    """The same on paper, with what each number counts and no person."""
    named = periods.named(period)
    return render_template(
        "measures/sheet.jinja", found=queries.measures(act(), named), period=named,
        says=presenters.says, small_says=SMALL_SAYS, sources=SOURCES, printed_at=clock.now(),
    )  # fmt: skip


@measure_pages.get("/<period>.csv")
@needs("measures.read")
def numbers(period: str) -> Response:
    """A period and those before it as a sheet that names nobody."""
    named = periods.named(period)
    return sheets.as_csv(f"measures-{named}.csv", queries.HEADS, queries.export(act(), named))


@measure_pages.get("/<key>/<period>")
@needs("measures.read")
def measure(key: str, period: str) -> str:
    """One measure: how it went over time, and everybody behind the number."""
    named, work = periods.named(period), act()
    return render_template(
        "measures/measure.jinja", found=queries.measure(work, key, named), period=named,
        says=presenters.says, small_says=SMALL_SAYS, sources=SOURCES,
        stands=presenters.STANDS, link=lambda case: presenters.link(work, case), reasons=REASONS, late=LATE,
        may_explain=work.may("measures.explain"),
    )  # fmt: skip


@measure_pages.route("/<key>/<period>/<case>/why", methods=["GET", "POST"])
@needs("measures.explain")
def explain(key: str, period: str, case: str) -> Page:
    """Say why a case was late."""
    named = periods.named(period)
    back = url_for("measure_pages.measure", key=key, period=period)
    queries.late_case(act(), key, case, named)
    form = ExplainForm()
    if form.carried_out(
        lambda: commands.explain(
            act(), key, case, named, code=form.code.data or "", note=form.note.data
        )
    ):
        flash("The reason is recorded. The case still counts as late.")
        return redirect(back)
    page = render_template(
        "one_form.jinja", form=form, title="Why was it late?", cancel=back,
        lead="A reason explains the number to whoever reads it. It takes nothing out of it.",
    )  # fmt: skip
    return page, form.status


@measure_pages.route("/<key>/<period>/reasons/<int:reason_id>/withdraw", methods=["GET", "POST"])
@needs("measures.explain")
def withdraw(key: str, period: str, reason_id: int) -> Page:
    """Take a reason back."""
    back = url_for("measure_pages.measure", key=key, period=str(periods.named(period)))
    form = WhyForm()
    if form.carried_out(lambda: commands.withdraw(act(), reason_id, reason=form.reason.data or "")):
        flash("The reason is withdrawn.")
        return redirect(back)
    page = render_template(
        "one_form.jinja", form=form, title="Withdraw this reason", cancel=back, warning=True,
        lead="It stays in the history, with yours.",
    )  # fmt: skip
    return page, form.status
