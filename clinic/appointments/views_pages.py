"""The clinic seen from further off: a month at a glance, the weeks behind us, and a sheet for a day."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from clinic.appointments import occupancy, queries, rota_queries
from clinic.appointments.models import VISIT_STATUSES
from clinic.appointments.pages import day_asked
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.titration.expected import expected
from clinic.web import read_day, row_number
from scheduling.calendars import OutOfReach

views_pages = Blueprint("views_pages", __name__, url_prefix="/appointments")

Page = str | Response | tuple[str, int]

FATES = {
    "used": "Used",
    "booked": "Booked ahead",
    "unrecorded": "Nobody recorded whether they came",
    "did_not_attend": "Lost: did not attend",
    "cancelled_late": "Lost: cancelled late and not filled",
    "staff_away": "Lost: staff away",
    "not_staffed": "Lost: no trained staff",
    "closed": "Lost: the site was shut",
    "holiday": "Lost: bank holiday",
    "empty": "Nobody was booked",
}
NOT_HELD = {
    "staff_away": "staff away", "not_staffed": "no trained staff", "closed": "shut",
    "holiday": "bank holiday",
}  # fmt: skip
ROWS_A_SHEET = 12


def whose() -> int | None:
    """The clinician asked for, by the number in the address; None for everybody."""
    return row_number(request.args.get("with"))


@views_pages.get("/month")
@needs("appointments.read")
def month() -> Page:
    """A month at a glance: on which days are there places, and how many are free?"""
    work = act()
    on = day_asked("on", work.today)
    first = on.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    last = after - timedelta(days=1)
    try:
        days = {each.on: each for each in occupancy.month(work, first, last, whose())}
    except OutOfReach:
        raise NotFound from None
    monday = occupancy.monday_of(first)
    weeks = []
    while monday <= last:
        weeks.append([days.get(monday + timedelta(days=each)) for each in range(7)])
        monday += timedelta(days=7)
    return render_template(
        "appointments/month.jinja", first=first, last=last, weeks=weeks, today=work.today,
        before=first - timedelta(days=1), after=after, not_held=NOT_HELD,
        clinicians=rota_queries.clinicians(work), chosen=whose(),
    )  # fmt: skip


@views_pages.get("/clinic/<on>/print")
@needs("appointments.read")
def sheet(on: str) -> Page:
    """A day's clinic on paper, for when the system is down."""
    day, work = read_day(on), act()
    lines = [line for line in queries.clinic_list(work, day, day) if line.visit.status != "held"]
    people = {
        line.visit.id: banner(work, work.session.get_one(Patient, line.visit.patient_id))
        for line in lines
    }
    pages = [lines[at : at + ROWS_A_SHEET] for at in range(0, len(lines), ROWS_A_SHEET)] or [[]]
    return render_template(
        "appointments/sheet.jinja", on=day, pages=pages, people=people, printed_at=work.at,
        statuses=VISIT_STATUSES, coming=expected(work, day, day).get(day, ()),
    )  # fmt: skip


@views_pages.get("/occupancy")
@needs("appointments.read")
def behind() -> Page:
    """The weeks behind us: places used and lost, by cause, and how long people waited."""
    weeks = occupancy.weeks(act())
    return render_template(
        "appointments/occupancy.jinja", weeks=weeks, fates=FATES, lost=occupancy.LOST,
        tallest=max((each.had for each in weeks), default=0) or 1,
        longest=max((each.mean_wait or 0 for each in weeks), default=0) or 1,
    )  # fmt: skip
