"""The pages of a care plan: reading, writing by section, agreements, reviews, history, paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.careplans import (
    agreement_commands,
    clinical_review_commands,
    commands,
    follow_up_commands,
    queries,
)
from clinic.careplans.forms import (
    AgreementForm,
    ClinicalReviewForm,
    DraftForm,
    DropForm,
    EventForm,
    GoalForm,
    MarkForm,
    ProgressForm,
    ReasonForm,
    ReferralForm,
    ReportForm,
    ResponseForm,
    ReviewForm,
    StrikeForm,
    SureForm,
    section_form,
)
from clinic.careplans.models import AGREEING, GOAL_STATES, MARKS, OUTCOMES, PAYERS, RESPONSES
from clinic.careplans.queries import View, Work
from clinic.custody import presenters
from clinic.custody.forms import yes_no
from clinic.custody.queries import staff_here
from clinic.errors import NotFound, Stale
from clinic.forms import Form
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.pages import Section, record_section
from clinic.patients.queries import banner
from dosing.days import london_day
from scheduling.careplans import DOMAINS, EVENTS, REFERRALS, SECTIONS

careplans_pages = Blueprint("careplans_pages", __name__, url_prefix="/care-plans")
ui.nav("Care plans", "careplans_pages.worklist", "careplans.write")

Page = str | Response | tuple[str, int]
MOST_ON_HOME = 20
_ONE = "/<int:plan_id>"


# -- worklists and the way in ----------------------------------------------------------------


def _row(work: Work) -> home.Row:
    return home.Row(
        due=work.on,
        person=work.person,
        href=url_for("careplans_pages.plan", plan_id=work.plan_id),
        what=work.what,
        who=work.keyworker,
        risk=None if work.ppo is None else "PPO" if work.ppo else "Not a PPO",
        risk_colour="orange" if work.ppo else "grey",
    )


@home.worklist("careplans.write")
def reviews_list(work: Act) -> home.Worklist | None:
    """The plans of a keyworker's own people first, then the others'."""
    rows = queries.due_work(work)
    own = [row for row in rows if row.keyworker_id == work.staff_id]
    return home.Worklist(
        title="Care plans to review or agree again: your people first",
        rows=[_row(row) for row in [*own, *(row for row in rows if row not in own)][:MOST_ON_HOME]],
        empty="No review of a care plan is due within a week.",
        more_text="All care plans that wait",
        more_href=url_for("careplans_pages.worklist"),
    )


@home.worklist("careplans.write")
def drafts_list(work: Act) -> home.Worklist | None:
    """Changes of plans that nobody put forward yet."""
    rows = queries.drafts_here(work)
    if not rows:
        return None
    return home.Worklist(
        title="Care plans with changes not put forward",
        rows=[
            home.Row(
                due=london_day(row.recorded_at),
                person=patient.listed_name,
                href=url_for("careplans_pages.plan", plan_id=plan_id),
                what="Put the draft forward, or discard it",
                who=by,
                risk=None if patient.ppo is None else "PPO" if patient.ppo else "Not a PPO",
                risk_colour="orange" if patient.ppo else "grey",
            )
            for plan_id, patient, row, by in rows[:MOST_ON_HOME]
        ],
        empty="",
    )


@careplans_pages.get("/")
@needs("careplans.read")
def worklist() -> Page:
    """Whose plan is to be reviewed, by day."""
    rows = [_row(row) for row in queries.due_work(act())]
    return render_template("careplans/list.jinja", rows=rows, most=queries.MOST_LISTED)


@record_section("careplans.read")
def on_the_record(work: Act, patient: Patient) -> Section | None:
    """The plan, on the patient's record."""
    plan_id, _ = queries.place_for(work, patient.id)
    if plan_id is None and not work.may("careplans.write"):
        return None
    row = {
        "label": "Care plan",
        "value": "written" if plan_id else "none yet",
        "href": url_for("careplans_pages.of_patient", patient_id=patient.id),
        "link": "Open" if plan_id else "Begin",
    }
    return Section("Care plan", [row])


@careplans_pages.route("/patients/<int:patient_id>", methods=["GET", "POST"])
@needs("careplans.read")
def of_patient(patient_id: int) -> Page:
    """Go to the plan somebody works to here, or begin one."""
    plan_id, stay = queries.place_for(act(), patient_id)
    if plan_id is not None:
        return redirect(url_for("careplans_pages.plan", plan_id=plan_id))
    form, made = SureForm(), []

    def work() -> None:
        made.append(commands.start_plan(act(), patient_id, reception_id=stay))

    if form.carried_out(work):
        flash("The plan is begun. Nothing has been asked yet.")
        return redirect(url_for("careplans_pages.plan", plan_id=made[0]))
    patient = open_record(act(), patient_id, "careplans.looked_up", right="careplans.read")
    page = render_template(
        "one_form.jinja", form=form, title="Begin a care plan", button="Begin the plan",
        banner=banner(act(), patient), cancel=url_for("patients_pages.record", patient_id=patient.id),
        lead="No care plan is written here yet. It begins as an initial plan with every question "
        "open.",
    )  # fmt: skip
    return page, form.status


# -- reading ---------------------------------------------------------------------------------


def _shown(template: str, plan_id: int, **more: Any) -> str:
    view = queries.plan(act(), plan_id)
    shown = banner(act(), view.patient)
    if (
        template == "plain"
    ):  # the patient takes it along: it says nothing of risk to whoever finds it
        shown = replace(shown, risk=None)
    return render_template(
        f"careplans/{template}.jinja", view=view, banner=shown,
        sections=SECTIONS, domains=DOMAINS, marks=MARKS, parties=AGREEING, states=GOAL_STATES,
        outcomes=OUTCOMES, payers=PAYERS, event_names=EVENTS, referral_names=REFERRALS, responses=RESPONSES,
        party_names=presenters.parties, day_of=date.fromisoformat, **more,
    )  # fmt: skip


@careplans_pages.get(_ONE)
@needs("careplans.read")
def plan(plan_id: int) -> Page:
    """The plan as it stands."""
    return _shown("plan", plan_id)


@careplans_pages.get(f"{_ONE}/history")
@needs("careplans.read")
def history(plan_id: int) -> Page:
    """Who changed what, and who agreed to which version."""
    return _shown("history", plan_id, may=act().may("careplans.write"))


@careplans_pages.get(f"{_ONE}/print")
@needs("careplans.read")
def on_paper(plan_id: int) -> Page:
    """The plan as a sheet for the file."""
    return _shown("print", plan_id)


@careplans_pages.get(f"{_ONE}/plain")
@needs("careplans.read")
def plain(plan_id: int) -> Page:
    """The patient's own copy, in plain words and large print."""
    return _shown("plain", plan_id)


# -- one form about a plan ---------------------------------------------------------------------


def _carried_out(form: Form, work: Callable[[], object]) -> bool:
    """As `Form.carried_out`; a change by somebody else meanwhile is told on the form as well.

    The version on the form is then the new one, so that sending it again is a decision.
    """
    try:
        return form.carried_out(work)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. Check it against the plan.")
        version = form["version"]
        version.data, version.raw_data = stale.more["version"], None
        return False


def _about(view: View, form: Form, title: str, template: str = "one_form", **more: Any) -> Page:
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.plan.version
    page = render_template(
        f"{template}.jinja", form=form, title=title, banner=banner(act(), view.patient),
        cancel=url_for("careplans_pages.plan", plan_id=view.plan.id), view=view, **more,
    )  # fmt: skip
    return page, form.status


def _to_plan(plan_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("careplans_pages.plan", plan_id=plan_id))


_COLLECTED = "Collected in the draft. Put it forward when you have changed all you want to."


def _asking_again(view: View) -> str | None:
    """What a change does to the agreements there are."""
    if not view.standing:
        return None
    return (
        f"Version {view.now.number} was agreed by: "
        f"{', '.join(AGREEING[party] for party in view.standing)}. A change makes a new "
        "version, which has to be agreed again."
    )


@careplans_pages.route(f"{_ONE}/sections/<key>", methods=["GET", "POST"])
@needs("careplans.write")
def section(plan_id: int, key: str) -> Page:
    """Write one section of the plan."""
    if key not in SECTIONS:
        raise NotFound("There is no such section of a care plan.")
    view = queries.plan(act(), plan_id)
    asked = SECTIONS[key]
    now = {
        each.key: queries.day(view.editing.answers.get(each.key))
        if each.kind == "day"
        else view.editing.answers.get(each.key, "")
        for each in asked.questions
    }
    form = section_form(asked)(**now)

    def work() -> None:
        given = {name: value for name, value in form.answers().items() if name != "version"}
        commands.draft_change(
            act(), plan_id, version=form["version"].data or 0,
            answers={
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in given.items()
            },
        )  # fmt: skip

    if _carried_out(form, work):
        return _to_plan(plan_id, _COLLECTED)
    view = queries.plan(act(), plan_id)
    return _about(
        view, form, asked.title, "careplans/section", asked=asked, lead=_asking_again(view)
    )


@careplans_pages.route(f"{_ONE}/mark", methods=["GET", "POST"])
@needs("careplans.write")
def mark(plan_id: int) -> Page:
    """Initial or complete."""
    view = queries.plan(act(), plan_id)
    form = MarkForm(mark=view.editing.mark)

    def work() -> None:
        commands.draft_change(
            act(), plan_id, version=form["version"].data or 0, mark=form.mark.data
        )

    if _carried_out(form, work):
        return _to_plan(plan_id, _COLLECTED)
    lead = "An initial plan will do for somebody who leaves early (PS-16)."
    if view.lacking:
        lead += f" A complete plan still needs: {'; '.join(view.lacking)}."
    return _about(view, form, "Initial or complete?", lead=lead)


@careplans_pages.route(f"{_ONE}/goals/new", methods=["GET", "POST"])
@careplans_pages.route(f"{_ONE}/goals/<int:number>", methods=["GET", "POST"])
@needs("careplans.write")
def goal(plan_id: int, number: int | None = None) -> Page:
    """Add a goal, or reword one."""
    view = queries.plan(act(), plan_id)
    stands = view.editing.goals_now
    if number is not None and number not in stands:
        raise NotFound("There is no such goal in this plan.")
    row = {} if number is None else dict(stands[number])
    form = GoalForm(**{**row, "by_on": queries.day(row.get("by_on"))})

    def work() -> None:
        given = {name: value for name, value in form.answers().items() if name != "version"}
        commands.draft_change(
            act(), plan_id, version=form["version"].data or 0, goal={**given, "number": number}
        )

    if _carried_out(form, work):
        return _to_plan(plan_id, _COLLECTED)
    title = "Add a goal" if number is None else f"Goal {number}"
    return _about(view, form, title, lead=_asking_again(view))


@careplans_pages.route(f"{_ONE}/goals/<int:number>/drop", methods=["GET", "POST"])
@needs("careplans.write")
def drop(plan_id: int, number: int) -> Page:
    """Give a goal up."""
    view = queries.plan(act(), plan_id)
    if number not in view.editing.goals_now:
        raise NotFound("There is no such goal in this plan.")
    form = DropForm()

    def work() -> None:
        commands.draft_change(
            act(), plan_id, version=form["version"].data or 0,
            goal={"number": number, "dropped": form.dropped.data},
        )  # fmt: skip

    if _carried_out(form, work):
        return _to_plan(plan_id, _COLLECTED)
    return _about(
        view, form, f"Drop goal {number}", warning=True, button="Drop the goal",
        lead=view.editing.goals_now[number]["what"],
    )  # fmt: skip


@careplans_pages.route(f"{_ONE}/draft/<any(put_forward, discard):what>", methods=["GET", "POST"])
@needs("careplans.write")
def draft(plan_id: int, what: str) -> Page:
    """Make what was collected one version to agree to, or give it up."""
    form, forward = DraftForm(), what == "put_forward"
    work = commands.put_forward if forward else commands.discard_draft
    if _carried_out(form, lambda: work(act(), plan_id, version=form["version"].data or 0)):
        return _to_plan(
            plan_id, "The plan is changed. Nobody has agreed to this version yet." if forward
            else "The draft is discarded. The plan is as it was.",
        )  # fmt: skip
    view = queries.plan(act(), plan_id)
    if view.draft is None and not form.is_submitted():
        raise NotFound("There is no draft of this plan.")
    title = f"Put forward as version {view.now.number + 1}" if forward else "Discard the draft"
    return _about(
        view, form, title, "careplans/draft", warning=not forward,
        button="Put forward" if forward else "Discard the draft",
        lead=_asking_again(view) if forward
        else "The plan stays as it is. What was collected is kept in the history.",
    )  # fmt: skip


@careplans_pages.route(f"{_ONE}/drafts/<int:draft_id>/take-up", methods=["GET", "POST"])
@needs("careplans.write")
def take_up(plan_id: int, draft_id: int) -> Page:
    """Go on with changes that were discarded."""
    form = DraftForm()
    if _carried_out(
        form,
        lambda: commands.take_up_draft(act(), plan_id, draft_id, version=form["version"].data or 0),
    ):
        return _to_plan(plan_id, "The changes are collected in the draft again.")
    view = queries.plan(act(), plan_id)
    if draft_id not in {each.row.id for each in view.discarded}:
        raise NotFound("There is no such discarded draft of this plan.")
    return _about(view, form, "Take up the discarded draft", button="Take up again")


@careplans_pages.route(f"{_ONE}/goals/<int:number>/progress", methods=["GET", "POST"])
@needs("careplans.write")
def progress(plan_id: int, number: int) -> Page:
    """How a goal stands."""
    form = ProgressForm(on=act().today)

    if _carried_out(
        form, lambda: follow_up_commands.record_progress(act(), plan_id, number, **form.answers())
    ):
        return _to_plan(plan_id, "The progress is recorded.")
    view = queries.plan(act(), plan_id)
    if number not in view.now.goals_now:
        raise NotFound("There is no such goal in this plan.")
    return _about(view, form, f"Progress on goal {number}", lead=view.now.goals_now[number]["what"])


@careplans_pages.route(f"{_ONE}/agreements", methods=["GET", "POST"])
@needs("careplans.write")
def agreements(plan_id: int) -> Page:
    """Who has agreed to the plan as it stands, and a further agreement."""
    form = AgreementForm()
    form.agreed_by.choices = [("", "You"), *((each.id, each.name) for each in staff_here(act()))]

    def work() -> None:
        agreement_commands.agree(
            act(), plan_id, number=int(form.number.data or 0), party=form.party.data,
            agreed_at=form.agreed_at.data, agreed_by=form.agreed_by.data,
        )  # fmt: skip

    if _carried_out(form, work):
        flash("The agreement is recorded.")
        return redirect(url_for("careplans_pages.agreements", plan_id=plan_id))
    view = queries.plan(act(), plan_id)
    form.number.data, form.number.raw_data = str(view.now.number), None
    return _about(view, form, "Agreements", "careplans/agreements", parties=AGREEING)


@careplans_pages.route(f"{_ONE}/agreements/<int:agreement_id>/withdraw", methods=["GET", "POST"])
@needs("careplans.write")
def withdraw(plan_id: int, agreement_id: int) -> Page:
    """A party takes its agreement back."""
    form = ReasonForm()

    def work() -> None:
        agreement_commands.withdraw(
            act(), plan_id, agreement_id, version=form["version"].data or 0,
            reason=form.reason.data or "",
        )  # fmt: skip

    if _carried_out(form, work):
        return _to_plan(plan_id, "The agreement is withdrawn. It stays in the history.")
    view = queries.plan(act(), plan_id)
    row = next((each for each in view.standing.values() if each.id == agreement_id), None)
    if row is None:
        raise NotFound("There is no such agreement to the plan as it stands.")
    return _about(
        view, form, "Withdraw an agreement", warning=True, button="Withdraw it",
        lead=f"{AGREEING[row.party]}, agreed {ui.moment(row.agreed_at)}.",
    )  # fmt: skip


@careplans_pages.route(f"{_ONE}/events/new", methods=["GET", "POST"])
@needs("careplans.write")
def event(plan_id: int) -> Page:
    """Something significant happened."""
    form = EventForm()
    if _carried_out(
        form, lambda: follow_up_commands.record_event(act(), plan_id, **form.answers())
    ):
        return _to_plan(plan_id, "Recorded. A review of the plan is asked for.")
    return _about(
        queries.plan(act(), plan_id), form, "A significant event",
        lead="The plan is reviewed after every significant event (CM-22).",
    )  # fmt: skip


@careplans_pages.route(f"{_ONE}/review", methods=["GET", "POST"])
@needs("careplans.write")
def review(plan_id: int) -> Page:
    """The plan was looked at."""
    form = ReviewForm()

    def work() -> None:
        given = {name: value for name, value in form.answers().items() if name != "version"}
        follow_up_commands.record_review(act(), plan_id, version=form["version"].data or 0, **given)

    if _carried_out(form, work):
        return _to_plan(plan_id, "The review is recorded.")
    view = queries.plan(act(), plan_id)
    asking = ", ".join(EVENTS[each.code].lower() for each in view.asking)
    lead = f"Asked for by: {asking}." if asking else f"Due by {ui.day(view.due.on)}."
    return _about(view, form, "Review the care plan", lead=lead)


@careplans_pages.route(f"{_ONE}/referrals/new", methods=["GET", "POST"])
@needs("careplans.write")
def refer(plan_id: int) -> Page:
    """Ask for help elsewhere."""
    form = ReferralForm()
    if _carried_out(form, lambda: follow_up_commands.refer(act(), plan_id, **form.answers())):
        return _to_plan(plan_id, "The referral is recorded.")
    return _about(queries.plan(act(), plan_id), form, "Record a referral")


@careplans_pages.route(f"{_ONE}/referrals/<int:referral_id>/response", methods=["GET", "POST"])
@needs("careplans.write")
def response(plan_id: int, referral_id: int) -> Page:
    """What came back on a referral."""
    view = queries.plan(act(), plan_id)
    row = next((each for each in view.referrals if each.id == referral_id), None)
    if row is None:
        raise NotFound("There is no such referral in this plan.")
    form = ResponseForm()

    def work() -> None:
        follow_up_commands.record_response(act(), plan_id, referral_id, **form.answers())

    if _carried_out(form, work):
        return _to_plan(plan_id, "The answer is recorded.")
    return _about(view, form, "Answer to a referral", lead=f"{REFERRALS[row.kind]}: {row.to_whom}.")


@careplans_pages.route(
    f"{_ONE}/<any(progress, event, review, referral, answer):what>/<int:row_id>/strike-out",
    methods=["GET", "POST"],
)
@needs("careplans.write")
def strike_out(plan_id: int, what: str, row_id: int) -> Page:
    """It was recorded in error: it counts no more and stays visible."""
    form = StrikeForm()

    def work() -> None:
        follow_up_commands.strike_out(act(), plan_id, what, row_id, reason=form.reason.data or "")

    if _carried_out(form, work):
        return _to_plan(plan_id, "It is struck out. It stays in the history.")
    view = queries.plan(act(), plan_id)
    said = {
        "progress": ("the progress", ""),
        "event": ("the event", " No review is asked for because of it any more."),
        "review": ("the review", " What it answered is asked again."),
        "answer": ("the answer to a referral", " The answer before it, if any, stands again."),
        "referral": ("the referral", " A duty of the 28 days that it fulfilled is open again."),
    }[what]
    return _about(
        view, form, f"Strike out {said[0]}", warning=True, button="Strike out",
        lead=f"Use this when it was recorded in error.{said[1]}",
    )  # fmt: skip


# -- the day-5 clinical review -------------------------------------------------------------------


@careplans_pages.route("/stays/<int:reception_id>/clinical-review", methods=["GET", "POST"])
@needs("careplans.write")
def clinical_review(reception_id: int) -> Page:
    """How the review stands, and that it was held."""
    form = ClinicalReviewForm()
    if form.carried_out(
        lambda: clinical_review_commands.hold_review(act(), reception_id, **form.answers())
    ):
        flash("The clinical review is recorded.")
        return redirect(url_for("custody_pages.stay", reception_id=reception_id))
    seen = queries.clinical_review(act(), reception_id)
    page = render_template(
        "careplans/clinical_review.jinja", form=form, seen=seen, title="Clinical review",
        banner=banner(act(), seen.stay.patient), duty_rows={
            row["item"]: (queries.day(row["due_on"]), queries.moment(row["done_at"]), row["why"])
            for row in seen.items
        },
        cancel=url_for("custody_pages.stay", reception_id=reception_id),
    )  # fmt: skip
    return page, form.status


@careplans_pages.route("/stays/<int:reception_id>/clinical-review/report", methods=["GET", "POST"])
@needs("careplans.write")
def report(reception_id: int) -> Page:
    """The CARATs' written report."""
    form = ReportForm()

    def work() -> None:
        clinical_review_commands.write_report(
            act(), reception_id, says=form.says.data or "",
            complex_needs=yes_no(form.complex_needs.data),
        )  # fmt: skip

    if form.carried_out(work):
        flash("The report is recorded.")
        return redirect(url_for("careplans_pages.clinical_review", reception_id=reception_id))
    seen = queries.clinical_review(act(), reception_id)
    page = render_template(
        "one_form.jinja", form=form, title="Report for the clinical review",
        banner=banner(act(), seen.stay.patient),
        cancel=url_for("careplans_pages.clinical_review", reception_id=reception_id),
        more={"says": {"rows": 10}},
    )  # fmt: skip
    return page, form.status
