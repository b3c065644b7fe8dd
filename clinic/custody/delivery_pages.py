"""The pages of what was done for somebody in their 28 days, or offered and declined."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, url_for

from clinic import ui
from clinic.auth import act, needs
from clinic.custody import commands, deliveries, queries, words
from clinic.custody.forms import (
    CarePlanCorrectionForm,
    CarePlanForm,
    DeliveryCorrectionForm,
    DeliveryForm,
    DutyCorrectionForm,
    DutyForm,
    FirstKeyworkCorrectionForm,
    FirstKeyworkForm,
    GroupCorrectionForm,
    GroupForm,
    JointSessionForm,
    ScreeningForm,
    as_text,
)
from clinic.custody.pages import Page, about, carried_out, custody_pages, entry_of, to_stay
from clinic.custody.queries import Stay
from clinic.errors import NotFound
from clinic.forms import Form
from clinic.observations.queries import held_already
from scheduling.custody_rules import BY_KEY, DELIVERABLE, GROUP_SESSION


@custody_pages.route("/stays/<int:reception_id>/screening", methods=["GET", "POST"])
@needs("custody.deliver")
def screening(reception_id: int) -> Page:
    """The screening that was not done at reception."""
    form = ScreeningForm()
    if carried_out(form, lambda: commands.record_screening(act(), reception_id, **form.answers())):
        return to_stay(reception_id, "The screening is recorded.")
    return about(queries.stay(act(), reception_id), form, "Record the reception screening")


def _delivery_form(item: str, *, correcting: bool = False, **filled: Any) -> DeliveryForm:
    if item == GROUP_SESSION:
        forms: tuple[type[DeliveryForm], type[DeliveryForm]] = (GroupForm, GroupCorrectionForm)
    elif item == "joint_care_plan":
        forms = (CarePlanForm, CarePlanCorrectionForm)
    elif item in words.JOINT_TOPICS:
        forms = (JointSessionForm, DeliveryCorrectionForm)
    elif item == "initial_keywork":
        forms = (FirstKeyworkForm, FirstKeyworkCorrectionForm)
    elif not BY_KEY[item].declined:
        forms = (DutyForm, DutyCorrectionForm)
    else:
        forms = (DeliveryForm, DeliveryCorrectionForm)
    form = forms[correcting](**filled)
    form.done_by.choices = [(each.id, each.name) for each in queries.staff_here(act())]
    return form


@custody_pages.route("/stays/<int:reception_id>/deliver/<item>", methods=["GET", "POST"])
@custody_pages.route("/stays/<int:reception_id>/deliver/<item>/<for_on>", methods=["GET", "POST"])
@needs("custody.deliver")
def deliver(reception_id: int, item: str, for_on: str | None = None) -> Page:
    """Record that a duty was done, or offered and declined."""
    outside = item == deliveries.NAMED_THERE and queries.moves_outside(act(), reception_id)
    if item in ("keyworker_named", deliveries.NAMED_THERE) and not outside:
        return redirect(url_for("keyworkers_pages.keyworker", reception_id=reception_id))
    if item == "reception_screening":
        return redirect(url_for("custody_pages.screening", reception_id=reception_id))
    if item not in DELIVERABLE:
        raise NotFound("There is no such duty.")
    hearing_on = _day_in_address(for_on)
    form = _delivery_form(item, done_by=act().staff_id)
    if outside:
        form.note.label.text = "Who is the keyworker there?"

    def work() -> None:
        if isinstance(form, JointSessionForm):
            deliveries.record_joint_session(act(), reception_id, **form.answers())
        else:
            deliveries.record_delivery(
                act(), reception_id, item=item, for_on=hearing_on, **form.answers()
            )

    if carried_out(form, work):
        return to_stay(reception_id, f"{words.duty(item, hearing_on)}: recorded.")
    view = queries.stay(act(), reception_id)
    rows = view.answer["items"] if view.answer else []
    why = next((row["why"] for row in rows if row["item"] == item), None)
    if outside:
        why = "As that prison told it. Nobody is named here by it."
    if held := held_already(act(), reception_id, item):
        why = (
            f"{why or ''} Held already: {'; '.join(held)}. Begin from it: asking the same again is "
            "duplication (PS-04)."
        )
    if begun := _triage(view, item):
        why = f"{why or ''} {begun}"
    return about(view, form, f"Record: {words.duty(item, hearing_on)}", lead=why)


def _triage(view: Stay, item: str) -> str | None:
    """The triage assessment that a later one begins from (PS-03)."""
    found = next((row for row in view.deliveries if row.item == "smta"), None)
    if found is None or item not in ("collate_assessments", "csma", "carat_report"):
        return None
    said = f": {found.note}" if found.note else ", without a note"
    return f"Begin from the triage (SMTA) of {ui.moment(found.done_at)}{said} (PS-03)."


def _day_in_address(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("There is no such duty.") from None


@custody_pages.route(
    "/stays/<int:reception_id>/deliveries/<int:delivery_id>/correct", methods=["GET", "POST"]
)
@needs("custody.deliver")
def correct_delivery(reception_id: int, delivery_id: int) -> Page:
    """Put right what was recorded as delivered."""
    view = queries.stay(act(), reception_id)
    row = entry_of(view.deliveries, delivery_id)
    form = _delivery_form(
        row.item, correcting=True, done_at=row.done_at, outcome=row.outcome, by=row.by,
        done_by=row.done_by, note=row.note, topic=row.topic, mode=row.mode,
        explained=as_text(row.explained),
    )  # fmt: skip

    def work() -> None:
        deliveries.correct_delivery(
            act(),
            reception_id,
            delivery_id,
            version=form["version"].data or 0,
            **_but_version(form),
        )

    if carried_out(form, work):
        return to_stay(reception_id, "The entry is corrected. The first wording is kept.")
    title = f"Correct: {words.duty(row.item, row.for_on)}"
    return about(queries.stay(act(), reception_id), form, title)


def _but_version(form: Form) -> dict[str, Any]:
    return {name: value for name, value in form.answers().items() if name != "version"}
