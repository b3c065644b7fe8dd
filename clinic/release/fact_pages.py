"""The pages of a plan's facts: a form for each, put right, struck out, put back, still right."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for

from clinic.act import Act, rehearsed
from clinic.auth import act, needs
from clinic.custody.queries import newest_reception, went
from clinic.errors import NotFound
from clinic.forms import STEP
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.release import closing, commands, presenters, queries
from clinic.release.access import open_plan
from clinic.release.facts import asked_on_arrival
from clinic.release.forms import ROWS, FactForm, ReasonForm, section_form
from clinic.release.models import ReleaseFact, ReleasePlan
from clinic.release.page_parts import Page, by_button, carried_out, one_form, saved, to_plan
from clinic.release.pages import release_pages
from clinic.release.sections import SECTIONS, Section

ROW = "row"  # the button that draws one more collection


@release_pages.route("/plans/<int:plan_id>/facts/<section>", methods=["GET", "POST"])
@needs("release.plan")
def record(plan_id: int, section: str) -> Page:
    """The form of one section, empty: nothing is preset."""
    kind = SECTIONS.get(section)
    if kind is None:
        raise NotFound("There is no such section of a release plan.")
    plan, patient = open_plan(act(), plan_id, "release.plan_seen", right="release.plan")
    if section == "arrival" and asked_on_arrival(act(), plan, act().at):
        return redirect(url_for("assessments_pages.continuity", patient_id=patient.id))
    return _fact_page(plan, patient, kind, None)


@release_pages.route("/facts/<int:fact_id>/correct", methods=["GET", "POST"])
@needs("release.plan")
def correct(fact_id: int) -> Page:
    """The same form, filled with what stands; it asks why."""
    row, plan, patient = queries.fact_to_change(act(), fact_id)
    return _fact_page(plan, patient, SECTIONS[row.section], row)


def _fact_page(plan: ReleasePlan, patient: Patient, kind: Section, row: ReleaseFact | None) -> Page:
    work = act()
    form = section_form(kind, correcting=row is not None)()
    _offer(work, form, kind)
    if not form.is_submitted():
        if row is not None:
            form.fill(row)
        if "instalments" in form:
            for _ in range(max(1, ROWS - len(form["instalments"]))):
                form.add_row()
    page = {
        "form": form, "kind": kind, "plan": plan, "banner": banner(work, patient),
        "correcting": row, "cancel": to_plan(plan.id),
    }  # fmt: skip
    ours = plan.site_id == work.site_id  # and not looked at from the service they go to
    if kind.key == "exit" and row is None and ours and work.may("custody.read"):
        stay = newest_reception(work, patient.id)
        if stay is not None and stay.site_id == work.site_id and went(work, stay) is None:
            page["stay_id"] = stay.id
    if kind.key == "weekend":  # what is acknowledged is looked at here
        now = queries.plan_now(work, plan.id)
        page["says"] = presenters.in_short(now.answer, now.request) if now.answer else now.fault
        page["strip_days"], page["strip_more"] = presenters.day_strip(now)
    if request.form.get(STEP) == ROW:
        form.add_row()
        return render_template("release/fact.jinja", **page)
    if form.changing:
        return render_template("release/fact.jinja", **page)

    def work_it() -> None:
        version = form["version"].data
        if row is None:
            commands.record(work, plan.id, kind.key, form.says(), version=version, **form.named())
        else:
            commands.correct(
                work, row.id, form.says(), version=version, reason=form["reason"].data,
                **form.named(),
            )  # fmt: skip

    if kind.check and not form.confirmed:
        made_for = [
            SECTIONS[each.section].title
            for each in queries.standing_for_a_date(work, plan.id)
            if kind.key == "release"
        ]
        comes_to: list[str] = []
        if carried_out(form, plan, lambda: comes_to.append(_comes_to(work, plan.id, work_it))):
            answers = [(ask.label, presenters.said(ask, form.says().get(ask.name)))
                       for ask in kind.asks]  # fmt: skip
            return render_template(
                "release/check.jinja", answers=answers, made_for=made_for, comes_to=comes_to[0],
                **page,
            )  # fmt: skip
    elif carried_out(form, plan, work_it):
        return saved(f"{kind.title}: saved.", plan.id)
    return render_template("release/fact.jinja", **page), form.status


def _comes_to(work: Act, plan_id: int, save: Callable[[], object]) -> str:
    """How the plan would stand with this, in one breath. Nothing is saved; what saving would refuse
    is refused."""

    def look() -> str:
        now = queries.plan_now(work, plan_id)
        return presenters.in_short(now.answer, now.request) if now.answer else now.fault or ""

    return rehearsed(work, save, look)


def _offer(work: Act, form: FactForm, kind: Section) -> None:
    if kind.premises:
        form["premises_id"].choices = [("", "Choose one")] + [
            (each.id, ", ".join(filter(None, (each.name, each.address))))
            for each in queries.premises_list(work, kind.premises)
        ]
    if kind.service:
        form["site_id"].choices = [(0, "None of these, or not known")] + [
            (each.id, each.name) for each in queries.community_services(work)
        ]


@release_pages.route("/facts/<int:fact_id>/strike", methods=["GET", "POST"])
@needs("release.plan")
def strike(fact_id: int) -> Page:
    """Strike out a fact, with a reason. Its flags come back."""
    row, plan, patient = queries.fact_to_change(act(), fact_id)
    form, title = ReasonForm(), SECTIONS[row.section].title

    def work_it() -> None:
        commands.strike(act(), fact_id, version=form["version"].data, reason=form["reason"].data)

    booked = row.visit_id is not None and closing.service_of(plan) is not None
    lead = f"It stays in the history and no longer counts: {presenters.one_line(row)}"
    if carried_out(form, plan, work_it):
        if booked:
            flash(f"{title}: struck out, and its place given back. Book another here.")
            return redirect(url_for("release_pages.book", plan_id=plan.id))
        return saved(f"{title}: struck out.", plan.id)
    return one_form(
        form, f"Strike out: {title}", to_plan(plan.id), patient,
        lead=f"{lead}. Its place in the service's diary is given back." if booked else lead,
        button="Strike out", warning=True,
    )  # fmt: skip


@release_pages.post("/facts/<int:fact_id>/put-back")
@needs("release.plan")
def put_back(fact_id: int) -> Page:
    """Record anew what was struck out by mistake."""
    row, plan, _ = queries.fact_to_change(act(), fact_id, struck=True)
    return by_button(
        plan, lambda version: commands.put_back(act(), fact_id, version=version),
        f"{SECTIONS[row.section].title}: stands again.",
    )  # fmt: skip


@release_pages.post("/facts/<int:fact_id>/still-right")
@needs("release.plan")
def still_right(fact_id: int) -> Page:
    """What was made for another release date holds for this one too."""
    row, plan, _ = queries.fact_to_change(act(), fact_id)
    return by_button(
        plan, lambda version: commands.reconfirm(act(), fact_id, version=version),
        f"{SECTIONS[row.section].title}: still right.",
    )  # fmt: skip
