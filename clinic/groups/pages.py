"""The pages of groups: a week, a session with its register, slips, what groups need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.appointments import things_commands
from clinic.auth import act, needs
from clinic.custody.models import TOPIC_NAMES, Reception
from clinic.errors import Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.groups import commands, facts, forms, queries, session_commands
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
)
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import banner, root_of
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


def _show(template: str, **more: Any) -> str:
    return render_template(
        f"groups/{template}.jinja", topics=TOPIC_NAMES, estates=ESTATE_NAMES, statuses=STATUSES,
        colours=COLOURS, seat_states=SEAT_STATES, outcomes=OUTCOMES, missed=MISSED_BECAUSE,
        released=RELEASED_BECAUSE, cancelled=CANCELLED_BECAUSE, levels=LEVELS, parts=PARTS,
        weekdays=forms.WEEKDAYS, led_as=forms.LED_AS, on_day=london_day, **more,
    )  # fmt: skip


def _form(form: Form, title: str, cancel: str, **more: Any) -> Page:
    page = render_template("one_form.jinja", form=form, title=title, cancel=cancel, **more)
    return page, form.status


def _done(says: str, where: str) -> Response:
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


# -- a week -------------------------------------------------------------------------------------


@groups_pages.get("")
@needs("custody.read")
def this_week() -> Page:
    """Go to the week of today; at a weekend, when few groups are held, to the coming one."""
    today = act().today
    first = today + timedelta(days=7) if today.isoweekday() > 5 else today
    return redirect(url_for("groups_pages.week", monday=first.isoformat()))


@groups_pages.get("/weeks/<monday>")
@needs("custody.read")
def week(monday: str) -> Page:
    """The groups of a week, day by day."""
    try:
        on = date.fromisoformat(monday)
    except ValueError:
        raise NotFound("There is no such week.") from None
    first = on - timedelta(days=on.weekday())
    work = act()
    rows, taken = queries.week(work, first)
    days = [
        (day, [row for row in rows if london_day(row.starts_at) == day])
        for day in days_between(first, first + queries.WEEK)
    ]
    return _show(
        "week", days=[each for each in days if each[1] or each[0].isoweekday() < 6], taken=taken,
        first=first, last=first + queries.WEEK, before=first - timedelta(days=7),
        after=first + timedelta(days=7), clashing=queries.sessions_with_pairs(work),
        may_manage=work.may("groups.manage"),
    )  # fmt: skip


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
        return _done("The session is a draft. Publish it to seat people.", _to_session(made[0]))
    return _form(form, "Plan a group session", url_for("groups_pages.this_week"))


@groups_pages.get("/sessions/<int:session_id>")
@needs("custody.read")
def one(session_id: int) -> Page:
    """A session, who sits in it, and what can be done."""
    work = act()
    shown = queries.one_session(work, session_id)
    return _show(
        "session", shown=shown, row=shown.session, may_manage=work.may("groups.manage"),
        may_seat=work.may("groups.seat"), begun=shown.session.starts_at <= work.at,
        step=forms.VersionOnlyForm(version=shown.session.version), verbs=VERBS,
    )  # fmt: skip


VERBS = {
    "planned": "Planned", "published": "Published", "withdrawn": "Made a draft again",
    "cancelled": "Cancelled", "reinstated": "Cancellation undone", "changed": "Room or staff changed",
    "held": "First attendance recorded",
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
    return _done(says, _to_session(session_id))


@groups_pages.route("/sessions/<int:session_id>/cancel", methods=["GET", "POST"])
@needs("groups.manage")
def cancel(session_id: int) -> Page:
    """It is not held."""
    shown = queries.one_session(act(), session_id)
    form = forms.CancelForm(version=shown.session.version)
    if _carried_out(
        form, lambda: session_commands.cancel_session(act(), session_id, **form.answers())
    ):
        return _done(
            "The session is cancelled and its seats are released.", _to_session(session_id)
        )
    return _form(
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
        return _done("The change is saved. Everybody keeps their seat.", _to_session(session_id))
    return _form(form, "Change room or facilitator", _to_session(session_id))


@groups_pages.get("/sessions/<int:session_id>/<any(register, slips):kind>")
@needs("custody.read")
def printed(session_id: int, kind: str) -> Page:
    """The register of a session, or a movement slip for each person in it, to print."""
    work = act()
    shown = queries.one_session(work, session_id)
    people = {each.patient.id: banner(work, each.patient) for each in shown.seats}
    return _show(kind, shown=shown, row=shown.session, people=people)


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
    if form.carried_out(lambda: session_commands.give_seat(act(), session_id, **form.answers())):
        return _done("The seat is saved.", _to_session(session_id))
    page = _show(
        "seat", form=form, row=row, barred=[each for each in found if each.bars],
        free=[each for each in found if not each.bars],
    )  # fmt: skip
    return page, form.status


def _of_seat(seat_id: int) -> tuple[Any, dict[str, Any]]:
    work = act()
    row = session_commands.seat_here(work, seat_id)
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
    row = session_commands.accept_seat(act(), seat_id)
    return _done("The seat is theirs.", _to_session(row.session_id))


@groups_pages.route("/seats/<int:seat_id>/release", methods=["GET", "POST"])
@needs("groups.seat")
def release(seat_id: int) -> Page:
    """They do not sit there after all."""
    row, more = _of_seat(seat_id)
    form = forms.ReleaseForm()
    if form.carried_out(lambda: session_commands.release_seat(act(), seat_id, **form.answers())):
        return _done("The seat is released.", _to_session(row.session_id))
    return _form(form, "Release this seat", warning=True, button="Release", **more)


@groups_pages.route("/seats/<int:seat_id>/move", methods=["GET", "POST"])
@needs("groups.seat")
def move(seat_id: int) -> Page:
    """To another session, at once."""
    work = act()
    row, more = _of_seat(seat_id)
    others = facts.standing_sessions(
        work, row.session.site_id, work.today, work.today + timedelta(days=40)
    )
    form = forms.MoveForm()
    form.session_id.choices = forms.named(
        (each.id, f"{ui.moment(each.starts_at)}: {TOPIC_NAMES[each.topic]}")
        for each in others
        if each.status == "published" and each.id != row.session_id
        and each.estate == row.session.estate and each.starts_at > work.at
    )  # fmt: skip
    if form.carried_out(lambda: session_commands.move_seat(act(), seat_id, **form.answers())):
        return _done("They are moved.", _to_session(form.session_id.data))
    return _form(form, "Move to another session", button="Move", **more)


@groups_pages.route("/seats/<int:seat_id>/attendance", methods=["GET", "POST"])
@needs("groups.seat")
def attendance(seat_id: int) -> Page:
    """Attended, declined or missed; or put that right."""
    row, more = _of_seat(seat_id)
    was = session_commands.attendance_of(act(), [seat_id]).get(seat_id)
    form = forms.AttendanceCorrectionForm() if was else forms.AttendanceForm()

    def save() -> object:
        given = form.answers()
        given["missed_because"] = given["missed_because"] or None
        if given["outcome"] == "missed" and given["missed_because"] is None:
            raise Invalid.field("missed_because", "Choose why it was missed")
        return session_commands.record_attendance(act(), seat_id, **given)

    if form.carried_out(save):
        return _done("It is recorded.", _to_session(row.session_id))
    if was:
        more["lead"] = f"{more['lead']} Recorded before: {OUTCOMES[was.outcome].lower()}."
    return _form(form, "Correct who came" if was else "Record who came", **more)


# -- somebody's groups --------------------------------------------------------------------------


def _person(reception_id: int) -> tuple[Reception, Patient]:
    work = act()
    queries.need_a_prison(work)
    stay = work.session.get(Reception, reception_id)
    if stay is None or stay.undone_at is not None:
        raise NotFound("There is no such reception.")
    return stay, open_record(work, stay.patient_id, "groups.person_shown", right="custody.read")


@groups_pages.get("/people/<int:reception_id>")
@needs("custody.read")
def person(reception_id: int) -> Page:
    """Somebody's groups: their seats, their estate, and whom they are kept apart from."""
    work = act()
    stay, patient = _person(reception_id)
    may_seat = work.may("groups.seat")
    return _show(
        "person", stay=stay, banner=banner(work, patient),
        rows=queries.groups_of(work, stay.id), estate=facts.estate_of(work, stay.id),
        pairs=queries.pairs_of(work, stay.patient_id) if may_seat else [],
        shared=queries.shared_sessions(work, stay), may_seat=may_seat,
    )  # fmt: skip


def _person_form(form: Form, reception_id: int, title: str, **more: Any) -> Page:
    _, patient = _person(reception_id)
    where = url_for("groups_pages.person", reception_id=reception_id)
    return _form(form, title, where, banner=banner(act(), patient), **more)


@groups_pages.route("/people/<int:reception_id>/estate", methods=["GET", "POST"])
@needs("groups.seat")
def estate(reception_id: int) -> Page:
    """Of which estate they are."""
    stands = facts.estate_of(act(), reception_id)
    form = forms.EstateForm(estate=stands and stands.estate)
    if form.carried_out(lambda: commands.set_estate(act(), reception_id, **form.answers())):
        return _done("It is saved.", url_for("groups_pages.person", reception_id=reception_id))
    return _person_form(form, reception_id, "Which estate are they of?")


@groups_pages.route("/people/<int:reception_id>/apart", methods=["GET", "POST"])
@needs("groups.seat")
def apart(reception_id: int) -> Page:
    """Keep them apart from somebody."""
    form = forms.ApartForm()
    form.other_reception_id.choices = forms.named(
        (stay_id, patient.listed_name)
        for stay_id, patient in queries.people_here(act())
        if stay_id != reception_id
    )
    if form.carried_out(lambda: commands.keep_apart(act(), reception_id, **form.answers())):
        where = url_for("groups_pages.person", reception_id=reception_id)
        return _done("They are kept apart. Sessions they share are shown here.", where)
    return _person_form(form, reception_id, "Keep apart from somebody")


@groups_pages.route("/people/<int:reception_id>/apart/<int:pair_id>/end", methods=["GET", "POST"])
@needs("groups.seat")
def end_apart(reception_id: int, pair_id: int) -> Page:
    """They need be kept apart no longer."""
    form = forms.ReasonForm()
    if form.carried_out(lambda: commands.end_keep_apart(act(), pair_id, **form.answers())):
        where = url_for("groups_pages.person", reception_id=reception_id)
        return _done("They are kept apart no longer.", where)
    return _person_form(form, reception_id, "End keeping apart", warning=True, button="End")


# -- what groups need ---------------------------------------------------------------------------


@groups_pages.get("/needs")
@needs("custody.read")
def what_groups_need() -> Page:
    """Material, half-days, facilitators and rooms of this prison."""
    work = act()
    today = work.today
    monday = today - timedelta(days=today.weekday())
    own = queries.half_days(work)
    return _show(
        "needs", materials=queries.materials(work), own=own, today=today,
        week=[facts.half_days(own, day) for day in days_between(monday, monday + queries.WEEK)],
        facilitators=queries.facilitators(work), rooms=queries.rooms(work),
        may_manage=work.may("groups.manage"),
    )  # fmt: skip


def _needs_form(form: Form, title: str, work: Callable[[], object], **more: Any) -> Page:
    where = url_for("groups_pages.what_groups_need")
    if form.carried_out(work):
        return _done("It is saved.", where)
    return _form(form, title, where, **more)


@groups_pages.route("/needs/material", methods=["GET", "POST"])
@needs("groups.manage")
def add_material() -> Page:
    """Validated material of a topic."""
    form = forms.MaterialForm()
    return _needs_form(
        form, "Add validated material", lambda: commands.add_material(act(), **form.answers())
    )


@groups_pages.route("/needs/material/<int:material_id>/end", methods=["GET", "POST"])
@needs("groups.manage")
def end_material(material_id: int) -> Page:
    """It is used no more."""
    form = forms.ReasonForm()
    return _needs_form(
        form, "End this material",
        lambda: commands.end_material(act(), material_id, **form.answers()), warning=True,
    )  # fmt: skip


@groups_pages.route("/needs/half-day", methods=["GET", "POST"])
@needs("groups.manage")
def set_half_day() -> Page:
    """The hours of a half-day from a day on."""
    form = forms.HalfDayForm()

    def save() -> object:
        given = form.answers()
        for name in ("starts", "ends"):
            given[name] = _clock(name, given[name])
        return commands.set_half_day(act(), **given)

    return _needs_form(form, "Set the hours of a half-day", save)


def _clock(field: str, given: str | None) -> time | None:
    if not (given or "").strip():
        return None
    try:
        return time.fromisoformat((given or "").strip())
    except ValueError:
        raise Invalid.field(field, "must be a time on the 24-hour clock, such as 09:00") from None


@groups_pages.route("/needs/half-day/<int:block_id>/end", methods=["GET", "POST"])
@needs("groups.manage")
def end_half_day(block_id: int) -> Page:
    """What stood before counts again."""
    form = forms.ReasonForm()
    return _needs_form(
        form, "Take these hours back",
        lambda: commands.end_half_day(act(), block_id, **form.answers()), warning=True,
    )  # fmt: skip


@groups_pages.route("/needs/facilitator", methods=["GET", "POST"])
@needs("groups.manage")
def set_facilitator() -> Page:
    """Who leads which topics."""
    form = forms.FacilitatorForm()
    form.staff_id.choices = forms.named((row.id, row.name) for row in queries.staff_here(act()))
    return _needs_form(
        form, "Say who leads groups", lambda: commands.set_facilitator(act(), **form.answers())
    )


@groups_pages.route("/needs/facilitator/<int:staff_id>/end", methods=["GET", "POST"])
@needs("groups.manage")
def end_facilitator(staff_id: int) -> Page:
    """They lead no more."""
    form = forms.ReasonForm()
    return _needs_form(
        form, "They lead groups no more",
        lambda: commands.end_facilitator(act(), staff_id, **form.answers()), warning=True,
    )  # fmt: skip


@groups_pages.route("/needs/room/<int:resource_id>", methods=["GET", "POST"])
@needs("groups.manage")
def confidential(resource_id: int) -> Page:
    """Is a room confidential?"""
    row = things_commands.thing_here(act(), resource_id)
    form = forms.ConfidentialForm()
    return _needs_form(
        form, f"{row.name}: is it fit for groups?",
        lambda: things_commands.say_confidential(
            act(), resource_id, confidential=forms.CONFIDENTIAL[form.confidential.data]
        ),
    )  # fmt: skip
