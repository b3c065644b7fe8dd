"""A person's 28 days on one page, the reception put right; and what every form about a stay shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import commands, presenters, queries, wings, words
from clinic.custody.forms import ReasonForm, ReceptionCorrectionForm, as_text
from clinic.custody.models import (
    DAY_COUNTS,
    DELIVERY_OUTCOMES,
    HEARING_OUTCOMES,
    MODES,
    PLACES_APART,
    SCREENINGS,
    SUITABILITIES,
    TOPIC_NAMES,
    WAYS_OUT,
    Wing,
)
from clinic.custody.queries import Stay
from clinic.errors import Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.keyworkers.queries import cover_of
from clinic.observations.queries import ends_set
from clinic.patients.models import Patient
from clinic.patients.pages import Section, record_section
from clinic.patients.queries import banner
from scheduling.custody_rules import GROUP_SESSION

custody_pages = Blueprint("custody_pages", __name__, url_prefix="/custody")
ui.nav("Custody", "custody_pages.worklist", "custody.read", "prison")

Page = str | Response | tuple[str, int]


@custody_pages.get("/patients/<int:patient_id>")
@needs("custody.read")
def of_patient(patient_id: int) -> Page:
    """Go to a patient's newest stay."""
    reception = queries.newest_reception(act(), patient_id)
    if reception is None:
        raise NotFound("No reception is recorded for this patient.")
    return redirect(url_for("custody_pages.stay", reception_id=reception.id))


@record_section("custody.read")
def on_the_record(work: Act, patient: Patient) -> Section | None:
    """Their newest stay, on their record."""
    reception = queries.newest_reception(work, patient.id)
    if reception is None:
        return None
    left = queries.went(work, reception)
    became = f"{WAYS_OUT[left.how].lower()}, {ui.moment(left.at)}" if left else "in custody"
    return Section(
        "Custody",
        [
            {
                "label": "The first 28 days",
                "value": f"{reception.site.name}: {became}",
                "href": url_for("custody_pages.stay", reception_id=reception.id),
                "link": "Open",
            }
        ],
    )


def with_wings(form: Form, *, also: Wing | None = None) -> Form:
    """The form with the wings of this prison to choose from, and `also` one that was closed since."""
    if "wing_id" in form:
        found = wings.wings_here(act())
        if also is not None and also not in found:
            found.append(also)
        form["wing_id"].choices = [("", "Choose"), *((wing.id, wing.name) for wing in found)]
    return form


def wing_said(form: Form) -> str | None:
    """The wing that was chosen, by its name; None when none was."""
    return dict(form["wing_id"].choices)[form["wing_id"].data] if form["wing_id"].data else None


def to_be_checked(form: Form) -> bool:
    """Answers that can stand, sent for the first time: they are shown back before anything is saved."""
    return form.is_submitted() and not (form.changing or form.confirmed) and form.validate()


def status_of(form: Form) -> int:
    """A form opened again to change the answers has no fault."""
    return 200 if form.changing else form.status


def check_page(form: Form, title: str, rows: Sequence[tuple[str, Any]], **more: Any) -> Page:
    return render_template("custody/check.jinja", form=form, title=title, rows=rows, **more)


@custody_pages.get("/stays/<int:reception_id>")
@needs("custody.read")
def stay(reception_id: int) -> Page:
    """A person's 28 days: what is due, what moved and why, what was done."""
    work = act()
    view = queries.stay(work, reception_id)
    return render_template(
        "custody/stay.jinja",
        view=view,
        banner=banner(work, view.patient),
        phases=presenters.phases(view),
        flagged=presenters.flagged(view),
        observed=ends_set(work, [reception_id]).get(reception_id, []),
        strip=presenters.strip(view, work.today),
        day=presenters.day_of_custody(view, work.today),
        risk=presenters.risk(view.detail.ppo, view.detail.heightened_risk),
        duty=words.duty,
        naming=words.NAMING,
        parties=presenters.parties,
        day_counts=DAY_COUNTS,
        screenings=SCREENINGS,
        suitabilities=SUITABILITIES,
        ways_out=WAYS_OUT,
        places=PLACES_APART,
        hearing_outcomes=HEARING_OUTCOMES,
        outcomes=DELIVERY_OUTCOMES,
        topics=TOPIC_NAMES,
        modes=MODES,
        group_session=GROUP_SESSION,
        said=presenters.said,
        reported=presenters.reported,
        date=date.fromisoformat,
        cover=cover_of(work, view.keyworker.id) if view.keyworker else None,
    )


def to_stay(reception_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("custody_pages.stay", reception_id=reception_id))


def carried_out(form: Form, work: Callable[[], object]) -> bool:
    """As `Form.carried_out`; a change by somebody else meanwhile is told on the form as well.

    The version on the form is then the new one, so that sending it again is a decision.
    """
    try:
        return form.carried_out(work)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. Check it against the record.")
        version = form["version"]
        version.data, version.raw_data = stale.more["version"], None
        return False


def about(view: Stay, form: Form, title: str, **more: Any) -> Page:
    """A page that is one form about a stay."""
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.reception.version
    more.setdefault("cancel", url_for("custody_pages.stay", reception_id=view.reception.id))
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=banner(act(), view.patient), **more
    )
    return page, status_of(form)


@custody_pages.post("/stays/<int:reception_id>/replan")
@needs("custody.read")
def replan(reception_id: int) -> Page:
    """Work the dates out again after the calendar changed."""
    form = Form()
    if not form.validate_on_submit():
        raise Invalid("This page was open too long. Open the stay again.")
    moved = commands.replan(act(), reception_id)
    return to_stay(
        reception_id, "The dates were worked out again." if moved else "No date had to change."
    )


@custody_pages.route("/stays/<int:reception_id>/correct", methods=["GET", "POST"])
@needs("custody.receive")
def correct_reception(reception_id: int) -> Page:
    """Put right what the reception said."""
    view = queries.stay(act(), reception_id)
    detail = view.detail
    form = ReceptionCorrectionForm(
        received_at=detail.received_at,
        screening=detail.screening,
        heightened_risk=as_text(detail.heightened_risk),
        ppo=as_text(detail.ppo),
        group_suitability=detail.group_suitability or "",
        needs_post_28_programme=as_text(detail.needs_post_28_programme),
    )

    def work() -> None:
        commands.correct_reception(
            act(), reception_id, version=form.version.data or 0, reason=form.reason.data or "",
            **form.details(),
        )  # fmt: skip

    if carried_out(form, work):
        return to_stay(reception_id, "The reception is corrected and the days are planned again.")
    return about(queries.stay(act(), reception_id), form, "Correct the reception")


@custody_pages.route("/stays/<int:reception_id>/undo", methods=["GET", "POST"])
@needs("custody.receive")
def undo_reception(reception_id: int) -> Page:
    """The reception was recorded in error."""
    form = ReasonForm()

    def work() -> None:
        commands.undo_reception(
            act(), reception_id, version=form.version.data or 0, reason=form.reason.data or ""
        )

    if carried_out(form, work):
        flash("The reception is undone. Nothing of it is due any more.")
        return redirect(url_for("custody_pages.worklist"))
    return about(
        queries.stay(act(), reception_id), form, "Undo this reception", warning=True,
        button="Undo the reception",
        lead="Use this when the wrong person was recorded. To put right a time or an answer, "
        "correct the reception instead. What was recorded stays in the history.",
    )  # fmt: skip


def entry_of(rows: Sequence[Any], fact_id: int) -> Any:
    row = next((row for row in rows if row.id == fact_id), None)
    if row is None:
        raise NotFound("There is no such entry, or it was corrected already.")
    return row
