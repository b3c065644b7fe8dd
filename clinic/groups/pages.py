"""The pages of groups: a week, a session with its register, slips, what groups need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody.models import TOPIC_NAMES
from clinic.custody.queries import at_a_prison
from clinic.errors import Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.groups import commands, facts, forms, queries, seat_commands, session_commands
from clinic.groups.models import (
    CANCELLED_BECAUSE,
    ESTATE_NAMES,
    LEVELS,
    MISSED_BECAUSE,
    OUTCOMES,
    PARTS,
    RELEASED_BECAUSE,
    SEAT_STATES,
    STATUSES,
    GroupSession,
)
from clinic.patients.models import Patient
from clinic.patients.queries import Banner, banner, on_wing, root_of
from dosing.days import days_between, london_day

groups_pages = Blueprint("groups_pages", __name__, url_prefix="/custody/groups")
ui.nav("Groups", "groups_pages.this_week", "custody.read", "prison")

Page = str | Response | tuple[str, int]
COLOURS = {"draft": "grey", "published": "blue", "held": "green", "cancelled": "red"}
STEPS = {
    "publish": (session_commands.publish_session, "The session is published. People can be seated."),
    "withdraw": (session_commands.withdraw_session, "The session is a draft again."),
    "reinstate": (session_commands.reinstate_session, "The session is a draft again. Seat people anew."),
}  # fmt: skip


def show(template: str, **more: Any) -> str:
    return render_template(
        f"groups/{template}.jinja", topics=TOPIC_NAMES, estates=ESTATE_NAMES, statuses=STATUSES,
        colours=COLOURS, seat_states=SEAT_STATES, outcomes=OUTCOMES, missed=MISSED_BECAUSE,
        released=RELEASED_BECAUSE, cancelled=CANCELLED_BECAUSE, levels=LEVELS, parts=PARTS,
        weekdays=forms.WEEKDAYS, led_as=forms.LED_AS, on_day=london_day, **more,
    )  # fmt: skip


def one_form(form: Form, title: str, cancel: str, **more: Any) -> Page:
    page = render_template("one_form.jinja", form=form, title=title, cancel=cancel, **more)
    return page, form.status


def done(says: str, where: str) -> Response:
    flash(says)
    return redirect(where)


def _carried_out(form: Form, work: Callable[[], object]) -> bool:
    try:
        return form.carried_out(work)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved.")
        form["version"].data, form["version"].raw_data = stale.more["version"], None
        return False


def _to_session(session_id: int) -> str:
    return url_for("groups_pages.one", session_id=session_id)


@home.worklist("groups.seat")
def shared_by_a_pair(work: Act) -> home.Worklist | None:
    """Sessions to come in which two people kept apart both sit: until one of them is moved."""
    if not (clashing := queries.sessions_with_pairs(work)):
        return None
    rows = [session_commands.session_here(work, each) for each in clashing]
    return home.Worklist(
        title="Groups with two people who are kept apart",
        rows=[
            home.Row(
                due=row.starts_at, person=TOPIC_NAMES[row.topic], href=_to_session(row.id),
                what="Move one of the two to another session", who=None, risk="Kept apart",
                risk_colour="red",
            )
            for row in sorted(rows, key=lambda row: (row.starts_at, row.id))
        ],
        empty="",
    )  # fmt: skip


@home.worklist("groups.seat")
def cannot_come(work: Act) -> home.Worklist | None:
    """Seats to come whose people cannot come then: until they are moved or let go."""
    if not at_a_prison(work) or not (away := queries.people_who_cannot_come(work)):
        return None
    return home.Worklist(
        title="Seats in groups whose people cannot come",
        rows=[
            home.Row(
                due=each.seat.starts_at, person=each.patient.listed_name,
                href=_to_session(each.seat.session_id),
                what=f"{TOPIC_NAMES[each.seat.session.topic]}: {' '.join(each.away)}", who=None,
                risk="Cannot come", risk_colour="orange", where=on_wing(each.where),
            )
            for each in away
        ],
        empty="",
    )  # fmt: skip


@home.worklist("groups.manage")
def without_leader(work: Act) -> home.Worklist | None:
    """Sessions to come while one of those who lead them is on leave: until another one leads."""
    if not (away := queries.sessions_without_leader(work)):
        return None
    rows = [session_commands.session_here(work, each) for each in away]
    return home.Worklist(
        title="Groups whose facilitator is away",
        rows=[
            home.Row(
                due=row.starts_at, person=TOPIC_NAMES[row.topic], href=_to_session(row.id),
                what="Say who leads it, or cancel it", who=f"Away: {', '.join(away[row.id])}",
                risk="Nobody leads it", risk_colour="orange",
            )
            for row in rows
        ],
        empty="",
    )  # fmt: skip


# -- a week -------------------------------------------------------------------------------------


@groups_pages.get("")
@needs("custody.read")
def this_week() -> Page:
    """Go to the week of today; at a weekend, when few groups are held, to the coming one."""
    today = act().today
    first = today + timedelta(days=7) if today.isoweekday() > 5 else today
    return redirect(url_for("groups_pages.week", monday=first.isoformat()))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("There is no such day.") from None


def _monday(text: str) -> date:
    on = _day(text)
    return on - timedelta(days=on.weekday())


@groups_pages.get("/weeks/<monday>")
@needs("custody.read")
def week(monday: str) -> Page:
    """The groups of a week, day by day."""
    first, work = _monday(monday), act()
    rows, taken = queries.week(work, first)
    days = [
        (day, [row for row in rows if london_day(row.starts_at) == day])
        for day in days_between(first, first + queries.WEEK)
    ]
    return show(
        "week", days=[each for each in days if each[1] or each[0].isoweekday() < 6], taken=taken,
        first=first, last=first + queries.WEEK, before=first - timedelta(days=7),
        after=first + timedelta(days=7), clashing=queries.sessions_with_pairs(work),
        unled=queries.sessions_without_leader(work),
        may_manage=work.may("groups.manage"),
    )  # fmt: skip


@groups_pages.get("/weeks/<monday>/sheet")
@needs("custody.read")
def sheet(monday: str) -> Page:
    """Every session of a week with everybody in it, for the offices of staff."""
    first, work = _monday(monday), act()
    rows = queries.week_sheet(work, first, first + queries.WEEK)
    return show("sheet", rows=rows, first=first, last=first + queries.WEEK)


@groups_pages.get("/days/<day>/slips")
@needs("custody.read")
def slips_of_day(day: str) -> Page:
    """The movement slips of a day, wing by wing."""
    on, work = _day(day), act()
    rows = [each for each in queries.week_sheet(work, on, on) if each[0].status == "published"]
    return show("slips", rows=rows, people=_people(rows), title=ui.day(on),
                back=url_for("groups_pages.week", monday=day))  # fmt: skip


def _people(rows: Sequence[tuple[GroupSession, Sequence[queries.Seated]]]) -> dict[int, Banner]:
    work = act()
    return {each.patient.id: banner(work, each.patient) for _, seats in rows for each in seats}


# -- a session ----------------------------------------------------------------------------------


def _fill(form: Any) -> None:
    work = act()
    led = queries.facilitators(work)
    form.room_id.choices = forms.named((row.id, row.name or "") for row in queries.rooms(work))
    for kind in ("carat", "clinical"):
        form[f"{kind}_id"].choices = forms.named(
            (row.staff_id, row.staff.name) for row in led if row.kind == kind
        )


@groups_pages.route("/sessions/plan", methods=["GET", "POST"])
@needs("groups.manage")
def plan() -> Page:
    """A new session, as a draft."""
    form, made = forms.SessionForm(), []
    _fill(form)
    if form.carried_out(
        lambda: made.append(session_commands.plan_session(act(), **form.answers()).id)
    ):
        return done("The session is a draft. Publish it to seat people.", _to_session(made[0]))
    return one_form(form, "Plan a group session", url_for("groups_pages.this_week"))


@groups_pages.get("/sessions/<int:session_id>")
@needs("custody.read")
def one(session_id: int) -> Page:
    """A session, who sits in it, and what can be done."""
    work = act()
    shown = queries.one_session(work, session_id)
    return show(
        "session", shown=shown, row=shown.session, may_manage=work.may("groups.manage"),
        may_seat=work.may("groups.seat"), begun=shown.session.starts_at <= work.at,
        step=forms.VersionOnlyForm(version=shown.session.version), verbs=VERBS,
    )  # fmt: skip


VERBS = {
    "planned": "Planned", "published": "Published", "withdrawn": "Made a draft again",
    "cancelled": "Cancelled", "reinstated": "Cancellation undone", "changed": "Room or staff changed",
    "held": "First attendance recorded", "pinned": "Pinned", "unpinned": "No longer pinned",
    "put_back": "Put back as it was",
}  # fmt: skip


@groups_pages.post("/sessions/<int:session_id>/<any(publish, withdraw, reinstate):step>")
@needs("groups.manage")
def step(session_id: int, step: str) -> Page:
    """Publish, take that back, or undo a cancellation."""
    form = forms.VersionOnlyForm()
    if not form.validate_on_submit():
        raise Invalid("This page was open too long. Open the session again.")
    work, says = STEPS[step]
    work(act(), session_id, version=form.version.data)
    return done(says, _to_session(session_id))


@groups_pages.route("/sessions/<int:session_id>/cancel", methods=["GET", "POST"])
@needs("groups.manage")
def cancel(session_id: int) -> Page:
    """It is not held."""
    shown = queries.one_session(act(), session_id)
    form = forms.CancelForm(version=shown.session.version)
    if _carried_out(
        form, lambda: session_commands.cancel_session(act(), session_id, **form.answers())
    ):
        return done("The session is cancelled and its seats are released.", _to_session(session_id))
    return one_form(
        form, "Cancel this session", _to_session(session_id), warning=True, button="Cancel session",
        lead=f"{len(shown.seats)} seats are released; each person then needs another session.",
    )  # fmt: skip


@groups_pages.route("/sessions/<int:session_id>/arrangements", methods=["GET", "POST"])
@needs("groups.manage")
def arrangements(session_id: int) -> Page:
    """Another room or facilitator."""
    row = session_commands.session_here(act(), session_id)
    form = forms.ArrangementsForm(
        room_id=row.room_id, carat_id=row.carat_id, clinical_id=row.clinical_id,
        version=row.version,
    )  # fmt: skip
    _fill(form)
    if _carried_out(
        form, lambda: session_commands.change_session(act(), session_id, **form.answers())
    ):
        return done("The change is saved. Everybody keeps their seat.", _to_session(session_id))
    return one_form(form, "Change room or facilitator", _to_session(session_id))


@groups_pages.get("/sessions/<int:session_id>/register")
@needs("custody.read")
def register(session_id: int) -> Page:
    """The register of a session, to print and sign."""
    shown = queries.one_session(act(), session_id)
    people = _people([(shown.session, shown.seats)])
    return show("register", shown=shown, row=shown.session, people=people)


@groups_pages.get("/sessions/<int:session_id>/slips")
@needs("custody.read")
def slips(session_id: int) -> Page:
    """A movement slip for each person of a session, to print."""
    shown = queries.one_session(act(), session_id)
    rows = [(shown.session, shown.seats)]
    return show("slips", rows=rows, people=_people(rows),
                title=ui.moment(shown.session.starts_at), back=_to_session(session_id))  # fmt: skip


@groups_pages.post("/sessions/<int:session_id>/pin/<any(on, off):step>")
@needs("groups.manage")
def pin_session(session_id: int, step: str) -> Page:
    """Keep the session, whatever is planned anew; or no longer."""
    form = forms.VersionOnlyForm()
    if not form.validate_on_submit():
        raise Invalid("This page was open too long. Open the session again.")
    session_commands.pin_session(act(), session_id, version=form.version.data, pinned=step == "on")
    says = "The session is pinned." if step == "on" else "The session is no longer pinned."
    return done(says, _to_session(session_id))


# -- seats --------------------------------------------------------------------------------------


@groups_pages.route("/sessions/<int:session_id>/seats", methods=["GET", "POST"])
@needs("groups.seat")
def seat(session_id: int) -> Page:
    """Who may sit in it, who may not and why."""
    work = act()
    row = session_commands.session_here(work, session_id)
    found = queries.candidates(work, row)
    form = forms.SeatForm()
    form.reception_id.choices = forms.named(
        (each.reception_id, each.patient.listed_name) for each in found if not each.bars
    )
    if form.carried_out(lambda: seat_commands.give_seat(act(), session_id, **form.answers())):
        return done("The seat is saved.", _to_session(session_id))
    page = show(
        "seat", form=form, row=row, barred=[each for each in found if each.bars],
        free=[each for each in found if not each.bars],
    )  # fmt: skip
    return page, form.status


def _of_seat(seat_id: int) -> tuple[Any, dict[str, Any]]:
    work = act()
    row = seat_commands.seat_here(work, seat_id)
    stay = commands.stay_here(work, row.reception_id, "groups.seat_shown")
    patient = work.session.get_one(Patient, root_of(work, stay.patient_id))
    which = f"{TOPIC_NAMES[row.session.topic]}, {ui.moment(row.session.starts_at)}."
    return row, {
        "banner": banner(work, patient), "cancel": _to_session(row.session_id), "lead": which,
    }  # fmt: skip


@groups_pages.post("/seats/<int:seat_id>/accept")
@needs("groups.seat")
def accept(seat_id: int) -> Page:
    """They said yes."""
    if not Form().validate_on_submit():
        raise Invalid("This page was open too long. Open the session again.")
    row = seat_commands.accept_seat(act(), seat_id)
    return done("The seat is theirs.", _to_session(row.session_id))


@groups_pages.post("/seats/<int:seat_id>/pin/<any(on, off):step>")
@needs("groups.seat")
def pin_seat(seat_id: int, step: str) -> Page:
    """Keep the seat, whatever is planned anew; or no longer."""
    if not Form().validate_on_submit():
        raise Invalid("This page was open too long. Open the session again.")
    row = seat_commands.pin_seat(act(), seat_id, pinned=step == "on")
    says = "The seat is pinned." if step == "on" else "The seat is no longer pinned."
    return done(says, _to_session(row.session_id))


@groups_pages.route("/seats/<int:seat_id>/release", methods=["GET", "POST"])
@needs("groups.seat")
def release(seat_id: int) -> Page:
    """They do not sit there after all."""
    row, more = _of_seat(seat_id)
    form = forms.ReleaseForm()
    if form.carried_out(lambda: seat_commands.release_seat(act(), seat_id, **form.answers())):
        return done("The seat is released.", _to_session(row.session_id))
    return one_form(form, "Release this seat", warning=True, button="Release", **more)


@groups_pages.route("/seats/<int:seat_id>/move", methods=["GET", "POST"])
@needs("groups.seat")
def move(seat_id: int) -> Page:
    """To another session, at once."""
    work = act()
    row, more = _of_seat(seat_id)
    others = facts.standing_sessions(
        work, row.session.site_id, work.today, work.today + timedelta(days=40)
    )
    theirs = {
        seat.session_id
        for seat, _ in queries.groups_of(work, row.reception_id)
        if seat.state != "released"
    }
    form = forms.MoveForm()
    form.session_id.choices = forms.named(
        (each.id, f"{ui.moment(each.starts_at)}: {TOPIC_NAMES[each.topic]}")
        for each in others
        if each.status == "published" and each.id != row.session_id
        and each.estate == row.session.estate and each.starts_at > work.at
        and each.id not in theirs
    )  # fmt: skip
    if form.carried_out(lambda: seat_commands.move_seat(act(), seat_id, **form.answers())):
        return done("They are moved.", _to_session(form.session_id.data))
    return one_form(form, "Move to another session", button="Move", **more)


@groups_pages.route("/seats/<int:seat_id>/attendance", methods=["GET", "POST"])
@needs("groups.seat")
def attendance(seat_id: int) -> Page:
    """Attended, declined or missed; or put that right."""
    row, more = _of_seat(seat_id)
    was = seat_commands.attendance_of(act(), [seat_id]).get(seat_id)
    form = forms.AttendanceCorrectionForm() if was else forms.AttendanceForm()

    def save() -> object:
        given = form.answers()
        given["missed_because"] = given["missed_because"] or None
        if given["outcome"] == "missed" and given["missed_because"] is None:
            raise Invalid.field("missed_because", "Choose why it was missed")
        return seat_commands.record_attendance(act(), seat_id, **given)

    if form.carried_out(save):
        return done("It is recorded.", _to_session(row.session_id))
    if was:
        more["lead"] = f"{more['lead']} Recorded before: {OUTCOMES[was.outcome].lower()}."
    return one_form(form, "Correct whether they came" if was else "Did they come?", **more)
