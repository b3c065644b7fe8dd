"""The pages of an induction's days: what becomes of them, shown before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from clinic import home, ui
from clinic.act import Act
from clinic.appointments import chain_commands, chain_queries, queries, rota_queries, visit_queries
from clinic.appointments.chain import CHANGED
from clinic.appointments.chain_preview import ARRIVED, BOOKED, CANCELLED, MISSED, MOVES, STAYS
from clinic.appointments.forms import ArrangeFields, MoveDayForm, ReplanForm
from clinic.appointments.models import Visit
from clinic.appointments.pages import day_asked, to_visit
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid, Stale
from clinic.forms import Form
from clinic.patients.queries import banner
from scheduling.prescribing_models import day_in_words

chain_pages = Blueprint("chain_pages", __name__, url_prefix="/appointments")
Page = str | Response | tuple[str, int]

WHAT = {
    STAYS: "Stays", ARRIVED: "Came", MOVES: "Moves", BOOKED: "Is booked",
    CANCELLED: "Is cancelled", MISSED: "Was missed",
}  # fmt: skip
REVIEW_DAYS = timedelta(days=6)


@home.worklist("appointments.book")
def days_to_settle(work: Act) -> home.Worklist | None:
    """Inductions of which a day was missed or given up, until the others are planned or ended."""
    if not rota_queries.is_community(work):
        return None
    return home.Worklist(
        title="Days of an induction to plan anew",
        rows=[
            home.Row(
                due=each.since, person=each.patient.listed_name, who=None,
                href=url_for("visits_pages.visit", visit_id=each.view.shown[0].id),
                what=(
                    "Day 1 was missed and later days stand: book a new start, or cancel them."
                    if each.view.day_1_missed
                    else "A day was missed or cancelled: plan the days anew."
                ),
            )
            for each in chain_queries.to_settle(work)
        ],
        empty="No induction waits for its days to be planned.",
    )  # fmt: skip


def looked_at(
    form: Form, work: Callable[..., object], *, title: str, visit_id: int, always: bool = False,
    **shown: Any,
) -> Page | None:  # fmt: skip
    """Carry a change out, or show what becomes of the other days. None: it is done.

    `work` takes `preview`, and `arrangements` where the form asks for them. A refusal is shown on
    the form, by whoever shows the form. `always`: shown even when no other day changes. `shown`:
    what else the page says.
    """
    asks = isinstance(form, ArrangeFields)
    looked = form["preview"].data if form.confirmed else None
    picture = chain_queries.preview_of(work, shown="" if looked or always else None)
    if picture is None:
        return None
    days = [date.fromisoformat(each) for each in picture["to_arrange"]]
    given = form.arranged(days) if asks else []
    if looked and looked != picture["version"]:
        form.form_errors.append(CHANGED)
    elif looked and (given or not (days and asks)):
        work(preview=picture["version"], **({"arrangements": given} if asks else {}))
        return None
    elif looked and asks:
        form.ask_arranged(days)
    return _shown(act(), form, picture, title, visit_id, **shown)


def _shown(
    work: Act, form: Form, picture: dict[str, Any], title: str, visit_id: int, **shown: Any
) -> tuple[str, int]:
    visit = visit_queries.visit_here(work, visit_id)
    view = visit_queries.visit_page(work, visit_id)
    names = queries.staff_names(
        work, [each[who] for each in picture["days"] for who in ("doctor_id", "nurse_id")]
    )
    form["preview"].data = picture["version"]
    hidden = [
        (name, value)
        for name, value in form.as_sent()
        if name != "preview" and not name.startswith("arranged_")
    ]
    page = render_template(
        "appointments/preview.jinja", form=form, title=title, picture=picture,
        rows=[_row(each, names) for each in picture["days"]], hidden=hidden,
        to_arrange=[day_in_words(date.fromisoformat(each)) for each in picture["to_arrange"]],
        asked=" ".join(picture["to_arrange"]),
        banner=banner(work, view.patient), asks=isinstance(form, ArrangeFields),
        back=url_for("visits_pages.visit", visit_id=visit.id), **shown,
    )  # fmt: skip
    return page, form.status


def _row(each: dict[str, Any], names: dict[int | None, str]) -> dict[str, Any]:
    def span(times: dict[str, str] | None) -> str:
        if times is None:
            return "nothing"
        starts, ends = (datetime.fromisoformat(times[name]) for name in ("starts_at", "ends_at"))
        return f"{ui.moment(starts)} to {ui.clock_time(ends)}"

    was = span(each["was"])
    if each["what"] == BOOKED and each["was"] is not None:
        was += ", missed or cancelled"
    with_whom = [names[each[who]] for who in ("doctor_id", "nurse_id") if each[who]]
    return {
        "number": each["number"], "was": was, "becomes": span(each["becomes"]),
        "what": WHAT[each["what"]], "with": ", ".join(with_whom) or "nobody",
    }  # fmt: skip


def refused(form: Form, work: Callable[[], Page | None]) -> Page | None:
    """The same, with a refusal put on the form as its errors."""
    try:
        return work()
    except (Conflict, Invalid) as no:
        form.refuse(no.detail, no.faults)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. See below how it stands now.")
        if "version" in form:
            form["version"].data, form["version"].raw_data = stale.more["version"], None
    return ""


@chain_pages.route("/chains/<int:chain_id>/replan", methods=["GET", "POST"])
@needs("appointments.book")
def replan(chain_id: int) -> Page:
    """A day was missed or cancelled: what the rest becomes, and yes to it."""
    view = chain_queries.chain_view(act(), chain_id)
    visit: Visit = view.shown[0]
    form = ReplanForm()
    title = "Plan the days anew"
    if form.validate_on_submit():

        def work(**more: Any) -> object:
            return chain_commands.replan(act(), chain_id, **more)

        page = refused(
            form, lambda: looked_at(form, work, title=title, visit_id=visit.id, always=True)
        )
        if page is None:
            flash("The days are planned anew.")
            return redirect(url_for("visits_pages.visit", visit_id=visit.id))
        if page:
            return page
    return (
        render_template(
            "appointments/replan.jinja", form=form, title=title, view=view,
            banner=banner(act(), visit_queries.visit_page(act(), visit.id).patient),
        ),
        form.status,
    )  # fmt: skip


@chain_pages.route("/visits/<int:visit_id>/move-day", methods=["GET", "POST"])
@needs("appointments.book")
def move_day(visit_id: int) -> Page:
    """Another time for day 2 or 3; what becomes of the day after it is shown first."""
    form = MoveDayForm()
    first = max(day_asked("from", act().today), act().today)
    known, reviews = chain_queries.free_reviews(act(), visit_id, first, first + REVIEW_DAYS)
    if not form.is_submitted():
        form.version.data = known.version
    names = queries.staff_names(
        act(), [who for each in reviews for who in (each.doctor_id, each.nurse_id)]
    )
    form.review.choices = [
        SelectChoice(
            f"{each.starts_at:%Y%m%dT%H%MZ}-{each.nurse_id}-{each.doctor_id or 0}",
            f"{ui.moment(each.starts_at)} to {ui.clock_time(each.ends_at)}",
            {"hint": " with ".join(names[who] for who in (each.doctor_id, each.nurse_id) if who)},
        )
        for each in reviews
    ]  # fmt: skip
    title = f"Move day {known.day_number}"
    if form.validate_on_submit() and not form.changing:
        wanted = form.wanted()
        if wanted is None:
            form.refuse("", [("review", "Choose one of the times listed")])
        else:

            def work(**more: Any) -> object:
                version = form.version.data or 0
                return chain_commands.move_day(act(), visit_id, version=version, **wanted, **more)

            page = refused(form, lambda: looked_at(form, work, title=title, visit_id=visit_id))
            if page is None:
                return to_visit(visit_id, f"Day {known.day_number} is moved.")
            if page:
                return page
    view = visit_queries.visit_page(act(), visit_id)
    return (
        render_template(
            "appointments/move_day.jinja", form=form, title=title, visit=view.visit,
            banner=banner(act(), view.patient), later=first + REVIEW_DAYS + timedelta(days=1),
        ),
        form.status,
    )  # fmt: skip
