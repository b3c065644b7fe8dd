"""The pages of the first days: this round, and one person's observations, watch and tasks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from clinic import home
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import presenters, words, worklists
from clinic.custody import queries as custody
from clinic.custody.pages import Page, about, carried_out
from clinic.errors import NotFound
from clinic.observations import commands, queries
from clinic.observations.forms import (
    EndForm,
    HeldForm,
    ObservationForm,
    StimulantForm,
    StrikeForm,
    TaskForm,
)
from clinic.observations.models import HELD_KINDS, MOODS, SEEN_WORDS
from clinic.patients.queries import banner, on_wing
from scheduling.observations import TASKS, told_at_once

observations_pages = Blueprint("observations_pages", __name__, url_prefix="/observations")
MOST_ON_HOME = 20
TEAMS = {"clinical": "Healthcare", "carat": "CARAT team", "both": "Both teams"}
_ONE = "/stays/<int:reception_id>"


@home.worklist("custody.receive", first=True)
def to_see(work: Act) -> home.Worklist | None:
    """Who is still to be seen this round."""
    if not custody.at_a_prison(work):
        return None
    rows = [each for each in queries.this_round(work) if each.now and each.now.state == "open"]
    return home.Worklist(
        title="Observations: to be seen this round",
        rows=[
            home.Row(
                due=worklists.said_due(each.now.on, each.now.closes_at) if each.now else None,
                person=each.person,
                href=url_for("observations_pages.observe", reception_id=each.reception_id),
                what=f"Observe, day {each.day}"
                + (f" ({len(each.missed)} missed)" if each.missed else ""),
                who="Healthcare. Late: tell the duty nurse",
                risk=presenters.risk(each.ppo, each.heightened_risk, each.day)[0],
                risk_colour=presenters.risk(each.ppo, each.heightened_risk, each.day)[1],
                where=on_wing(each.where),
            )
            for each in rows[:MOST_ON_HOME]
        ],
        empty="Everybody in their first week was seen this round.",
        more_text="The whole round",
        more_href=url_for("observations_pages.this_round"),
    )


@observations_pages.get("/")
@needs("custody.read")
def this_round() -> Page:
    """Everybody in their first week, those not seen this round first."""
    work = act()
    if not custody.at_a_prison(work):
        raise NotFound("Rounds of observations belong to a prison.")
    return render_template(
        "observations/round.jinja", rows=queries.this_round(work), risk=presenters.risk,
        seen_words=SEEN_WORDS, glance=queries.at_a_glance, told=told_at_once,
    )  # fmt: skip


@observations_pages.get(_ONE)
@needs("custody.read")
def first_days(reception_id: int) -> Page:
    """One person's rounds, watch, held assessments and tasks by phase."""
    work = act()
    view = queries.first_days(work, reception_id)
    smta = next(
        (row for row in (view.stay.answer or {"items": []})["items"] if row["item"] == "smta"), None
    )
    return render_template(
        "observations/first_days.jinja", view=view, banner=banner(work, view.stay.patient),
        seen_words=SEEN_WORDS, moods=MOODS, held_kinds=HELD_KINDS, teams=TEAMS, told=told_at_once,
        newest=queries.newest(view.observations),
        smta=smta, owners=words.OWNERS,
    )  # fmt: skip


def _done(reception_id: int, says: str) -> Any:
    flash(says)
    return redirect(url_for("observations_pages.first_days", reception_id=reception_id))


def _about(reception_id: int, form: Any, title: str, **more: Any) -> Page:
    cancel = url_for("observations_pages.first_days", reception_id=reception_id)
    return about(custody.stay(act(), reception_id), form, title, cancel=cancel, **more)


@observations_pages.route(f"{_ONE}/observe", methods=["GET", "POST"])
@needs("custody.deliver")
def observe(reception_id: int) -> Page:
    """Record that somebody was seen."""
    form = ObservationForm()
    if carried_out(form, lambda: commands.observe(act(), reception_id, **form.answers())):
        told = told_at_once(form.seen.data)
        return _done(reception_id, f"Recorded. {told}." if told else "Recorded.")
    return _about(
        reception_id, form, "Record an observation",
        lead="Only when they were seen. Going round without seeing them is a missed round.",
    )  # fmt: skip


@observations_pages.route(f"{_ONE}/stimulants", methods=["GET", "POST"])
@needs("custody.deliver")
def stimulants(reception_id: int) -> Page:
    """Whether they use stimulants."""
    form = StimulantForm()
    if carried_out(
        form, lambda: commands.say_stimulants(act(), reception_id, uses=form.uses.data == "yes")
    ):
        return _done(reception_id, "The answer is recorded.")
    return _about(reception_id, form, "Stimulant use")


@observations_pages.route(f"{_ONE}/rounds", methods=["GET", "POST"])
@needs("prescribing.assess")
def end_rounds(reception_id: int) -> Page:
    """How long this person is observed: longer than the first week, or less."""
    form = EndForm()
    if carried_out(form, lambda: commands.end_observations(act(), reception_id, **form.answers())):
        return _done(reception_id, "The last day with rounds is set.")
    return _about(
        reception_id, form, "How long are they observed?",
        lead="Everybody is observed twice a day through day 7. A clinician may go on for longer, or "
        "end earlier (WO-05). Rounds of days that have passed stay as they were.",
    )  # fmt: skip


@observations_pages.route(f"{_ONE}/held/new", methods=["GET", "POST"])
@needs("custody.deliver")
def hold(reception_id: int) -> Page:
    """An assessment made elsewhere is here."""
    form = HeldForm()
    if carried_out(form, lambda: commands.hold_assessment(act(), reception_id, **form.given())):
        return _done(reception_id, "It is held. Whoever assesses next is told to begin from it.")
    return _about(reception_id, form, "An assessment that is here already")


@observations_pages.route(f"{_ONE}/tasks/<int:phase>/<task>", methods=["GET", "POST"])
@needs("custody.deliver")
def do_task(reception_id: int, phase: int, task: str) -> Page:
    """A task of the matrix was done."""
    if task not in TASKS or phase not in TASKS[task].phases:
        raise NotFound("There is no such task in that phase.")
    form = TaskForm()
    if carried_out(
        form,
        lambda: commands.do_task(act(), reception_id, task=task, phase=phase, **form.answers()),
    ):
        return _done(reception_id, "The task is recorded as done.")
    lead = f"Owned by: {TEAMS[TASKS[task].team]}."
    return _about(reception_id, form, f"Phase {phase}: {TASKS[task].says}", lead=lead)


@observations_pages.route(
    f"{_ONE}/<any(observation, stimulants, held, task, end):what>/<int:row_id>/strike-out",
    methods=["GET", "POST"],
)
@needs("custody.deliver")
def strike_out(reception_id: int, what: str, row_id: int) -> Page:
    """It was recorded in error."""
    form = StrikeForm()
    if carried_out(
        form, lambda: commands.strike_out(act(), what, row_id, reason=form.reason.data or "")
    ):
        return _done(reception_id, "The entry is struck out. It stays in the history.")
    return _about(reception_id, form, "Strike out an entry", warning=True, button="Strike out")
