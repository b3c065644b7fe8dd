"""The pages of plans: ask for one, see how far it is and what it proposes, pin, accept, undo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from flask import render_template, url_for

from clinic import ui
from clinic.auth import act, needs
from clinic.custody.models import TOPIC_NAMES
from clinic.custody.wings import wings_here
from clinic.errors import Invalid, NotFound
from clinic.forms import Form
from clinic.groups import forms, plan_commands, plan_queries, planner
from clinic.groups.models import PLAN_STATES
from clinic.groups.pages import Page, done, groups_pages, one_form, show
from clinic.groups.plan_queries import Planned
from clinic.groups.weights import WEIGHT_WORDS, set_weights, weights_here
from clinic.patients.access import open_record
from clinic.patients.queries import banner
from scheduling.groups import RULES, WEIGHTS

PLAN_COLOURS = {
    "running": "blue", "ready": "green", "failed": "red", "accepted": "white", "withdrawn": "grey",
    "undone": "grey",
}  # fmt: skip
LEVELS = {
    "short": "Who is short of a session",
    "moved": "Who has to move",
    "fit": "Topics, days and number of sessions",
}
FAILED = {
    "silent": "The work on it stopped before the end. Ask for it again.",
    planner.UNKEPT: "What is pinned cannot all be kept. Take a pin back, or move it, and plan again.",
}
SEAT_MOVES = ("seat_moved", "seat_lost", "seat_new")
SESSION_MOVES = {
    "session_withdrawn": "Cancelled", "carat_changed": "Another CARAT facilitator",
    "clinical_changed": "Another clinical facilitator", "room_changed": "Another room",
}  # fmt: skip


def _to_plan(plan_id: int) -> str:
    return url_for("groups_pages.one_plan", plan_id=plan_id)


@groups_pages.get("/plans")
@needs("groups.manage")
def plans() -> Page:
    """The plans of this prison, the last asked for first."""
    work = act()
    rows = [(row, row.stands(work.at)) for row in plan_queries.plans(work)]
    return show("plans", rows=rows, plan_states=PLAN_STATES, plan_colours=PLAN_COLOURS)


@groups_pages.route("/plans/weights", methods=["GET", "POST"])
@needs("custody.allocate")
def weights() -> Page:
    """What plans of this prison weigh, and the form that sets it."""
    work = act()
    here = weights_here(work)
    form = forms.weights_form(WEIGHT_WORDS, WEIGHTS)(from_on=work.today, **here.now)

    def carry_out() -> None:
        given = form.answers()
        from_on, reason = given.pop("from_on"), given.pop("reason")
        set_weights(act(), weights=given, from_on=from_on, reason=reason or "")

    if form.carried_out(carry_out):
        return done("The weights are set, for plans asked for from that day.",
                    url_for("groups_pages.plans"))  # fmt: skip
    page = render_template(
        "groups/weights.jinja", form=form, here=here, words=WEIGHT_WORDS,
        rule=RULES["GP-12"], title="What a plan weighs", cancel=url_for("groups_pages.plans"),
    )  # fmt: skip
    return page, form.status


@groups_pages.route("/plans/ask", methods=["GET", "POST"])
@needs("groups.manage")
def ask_plan() -> Page:
    """Ask for a plan of 28 days."""
    work = act()
    form, made = forms.AskPlanForm(first_on=work.today + timedelta(days=1)), []
    form.wing_id.choices = [
        ("", "Everybody in this prison"),
        *((str(wing.id), f"Wing {wing.name} only") for wing in wings_here(work)),
    ]
    if form.carried_out(lambda: made.append(plan_commands.ask_plan(act(), **form.answers()).id)):
        planner.begin(made[0])
        return done("The plan is asked for. It takes up to a minute.", _to_plan(made[0]))
    return one_form(
        form, "Ask for a plan of groups", url_for("groups_pages.plans"), button="Work it out",
        lead="It keeps people where they are unless it pays, puts PPOs first, and changes nothing "
        "until you accept it.",
    )  # fmt: skip


@groups_pages.get("/plans/<int:plan_id>")
@needs("groups.manage")
def one_plan(plan_id: int) -> Page:
    """How far it is, and then what it proposes."""
    return _one(plan_id, Form())


def _one(plan_id: int, form: Form) -> str:
    """The plan; with what was refused, where `form` was sent and something was."""
    shown = plan_queries.one_plan(act(), plan_id)
    return show(
        "plan", shown=shown, row=shown.row, plan_states=PLAN_STATES, plan_colours=PLAN_COLOURS,
        level_says=LEVELS, failed_says=FAILED, seat_moves=shown.moves(*SEAT_MOVES),
        session_moves=shown.moves(*SESSION_MOVES), session_says=SESSION_MOVES, step=form, form=form,
        may_seat=act().may("groups.seat"), when=datetime.fromisoformat, on=date.fromisoformat,
        begun=shown.row.first_on <= act().today, far_steps=list(LEVELS), weeks=_by_week(shown.sessions),
    )  # fmt: skip


def _by_week(sessions: Sequence[Planned]) -> list[tuple[date, list[Planned]]]:
    """Weeks by their Monday, in them sessions."""
    return [
        (monday, list(each))
        for monday, each in groupby(
            sessions, key=lambda each: each.on - timedelta(days=each.on.weekday())
        )
    ]


STEPS = {
    "accept": (plan_commands.accept_plan, "The plan is accepted. Its seats are given."),
    "withdraw": (plan_commands.withdraw_plan, "The plan is withdrawn."),
    "again": (plan_commands.plan_again, "A new plan is asked for. It takes up to a minute."),
}


@groups_pages.post("/plans/<int:plan_id>/<any(accept, withdraw, again):step>")
@needs("groups.manage")
def plan_step(plan_id: int, step: str) -> Page:
    """Accept it, withdraw it, or plan again around what is pinned."""
    work, says = STEPS[step]
    form, made = Form(), []
    if not form.carried_out(lambda: made.append(work(act(), plan_id).id)):
        return _one(plan_id, form), form.status
    if step == "again":
        planner.begin(made[0])
    return done(says, _to_plan(made[0]))


@groups_pages.post("/plans/<int:plan_id>/again/without/<int:nth>")
@needs("groups.manage")
def again_without(plan_id: int, nth: int) -> Page:
    """Plan again, and leave out one of the pins it was made around."""
    if not Form().validate_on_submit():
        raise Invalid("This page was open too long. Open the plan again.")
    row = plan_commands.plan_again(act(), plan_id, without=nth)
    planner.begin(row.id)
    return done("A new plan is asked for, without that pin.", _to_plan(row.id))


@groups_pages.route("/plans/<int:plan_id>/undo", methods=["GET", "POST"])
@needs("groups.manage")
def undo_plan(plan_id: int) -> Page:
    """Put everything back as it was."""
    form = forms.ReasonForm()
    if form.carried_out(lambda: plan_commands.undo_plan(act(), plan_id, **form.answers())):
        return done("The plan is undone. Everything is as it was before.", _to_plan(plan_id))
    return one_form(
        form, "Undo this plan", _to_plan(plan_id), warning=True, button="Undo",
        lead="Seats and sessions go back to how they were before it was accepted. The history stays.",
    )  # fmt: skip


@groups_pages.route("/plans/<int:plan_id>/people/<int:reception_id>", methods=["GET", "POST"])
@needs("groups.seat")
def planned_person(plan_id: int, reception_id: int) -> Page:
    """Keep somebody where the plan has them, or in another of its sessions."""
    work = act()
    shown = plan_queries.one_plan(work, plan_id)
    if reception_id not in shown.people:
        raise NotFound("The plan is not about them.")
    patient = open_record(
        work, shown.people[reception_id].id, "groups.plan_person_shown", right="groups.seat"
    )
    theirs = {each.nth for each in shown.of_person(reception_id)}
    estates = {each.told["estate"] for each in shown.sessions if each.nth in theirs}
    form = forms.PlannedSeatForm()
    form.session_nth.choices = [
        (
            str(each.nth),
            f"{ui.moment(each.starts_at)}: {TOPIC_NAMES[each.told['topic']]}, {each.room}"
            f"{' (as the plan has it)' if each.nth in theirs else ''}",
        )
        for each in shown.sessions
        if (not estates or each.told["estate"] in estates)
        and (reception_id, each.nth) not in shown.pins
    ]  # fmt: skip
    if form.carried_out(
        lambda: plan_commands.pin_planned(
            act(), plan_id, reception_id=reception_id, **form.answers()
        )
    ):
        return done("It is pinned. Plan again to see the rest follow.", _to_plan(plan_id))
    return one_form(
        form, "Keep or move in this plan", _to_plan(plan_id), button="Pin",
        banner=banner(work, patient),
        lead="What you choose is kept when the plan is made again. Nobody is told until you accept it.",
    )  # fmt: skip


@groups_pages.post("/plans/<int:plan_id>/people/<int:reception_id>/<int:session_nth>/take-back")
@needs("groups.seat")
def unpin_planned(plan_id: int, reception_id: int, session_nth: int) -> Page:
    """Take a pin of the plan back."""
    if not Form().validate_on_submit():
        raise Invalid("This page was open too long. Open the plan again.")
    plan_commands.unpin_planned(act(), plan_id, reception_id=reception_id, session_nth=session_nth)
    return done("The pin is taken back.", _to_plan(plan_id))
