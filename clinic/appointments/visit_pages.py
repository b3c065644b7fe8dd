"""The pages of visits: one visit, what can be done with it, and the clinic's list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from clinic import ui
from clinic.act import Act
from clinic.appointments import (
    chain_queries,
    commands,
    hold_commands,
    outcome_commands,
    queries,
    rota_queries,
    visit_queries,
)
from clinic.appointments.arrange_pages import arranging
from clinic.appointments.chain import Arranged
from clinic.appointments.chain_models import ARRANGED, VisitChain
from clinic.appointments.chain_pages import looked_at, refused
from clinic.appointments.forms import (
    ArrivedForm,
    CancelForm,
    ConfirmForm,
    HoldForm,
    MissedForm,
    MoveForm,
    PlaceForm,
    UndoForm,
)
from clinic.appointments.missed_queries import ladder_of_visit
from clinic.appointments.models import VISIT_KINDS, Referral, Visit
from clinic.appointments.pages import (
    carried_out,
    check_place,
    day_asked,
    in_words,
    offers_like,
    offers_page,
    still_free,
    to_visit,
)
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.patients.models import Patient
from clinic.patients.pages import Section, record_section
from clinic.patients.queries import banner, same_person
from clinic.titration.expected import expected
from clinic.titration.queries import first_days_of
from clinic.web import row_number
from dosing.days import london_day
from scheduling.booking import ROUTINE
from scheduling.chains import DAYS

visits_pages = Blueprint("visits_pages", __name__, url_prefix="/appointments")
ui.nav("Clinic", "visits_pages.clinic", "appointments.read", "community")

Page = str | Response | tuple[str, int]
RECORD_AND_CHANGE = "Record it, and change the days so"
RECORD_AND_LEAVE = "Record it, and leave the other days for now"


def about_visit(work: Act, visit_id: int, form: Form, title: str, **more: Any) -> Page:
    view = visit_queries.visit_page(work, visit_id)
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.visit.version
    people = " with ".join(
        each for each in (view.doctor, view.worker or view.nurse) if each is not None
    )
    day = f"{view.visit.day_in_words}. " if view.visit.day_in_words else ""
    lead = (
        f"{day}{in_words(view.visit)}: {ui.moment(view.visit.starts_at)}"
        f" to {ui.clock_time(view.visit.ends_at)}, {people}."
    )
    page = render_template(
        "appointments/step.jinja", form=form, title=title, banner=banner(work, view.patient), lead=lead,
        back=url_for("visits_pages.visit", visit_id=visit_id), back_to="visit", **more,
    )  # fmt: skip
    return page, form.status


# -- on the record -------------------------------------------------------------------------


@record_section("appointments.read")
def on_the_record(work: Act, patient: Patient) -> Section | None:
    """Do they wait here, when do they come next, and did they come last?"""
    found = queries.standing_here(work, same_person(work, patient.id))
    rows: list[dict[str, Any]] = []
    if found.referral is not None:
        rows.append({
            "label": "Referral", "value": _referral_in_words(found.referral), "link": "Open",
            "href": url_for("appointments_pages.referral", referral_id=found.referral.id),
        })  # fmt: skip
    for label, each in (("Next visit", found.next), ("Last visit", found.last)):
        if each is not None:
            says = f"{ui.moment(each.starts_at)}: {visit_queries.stands(each, work.at).lower()}"
            href = url_for("visits_pages.visit", visit_id=each.id)
            rows.append({"label": label, "value": says, "link": "Open", "href": href})
    if rows and found.next is None:
        rows.append({"label": "Next visit", "value": "none booked"})
    return Section("Appointments", rows) if rows else None


def _referral_in_words(row: Referral) -> str:
    if row.status == "waiting":
        return f"Waiting since {ui.moment(row.referred_at)}"
    return f"Seen {ui.moment(row.seen_at)}" if row.status == "seen" and row.seen_at else "Closed"


# -- visits --------------------------------------------------------------------------------


@visits_pages.get("/visits/<int:visit_id>")
@needs("appointments.read")
def visit(visit_id: int) -> Page:
    """One visit: how it stands, what happened, and what can be done."""
    view = visit_queries.visit_page(act(), visit_id)
    first_days, late = first_days_of(act(), view.patient.id)
    chained, names = None, {}
    if view.visit.chain_id is not None:
        row = act().session.get_one(VisitChain, view.visit.chain_id)
        chained = chain_queries.of_visits(act(), row)
        names = queries.staff_names(act(), [each.recorded_by for each in chained.arrangements])
    return render_template(
        "appointments/visit.jinja", view=view, banner=banner(act(), view.patient),
        first_days=first_days, late=late, chain=chained, arranged=ARRANGED, names=names,
        ladder=ladder_of_visit(act(), visit_id), stands=in_words, kinds=VISIT_KINDS,
        routine=ROUTINE, form=HoldForm(version=view.visit.version),
        may_confirm=visit_queries.may_confirm(act(), view),
        holding=not view.visit.lapses_at or act().at < view.visit.lapses_at,
        steps=visit_queries.VISIT_STEPS, begun=view.visit.starts_at <= act().at,
        over=view.visit.ends_at <= act().at,
        today=london_day(view.visit.starts_at) == act().today,
    )  # fmt: skip


@visits_pages.route("/visits/<int:visit_id>/move", methods=["GET", "POST"])
@needs("appointments.book")
def move_visit(visit_id: int) -> Page:
    """Another place for a visit; the old one is freed only once the new one is held."""
    known: Visit = visit_queries.visit_here(act(), visit_id)
    if known.referral_id is None:
        raise NotFound("This visit has no referral to offer places for.")
    form = MoveForm()
    if not form.is_submitted():
        form.version.data = known.version
    if form.validate_on_submit():
        wanted = form.wanted()
        if wanted is None:
            form.refuse("", [("place", "Choose one of the places listed")])
        elif form.confirmed:
            page = _move_to(form, visit_id, wanted)
            if page is None:
                return to_visit(visit_id, "The visit is moved. Its old place is free again.")
            if page:
                return page
            form.place.data = None
        elif not form.changing and known.chain_id is not None:
            page = _move_to(form, visit_id, wanted)
            if page:
                return page
        elif not form.changing:
            found = offers_like(known.referral_id, wanted)
            if still_free(form, found):
                title = "Move the visit here?"
                return check_place(form, found, wanted, title, "Confirm and move")
    return offers_page(form, known.referral_id, moving=known)


@visits_pages.post("/visits/<int:visit_id>/confirm")
@needs("appointments.book")
def confirm_hold(visit_id: int) -> Page:
    """The person says yes. When the place went meanwhile: what is free now."""
    known: Visit = visit_queries.visit_here(act(), visit_id)
    referral_id, form = known.referral_id, ConfirmForm()

    def work(arrangements: Sequence[Arranged]) -> object:
        version = form.version.data or 0
        return hold_commands.confirm_hold(
            act(), visit_id, version=version, arrangements=arrangements
        )

    if form.validate_on_submit():
        try:
            page = arranging(
                form, work, patient_id=known.patient_id, day_1=known.starts_at,
                back=url_for("visits_pages.visit", visit_id=visit_id),
            )  # fmt: skip
        except Stale as stale:
            return to_visit(visit_id, stale.detail)
        except (Conflict, Invalid) as refusal:
            if referral_id is None:
                return to_visit(visit_id, refusal.detail)
            offered = PlaceForm()
            offered.refuse(f"{refusal.detail} What is free now is listed below.")
            return offers_page(offered, referral_id)
        return page or to_visit(visit_id, "The visit is booked.")
    return redirect(url_for("visits_pages.visit", visit_id=visit_id))


@visits_pages.post("/visits/<int:visit_id>/let-go")
@needs("appointments.book")
def let_go(visit_id: int) -> Page:
    """The person does not want the place."""
    form = HoldForm()
    if form.validate_on_submit():
        try:
            hold_commands.let_go(act(), visit_id, version=form.version.data or 0)
        except Conflict as refusal:
            return to_visit(visit_id, refusal.detail)
        return to_visit(visit_id, "The place is let go and free for others.")
    return redirect(url_for("visits_pages.visit", visit_id=visit_id))


def _move_to(form: MoveForm, visit_id: int, wanted: dict[str, Any]) -> Page | None:
    """Move day 1, or the only day: None when it is done."""

    def work(**more: Any) -> object:
        version = form.version.data or 0
        return commands.move_visit(act(), visit_id, version=version, **wanted, **more)

    return refused(form, lambda: looked_at(form, work, title="Move the visit", visit_id=visit_id))


@visits_pages.route("/visits/<int:visit_id>/cancel", methods=["GET", "POST"])
@needs("appointments.book")
def cancel_visit(visit_id: int) -> Page:
    """Cancel a visit and free its place."""
    form = CancelForm()
    known = visit_queries.visit_here(act(), visit_id)
    if known.chain_id is None or known.day_number in (1, DAYS):
        del form.keep_rest
    if form.validate_on_submit() and not form.changing:

        def work(**more: Any) -> object:
            answers = {name: given for name, given in form.answers().items() if name != "preview"}
            return commands.cancel_visit(act(), visit_id, **answers, **more)

        title = "Cancel the visit"
        page = refused(form, lambda: looked_at(form, work, title=title, visit_id=visit_id))
        if page is None:
            return to_visit(visit_id, "The visit is cancelled and its place is free.")
        if page:
            return page
    return about_visit(
        act(), visit_id, form, "Cancel the visit", button="Cancel the visit", warning=True
    )


@visits_pages.route("/visits/<int:visit_id>/arrived", methods=["GET", "POST"])
@needs("appointments.book")
def arrived(visit_id: int) -> Page:
    """The patient came."""
    form = ArrivedForm(arrived_at=act().at)
    if carried_out(
        form, lambda: outcome_commands.record_arrived(act(), visit_id, **form.answers())
    ):
        return to_visit(visit_id, "The arrival is recorded.")
    return about_visit(act(), visit_id, form, "Record the arrival")


@visits_pages.route("/visits/<int:visit_id>/did-not-attend", methods=["GET", "POST"])
@needs("appointments.book")
def did_not_attend(visit_id: int) -> Page:
    """The patient did not come; what becomes of the other days of an induction is shown first."""
    form, known = MissedForm(), visit_queries.visit_here(act(), visit_id)
    title, says = "Record that the patient did not attend", "Recorded: did not attend."
    blocked = {}
    if form.validate_on_submit():

        def work(**more: Any) -> object:
            return outcome_commands.record_did_not_attend(
                act(), visit_id, version=form.version.data or 0, note=form.note.data,
                leave_rest=form.leaving, **more,
            )  # fmt: skip

        def looked() -> Page | None:
            try:
                return looked_at(
                    form, work, title="Did not attend", visit_id=visit_id, yes=RECORD_AND_CHANGE,
                    leave=RECORD_AND_LEAVE, no="Record nothing",
                )  # fmt: skip
            except Conflict as no:
                if no.more.get("reason") == "chain":
                    blocked.update(button=RECORD_AND_LEAVE, hidden={"step": "leave"})
                raise

        page = refused(form, looked)
        if page is None:
            left = form.leaving and known.chain_id is not None
            return to_visit(
                visit_id, f"{says} The other days wait on the worklist." if left
                else f"{says} The person waits on.",
            )  # fmt: skip
        if page:
            return page
    return about_visit(act(), visit_id, form, title, apart=form.apart(), **blocked)


@visits_pages.route("/visits/<int:visit_id>/undo", methods=["GET", "POST"])
@needs("appointments.book")
def undo_visit(visit_id: int) -> Page:
    """Take the last step back."""
    form = UndoForm()
    if carried_out(form, lambda: outcome_commands.undo_visit(act(), visit_id, **form.answers())):
        return to_visit(visit_id, "The step is taken back. The history keeps both.")
    return about_visit(
        act(), visit_id, form, "Take the last step back", button="Take it back", warning=True
    )


# -- the clinic ----------------------------------------------------------------------------


@visits_pages.get("/clinic")
@needs("appointments.read")
def clinic() -> Page:
    """Who comes on a day, or in the week of it: to the clinic, or to one of its clinicians."""
    on = day_asked("on", act().today)
    week = request.args.get("by") == "week"
    first = on - timedelta(days=on.weekday()) if week else on
    last = first + timedelta(days=6) if week else on
    chosen = row_number(request.args.get("with"))
    lines = queries.clinic_list(act(), first, last, with_staff=chosen)
    coming = {} if chosen else expected(act(), first, last)
    step = timedelta(days=7 if week else 1)
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    return render_template(
        "appointments/clinic.jinja", on=on, week=week, first=first, last=last,
        days=[
            (day, [line for line in lines if london_day(line.visit.starts_at) == day],
             coming.get(day, ()))
            for day in days
        ],
        before=on - step, after=on + step, stands=in_words,
        clinicians=rota_queries.clinicians(act()), chosen=chosen,
    )  # fmt: skip
