"""The day at the hatch: who is still to attend, the sheet for when the system is down, the pharmacy's
own sheet, and what waits for the clinical lead."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from clinic import home, ui
from clinic.act import Act
from clinic.answers import Page, carried_out
from clinic.assessments.kinds import PRODUCT_NAMES
from clinic.auth import act, needs
from clinic.consumption import gates, presenters, queries, sheet, supply_commands
from clinic.consumption.board import Board, OnBoard, board, locked
from clinic.consumption.forms import (
    AcknowledgeForm,
    MissedForm,
    PharmacyForm,
    SheetForm,
    UndoForm,
)
from clinic.consumption.places import choices, pharmacies_of
from clinic.consumption.words import (
    ASKED,
    GLASS_REASONS,
    IDENTIFIED_BY,
    INCIDENT_REASONS,
    LOOKS,
    RESTS,
    SIGNS,
    WITHHELD_FOR,
)
from clinic.errors import Invalid, NotFound
from clinic.patients.queries import banner
from clinic.sheets import as_csv
from clinic.staff.models import Staff
from clinic.web import read_day, row_number
from dosing.days import ONE_DAY

board_pages = Blueprint("board_pages", __name__)
ui.nav("Doses", "board_pages.today", "consumption.read")

ON_ONE_SHEET = 12
"""People on one page of the printed sheet: a line each, with room to write on."""
MOST_LISTED = 10
BYTES = 500_000
LOOKS_BACK = timedelta(days=28)
"""How far the board leads back by itself. What is older stands on the person's own record."""


# -- the first page --------------------------------------------------------------------------


def _row(each: OnBoard, what: str, risk: str | None, colour: str) -> home.Row:
    return home.Row(
        due=each.on, person=each.patient.listed_name,
        href=url_for("consumption_pages.person", patient_id=each.patient.id), what=what, who=None,
        risk=risk, risk_colour=colour,
    )  # fmt: skip


def risk_of(each: OnBoard) -> tuple[str | None, str]:
    """The mark of somebody still to attend, and its colour."""
    if each.locked:
        return f"Locked: {each.missed_days} days missed", "red"
    if each.missed_days:
        days = "1 day" if each.missed_days == 1 else f"{each.missed_days} days"
        return f"{days} missed", "orange"
    if each.induction_day is None:
        return "First dose", "blue"
    if each.course is not None and each.course.in_build_up:
        return f"Day {each.induction_day}", "blue"
    return None, "grey"


@home.worklist("consumption.record", first=True)
def doses_today(work: Act) -> home.Worklist:
    """Who is still to attend today, the most urgent first."""
    found = board(work)
    left = found.to_attend
    return home.Worklist(
        title=f"Doses today: {len(left)} still to come, {len(found.attended)} done",
        rows=[_row(each, each.next_step, *risk_of(each)) for each in left[:MOST_LISTED]],
        empty="Nobody is still to attend.",
        more_text="Today's board",
        more_href=url_for("board_pages.today"),
    )


@home.worklist("prescribing.prescribe", first=True)
def locked_doses(work: Act) -> home.Worklist | None:
    """Whose dose is locked after missed days, for a prescriber."""
    rows = locked(work)
    if not rows:
        return None
    return home.Worklist(
        title="Locked doses",
        rows=[_row(each, each.next_step, *risk_of(each)) for each in rows],
        empty="No dose is locked.",
    )


@home.worklist("consumption.acknowledge")
def passed_gates(work: Act) -> home.Worklist:
    """Gates that were passed, until the clinical lead acknowledges each."""
    words = {**GLASS_REASONS, **INCIDENT_REASONS}
    return home.Worklist(
        title="Gates passed before a dose",
        rows=[
            home.Row(
                due=row.recorded_at, person=patient.listed_name,
                href=url_for("board_pages.acknowledge", entry_id=row.id),
                what=f"{words[row.reason_code]} ({by})", who=None,
                risk="Incident" if row.kind == "incident" else "Break-glass", risk_colour="red",
            )
            for row, patient, by in queries.to_acknowledge(work)
        ],
        empty="No gate waits to be acknowledged.",
        more_text="All that wait",
        more_href=url_for("board_pages.alerts"),
    )  # fmt: skip


# -- the board -------------------------------------------------------------------------------


def _places(work: Act) -> list[tuple[str, str]]:
    """Where the board can be looked at: all, here, or a pharmacy."""
    mine = pharmacies_of(work)
    if mine is not None:
        return [("", "Everywhere"), *(each for each in choices(work) if each[0] in map(str, mine))]
    return [("", "Everywhere"), *choices(work), ("none", "No place set")]


@board_pages.get("/doses")
@needs("consumption.read")
def today() -> Page:
    """Today's board."""
    return _shown(act().today)


@board_pages.get("/doses/<on>")
@needs("consumption.read")
def day(on: str) -> Page:
    """The board of a day."""
    return _shown(read_day(on))


def _found(on: date) -> tuple[Board, str, list[tuple[str, str]]]:
    work = act()
    places = _places(work)
    place = request.args.get("place", "")
    if place not in dict(places):
        raise NotFound
    if on > work.today:
        raise NotFound
    return board(work, on, place), place, places


def _shown(on: date) -> Page:
    found, place, places = _found(on)
    return render_template(
        "consumption/board.jinja", found=found, place=place, places=places, risk_of=risk_of,
        products=PRODUCT_NAMES, is_today=on == act().today, name=dict(places)[place],
        day_before=(on - ONE_DAY).isoformat() if act().today - on < LOOKS_BACK else None,
    )  # fmt: skip


@board_pages.get("/doses/<on>/print")
@needs("consumption.read")
def print_sheet(on: str) -> Page:
    """The day on paper, for when the system is down: some people to a page, each with room to write."""
    found, place, places = _found(read_day(on))
    rows = found.to_attend
    pages = [rows[at : at + ON_ONE_SHEET] for at in range(0, len(rows), ON_ONE_SHEET)] or [[]]
    work = act()
    people = {each.patient.id: banner(work, each.patient) for each in rows}
    return render_template(
        "consumption/print.jinja", found=found, sheets=pages, name=dict(places)[place],
        people=people, products=PRODUCT_NAMES, risk_of=risk_of, printed_at=work.at,
    )  # fmt: skip


def key_of(each: OnBoard) -> str:
    return f"{each.patient.id}-{each.decision.id}-{each.increment}"


@board_pages.route("/doses/<on>/missed", methods=["GET", "POST"])
@needs("consumption.record")
def missed(on: str) -> Page:
    """Close the day: look through who did not attend, and record those ticked as missed."""
    asked = read_day(on)
    found, place, places = _found(asked)
    rows = {key_of(each): each for each in found.to_attend}
    form = MissedForm()
    form.doses.choices = [
        (
            key,
            f"{each.patient.listed_name}: {ui.mg(each.decision.dose_mg)} "
            f"{PRODUCT_NAMES[each.decision.product]}, dose {each.increment}",
        )
        for key, each in rows.items()
    ]
    done: list[int] = []

    def work() -> None:
        ticked = [rows[key] for key in form.doses.data or ()]
        if not ticked:
            raise Invalid.field("doses", "must be ticked for at least one person")
        done.extend(
            supply_commands.record_missed(
                act(), asked,
                [(each.patient.id, each.decision.id, each.increment) for each in ticked],
            )
        )  # fmt: skip

    if carried_out(form, work):
        return render_template(
            "consumption/closed.jinja", on=asked, count=len(done),
            form=UndoForm(formdata=None, ids=",".join(str(each) for each in done)),
        )  # fmt: skip
    page = render_template(
        "consumption/missed.jinja", form=form, on=asked, rows=rows, place=place,
        name=dict(places)[place],
    )  # fmt: skip
    return page, form.status


@board_pages.post("/doses/missed/undo")
@needs("consumption.correct")
def undo_missed() -> Page:
    """Take back that these doses were missed."""
    form = UndoForm()

    def work() -> None:
        ids = [row_number(each) for each in (form.ids.data or "").split(",")]
        if None in ids:
            raise Invalid.field("ids", "must be the numbers of missed doses, with commas between")
        supply_commands.undo_missed(act(), ids, form.reason.data or "")

    if carried_out(form, work):
        flash("Taken back. They are to attend again.")
        return redirect(url_for("board_pages.today"))
    page = render_template("consumption/closed.jinja", form=form, on=None, count=None)
    return page, form.status


# -- the pharmacy's sheet --------------------------------------------------------------------


@board_pages.route("/doses/sheet", methods=["GET", "POST"])
@needs("consumption.record")
def upload() -> Page:
    """A sheet of doses: looked at line by line first, and saved only when asked."""
    form = SheetForm()
    lines: list[sheet.Line] = []
    saved = False
    if form.validate_on_submit():
        try:
            text = form.sheet.data or _text(form.file.data)
            saved = form.confirmed
            lines = sheet.read_sheet(act(), text, save=saved)
            form.sheet.data = text
        except Invalid as refusal:
            saved = False
            presenters.told(form, refusal)
    page = render_template(
        "consumption/sheet.jinja", form=form, lines=lines, saved=saved, columns=sheet.COLUMNS,
        good=sum(each.good for each in lines), today=act().today,
        codes={"identity": IDENTIFIED_BY, "intoxication": LOOKS, "signs": SIGNS, "outcome": ASKED,
               "rest": RESTS, "why": WITHHELD_FOR},
    )  # fmt: skip
    return page, form.status


def _text(file: Any) -> str:
    read = file.read(BYTES + 1) if file else b""
    if not read:
        raise Invalid.field("file", "is required: choose the sheet")
    if len(read) > BYTES:
        raise Invalid.field("file", f"must be smaller than {BYTES // 1000} kB")
    try:
        return str(read.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid.field("file", "must be saved as CSV in UTF-8") from None


@board_pages.get("/doses/sheet/template")
@needs("consumption.record")
def template() -> Page:
    """An empty sheet: a line for each person still to attend, with nothing said about any."""
    work = act()
    name = f"doses-{work.today.isoformat()}.csv"
    return as_csv(name, sheet.COLUMNS, sheet.template(work, work.today))


# -- the clinical lead -----------------------------------------------------------------------


@board_pages.get("/doses/gates-passed")
@needs("consumption.acknowledge")
def alerts() -> Page:
    """Every gate that was passed and waits to be acknowledged."""
    return render_template(
        "consumption/alerts.jinja", rows=queries.to_acknowledge(act()), titles=presenters.TITLES,
        reasons={**GLASS_REASONS, **INCIDENT_REASONS},
    )  # fmt: skip


@board_pages.route("/doses/gates-passed/<int:entry_id>", methods=["GET", "POST"])
@needs("consumption.acknowledge")
def acknowledge(entry_id: int) -> Page:
    """Acknowledge that a gate was passed."""
    rows = {row.id: (row, patient, by) for row, patient, by in queries.to_acknowledge(act())}
    if entry_id not in rows:
        raise NotFound
    row, patient, by = rows[entry_id]
    form = AcknowledgeForm()
    if carried_out(form, lambda: gates.acknowledge(act(), entry_id, form.note.data)):
        flash("Acknowledged.")
        return redirect(url_for("board_pages.alerts"))
    page = render_template(
        "consumption/acknowledge.jinja", form=form, row=row, patient=patient, by=by,
        titles=presenters.TITLES, reasons={**GLASS_REASONS, **INCIDENT_REASONS},
        cancel=url_for("board_pages.alerts"),
    )  # fmt: skip
    return page, form.status


# -- who works at which pharmacy -------------------------------------------------------------


@board_pages.route("/staff/<int:staff_id>/pharmacies", methods=["GET", "POST"])
@needs("staff.manage")
def pharmacies(staff_id: int) -> Page:
    """At which pharmacies an account works: it records for those pharmacies' people alone."""
    work = act()
    member = work.session.get(Staff, staff_id)
    if member is None:
        raise NotFound
    form = PharmacyForm()
    form.premises_id.choices = [("", "Choose"), *choices(work)[1:]]
    if carried_out(
        form,
        lambda: supply_commands.link_pharmacy(act(), staff_id, int(form.premises_id.data or 0)),
    ):
        flash("They record for that pharmacy's people now, and for nobody else's.")
        return redirect(url_for("board_pages.pharmacies", staff_id=staff_id))
    page = render_template(
        "consumption/pharmacies.jinja", form=form, member=member,
        links=queries.links_of(act(), staff_id),
    )  # fmt: skip
    return page, form.status


@board_pages.post("/staff/<int:staff_id>/pharmacies/<int:link_id>/end")
@needs("staff.manage")
def end_pharmacy(staff_id: int, link_id: int) -> Page:
    """They work there no longer."""
    supply_commands.unlink_pharmacy(act(), link_id)
    flash("Ended: they record for that pharmacy's people no longer.")
    return redirect(url_for("board_pages.pharmacies", staff_id=staff_id))
