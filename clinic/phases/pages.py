"""The page of one person's phases, and the forms that belong to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from clinic.auth import act, needs
from clinic.careplans.models import RESPONSES
from clinic.custody import queries as custody
from clinic.custody.pages import Page, about, carried_out
from clinic.errors import NotFound
from clinic.patients.queries import banner
from clinic.phases import commands, queries
from clinic.phases.forms import ConsentForm, EndForm, MoveForm, PeerForm, StrikeForm, TellForm
from clinic.phases.models import PARTY_WORDS
from scheduling.observations import TASKS
from scheduling.phases import MOVABLE

phases_pages = Blueprint("phases_pages", __name__, url_prefix="/phases")
NAMES = {1: "Phase 1: settling in", 2: "Phase 2: the work", 3: "Phase 3: completion"}
_ONE = "/stays/<int:reception_id>"


@phases_pages.get(_ONE)
@needs("custody.read")
def pathway(reception_id: int) -> Page:
    """One person's phases: what each holds, what everybody is offered, and who was told."""
    work = act()
    view = queries.pathway(work, reception_id)
    return render_template(
        "phases/pathway.jinja", view=view, banner=banner(work, view.stay.patient), phase_names=NAMES,
        movable=MOVABLE, parties=PARTY_WORDS, responses=RESPONSES, tasks=TASKS,
    )  # fmt: skip


def _done(reception_id: int, says: str) -> Any:
    flash(says)
    return redirect(url_for("phases_pages.pathway", reception_id=reception_id))


def _about(reception_id: int, form: Any, title: str, **more: Any) -> Page:
    cancel = url_for("phases_pages.pathway", reception_id=reception_id)
    return about(custody.stay(act(), reception_id), form, title, cancel=cancel, **more)


@phases_pages.route(f"{_ONE}/moves/<int:phase>", methods=["GET", "POST"])
@needs("custody.deliver")
def move(reception_id: int, phase: int) -> Page:
    """A phase begins on another day for this person."""
    if phase not in MOVABLE:
        raise NotFound("That phase cannot be moved.")
    form = MoveForm()
    if carried_out(
        form, lambda: commands.move_phase(act(), reception_id, phase=phase, **form.answers())
    ):
        return _done(reception_id, f"{NAMES[phase]} is moved.")
    return _about(
        reception_id, form, f"Move: {NAMES[phase]}",
        lead="The phases are a guide. Earlier or later needs a reason and nothing else; what is due "
        "keeps its day.",
    )  # fmt: skip


@phases_pages.route(f"{_ONE}/consent", methods=["GET", "POST"])
@needs("custody.deliver")
def consent(reception_id: int) -> Page:
    """May the triage assessment be shared?"""
    form = ConsentForm()
    if carried_out(
        form,
        lambda: commands.ask_consent(act(), reception_id, consents=form.consents.data == "yes"),
    ):
        return _done(reception_id, "The answer is recorded.")
    return _about(reception_id, form, "Consent to share the triage assessment")


@phases_pages.route(f"{_ONE}/tellings/new", methods=["GET", "POST"])
@needs("custody.deliver")
def tell(reception_id: int) -> Page:
    """Somebody was told, or talked with."""
    form = TellForm()
    if carried_out(form, lambda: commands.tell(act(), reception_id, **form.given())):
        return _done(reception_id, "It is in the casework file.")
    return _about(reception_id, form, "Who was told?")


@phases_pages.route(f"{_ONE}/peers/new", methods=["GET", "POST"])
@needs("custody.deliver")
def attach_peer(reception_id: int) -> Page:
    """A peer supporter stands by somebody."""
    form = PeerForm()
    if carried_out(form, lambda: commands.attach_peer(act(), reception_id, **form.given())):
        return _done(reception_id, "The peer supporter is recorded.")
    return _about(
        reception_id, form, "Attach a peer supporter",
        lead="Best somebody who took part in the programme.",
    )  # fmt: skip


@phases_pages.route(f"{_ONE}/peers/<int:peer_id>/end", methods=["GET", "POST"])
@needs("custody.deliver")
def end_peer(reception_id: int, peer_id: int) -> Page:
    """Peer support ends."""
    form = EndForm()
    if carried_out(form, lambda: commands.end_peer(act(), reception_id, peer_id, **form.answers())):
        return _done(reception_id, "The peer support has ended.")
    return _about(reception_id, form, "End peer support")


@phases_pages.route(
    f"{_ONE}/<any(move, consent, telling, peer):what>/<int:row_id>/strike-out",
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
