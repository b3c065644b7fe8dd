"""The pages of who is to come from a prison outside this system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import expected, expected_commands, queries
from clinic.custody.expected_forms import (
    ExpectedCorrectionForm,
    ExpectedForm,
    ExpectedKeyworkerForm,
    ExpectedNewForm,
    WhyForm,
)
from clinic.custody.pages import Page, custody_pages
from clinic.forms import Form
from clinic.keyworkers.queries import loads
from clinic.patients.access import open_record
from clinic.patients.forms import FindForm
from clinic.patients.queries import banner

MOST_ON_HOME = 20


@home.worklist("custody.allocate")
def to_be_named_beforehand(work: Act) -> home.Worklist | None:
    """Who is to come and has no keyworker yet (RC-11)."""
    if not queries.at_a_prison(work):
        return None
    rows = [each for each in expected.expected(work) if each.open and each.keyworker is None]
    if not rows:
        return None
    return home.Worklist(
        "To come from another prison, without a keyworker",
        [
            home.Row(
                due=each.row.on,
                person=each.person,
                href=url_for("custody_pages.name_for_expected", row_id=each.row.id),
                what=f"Name a keyworker before they come from {each.row.came_from}",
                who="CARAT manager",
            )
            for each in rows[:MOST_ON_HOME]
        ],
        "",
    )


def _to_moves(says: str) -> Response:
    flash(says)
    return redirect(url_for("casework_pages.between_prisons"))


def _form_page(form: Form, title: str, **more: Any) -> Page:
    page = render_template(
        "custody/expected.jinja" if "on" in form else "one_form.jinja", form=form, title=title,
        cancel=url_for("casework_pages.between_prisons"), **more,
    )  # fmt: skip
    return page, form.status


@custody_pages.route("/expected", methods=["GET", "POST"])
@needs("custody.deliver")
def find_expected() -> Page:
    """Who is to come? Looked for first, so that nobody is registered twice."""
    form = FindForm()
    found = form.found(act())
    return render_template(
        "custody/arrivals.jinja", form=form, found=found, to_come=True
    ), form.status


_LEAD = (
    "Enter what the other prison said. A keyworker is named here before they come, and what is entered "
    "stands on the reception form when they arrive."
)


@custody_pages.route("/expected/new", methods=["GET", "POST"])
@needs("custody.receive")
def expect_new() -> Page:
    """Register somebody nobody knows and expect them."""
    form = ExpectedNewForm()

    def work() -> None:
        demo = bool(current_app.config["SETTINGS"].demo)
        expected_commands.expect_new_person(act(), form.person(demo=demo), form.expected())

    if form.carried_out(work):
        return _to_moves("They are expected. Name a keyworker before they come.")
    return _form_page(form, "Register and expect somebody from another prison", lead=_LEAD)


@custody_pages.route("/expected/patients/<int:patient_id>", methods=["GET", "POST"])
@needs("custody.deliver")
def expect(patient_id: int) -> Page:
    """Expect somebody who has a record; one of another service is opened with a reason first."""
    patient = open_record(act(), patient_id, "custody.expecting", right="custody.deliver")
    form = ExpectedForm()
    if form.carried_out(
        lambda: expected_commands.expect_arrival(act(), patient_id=patient_id, **form.expected())
    ):
        return _to_moves("They are expected. Name a keyworker before they come.")
    return _form_page(
        form, "Expect somebody from another prison", lead=_LEAD, banner=banner(act(), patient)
    )


@custody_pages.route("/expected/<int:row_id>/correct", methods=["GET", "POST"])
@needs("custody.deliver")
def correct_expected(row_id: int) -> Page:
    """Put right what the other prison said."""
    row = expected.one(act(), row_id)
    form = ExpectedCorrectionForm.filled(row)
    if form.carried_out(
        lambda: expected_commands.correct_expected(
            act(), row_id, reason=form.reason.data or "", **form.expected()
        )
    ):
        return _to_moves("It is corrected. The first wording is kept.")
    return _form_page(
        form, "Correct who is expected", lead=f"{_who(row_id)}.", banner=_banner(row_id)
    )


def _banner(row_id: int) -> Any:
    return banner(act(), expected.one(act(), row_id).patient)


def _who(row_id: int) -> str:
    row = expected.one(act(), row_id)
    return f"{row.patient.listed_name}, from {row.came_from}"


@custody_pages.route("/expected/<int:row_id>/not-coming", methods=["GET", "POST"])
@needs("custody.deliver")
def not_coming(row_id: int) -> Page:
    """They will not come."""
    return _why(
        row_id, "They will not come", "They will not come. It can be taken back.",
        expected_commands.not_coming,
    )  # fmt: skip


@custody_pages.route("/expected/<int:row_id>/still-coming", methods=["GET", "POST"])
@needs("custody.deliver")
def still_coming(row_id: int) -> Page:
    """They will come after all."""
    return _why(
        row_id, "They will come after all",
        "They are expected again. Name a keyworker before they come.",
        expected_commands.still_coming,
    )  # fmt: skip


def _why(row_id: int, title: str, done: str, command: Callable[..., object]) -> Page:
    form = WhyForm()
    if form.carried_out(lambda: command(act(), row_id, reason=form.reason.data or "")):
        return _to_moves(done)
    return _form_page(form, title, lead=f"{_who(row_id)}.", banner=_banner(row_id))


@custody_pages.route("/expected/<int:row_id>/keyworker", methods=["GET", "POST"])
@needs("custody.allocate")
def name_for_expected(row_id: int) -> Page:
    """Who will be their keyworker, before they come (RC-11)."""
    form = ExpectedKeyworkerForm()
    form.staff_id.choices = [
        (each.staff_id, each.name,
         {"hint": f"{each.people} of {each.most} people{', away' if each.away else ''}"})
        for each in loads(act())
    ]  # fmt: skip
    if form.carried_out(
        lambda: expected_commands.name_for_expected(act(), row_id, form.staff_id.data)
    ):
        return _to_moves("The keyworker is named.")
    return _form_page(
        form, "Name a keyworker before they come", lead=f"{_who(row_id)}.", banner=_banner(row_id)
    )
