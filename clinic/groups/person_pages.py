"""The pages of one person's groups: their seats, estate, whom they are kept apart from, what comes first."""

from __future__ import annotations

from typing import Any

from flask import url_for

from clinic.auth import act, needs
from clinic.custody.models import Reception
from clinic.errors import NotFound
from clinic.forms import Form
from clinic.groups import commands, facts, forms, queries
from clinic.groups.models import (
    COMMITMENTS,
)
from clinic.groups.pages import Page, done, groups_pages, one_form, show
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import banner


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
    may_seat, rows = work.may("groups.seat"), queries.groups_of(work, stay.id)
    return show(
        "person", stay=stay, banner=banner(work, patient),
        rows=rows, away=queries.away_from(work, [seat for seat, _ in rows]),
        commitments=facts.commitments_of(work, stay.id),
        kinds=COMMITMENTS, estate=facts.estate_of(work, stay.id),
        pairs=queries.pairs_of(work, stay.patient_id) if may_seat else [],
        shared=queries.shared_sessions(work, stay), may_seat=may_seat,
    )  # fmt: skip


def _person_form(form: Form, reception_id: int, title: str, **more: Any) -> Page:
    _, patient = _person(reception_id)
    where = url_for("groups_pages.person", reception_id=reception_id)
    return one_form(form, title, where, banner=banner(act(), patient), **more)


@groups_pages.route("/people/<int:reception_id>/estate", methods=["GET", "POST"])
@needs("groups.seat")
def estate(reception_id: int) -> Page:
    """Of which estate they are."""
    stands = facts.estate_of(act(), reception_id)
    form = forms.EstateForm(estate=stands and stands.estate)
    if form.carried_out(lambda: commands.set_estate(act(), reception_id, **form.answers())):
        return done("It is saved.", url_for("groups_pages.person", reception_id=reception_id))
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
        return done("They are kept apart. Sessions they share are shown here.", where)
    return _person_form(form, reception_id, "Keep apart from somebody")


@groups_pages.route("/people/<int:reception_id>/apart/<int:pair_id>/end", methods=["GET", "POST"])
@needs("groups.seat")
def end_apart(reception_id: int, pair_id: int) -> Page:
    """They need be kept apart no longer."""
    form = forms.ReasonForm()
    if form.carried_out(lambda: commands.end_keep_apart(act(), pair_id, **form.answers())):
        where = url_for("groups_pages.person", reception_id=reception_id)
        return done("They are kept apart no longer.", where)
    return _person_form(form, reception_id, "End keeping apart", warning=True, button="End")


@groups_pages.route("/people/<int:reception_id>/commitments", methods=["GET", "POST"])
@needs("groups.seat")
def commitment(reception_id: int) -> Page:
    """An adjudication or a social visit."""
    form = forms.CommitmentForm()
    if form.carried_out(lambda: commands.record_commitment(act(), reception_id, **form.answers())):
        where = url_for("groups_pages.person", reception_id=reception_id)
        return done("It is saved. No group is planned over it.", where)
    return _person_form(form, reception_id, "Record an adjudication or a visit")


@groups_pages.route(
    "/people/<int:reception_id>/commitments/<int:commitment_id>/<any(correct, end):step>",
    methods=["GET", "POST"],
)
@needs("groups.seat")
def change_commitment(reception_id: int, commitment_id: int, step: str) -> Page:
    """It is moved, was recorded wrongly, or does not take place."""
    rows = {each.id: each for each in facts.commitments_of(act(), reception_id)}
    row = rows.get(commitment_id)
    if row is None:
        raise NotFound("There is no such entry.")
    where = url_for("groups_pages.person", reception_id=reception_id)
    form: Form
    if step == "end":
        form = forms.ReasonForm()
        work, title = commands.end_commitment, "It does not take place"
    else:
        form = forms.CommitmentCorrectionForm(
            kind=row.kind, starts_at=row.starts_at, ends_at=row.ends_at
        )
        work, title = commands.correct_commitment, "Change an adjudication or a visit"
    if form.carried_out(lambda: work(act(), commitment_id, **form.answers())):
        return done("It is saved.", where)
    return _person_form(form, reception_id, title)
