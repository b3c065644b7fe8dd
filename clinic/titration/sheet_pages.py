"""The titration sheet of a day on site, the live board, and the sheet on paper."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for

from clinic import ui
from clinic.answers import Page, carried_out, patient_of
from clinic.assessments.commands import record_entry
from clinic.assessments.forms import FORMS, EntryForm
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.queries import banner
from clinic.titration import presenters, sheet
from dosing.rulebook import limit_words
from scheduling.reviews import looks_in_words

sheet_pages = Blueprint("sheet_pages", __name__)
ui.nav("Titration board", "sheet_pages.board", "prescribing.read")

BASE = "/patients/<int:patient_id>/titration/day"
REFRESH_SECONDS = 60
PAPER_ROWS = 14


@sheet_pages.get("/titration/board")
@needs("prescribing.read")
def board() -> Page:
    """Everyone being titrated here now. It refreshes itself, with scripts or without."""
    found = sheet.board(act())
    return render_template(
        "titration/board.jinja", found=found, cards=[presenters.card(each) for each in found.sheets],
        seconds=REFRESH_SECONDS if found.watched and not request.args.get("still") else None,
    )  # fmt: skip


@sheet_pages.get(BASE)
@sheet_pages.get(f"{BASE}/<on>")
@needs("prescribing.read")
def day(patient_id: int, on: str | None = None) -> Page:
    """One person's day on site: doses, findings, what is due, and times by the rules."""
    patient = patient_of(patient_id, "prescribing.read")
    found = sheet.sheet_of(act(), patient, _day(on))
    return render_template(
        "titration/sheet.jinja", found=found, patient=patient, banner=banner(act(), patient),
        events=presenters.events(found), looks=presenters.look_rows(found),
        sources=presenters.look_sources(found),
        next=presenters.next_rows(found), today=act().today,
    )  # fmt: skip


def _day(on: str | None) -> date:
    if on is None:
        return act().today
    try:
        wanted = date.fromisoformat(on)
    except ValueError:
        raise NotFound from None
    if wanted > act().today:
        raise NotFound
    return wanted


@sheet_pages.route(f"{BASE}/observe", methods=["GET", "POST"])
@needs("prescribing.assess")
def observe(patient_id: int) -> Page:
    """Record an observation, and come back to the sheet."""
    patient = patient_of(patient_id)
    form: EntryForm = FORMS["observation"](happened_at=act().at)

    def work() -> None:
        happened_at = form.happened_at.data
        assert happened_at is not None, "the form requires it"
        record_entry(
            act(), patient.id, "observation", form.content(), happened_at=happened_at,
            note=form.note.data,
        )  # fmt: skip

    back = url_for("sheet_pages.day", patient_id=patient.id)
    if carried_out(form, work):
        flash("The observation is recorded.")
        return redirect(back)
    page = render_template(
        "assessments/entry.jinja", form=form, title="Observation", kind="observation",
        replaces=None, banner=banner(act(), patient), cancel=back,
    )  # fmt: skip
    return page, form.status


@sheet_pages.get("/titration/paper")
@needs("prescribing.read")
def paper() -> Page:
    """An empty sheet to write on when the system is down."""
    return render_template(
        "titration/paper.jinja", rows=PAPER_ROWS, rules=sheet.rules_of_day_1(act()),
        looks=looks_in_words(), limit_words=limit_words,
    )  # fmt: skip


@sheet_pages.get(f"{BASE}/paper")
@needs("prescribing.read")
def own_paper(patient_id: int) -> Page:
    """The same for one person, with what is known of the day so far."""
    patient = patient_of(patient_id, "prescribing.read")
    found = sheet.sheet_of(act(), patient, act().today)
    told = presenters.events(found)
    return render_template(
        "titration/paper.jinja", rows=PAPER_ROWS - 5 - len(told), found=found,
        events=told, banner=banner(act(), patient),
        rules=sheet.rules_of_day_1(act()), looks=looks_in_words(), limit_words=limit_words,
    )  # fmt: skip
