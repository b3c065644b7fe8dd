"""The pages of routine visits, of places kept back, and of the report on who gave them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template, url_for
from wtforms.fields.choices import SelectChoice

from clinic import ui
from clinic.appointments import (
    commands,
    hold_commands,
    overrides,
    place_queries,
    routine_commands,
    visit_queries,
)
from clinic.appointments.arrange_pages import arranging
from clinic.appointments.chain import Arranged
from clinic.appointments.chain_pages import looked_at, refused
from clinic.appointments.forms import (
    KeptBackForm,
    KeptBackMoveForm,
    RoutineForm,
    RoutineKeptBackForm,
    RoutineMoveForm,
)
from clinic.appointments.models import VISIT_KINDS
from clinic.appointments.pages import Page, day_asked, in_words, to_visit
from clinic.appointments.routine_api import as_sheet
from clinic.appointments.taking import Booked
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.patients.pages import record_link
from clinic.patients.queries import banner
from dosing.days import ONE_DAY, london_day
from scheduling.booking import REASONS, ROUTINE, RULES, SOFT

routine_pages = Blueprint("routine_pages", __name__, url_prefix="/appointments")
record_link("Book a routine visit", "routine_pages.routine", "appointments.book", "community")


HELD = "The place is held. Ask the person, then confirm it."
BOOKED = "The visit is booked."


def _offered(form: Any, offers: list[place_queries.Kept]) -> None:
    form.place.choices = [
        SelectChoice(
            each.key,
            f"{ui.moment(each.place.starts_at)} to {ui.clock_time(each.place.ends_at)}",
            {"hint": f"{each.doctor} with {each.worker}. {each.why}".strip()},
        )
        for each in offers
    ]


@routine_pages.route("/patients/<int:patient_id>/routine", methods=["GET", "POST"])
@needs("appointments.book")
def routine(patient_id: int) -> Page:
    """A routine visit for somebody on the caseload."""
    return _routine(RoutineForm(), patient_id, kept=False)


@routine_pages.route("/patients/<int:patient_id>/routine/kept-back", methods=["GET", "POST"])
@needs("appointments.override")
def routine_kept_back(patient_id: int) -> Page:
    """A routine visit in a place kept for rapid work or outside opening hours."""
    return _routine(RoutineKeptBackForm(), patient_id, kept=True)


def _routine(form: Any, patient_id: int, *, kept: bool) -> Page:
    patient = open_record(act(), patient_id, "appointments.offered", right="appointments.read")
    made: list[int] = []

    def work() -> None:
        made.append(
            routine_commands.book_routine(
                act(), patient_id=patient.id, kind=form.kind.data, hold=form.holding,
                override=form.override() if kept else None, **form.chosen(),
            )
        )  # fmt: skip

    if form.carried_out(work):
        return to_visit(made[0], HELD if form.holding else BOOKED)
    return _shown(form, patient.id, kept=kept)


@routine_pages.route("/referrals/<int:referral_id>/kept-back", methods=["GET", "POST"])
@needs("appointments.override")
def kept_back(referral_id: int) -> Page:
    """An induction in a place that is kept back, booked or held."""
    patient_id = visit_queries.referral_page(act(), referral_id).patient.id
    form, made = KeptBackForm(), list[Booked]()
    if form.validate_on_submit() and not form.changing:

        def work(arrangements: Sequence[Arranged]) -> None:
            wanted = {"referral_id": referral_id, "override": form.override(), **form.chosen()}
            if form.holding:
                made.append(hold_commands.hold_place(act(), **wanted))
            else:
                made.append(commands.book_visit(act(), arrangements=arrangements, **wanted))

        def asked() -> Page | None:
            return arranging(
                form, work, patient_id=patient_id, day_1=form.chosen()["starts_at"],
                back=url_for("routine_pages.kept_back", referral_id=referral_id),
            )  # fmt: skip

        page = refused(form, asked)
        if page is None:
            return to_visit(made[-1].id, HELD if form.holding else BOOKED)
        if page:
            return page
    return _shown(form, patient_id, kept=True, routine_only=False)


@routine_pages.route("/visits/<int:visit_id>/move-routine", methods=["GET", "POST"])
@needs("appointments.book")
def move(visit_id: int) -> Page:
    """Another place for a routine visit."""
    return _move(RoutineMoveForm(), visit_id, kept=False)


@routine_pages.route("/visits/<int:visit_id>/move-kept-back", methods=["GET", "POST"])
@needs("appointments.override")
def move_kept_back(visit_id: int) -> Page:
    """A place that is kept back for a visit, instead of the one it has."""
    return _move(KeptBackMoveForm(), visit_id, kept=True)


def _move(form: Any, visit_id: int, *, kept: bool) -> Page:
    known = visit_queries.visit_here(act(), visit_id)
    is_routine = known.kind in ROUTINE
    if not is_routine and not (kept and known.referral_id is not None):
        raise NotFound("This visit is not moved here.")
    if not form.is_submitted():
        form.version.data = known.version
    if form.validate_on_submit() and not form.changing:

        def work(**more: Any) -> object:
            return commands.move_visit(
                act(), visit_id, version=form.version.data or 0,
                override=form.override() if kept else None, **form.chosen(), **more,
            )  # fmt: skip

        page = refused(
            form, lambda: looked_at(form, work, title="Move the visit", visit_id=visit_id)
        )
        if page is None:
            return to_visit(visit_id, "The visit is moved. Its old place is free again.")
        if page:
            return page
    return _shown(form, known.patient_id, kept=kept, routine_only=is_routine, moving=known.id)


def _shown(
    form: Any, patient_id: int, *, kept: bool = False, routine_only: bool = True,
    moving: int | None = None,
) -> Page:  # fmt: skip
    patient = open_record(act(), patient_id, "appointments.offered", right="appointments.read")
    first = day_asked("from", act().today)
    found = place_queries.kept_places(
        act(), patient.id, first, routine=routine_only, kept_back=kept
    )
    _offered(form, found)
    other = None
    if not kept and act().may("appointments.override"):
        other = (
            url_for("routine_pages.move_kept_back", visit_id=moving)
            if moving
            else url_for("routine_pages.routine_kept_back", patient_id=patient.id)
        )
    page = render_template(
        "appointments/routine.jinja", form=form, banner=banner(act(), patient), found=found,
        kept=kept, routine=routine_only and not moving, moving=moving, other=other,
        later=_later(found, first), hold_minutes=RULES["BK-01"]["minutes"],
    )  # fmt: skip
    return page, form.status


def _later(found: list[place_queries.Kept], first: date) -> date:
    seen_to = london_day(found[-1].place.starts_at) if found else first + timedelta(days=28)
    return seen_to + ONE_DAY


@routine_pages.get("/overrides")
@needs("appointments.rota")
def report() -> Page:
    """Who gave a place that was kept back, when and why."""
    return render_template(
        "appointments/overrides.jinja", found=overrides.report(act()), blocks=SOFT,
        reasons=REASONS, kinds=VISIT_KINDS, stands=in_words,
    )  # fmt: skip


@routine_pages.get("/overrides.csv")
@needs("appointments.rota")
def report_csv() -> Page:
    """The same as a file."""
    return as_sheet(overrides.report(act()))
