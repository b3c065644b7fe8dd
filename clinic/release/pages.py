"""The pages of release: who is about to leave, and each plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from clinic import home, ui
from clinic.act import Act
from clinic.appointments.arrange_pages import arranging
from clinic.appointments.chain import Arranged
from clinic.auth import act, needs
from clinic.errors import Conflict
from clinic.forms import Form
from clinic.handovers.queries import of_plan
from clinic.patients import pages as patients_pages
from clinic.patients.access import open_record
from clinic.patients.commands import site_of
from clinic.patients.models import Patient
from clinic.patients.queries import banner, wing_lines
from clinic.release import aftercare, care, closing, commands, presenters, queries, whose
from clinic.release.access import open_plan
from clinic.release.care_models import FINISHED, OWNERS, TASKS, outcomes_of
from clinic.release.forms import BookForm, CloseForm, StartForm, SureForm
from clinic.release.page_parts import Page, at_version, carried_out, one_form, saved, to_plan
from clinic.release.sections import SECTIONS, STEPS
from dosing.days import london_day
from scheduling.release_rules import LIMITS

release_pages = Blueprint("release_pages", __name__, url_prefix="/release")
ui.nav("Releases", "release_pages.coming", "release.read")

MOST_ON_HOME = 20
ANOTHER_PLACE = "Give its place back and book another"
COLOURS = {"critical": "red", "red": "red", "amber": "orange"}


# -- the record ----------------------------------------------------------------------------


@patients_pages.record_section("release.read")
def on_the_record(work: Act, patient: Patient) -> patients_pages.Section | None:
    """Their open plan for leaving this prison, or for coming here, on their record."""
    plan = queries.open_plan_here(work, patient.id)
    if plan is None:
        return None
    return patients_pages.Section(
        "Release",
        [
            {
                "label": "Release plan",
                "value": f"Left custody {ui.day(plan.left_on)}"
                if plan.left_on
                else f"Release {ui.day(plan.release_on)}"
                if plan.release_on
                else None,
                "href": url_for("release_pages.plan", plan_id=plan.id),
                "link": "Open",
            }
        ],
    )


# -- the first page ------------------------------------------------------------------------


def _row(each: queries.Coming) -> home.Row:
    """A line of a worklist. Once out, the deadline is the day treatment must have gone on by."""
    worst = each.flags[0] if each.flags else None
    what = worst.message if worst else "No flag stands"
    if worst:
        what += f", since {ui.day(london_day(worst.since))}. Clears when: {worst.clears_when}"
    if len(each.flags) > 1:
        what += f" (and {len(each.flags) - 1} more)"
    if each.left_on:
        what = f"Out since {ui.day(each.left_on)}. {what}"
    if each.fault:
        what = f"The facts cannot be worked out: {each.fault}."
    return home.Row(
        due=each.left_on + LIMITS.continuity if each.left_on else each.release_on,
        person=each.patient.listed_name,
        href=url_for("release_pages.plan", plan_id=each.plan_id),
        what=what,
        who=worst.owner if worst else None,
        risk="not worked out" if each.fault else each.worst or "no flag",
        risk_colour="red" if each.fault else COLOURS.get(each.worst or "", "grey"),
    )


def _leaving(work: Act, found: Sequence[queries.Coming]) -> list[home.Row]:
    """The same at a prison, with the wing they are on."""
    where = wing_lines(work, [each.patient.id for each in found])
    return [replace(_row(each), where=where.get(each.patient.id)) for each in found]


@home.worklist("release.read", first=True)
def leaving_soon(work: Act) -> home.Worklist | None:
    """Prison: the open plans with a flag, worst first, then by release date."""
    if site_of(work).kind != "prison":
        return None
    found = [each for each in queries.coming_exits(work) if each.flags or each.fault]
    rows = _leaving(work, found[:MOST_ON_HOME])
    return home.Worklist(
        title="Releases with something missing",
        rows=rows,
        empty="No release plan has a flag.",
        more_text="All coming releases",
        more_href=url_for("release_pages.coming"),
    )


@home.worklist("release.read")
def arriving_soon(work: Act) -> home.Worklist | None:
    """Community service: who is on the way here, of those whose sharing is agreed or lawful."""
    if site_of(work).kind != "community":
        return None
    return home.Worklist(
        title="On the way here from prison",
        rows=[_row(each) for each in queries.coming_here(work)][:MOST_ON_HOME],
        empty="Nobody is known to be on the way here.",
        more_text="Everybody on the way here",
        more_href=url_for("release_pages.coming"),
    )


@release_pages.get("")
@needs("release.read")
def coming() -> Page:
    """Who leaves this prison and who is on the way here; and who here has no plan yet."""
    work = act()
    prison = site_of(work).kind == "prison"
    exits = queries.coming_exits(work) if prison else []
    any_day = queries.could_leave_any_day(work, [each.plan_id for each in exits])
    return render_template(
        "release/coming.jinja",
        leaving=_leaving(work, exits) if prison else None,
        any_day=[
            (each, "; ".join(presenters.ANY_DAY_WORDS[why] for why in any_day[each.plan_id]))
            for each in exits
            if each.plan_id in any_day
        ],
        coming_here=[_row(each) for each in queries.coming_here(work)],
        unplanned=queries.patients_without_a_plan(work) if work.may("release.plan") else None,
    )


# -- the plan ------------------------------------------------------------------------------


@release_pages.route("/start/<int:patient_id>", methods=["GET", "POST"])
@needs("release.plan")
def start(patient_id: int) -> Page:
    """Open a plan; a plan that is open already is shown instead."""
    work = act()
    patient = open_record(work, patient_id, "patients.read", right="release.plan")
    standing = queries.open_plan_of(work, patient.id)
    if standing is not None:
        return redirect(url_for("release_pages.plan", plan_id=standing))
    site = site_of(work)
    form: Form
    if site.kind == "prison":
        form = Form()
    else:
        form = StartForm()
        form["site_id"].choices = [(each.id, each.name) for each in queries.prisons(work)]
    made: list[int] = []

    def work_it() -> None:
        prison = form["site_id"].data if "site_id" in form else None
        made.append(commands.open_release_plan(work, patient.id, site_id=prison))

    if form.carried_out(work_it):
        flash("The plan is open. Nothing in it is known yet.")
        return redirect(url_for("release_pages.plan", plan_id=made[0]))
    return one_form(
        form, "Start a release plan", url_for("release_pages.coming"), patient,
        lead="The plan shows what is not known and which days would be without medicine.",
        button="Start the plan",
    )  # fmt: skip


@release_pages.get("/plans/<int:plan_id>")
@needs("release.read")
def plan(plan_id: int) -> Page:
    """Everything about one release, worst first."""
    return _plan_page("release/plan.jinja", queries.plan_now(act(), plan_id))


@release_pages.get("/plans/<int:plan_id>/print")
@needs("release.read")
def print_plan(plan_id: int) -> Page:
    """The plan on one sheet."""
    now = queries.plan_now(act(), plan_id, "release.plan_printed")
    return _plan_page("release/print.jinja", now)


def _plan_page(template: str, now: queries.PlanNow) -> str:
    work = act()
    strip, more = presenters.day_strip(now)
    dates = now.facts["release"][0].says if now.facts["release"] else {}
    tasks = care.tasks_of(work, now.plan.id)
    standing = [row for rows in now.facts.values() for row in rows]
    return render_template(
        template, view=now, plan=now.plan, answer=now.answer, banner=banner(work, now.patient),
        sections=SECTIONS, strip_days=strip, strip_more=more, unknown=presenters.unknown(now),
        newly_out=presenters.newly_out(now),
        fact_lines=presenters.fact_lines, one_line=presenters.one_line, states=presenters.STATES,
        flag_rows=[_flag(now, flag) for flag in now.flags], dates=dates, way=_way_out(now),
        handovers=of_plan(work, now.plan.id), tasks=tasks,
        late_tasks=sum(care.late(each, work.at) for each in tasks), in_short=presenters.in_short,
        owner_after=aftercare.owner(work, now.plan, standing),
        recorded=[key for key, rows in now.facts.items() if rows],
        on_arrival=presenters.on_arrival(now),
        task_words=TASKS, owner_words=OWNERS, outcomes_of=outcomes_of, outcome_words=FINISHED, late=care.late,
        ends=presenters.ends(now), any_day=presenters.any_day(now),
        at_version=at_version(SureForm(), now.plan),
        another_place=ANOTHER_PLACE,
        not_accepted=whose.not_accepted(work, now.plan) if now.plan.closed_at is None else None,
        handed=whose.handed_outside(work, now.plan) if now.plan.closed_at is None else None,
        moves=whose.moves_of(work, now.plan.id), moment=work.at,
        may_plan=work.may("release.plan") and now.plan.closed_at is None,
    )  # fmt: skip


def _flag(now: queries.PlanNow, flag: queries.Raised) -> dict[str, Any]:
    """One flag with a link to each form that can close it."""
    return {"flag": flag, "links": [link for key in flag.sections for link in _ways(now, key)]}


def _way_out(now: queries.PlanNow) -> dict[str, Any] | None:
    """The fewest steps, each with the links that do it."""
    found = closing.way_out(now) if now.plan.closed_at is None else None
    if found is None or not (found.steps or found.remains):
        return None
    whose = {flag.flag: flag.owner for flag in now.flags}
    return {
        "steps": [
            {
                "step": each,
                "says": STEPS[each.section],
                "links": _ways(now, each.section),
                "whose": " and ".join(
                    sorted({whose[flag] for flag in each.clears if flag in whose})
                ),
            }
            for each in found.steps
        ],
        "remains": found.remains,
    }


def _ways(now: queries.PlanNow, key: str) -> list[tuple[str, str]]:
    """The links by which a section's fact comes about: done here, written there, or recorded."""
    work, plan = act(), now.plan
    section, rows = SECTIONS[key], now.facts[key]
    links = []
    service = closing.service_of(plan)
    if key == "appointment" and service is not None and not rows:
        href = url_for("release_pages.book", plan_id=plan.id)
        links.append((f"Book it at {service.name}", href))
    if key == "supply" and work.may("prescribing.assess"):
        href = url_for("draft_pages.new", patient_id=now.patient.id)
        links.append(("Write the prescription form", href))
    if key == "appointment" and service is not None and rows and rows[0].visit_id is not None:
        href = url_for("release_pages.strike", fact_id=rows[0].id)
        return [*links, (ANOTHER_PLACE, href)]
    if key == "arrival" and presenters.on_arrival(now) is not None:
        return [(section.title, url_for("assessments_pages.continuity", patient_id=now.patient.id))]
    if rows and not section.many:
        href = url_for("release_pages.correct", fact_id=rows[0].id)
    else:
        href = url_for("release_pages.record", plan_id=plan.id, section=key)
    return [*links, (section.title, href)]


@release_pages.route("/plans/<int:plan_id>/book", methods=["GET", "POST"])
@needs("release.plan")
def book(plan_id: int) -> Page:
    """Take the first appointment in the receiving service's diary. No place is preset."""
    work = act()
    plan, patient = open_plan(work, plan_id, "release.plan_seen", right="release.plan")
    try:
        site, places = closing.first_places(work, plan)
    except Conflict as lacking:
        flash(lacking.detail)
        return redirect(to_plan(plan_id))
    form = BookForm()
    form["place"].choices = [
        (each.key, f"{ui.moment(each.place.starts_at)}, {each.doctor} and {each.worker}")
        for each in places
    ]

    asking: list[Page] = []

    def work_it() -> None:
        place = closing.at_key(places, form["place"].data)

        def book_it(arrangements: Sequence[Arranged]) -> object:
            return closing.book_first_appointment(
                act(), plan_id, version=form["version"].data, starts_at=place.starts_at,
                doctor_id=place.doctor_id, worker_id=place.worker_id, arrangements=arrangements,
            )  # fmt: skip

        about_shut_days = arranging(
            form, book_it, patient_id=patient.id, day_1=place.starts_at, back=to_plan(plan_id),
            button="Book it",
        )  # fmt: skip
        if about_shut_days is not None:
            asking.append(about_shut_days)

    if carried_out(form, plan, work_it):
        if asking:
            return asking[0]
        return saved(f"The appointment at {site.name} is booked and recorded.", plan_id)
    page = render_template(
        "release/book.jinja", form=form, site=site, places=places, cancel=to_plan(plan_id),
        banner=banner(work, patient),
    )  # fmt: skip
    return page, form.status


@release_pages.get("/plans/<int:plan_id>/history")
@needs("release.read")
def history(plan_id: int) -> Page:
    """Every fact and every flag the plan ever had."""
    found = queries.history(act(), plan_id)
    return render_template(
        "release/history.jinja", history=found, plan=found.plan,
        banner=banner(act(), found.patient), sections=SECTIONS,
        moves=whose.moves_of(act(), plan_id), one_line=presenters.one_line,
        sure=at_version(SureForm(), found.plan),
        may_plan=act().may("release.plan") and found.plan.closed_at is None,
    )  # fmt: skip


@release_pages.route("/plans/<int:plan_id>/close", methods=["GET", "POST"])
@needs("release.plan")
def close(plan_id: int) -> Page:
    """Nothing more is planned here."""
    plan, patient = open_plan(act(), plan_id, "release.plan_seen", right="release.plan")
    form = CloseForm()

    def work_it() -> None:
        commands.close_release_plan(
            act(), plan_id, version=form["version"].data, closed_as=form.closed_as.data,
            reason=form["reason"].data,
        )  # fmt: skip

    if carried_out(form, plan, work_it):
        return saved("The plan is closed.", plan_id)
    return one_form(form, "Close the release plan", to_plan(plan_id), patient, button="Close the plan",
                 warning=True)  # fmt: skip


@release_pages.route("/plans/<int:plan_id>/reopen", methods=["GET", "POST"])
@needs("release.plan")
def reopen(plan_id: int) -> Page:
    """It was closed too soon."""
    plan, patient = open_plan(act(), plan_id, "release.plan_seen", right="release.plan")
    form = SureForm()

    def work_it() -> None:
        commands.reopen_release_plan(act(), plan_id, version=form["version"].data)

    if carried_out(form, plan, work_it):
        return saved("The plan is open again.", plan_id)
    return one_form(form, "Reopen the release plan", to_plan(plan_id), patient, button="Reopen it")
