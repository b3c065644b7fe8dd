"""The pages of an arrival: who is it, what was found, and check before it is saved."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import ui
from clinic.auth import act, needs
from clinic.custody import commands, expected_commands, queries
from clinic.custody.forms import ArrivalForm, MovedArrivalForm, NewArrivalForm
from clinic.custody.models import SCREENINGS, WHO_SAID
from clinic.custody.pages import (
    Page,
    check_page,
    custody_pages,
    status_of,
    to_be_checked,
    to_stay,
    wing_said,
    with_wings,
)
from clinic.errors import Invalid
from clinic.patients.forms import FindForm
from dosing.days import london_day
from scheduling.custody_rules import LAST_DAY


@custody_pages.route("/arrivals", methods=["GET", "POST"])
@needs("custody.receive")
def arrivals() -> Page:
    """Who has arrived? Looked for first, so that nobody is registered twice."""
    form = FindForm()
    found = form.found(act())
    return render_template("custody/arrivals.jinja", form=form, found=found), form.status


@custody_pages.route("/arrivals/new", methods=["GET", "POST"])
@needs("custody.receive")
def receive_new() -> Page:
    """Register somebody nobody knows and receive them."""
    form, made = with_wings(NewArrivalForm()), []

    def work() -> None:
        demo = _demo()
        made.append(
            commands.receive_new_person(act(), form.person(demo=demo), form.reception(demo=demo))
        )

    if form.confirmed and form.carried_out(work):
        return _received(made[0])
    if to_be_checked(form):
        who = [
            ("Name", f"{(form.family_name.data or '').upper()}, {form.given_name.data}"),
            ("Born", ui.day_born(form.born_on.data)),
            ("NHS number", form.nhs_number.data or None),
        ]
        return check_page(form, "Check the arrival", [*who, *_arrival_answers(form)])
    return render_template("custody/arrival.jinja", form=form, patient=None), status_of(form)


@custody_pages.route("/arrivals/<int:patient_id>", methods=["GET", "POST"])
@needs("custody.receive")
def receive(patient_id: int) -> Page:
    """Receive somebody who has a record."""
    work = act()
    patient, under_way = queries.arrival(work, patient_id)
    here = next(
        (row for row, _ in under_way if row.site_id == work.site_id and row.left_at is None), None
    )
    if here is not None:
        flash("This person is already in custody here. This is their stay.")
        return redirect(url_for("custody_pages.stay", reception_id=here.id))
    expected = expected_commands.expected_here(work, patient.id)
    typed = ArrivalForm.came_as_typed(expected) if expected else {}
    form = with_wings(MovedArrivalForm(**typed) if under_way else ArrivalForm(**typed))
    made: list[int] = []

    def carry_out() -> None:
        if isinstance(form, MovedArrivalForm) and form.goes_on:
            reception = under_way[-1][0]
            assert form.received_at.data is not None
            try:
                commands.receive_transfer(
                    act(), reception.id, arrived_at=form.received_at.data, **form.place()
                )
            except Invalid as refusal:
                asked = {"arrived_at": "received_at"}
                faults = [(asked.get(name, name), says) for name, says in refusal.faults]
                raise Invalid(refusal.detail, faults=faults) from refusal
            made.append(reception.id)
        else:
            made.append(
                commands.receive_prisoner(
                    act(), patient_id=patient_id, **form.reception(demo=_demo())
                )
            )

    if form.confirmed and form.carried_out(carry_out):
        if isinstance(form, MovedArrivalForm) and form.goes_on:
            return to_stay(made[0], "The arrival is recorded. Their 28 days go on.")
        return _received(made[0])
    where = [name for _, name in under_way]
    if to_be_checked(form):
        who = [("Name", patient.listed_name), ("Born", ui.day_born(patient.born_on))]
        rows = [*who, *_arrival_answers(form, patient.number("prison"))]
        if isinstance(form, MovedArrivalForm):
            answer = "yes, the 28 days go on" if form.goes_on else "no, a new stay"
            taken = ("Arrived", "Wing", "Cell")  # by a move, nothing else is
            rows = [row for row in rows if not form.goes_on or row in who or row[0] in taken]
            rows.append((f"A move from {', '.join(where)}", answer))
        return check_page(form, "Check the arrival", rows)
    return (
        render_template(
            "custody/arrival.jinja",
            form=form,
            patient=patient,
            where=where,
            booked=queries.booked_here(act(), [row.id for row, _ in under_way]),
            expected=expected,
        ),
        status_of(form),
    )


def _demo() -> bool:
    return bool(current_app.config["SETTINGS"].demo)


def _received(reception_id: int) -> Response:
    view = queries.stay(act(), reception_id)
    planned = "No 28 days are planned." if view.answer is None else "the 28 days are planned."
    flash(f"The arrival is recorded{'. ' if view.answer is None else ' and '}{planned}")
    return redirect(url_for("custody_pages.stay", reception_id=reception_id))


def _arrival_answers(form: ArrivalForm, known: str | None = None) -> list[tuple[str, str | None]]:
    screened = form.screened_at.data
    return [
        ("Arrived", ui.moment(form.received_at.data)),
        ("Prison number", (form.prison_number.data or known or "").upper() or None),
        ("Reception screening", SCREENINGS.get(form.screening.data)),
        ("Screening done", ui.moment(screened) if screened else "not yet"),
        ("Heightened risk", _said(form.heightened_risk.data)),
        ("PPO", _said(form.ppo.data)),
        ("Wing", wing_said(form)),
        ("Cell", form.cell.data or None),
        *_came_answers(form),
    ]


def _came_answers(form: ArrivalForm) -> list[tuple[str, str | None]]:
    if not form.from_outside:
        return [("Came from another prison", "no")]
    on, said = form.first_received_on.data, form.count_said_by.data
    if form.first_known.data != "yes" or on is None or said is None:
        since = "not known: the count of days cannot be told"
    else:
        number = (london_day(form.received_at.data) - on).days + 1
        who = WHO_SAID[said][0].lower() + WHO_SAID[said][1:]
        since = f"{ui.day(on)}: day {number} of custody on arrival ({who})"
        if number > LAST_DAY:
            since += ". Their 28 days were over before they came, so none are planned here"
    return [
        ("Came from another prison", form.came_from.data),
        ("First received into custody", since),
        ("Keyworker there", form.keyworker_there.data or None),
    ]


def _said(answer: str | None) -> str:
    return {"yes": "yes", "no": "no"}.get(answer or "", "not asked or not known")
