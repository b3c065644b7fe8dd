"""The pages of what another prison says of somebody who came from there."""

from __future__ import annotations

from flask import redirect, render_template, url_for

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import commands, elsewhere, fact_commands, presenters, queries
from clinic.custody.elsewhere_forms import CameFromForm, ReportCorrectionForm, ReportForm
from clinic.custody.forms import ReasonForm
from clinic.custody.models import WHO_SAID
from clinic.custody.pages import Page, about, carried_out, custody_pages, entry_of
from clinic.patients.queries import banner

_ONE = "/stays/<int:reception_id>/elsewhere"
MOST_ON_HOME = 20


@home.worklist("custody.deliver")
def count_unknown(work: Act) -> home.Worklist | None:
    """Of whom nobody can say which day of custody it is."""
    if not queries.at_a_prison(work):
        return None
    rows = home_rows(work)[:MOST_ON_HOME]
    return (
        home.Worklist("Day count unknown: ask the prison they came from", rows, "")
        if rows
        else None
    )


def home_rows(work: Act) -> list[home.Row]:
    """Those of whom the count cannot be told, as worklists show them: due from the day they came."""
    rows = []
    for each in elsewhere.uncounted(work):
        said, colour = presenters.risk(each.ppo, each.heightened_risk)
        rows.append(
            home.Row(
                due=each.came_on,
                person=each.person,
                href=url_for("custody_pages.came_from", reception_id=each.reception_id),
                what=f"Ask {each.came_from} since when they are in custody",
                who="CARAT team",
                risk=said,
                risk_colour=colour,
            )
        )
    return rows


@custody_pages.get(_ONE)
@needs("custody.read")
def came_from(reception_id: int) -> Page:
    """Where they came from, since when they are in custody and what was done there."""
    work = act()
    view = queries.stay(work, reception_id)
    return render_template(
        "custody/elsewhere.jinja", view=view, banner=banner(work, view.patient), who_said=WHO_SAID,
        day=presenters.day_of_custody(view, work.today), reported=presenters.reported,
        parties=presenters.parties, ask=elsewhere.ASK,
    )  # fmt: skip


@custody_pages.route(f"{_ONE}/since", methods=["GET", "POST"])
@needs("custody.deliver")
def say_came_from(reception_id: int) -> Page:
    """Enter, or put right, which prison they came from and since when they are in custody."""
    view = queries.stay(act(), reception_id)
    form = CameFromForm(**CameFromForm.came_as_typed(view.detail))

    def work() -> None:
        commands.correct_reception(
            act(), reception_id, version=form.version.data or 0, reason=form.reason.data or "",
            **form.came_values(),
        )  # fmt: skip

    if carried_out(form, work):
        return redirect(url_for("custody_pages.stay", reception_id=reception_id))
    return about(
        queries.stay(act(), reception_id), form, "Where they came from, and since when",
        button="Save and count again",
        lead="Their days are counted from the day they were first received into custody, wherever that "
        "was. The 28 days are worked out again, and every date that moves is shown.",
        cancel=url_for("custody_pages.came_from", reception_id=reception_id),
    )  # fmt: skip


@custody_pages.route(f"{_ONE}/reported/new", methods=["GET", "POST"])
@needs("custody.deliver")
def report(reception_id: int) -> Page:
    """Enter something done at the prison they came from."""
    form = ReportForm()
    if carried_out(
        form, lambda: fact_commands.report_elsewhere(act(), reception_id, **form.answers())
    ):
        return redirect(url_for("custody_pages.came_from", reception_id=reception_id))
    view = queries.stay(act(), reception_id)
    return about(
        view, form, f"Reported from {view.detail.came_from or 'another prison'}",
        lead="It is kept as reported, apart from what is recorded here.",
        cancel=url_for("custody_pages.came_from", reception_id=reception_id),
    )  # fmt: skip


@custody_pages.route(f"{_ONE}/reported/<int:fact_id>/correct", methods=["GET", "POST"])
@needs("custody.deliver")
def correct_report(reception_id: int, fact_id: int) -> Page:
    """Put right what was entered as reported."""
    row = entry_of(queries.stay(act(), reception_id).reported, fact_id)
    form = ReportCorrectionForm(
        item=row.item, on=row.on, outcome=row.outcome, by=row.by, topic=row.topic or "",
        mode=row.mode or "", said_by=row.said_by, note=row.note,
    )  # fmt: skip

    def work() -> None:
        given = form.answers()
        version, reason = given.pop("version"), given.pop("reason")
        fact_commands.correct_fact(
            act(), reception_id, "reported", fact_id, version=version or 0, reason=reason, **given
        )

    if carried_out(form, work):
        return redirect(url_for("custody_pages.came_from", reception_id=reception_id))
    return about(
        queries.stay(act(), reception_id), form, "Correct what was reported",
        cancel=url_for("custody_pages.came_from", reception_id=reception_id),
    )  # fmt: skip


@custody_pages.route(f"{_ONE}/reported/<int:fact_id>/strike-out", methods=["GET", "POST"])
@needs("custody.deliver")
def strike_report(reception_id: int, fact_id: int) -> Page:
    """It was entered in error."""
    row = entry_of(queries.stay(act(), reception_id).reported, fact_id)
    when = ui.day(row.on) if row.on else "no day said"
    form = ReasonForm()

    def work() -> None:
        fact_commands.strike_out(
            act(), reception_id, "reported", fact_id, version=form.version.data or 0,
            reason=form.reason.data or "",
        )  # fmt: skip

    if carried_out(form, work):
        return redirect(url_for("custody_pages.came_from", reception_id=reception_id))
    return about(
        queries.stay(act(), reception_id), form, "Strike out what was reported", warning=True,
        button="Strike out", lead=f"{presenters.reported(row)}, {when}. It stays in the history.",
        cancel=url_for("custody_pages.came_from", reception_id=reception_id),
    )  # fmt: skip
