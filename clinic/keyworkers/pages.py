"""The pages of keyworkers: who has none, naming one, cover, and a caseload with its week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import presenters, worklists
from clinic.custody import queries as custody
from clinic.custody.forms import ReasonForm
from clinic.custody.list_pages import home_row, whose
from clinic.custody.pages import Page, about, carried_out, to_stay
from clinic.errors import NotFound
from clinic.keyworkers import commands, queries
from clinic.keyworkers.forms import (
    CeilingForm,
    ChangeKeyworkerForm,
    CoverForm,
    KeyworkerForm,
    WithdrawForm,
)
from clinic.patients.queries import on_wing
from scheduling.keyworkers import Suggestion

keyworkers_pages = Blueprint("keyworkers_pages", __name__, url_prefix="/custody")
MOST_ON_HOME = 20


@home.worklist("custody.allocate")
def naming_list(work: Act) -> home.Worklist | None:
    """Who has no keyworker yet."""
    if not custody.at_a_prison(work):
        return None
    posts = custody.post_holders(work)
    rows = worklists.to_be_named(work, limit=MOST_ON_HOME)
    return home.Worklist(
        title="Keyworkers to name",
        rows=[
            home.Row(
                due=row.due,
                person=row.person,
                href=url_for("keyworkers_pages.keyworker", reception_id=row.reception_id),
                what="Name a keyworker (amber)" if row.amber and not row.overdue else row.duty,
                who=whose(row, posts),
                risk=presenters.risk(row.ppo, row.heightened_risk, row.day)[0],
                risk_colour=presenters.risk(row.ppo, row.heightened_risk, row.day)[1],
                where=on_wing(row.where),
            )
            for row in rows
        ],
        empty="Everybody has a keyworker.",
        more_text="Keyworkers and their load",
        more_href=url_for("keyworkers_pages.keyworkers"),
    )


@keyworkers_pages.get("/keyworkers")
@needs("custody.read")
def keyworkers() -> Page:
    """Who has no keyworker and who is suggested, how loaded the keyworkers are, and who covers."""
    work = act()
    posts, loads = custody.post_holders(work), queries.loads(work)
    names = {load.staff_id: load.name for load in loads}
    waiting = worklists.to_be_named(work)
    suggested = queries.suggestions(work, waiting, loads)
    rows = [
        (
            row,
            home_row(row, posts),
            url_for("keyworkers_pages.keyworker", reception_id=row.reception_id),
            _says(suggested[row.reception_id], names),
        )
        for row in waiting
    ]
    return render_template(
        "keyworkers/team.jinja", rows=rows, loads=loads, ceiling=queries.ceiling(work),
        covers=queries.covers(work), names=names,
    )  # fmt: skip


def _says(suggestion: Suggestion, names: dict[int, str]) -> str:
    who = names.get(suggestion.staff_id or 0)
    said = f"{who}: {suggestion.says}" if who else suggestion.says
    return f"{said}. {suggestion.over}" if suggestion.over else said


@keyworkers_pages.route("/stays/<int:reception_id>/keyworker", methods=["GET", "POST"])
@needs("custody.allocate")
def keyworker(reception_id: int) -> Page:
    """Name the keyworker, or change them."""
    view = custody.stay(act(), reception_id)
    form = ChangeKeyworkerForm() if view.keyworker else KeyworkerForm()
    loads = queries.loads(act())
    suggested = queries.suggested_for(act(), reception_id, view.reception.patient_id, loads)
    now = view.keyworker.id if view.keyworker else None
    loads.sort(key=lambda load: (load.staff_id == now, load.staff_id != suggested.staff_id))
    form.staff_id.choices = [
        (load.staff_id, load.name, {"hint": _load(load, suggested, now)}) for load in loads
    ]
    if not form.is_submitted() and view.keyworker is None:
        form.staff_id.data = suggested.staff_id

    def work() -> None:
        answers = form.answers()
        commands.name_keyworker(act(), reception_id, answers.pop("staff_id"), **answers)

    if carried_out(form, work):
        return to_stay(reception_id, "The keyworker is named.")
    title = "Change the keyworker" if view.keyworker else "Name a keyworker"
    lead = f"Now: {view.keyworker.name}." if view.keyworker else _naming_lead(view)
    return about(custody.stay(act(), reception_id), form, title, lead=lead)


def _load(load: queries.Load, suggested: Suggestion, now: int | None) -> str:
    said = load.over or f"{load.people} of {load.most} people"
    if load.covered:
        said += f", {load.covered} of them covered for {', '.join(load.covers)}"
    if load.away:
        said += f", away now{f' (covered by {load.covered_by})' if load.covered_by else ''}"
    if load.next_due is not None:
        said += f", next duty {_due(load.next_due)}"
    if load.staff_id == now:
        return f"Their keyworker now: {said}"
    if load.staff_id == suggested.staff_id:
        return f"Suggested, {suggested.says.partition(',')[0].partition(':')[0]}: {said}"
    return said


def _due(due: date | datetime) -> str:
    return ui.moment(due) if isinstance(due, datetime) else ui.day(due)


def _naming_lead(view: custody.Stay) -> str:
    rows = view.answer["items"] if view.answer else []
    item = commands.naming_item(act(), view.reception)
    row = next((row for row in rows if row["item"] == item), None)
    if row and row["due_at"]:
        shown = ui.moment(presenters.moment(row["due_at"]))
    else:
        shown = (
            ui.day(date.fromisoformat(row["due_on"])) if row and row["due_on"] else "no deadline"
        )
    return f"To be named by {shown}. Whoever knows them, else carries fewest people, is suggested."


@keyworkers_pages.route("/stays/<int:reception_id>/keyworker/undo", methods=["GET", "POST"])
@needs("custody.allocate")
def undo_naming(reception_id: int) -> Page:
    """The last naming was recorded in error."""
    form = ReasonForm()

    def work() -> None:
        commands.undo_naming(
            act(), reception_id, version=form.version.data or 0, reason=form.reason.data or ""
        )

    if carried_out(form, work):
        return to_stay(reception_id, "The naming is taken back. It stays in the history.")
    view = custody.stay(act(), reception_id)
    named = view.keyworker.name if view.keyworker else "nobody"
    return about(
        view, form, "Take back the naming", warning=True, button="Take back",
        lead=f"Now: {named}. Use this when the wrong person was recorded; otherwise change the "
        "keyworker. Whoever was keyworker before is so again.",
    )  # fmt: skip


@keyworkers_pages.get("/caseload")
@needs("custody.read")
def own_caseload() -> Page:
    """One's own people, and the week."""
    return _caseload(act().staff_id)


@keyworkers_pages.get("/caseload/team")
@needs("custody.read")
def team_caseload() -> Page:
    """Everybody's people."""
    return _caseload(None)


@keyworkers_pages.get("/caseload/<int:staff_id>")
@needs("custody.read")
def caseload(staff_id: int) -> Page:
    """A colleague's people, and their week."""
    return _caseload(staff_id)


def _caseload(staff_id: int | None) -> Page:
    work = act()
    if not custody.at_a_prison(work):
        raise NotFound("Keyworkers belong to a prison. This site is a community service.")
    loads = {load.staff_id: load for load in queries.loads(work)}
    if staff_id is not None and staff_id not in loads:
        return redirect(url_for("keyworkers_pages.team_caseload"))
    late, days = queries.week(work, staff_id) if staff_id is not None else ([], [])
    return render_template(
        "keyworkers/caseload.jinja", load=loads.get(staff_id or 0), loads=list(loads.values()),
        people=queries.caseload(work, staff_id), late=_by_person(late),
        moved=queries.dates_changed(work, staff_id) if staff_id is not None else [],
        days=[(day.on, _by_person(day.work)) for day in days],
        ceiling=queries.ceiling(work).most, risk=presenters.risk,
    )  # fmt: skip


def _by_person(rows: Sequence[worklists.Work]) -> list[list[worklists.Work]]:
    """The duties of each person together, whoever's is nearest first."""
    found: dict[int, list[worklists.Work]] = {}
    for row in rows:
        found.setdefault(row.reception_id, []).append(row)
    return list(found.values())


@keyworkers_pages.route("/covers/new", methods=["GET", "POST"])
@needs("custody.allocate")
def arrange_cover() -> Page:
    """A colleague looks after somebody's people while they are away."""
    form = CoverForm()
    loads = queries.loads(act())
    form.staff_id.choices = [(load.staff_id, load.name) for load in loads]
    form.cover_id.choices = [
        (load.staff_id, load.name, {"hint": f"{load.people} of {load.most} people"})
        for load in loads
    ]
    if form.carried_out(
        lambda: commands.arrange_cover(
            act(), form.staff_id.data, form.cover_id.data, from_on=form.from_on.data,
            to_on=form.to_on.data,
        )
    ):  # fmt: skip
        return _to_team("The cover is arranged.")
    page = render_template(
        "one_form.jinja", form=form, title="Arrange cover for a keyworker",
        cancel=url_for("keyworkers_pages.keyworkers"),
        lead="The keyworker stays the keyworker. Their people show on the worklist of whoever covers.",
    )  # fmt: skip
    return page, form.status


@keyworkers_pages.route("/covers/<int:cover_id>/withdraw", methods=["GET", "POST"])
@needs("custody.allocate")
def withdraw_cover(cover_id: int) -> Page:
    """The cover ends, or was recorded in error."""
    form = WithdrawForm()
    if form.carried_out(
        lambda: commands.withdraw_cover(act(), cover_id, reason=form.reason.data or "")
    ):
        return _to_team("The cover is withdrawn. It stays in the history.")
    page = render_template(
        "one_form.jinja", form=form, title="Withdraw cover", button="Withdraw",
        cancel=url_for("keyworkers_pages.keyworkers"),
    )  # fmt: skip
    return page, form.status


@keyworkers_pages.route("/keyworkers/ceiling", methods=["GET", "POST"])
@needs("custody.allocate")
def ceiling() -> Page:
    """How many people one keyworker of this prison carries at the most."""
    form = CeilingForm(from_on=act().today)
    if form.carried_out(lambda: commands.set_ceiling(act(), **form.answers())):
        return _to_team("The ceiling is set. What was set before stays.")
    page = render_template(
        "keyworkers/ceiling.jinja", form=form, ceiling=queries.ceiling(act()),
        title="How many people a keyworker carries", cancel=url_for("keyworkers_pages.keyworkers"),
    )  # fmt: skip
    return page, form.status


def _to_team(says: str) -> Response:
    flash(says)
    return redirect(url_for("keyworkers_pages.keyworkers"))
