"""The pages of routine visits, of places kept back, and of the report on who gave them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template, url_for
from wtforms.fields.choices import SelectChoice

from clinic import ui
from clinic.appointments import (
    commands,
    overrides,
    place_queries,
    routine_commands,
    visit_queries,
)
from clinic.appointments.forms import (
    KeptBackForm,
    RoutineForm,
    RoutineKeptBackForm,
    RoutineMoveForm,
)
from clinic.appointments.models import VISIT_KINDS
from clinic.appointments.overrides import Override
from clinic.appointments.pages import Page, carried_out, day_asked, in_words, to_visit
from clinic.appointments.routine_api import as_sheet
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.patients.pages import record_link
from clinic.patients.queries import banner
from scheduling.booking import REASONS, ROUTINE, SOFT

routine_pages = Blueprint("routine_pages", __name__, url_prefix="/appointments")
record_link("Book a routine visit", "routine_pages.routine", "appointments.book", "community")


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
    return _choose(RoutineForm(), patient_id, kept=False)


@routine_pages.route("/patients/<int:patient_id>/routine/kept-back", methods=["GET", "POST"])
@needs("appointments.override")
def routine_kept_back(patient_id: int) -> Page:
    """A routine visit in a place kept for rapid work or outside opening hours."""
    return _choose(RoutineKeptBackForm(), patient_id, kept=True)


@routine_pages.route("/referrals/<int:referral_id>/kept-back", methods=["GET", "POST"])
@needs("appointments.override")
def kept_back(referral_id: int) -> Page:
    """An induction in a place that is kept back."""
    patient_id = visit_queries.referral_page(act(), referral_id).patient.id
    return _choose(KeptBackForm(), patient_id, kept=True, referral_id=referral_id)


@routine_pages.route("/visits/<int:visit_id>/move-routine", methods=["GET", "POST"])
@needs("appointments.book")
def move(visit_id: int) -> Page:
    """Another place for a routine visit."""
    known = visit_queries.visit_here(act(), visit_id)
    if known.kind not in ROUTINE:
        raise NotFound("This is no routine visit.")
    form = RoutineMoveForm()
    if not form.is_submitted():
        form.version.data = known.version

    def work() -> None:
        commands.move_visit(act(), visit_id, version=form.version.data or 0, **form.chosen())

    if carried_out(form, work):
        return to_visit(visit_id, "The visit is moved. Its old place is free again.")
    return _shown(form, known.patient_id, moving=True)


def _choose(form: Any, patient_id: int, *, kept: bool, referral_id: int | None = None) -> Page:
    patient = open_record(act(), patient_id, "appointments.offered", right="appointments.read")
    made: list[int] = []

    def work() -> None:
        wanted = form.chosen()
        override = Override(form.reason.data, form.note.data or "") if kept else None
        if referral_id is not None:
            booked = commands.book_visit(
                act(), referral_id=referral_id, override=override, **wanted
            )
            made.append(booked.id)
        else:
            made.append(
                routine_commands.book_routine(
                    act(), patient_id=patient.id, kind=form.kind.data, override=override, **wanted
                )
            )

    if form.carried_out(work):
        return to_visit(made[0], "The visit is booked.")
    return _shown(form, patient.id, kept=kept, routine_only=referral_id is None)


def _shown(
    form: Any, patient_id: int, *, kept: bool = False, routine_only: bool = True,
    moving: bool = False,
) -> Page:  # fmt: skip
    patient = open_record(act(), patient_id, "appointments.offered", right="appointments.read")
    first = day_asked("from", act().today)
    found = place_queries.kept_places(
        act(), patient.id, first, routine=routine_only, kept_back=kept
    )
    _offered(form, found)
    other = (
        None
        if kept or moving or not act().may("appointments.override")
        else url_for("routine_pages.routine_kept_back", patient_id=patient.id)
    )
    page = render_template(
        "appointments/routine.jinja", form=form, banner=banner(act(), patient), found=found,
        kept=kept, routine=routine_only and not moving, moving=moving, other=other,
        later=_later(found, first),
    )  # fmt: skip
    return page, form.status


def _later(found: list[place_queries.Kept], first: date) -> date:
    return found[-1].place.starts_at.date() if found else first + timedelta(days=28)


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
