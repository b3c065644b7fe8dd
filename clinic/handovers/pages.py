"""The pages of hand-overs: what waits, one hand-over from both sides, its sheet and its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.errors import Stale
from clinic.forms import Form
from clinic.handovers import commands, gone, package, queries, sheets
from clinic.handovers.forms import AnswerForm, BasisForm, PrepareForm, ReasonForm, SendForm
from clinic.handovers.models import VERBS
from clinic.patients.queries import banner
from clinic.release.access import open_plan
from clinic.release.queries import PlanNow, plan_now
from clinic.release.sections import HOW
from clinic.staff.queries import site_names
from scheduling import handover as rules

handovers_pages = Blueprint("handovers_pages", __name__, url_prefix="/hand-overs")
ui.nav("Hand-overs", "handovers_pages.listed", "release.read")

Page = str | Answer | tuple[str, int]
ONE = "/<int:handover_id>"
MOST_ON_HOME = 20
COLOURS = {rules.OVERDUE: "red", rules.REFUSED: "red", rules.PREPARED: "orange"}


# -- what waits ----------------------------------------------------------------------------


def _row(work: Act, each: queries.Waiting) -> home.Row:
    here = each.row.to_site_id == work.site_id
    if here:
        what = f"From {each.row.from_site.name}: accept or refuse"
    elif each.stands == rules.PREPARED:
        what = f"To {each.row.recipient}: not sent"
    elif each.stands == rules.REFUSED:
        what = f"{each.row.recipient} refused it"
    else:
        what = f"{each.row.recipient} has not answered: still yours"
    return home.Row(
        due=each.row.answer_by, person=each.patient.listed_name, what=what,
        href=url_for("handovers_pages.one", handover_id=each.row.id),
        who="This service" if here else "The sender", risk=queries.WORDS[each.stands],
        risk_colour=COLOURS.get(each.stands, "blue"),
    )  # fmt: skip


@home.worklist("release.plan")
def into_custody(work: Act) -> home.Worklist | None:
    """Whom of this community service is in custody, and the prison's team has not been told."""
    rows = _into_custody(work)
    if not rows:
        return None
    return home.Worklist(
        title="Gone into custody: hand over to the prison", rows=rows[:MOST_ON_HOME], empty="",
        more_text="All hand-overs that wait", more_href=url_for("handovers_pages.listed"),
    )  # fmt: skip


def _into_custody(work: Act) -> list[home.Row]:
    return [
        home.Row(
            due=each.send_by, person=each.patient.listed_name,
            href=url_for("custody_handovers_pages.person", patient_id=each.patient.id),
            what=f"{_since(each)}. Send the prison's CARAT team what is known, with consent",
            who=each.case_manager,
            risk="Late" if each.send_by and each.send_by < work.at else "To do",
            risk_colour="red" if each.send_by and each.send_by < work.at else "blue",
        )
        for each in gone.to_hand_over(work)
    ]  # fmt: skip


def _since(each: gone.Gone) -> str:
    where = each.where or "a prison not known yet"
    if each.received_on is not None:
        return f"Received at {where} on {ui.day(each.received_on)}"
    return f"Sentenced on {ui.day(each.known.on)}, to {where}"


@home.worklist("release.plan")
def to_do(work: Act) -> home.Worklist:
    """Hand-overs to accept, and ours that nobody has answered."""
    found = queries.waiting(work)
    return home.Worklist(
        title="Hand-overs",
        rows=[_row(work, each) for each in found[:MOST_ON_HOME]],
        empty="No hand-over waits here.",
        more_text="All hand-overs that wait",
        more_href=url_for("handovers_pages.listed"),
    )


@handovers_pages.get("")
@needs("release.read")
def listed() -> Page:
    """Everything that waits here."""
    work = act()
    rows = [_row(work, each) for each in queries.waiting(work)]
    return render_template("handovers/list.jinja", rows=rows, gone=_into_custody(work))


# -- one hand-over ---------------------------------------------------------------------------


@handovers_pages.route("/prepare/<int:plan_id>", methods=["GET", "POST"])
@needs("release.plan")
def prepare(plan_id: int) -> Page:
    """Make the package of a release plan. Neither recipient nor basis is preset."""
    work = act()
    _, patient = open_plan(work, plan_id, "release.plan_seen", right="release.plan")
    form, made = PrepareForm(), []
    others = {key: name for key, name in site_names(work).items() if key != work.site_id}
    form["to_site_id"].choices = [(0, "None of these"), *others.items()]

    def work_it() -> None:
        made.append(
            commands.prepare(
                act(), plan_id, to_site_id=form["to_site_id"].data or None,
                recipient=form["recipient"].data, basis=form["basis"].data or None,
                because=form["because"].data,
            )
        )  # fmt: skip

    if form.carried_out(work_it):
        return _saved("The hand-over is prepared. Nothing has left yet.", made[0])
    return _form(
        form, "Prepare a hand-over", url_for("release_pages.plan", plan_id=plan_id),
        banner(act(), patient), button="Prepare it",
        lead="The package is made from the plan and the doses as they stand now, and kept so.",
    )  # fmt: skip


@handovers_pages.get(ONE)
@needs("release.read")
def one(handover_id: int) -> Page:
    """The package, how it stands, and every step."""
    return _shown("handovers/one.jinja", queries.handover(act(), handover_id))


@handovers_pages.get(f"{ONE}/print")
@needs("release.read")
def print_sheet(handover_id: int) -> Page:
    """The package on one sheet."""
    return _shown(
        "handovers/print.jinja", queries.handover(act(), handover_id, "handovers.printed")
    )


def _shown(template: str, view: queries.View) -> str:
    work = act()
    return render_template(
        template, view=view, row=view.row, lines=list(package.lines(view.row.package)),
        banner=banner(work, view.row.patient), how=HOW, verbs=VERBS, bases=rules.BASES,
        may_change=work.may("release.plan"), nothing_leaves=rules.NOTHING_LEAVES,
        undoable=commands.UNDOABLE,
    )  # fmt: skip


@handovers_pages.get(f"{ONE}/text")
@needs("release.read")
def as_text(handover_id: int) -> Answer:
    """The package as plain text, to paste into another system."""
    view = queries.handover(act(), handover_id, "handovers.text_taken")
    return Response(package.as_words(view.row.package), mimetype="text/plain; charset=utf-8")


@handovers_pages.route(f"{ONE}/basis", methods=["GET", "POST"])
@needs("release.plan")
def basis(handover_id: int) -> Page:
    """What lets it leave."""
    form = BasisForm()
    return _changed(
        handover_id, form, "What it rests on", "Recorded.",
        lambda: commands.change_basis(act(), handover_id, **form.answers()),
    )  # fmt: skip


@handovers_pages.route(f"{ONE}/send", methods=["GET", "POST"])
@needs("release.plan")
def send(handover_id: int) -> Page:
    """Record that it left, with what proves it."""
    form = SendForm()
    return _changed(
        handover_id, form, "Send the hand-over", "Recorded as sent. An answer is waited for.",
        lambda: commands.send(act(), handover_id, **form.answers()),
        lead="Send the sheet, the text or the data first; then record how it went.",
    )  # fmt: skip


@handovers_pages.route(f"{ONE}/answer", methods=["GET", "POST"])
@needs("release.plan")
def answer(handover_id: int) -> Page:
    """Accept it or refuse it."""
    view = queries.handover(act(), handover_id)
    form = AnswerForm()
    if view.row.to_site_id is not None:
        del form.who

    def work_it() -> None:
        commands.answer(
            act(), handover_id, version=form["version"].data,
            accept=form["answer"].data == "accept", reason=form["reason"].data,
            who=form["who"].data if "who" in form else None,
        )  # fmt: skip

    return _changed(handover_id, form, "Answer the hand-over", "The answer is recorded.", work_it)


@handovers_pages.route(f"{ONE}/withdraw", methods=["GET", "POST"])
@needs("release.plan")
def withdraw(handover_id: int) -> Page:
    """It no longer holds."""
    form = ReasonForm()
    return _changed(
        handover_id, form, "Withdraw the hand-over", "Withdrawn.",
        lambda: commands.withdraw(act(), handover_id, **form.answers()), warning=True,
        lead="What has left cannot be called back. Tell the receiving service as well.",
    )  # fmt: skip


@handovers_pages.route(f"{ONE}/take-back", methods=["GET", "POST"])
@needs("release.plan")
def take_back(handover_id: int) -> Page:
    """The answer or the withdrawal was a mistake."""
    form = ReasonForm()
    return _changed(
        handover_id, form, "Take the last step back", "It stands as it did before.",
        lambda: commands.take_back(act(), handover_id, **form.answers()), warning=True,
    )  # fmt: skip


# -- the sheets of a plan --------------------------------------------------------------------


@handovers_pages.get("/sheets/<int:plan_id>/leaver")
@needs("release.read")
def leaver_sheet(plan_id: int) -> Page:
    """The leaver's own sheet: large print and plain words."""
    now = plan_now(act(), plan_id, "handovers.leaver_sheet")
    return render_template(
        "handovers/leaver.jinja", parts=sheets.leaver(act(), now), wordings=rules.WORDINGS,
        plan=now.plan, person=now.patient, banner=banner(act(), now.patient),
    )  # fmt: skip


@handovers_pages.get("/sheets/<int:plan_id>/court/<court_on>")
@needs("release.read")
def court_sheet(plan_id: int, court_on: str) -> Page:
    """The pack that travels to a hearing."""
    now = plan_now(act(), plan_id, "handovers.court_sheet")
    return _sheet(now, "Court pack", sheets.court(act(), now, court_on))


@handovers_pages.get("/sheets/<int:plan_id>/transfer")
@needs("release.read")
def transfer_sheet(plan_id: int) -> Page:
    """What goes with somebody to another prison."""
    now = plan_now(act(), plan_id, "handovers.transfer_sheet")
    return _sheet(now, "Transfer sheet", sheets.transfer(act(), now))


def _sheet(now: PlanNow, title: str, parts: list[sheets.Part]) -> str:
    return render_template(
        "handovers/sheet.jinja", title=title, parts=parts, plan=now.plan, fault=now.fault,
        banner=banner(act(), now.patient),
    )  # fmt: skip


# -- what the views share --------------------------------------------------------------------


def _changed(
    handover_id: int, form: Form, title: str, says: str, work: Callable[[], object], **more: Any
) -> Page:
    view = queries.handover(act(), handover_id)
    if not form.is_submitted():
        form["version"].data = view.row.version
    try:
        if form.carried_out(work):
            return _saved(says, handover_id)
    except Stale as stale:
        form.refuse(f"{stale.detail} Look at it, then send again.")
        form["version"].data, form["version"].raw_data = stale.more["version"], None
    here = url_for("handovers_pages.one", handover_id=handover_id)
    return _form(form, title, here, banner(act(), view.row.patient), **more)


def _saved(says: str, handover_id: int) -> Answer:
    flash(says)
    return redirect(url_for("handovers_pages.one", handover_id=handover_id))


def _form(form: Form, title: str, cancel: str, who: Any, **more: Any) -> Page:
    page = render_template(
        "one_form.jinja", form=form, title=title, cancel=cancel, banner=who, **more
    )
    return page, form.status
