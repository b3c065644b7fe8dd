"""The pages of custody: arrivals, a person's 28 days, what was delivered, worklists, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import commands, deliveries, presenters, queries, wings, words
from clinic.custody.forms import (
    ArrivalForm,
    AwayCorrectionForm,
    AwayForm,
    CarePlanCorrectionForm,
    CarePlanForm,
    DayCountForm,
    DeliveryCorrectionForm,
    DeliveryForm,
    DutyCorrectionForm,
    DutyForm,
    ExitCorrectionForm,
    ExitForm,
    FindForm,
    FirstKeyworkCorrectionForm,
    FirstKeyworkForm,
    GroupCorrectionForm,
    GroupForm,
    HearingCorrectionForm,
    HearingForm,
    LocationCorrectionForm,
    LocationForm,
    MovedArrivalForm,
    NewArrivalForm,
    ReasonForm,
    ReceptionCorrectionForm,
    ReleaseCorrectionForm,
    ReleaseForm,
    ScreeningForm,
    TransferCorrectionForm,
    TransferForm,
    as_text,
    yes_no,
)
from clinic.custody.models import (
    DAY_COUNTS,
    DELIVERY_OUTCOMES,
    HEARING_OUTCOMES,
    MODES,
    PLACES_APART,
    SCREENINGS,
    SUITABILITIES,
    TOPIC_NAMES,
    WAYS_OUT,
    Delivery,
    Location,
    Wing,
)
from clinic.custody.queries import Stay, Work
from clinic.errors import Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.keyworkers.queries import cover_of, covered_by
from clinic.observations.queries import held_already
from clinic.patients.models import Patient
from clinic.patients.pages import Section, record_section
from clinic.patients.queries import banner, on_wing, search
from clinic.phases.queries import lacking_before_leaving
from clinic.sites.models import Site
from scheduling.custody_rules import BY_KEY, DELIVERABLE, GROUP_SESSION

custody_pages = Blueprint("custody_pages", __name__, url_prefix="/custody")
ui.nav("Custody", "custody_pages.worklist", "custody.read", "prison")

Page = str | Response | tuple[str, int]
MOST_ON_HOME = 20


# -- the first page ------------------------------------------------------------------------


def home_row(work: Work, posts: dict[str, str]) -> home.Row:
    said, colour = presenters.risk(work.ppo, work.heightened_risk)
    return home.Row(
        due=work.due,
        person=work.person,
        href=url_for("custody_pages.stay", reception_id=work.reception_id),
        what=f"{work.duty} (amber)" if work.amber and not work.overdue else work.duty,
        who=whose(work, posts),
        risk=said,
        risk_colour=colour,
        where=on_wing(work.where),
    )


def whose(work: Work, posts: dict[str, str]) -> str:
    """Whose it is, and whom it goes to once it is late."""
    who = words.OWNERS[work.owner]
    if work.owner in posts:
        who = f"{who} ({posts[work.owner]})"
    if "keyworker" in work.owner:
        who = f"{who} ({work.keyworker or 'nobody named'})"
    told = queries.escalation(work.escalate_to, posts)
    return f"{who}. Late: tell {told}" if work.overdue and told else who


def _list(act: Act, title: str, rows: Sequence[Work], empty: str) -> home.Worklist:
    posts = queries.post_holders(act)
    return home.Worklist(
        title=title,
        rows=[home_row(row, posts) for row in rows[:MOST_ON_HOME]],
        empty=empty,
        more_text="All that is due in this prison",
        more_href=url_for("custody_pages.worklist"),
    )


@home.worklist("custody.receive")
def healthcare_list(work: Act) -> home.Worklist | None:
    """What healthcare owes today."""
    if not queries.at_a_prison(work):
        return None
    rows = queries.due_work(work, owners=queries.OWNED_BY_HEALTHCARE, limit=MOST_ON_HOME)
    return _list(work, "Healthcare: due today and overdue", rows, "Healthcare owes nothing today.")


@home.worklist("custody.deliver")
def keyworker_list(work: Act) -> home.Worklist | None:
    """What a keyworker's own people and those they cover are owed today, then everybody else's."""
    if work.may("custody.receive") or not queries.at_a_prison(work):
        return None
    mine = [work.staff_id or 0, *covered_by(work, work.staff_id or 0)]
    own = queries.due_work(work, of_keyworkers=mine, limit=MOST_ON_HOME)
    others = queries.due_work(work, owners=queries.OWNED_BY_CARAT, limit=MOST_ON_HOME * 2)
    rest = [row for row in others if row.keyworker_id not in mine]
    return _list(
        work, "Your people first: due today and overdue", [*own, *rest], "Nothing is due today."
    )


@home.worklist("custody.allocate")
def overdue_list(work: Act) -> home.Worklist | None:
    """What is late in this prison."""
    if not queries.at_a_prison(work):
        return None
    rows = queries.overdue_work(work, limit=MOST_ON_HOME)
    return _list(work, "Overdue in the first 28 days", rows, "Nothing is overdue.")


# -- worklists -----------------------------------------------------------------------------


@custody_pages.get("/")
@needs("custody.read")
def worklist() -> Page:
    """What is due in this prison, then everybody by their next deadline."""
    work = act()
    if not queries.at_a_prison(work):
        raise NotFound(
            "Receptions and 28 days belong to a prison. This site is a community service."
        )
    posts = queries.post_holders(work)
    due, coming = queries.due_work(work), queries.next_work(work)
    return render_template(
        "custody/worklist.jinja",
        due=[home_row(row, posts) for row in due],
        coming=[home_row(row, posts) for row in coming],
        most=queries.MOST_LISTED,
    )


@custody_pages.get("/patients/<int:patient_id>")
@needs("custody.read")
def of_patient(patient_id: int) -> Page:
    """Go to a patient's newest stay."""
    reception = queries.newest_reception(act(), patient_id)
    if reception is None:
        raise NotFound("No reception is recorded for this patient.")
    return redirect(url_for("custody_pages.stay", reception_id=reception.id))


@record_section("custody.read")
def on_the_record(work: Act, patient: Patient) -> Section | None:
    """Their newest stay, on their record."""
    reception = queries.newest_reception(work, patient.id)
    if reception is None:
        return None
    left = queries.went(work, reception)
    became = f"{WAYS_OUT[left.how].lower()}, {ui.moment(left.at)}" if left else "in custody"
    return Section(
        "Custody",
        [
            {
                "label": "The first 28 days",
                "value": f"{reception.site.name}: {became}",
                "href": url_for("custody_pages.stay", reception_id=reception.id),
                "link": "Open",
            }
        ],
    )


# -- arrivals ------------------------------------------------------------------------------


@custody_pages.route("/arrivals", methods=["GET", "POST"])
@needs("custody.receive")
def arrivals() -> Page:
    """Who has arrived? Looked for first, so that nobody is registered twice."""
    form, found = FindForm(), None
    if form.validate_on_submit():
        try:
            found = search(act(), form.words.data or "")
        except Invalid as refusal:
            form.refuse(refusal.detail, [("words", says) for _, says in refusal.faults])
    return render_template("custody/arrivals.jinja", form=form, found=found), form.status


@custody_pages.route("/arrivals/new", methods=["GET", "POST"])
@needs("custody.receive")
def receive_new() -> Page:
    """Register somebody nobody knows and receive them."""
    form, made = with_wings(NewArrivalForm()), []

    def work() -> None:
        demo = _demo()
        made.append(
            commands.receive_new_person(act(), form.person(demo=demo), form.reception(demo=demo))
        )

    if form.confirmed and form.carried_out(work):
        return _received(made[0])
    if _to_check(form):
        who = [
            ("Name", f"{(form.family_name.data or '').upper()}, {form.given_name.data}"),
            ("Born", ui.day_born(form.born_on.data)),
            ("NHS number", form.nhs_number.data or None),
        ]
        return _check(form, "Check the arrival", [*who, *_arrival_answers(form)])
    return render_template("custody/arrival.jinja", form=form, patient=None), _asked(form)


@custody_pages.route("/arrivals/<int:patient_id>", methods=["GET", "POST"])
@needs("custody.receive")
def receive(patient_id: int) -> Page:
    """Receive somebody who has a record."""
    work = act()
    patient, under_way = queries.arrival(work, patient_id)
    here = next((row for row, _ in under_way if row.site_id == work.site_id), None)
    if here is not None:
        flash("This person is already in custody here. This is their stay.")
        return redirect(url_for("custody_pages.stay", reception_id=here.id))
    form = with_wings(MovedArrivalForm() if under_way else ArrivalForm())
    made: list[int] = []

    def carry_out() -> None:
        if isinstance(form, MovedArrivalForm) and form.moved.data == "yes":
            reception = under_way[-1][0]
            assert form.received_at.data is not None
            commands.receive_transfer(
                act(), reception.id, arrived_at=form.received_at.data, **form.place()
            )
            made.append(reception.id)
        else:
            made.append(
                commands.receive_prisoner(
                    act(), patient_id=patient_id, **form.reception(demo=_demo())
                )
            )

    if form.confirmed and form.carried_out(carry_out):
        return _received(made[0])
    where = [name for _, name in under_way]
    if _to_check(form):
        who = [("Name", patient.listed_name), ("Born", ui.day_born(patient.born_on))]
        rows = [*who, *_arrival_answers(form)]
        if isinstance(form, MovedArrivalForm):
            answer = "yes, the 28 days go on" if form.moved.data == "yes" else "no, a new stay"
            rows.append((f"A move from {', '.join(where)}", answer))
        return _check(form, "Check the arrival", rows)
    return (
        render_template("custody/arrival.jinja", form=form, patient=patient, where=where),
        _asked(form),
    )


def _demo() -> bool:
    return bool(current_app.config["SETTINGS"].demo)


def _received(reception_id: int) -> Response:
    flash("The arrival is recorded and the 28 days are planned.")
    return redirect(url_for("custody_pages.stay", reception_id=reception_id))


def _arrival_answers(form: ArrivalForm) -> list[tuple[str, str | None]]:
    screened = form.screened_at.data
    return [
        ("Arrived", ui.moment(form.received_at.data)),
        ("Prison number", (form.prison_number.data or "").upper() or None),
        ("Reception screening", SCREENINGS[form.screening.data]),
        ("Screening done", ui.moment(screened) if screened else "not yet"),
        ("Heightened risk", _said(form.heightened_risk.data)),
        ("PPO", _said(form.ppo.data)),
        ("Wing", wing_said(form)),
        ("Cell", form.cell.data or None),
    ]


def with_wings(form: Form, *, also: Wing | None = None) -> Form:
    """The form with the wings of this prison to choose from, and `also` one that was closed since."""
    if "wing_id" in form:
        found = wings.wings_here(act())
        if also is not None and also not in found:
            found.append(also)
        form["wing_id"].choices = [("", "Choose"), *((wing.id, wing.name) for wing in found)]
    return form


def wing_said(form: Form) -> str | None:
    """The wing that was chosen, by its name; None when none was."""
    return dict(form["wing_id"].choices)[form["wing_id"].data] if form["wing_id"].data else None


def _said(answer: str | None) -> str:
    return {"yes": "yes", "no": "no"}.get(answer or "", "not asked or not known")


def _to_check(form: Form) -> bool:
    """Answers that can stand, sent for the first time: they are shown back before anything is saved."""
    return form.is_submitted() and not (form.changing or form.confirmed) and form.validate()


def _asked(form: Form) -> int:
    """A form opened again to change the answers has no fault."""
    return 200 if form.changing else form.status


def _check(form: Form, title: str, rows: Sequence[tuple[str, Any]], **more: Any) -> Page:
    return render_template("custody/check.jinja", form=form, title=title, rows=rows, **more)


# -- one person's 28 days --------------------------------------------------------------------


@custody_pages.get("/stays/<int:reception_id>")
@needs("custody.read")
def stay(reception_id: int) -> Page:
    """A person's 28 days: what is due, what moved and why, what was done."""
    work = act()
    view = queries.stay(work, reception_id)
    return render_template(
        "custody/stay.jinja",
        view=view,
        banner=banner(work, view.patient),
        phases=presenters.phases(view),
        strip=presenters.strip(view, work.today),
        day=presenters.day_of_custody(view, work.today),
        risk=presenters.risk(view.detail.ppo, view.detail.heightened_risk),
        duty=words.duty,
        parties=presenters.parties,
        day_counts=DAY_COUNTS,
        screenings=SCREENINGS,
        suitabilities=SUITABILITIES,
        ways_out=WAYS_OUT,
        places=PLACES_APART,
        hearing_outcomes=HEARING_OUTCOMES,
        outcomes=DELIVERY_OUTCOMES,
        topics=TOPIC_NAMES,
        modes=MODES,
        group_session=GROUP_SESSION,
        said=presenters.said,
        date=date.fromisoformat,
        cover=cover_of(work, view.keyworker.id) if view.keyworker else None,
    )


def to_stay(reception_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("custody_pages.stay", reception_id=reception_id))


def carried_out(form: Form, work: Callable[[], object]) -> bool:
    """As `Form.carried_out`; a change by somebody else meanwhile is told on the form as well.

    The version on the form is then the new one, so that sending it again is a decision.
    """
    try:
        return form.carried_out(work)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. Check it against the record.")
        version = form["version"]
        version.data, version.raw_data = stale.more["version"], None
        return False


def about(view: Stay, form: Form, title: str, **more: Any) -> Page:
    """A page that is one form about a stay."""
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.reception.version
    more.setdefault("cancel", url_for("custody_pages.stay", reception_id=view.reception.id))
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=banner(act(), view.patient), **more
    )
    return page, _asked(form)


@custody_pages.post("/stays/<int:reception_id>/replan")
@needs("custody.read")
def replan(reception_id: int) -> Page:
    """Work the dates out again after the calendar changed."""
    form = Form()
    if not form.validate_on_submit():
        raise Invalid("This page was open too long. Open the stay again.")
    moved = commands.replan(act(), reception_id)
    return to_stay(
        reception_id, "The dates were worked out again." if moved else "No date had to change."
    )


@custody_pages.route("/stays/<int:reception_id>/correct", methods=["GET", "POST"])
@needs("custody.receive")
def correct_reception(reception_id: int) -> Page:
    """Put right what the reception said."""
    view = queries.stay(act(), reception_id)
    detail = view.detail
    form = ReceptionCorrectionForm(
        received_at=detail.received_at,
        screening=detail.screening,
        heightened_risk=as_text(detail.heightened_risk),
        ppo=as_text(detail.ppo),
        group_suitability=detail.group_suitability or "",
        needs_post_28_programme=as_text(detail.needs_post_28_programme),
    )

    def work() -> None:
        commands.correct_reception(
            act(), reception_id, version=form.version.data or 0, reason=form.reason.data or "",
            **form.details(),
        )  # fmt: skip

    if carried_out(form, work):
        return to_stay(reception_id, "The reception is corrected and the days are planned again.")
    return about(queries.stay(act(), reception_id), form, "Correct the reception")


@custody_pages.route("/stays/<int:reception_id>/undo", methods=["GET", "POST"])
@needs("custody.receive")
def undo_reception(reception_id: int) -> Page:
    """The reception was recorded in error."""
    form = ReasonForm()

    def work() -> None:
        commands.undo_reception(
            act(), reception_id, version=form.version.data or 0, reason=form.reason.data or ""
        )

    if carried_out(form, work):
        flash("The reception is undone. Nothing of it is due any more.")
        return redirect(url_for("custody_pages.worklist"))
    return about(
        queries.stay(act(), reception_id), form, "Undo this reception", warning=True,
        button="Undo the reception",
        lead="Use this when the wrong person was recorded. To put right a time or an answer, "
        "correct the reception instead. What was recorded stays in the history.",
    )  # fmt: skip


# -- deliveries ----------------------------------------------------------------------------


@custody_pages.route("/stays/<int:reception_id>/screening", methods=["GET", "POST"])
@needs("custody.deliver")
def screening(reception_id: int) -> Page:
    """The screening that was not done at reception."""
    form = ScreeningForm()
    if carried_out(form, lambda: commands.record_screening(act(), reception_id, **form.answers())):
        return to_stay(reception_id, "The screening is recorded.")
    return about(queries.stay(act(), reception_id), form, "Record the reception screening")


def _delivery_form(item: str, *, correcting: bool = False, **filled: Any) -> DeliveryForm:
    if item == GROUP_SESSION:
        forms: tuple[type[DeliveryForm], type[DeliveryForm]] = (GroupForm, GroupCorrectionForm)
    elif item == "joint_care_plan":
        forms = (CarePlanForm, CarePlanCorrectionForm)
    elif item == "initial_keywork":
        forms = (FirstKeyworkForm, FirstKeyworkCorrectionForm)
    elif not BY_KEY[item].declined:
        forms = (DutyForm, DutyCorrectionForm)
    else:
        forms = (DeliveryForm, DeliveryCorrectionForm)
    form = forms[correcting](**filled)
    form.done_by.choices = [(each.id, each.name) for each in queries.staff_here(act())]
    return form


@custody_pages.route("/stays/<int:reception_id>/deliver/<item>", methods=["GET", "POST"])
@custody_pages.route("/stays/<int:reception_id>/deliver/<item>/<for_on>", methods=["GET", "POST"])
@needs("custody.deliver")
def deliver(reception_id: int, item: str, for_on: str | None = None) -> Page:
    """Record that a duty was done, or offered and declined."""
    if item in ("keyworker_named", "receiving_keyworker_named"):
        return redirect(url_for("keyworkers_pages.keyworker", reception_id=reception_id))
    if item == "reception_screening":
        return redirect(url_for("custody_pages.screening", reception_id=reception_id))
    if item not in DELIVERABLE:
        raise NotFound("There is no such duty.")
    hearing_on = _day_in_address(for_on)
    form = _delivery_form(item, done_by=act().staff_id)

    def work() -> None:
        deliveries.record_delivery(
            act(), reception_id, item=item, for_on=hearing_on, **form.answers()
        )

    if carried_out(form, work):
        return to_stay(reception_id, f"{words.duty(item, hearing_on)}: recorded.")
    view = queries.stay(act(), reception_id)
    rows = view.answer["items"] if view.answer else []
    why = next((row["why"] for row in rows if row["item"] == item), None)
    if held := held_already(act(), reception_id, item):
        why = (
            f"{why or ''} Held already: {'; '.join(held)}. Begin from it: asking the same again is "
            "duplication (PS-04)."
        )
    if begun := _triage(view, item):
        why = f"{why or ''} {begun}"
    return about(view, form, f"Record: {words.duty(item, hearing_on)}", lead=why)


def _triage(view: Stay, item: str) -> str | None:
    """The triage assessment that a later one begins from (PS-03)."""
    found = next((row for row in view.deliveries if row.item == "smta"), None)
    if found is None or item not in ("collate_assessments", "csma", "carat_report"):
        return None
    said = f": {found.note}" if found.note else ", without a note"
    return f"Begin from the triage (SMTA) of {ui.moment(found.done_at)}{said} (PS-03)."


def _day_in_address(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("There is no such duty.") from None


@custody_pages.route(
    "/stays/<int:reception_id>/deliveries/<int:delivery_id>/correct", methods=["GET", "POST"]
)
@needs("custody.deliver")
def correct_delivery(reception_id: int, delivery_id: int) -> Page:
    """Put right what was recorded as delivered."""
    view = queries.stay(act(), reception_id)
    row = _one(view.deliveries, delivery_id)
    form = _delivery_form(
        row.item, correcting=True, done_at=row.done_at, outcome=row.outcome, by=row.by,
        done_by=row.done_by, note=row.note, topic=row.topic, mode=row.mode,
        explained=as_text(row.explained),
    )  # fmt: skip

    def work() -> None:
        deliveries.correct_delivery(
            act(),
            reception_id,
            delivery_id,
            version=form["version"].data or 0,
            **_but_version(form),
        )

    if carried_out(form, work):
        return to_stay(reception_id, "The entry is corrected. The first wording is kept.")
    title = f"Correct: {words.duty(row.item, row.for_on)}"
    return about(queries.stay(act(), reception_id), form, title)


def _but_version(form: Form) -> dict[str, Any]:
    return {name: value for name, value in form.answers().items() if name != "version"}


def _one(rows: Sequence[Any], fact_id: int) -> Any:
    row = next((row for row in rows if row.id == fact_id), None)
    if row is None:
        raise NotFound("There is no such entry, or it was corrected already.")
    return row


# -- what lies ahead, and the way out --------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """How one kind of fact is asked for, found and recorded."""

    title: str
    form: type[Form]
    correction: type[Form]
    record: Callable[..., int]
    rows: Callable[[Stay], Sequence[Any]]
    unknowns: tuple[str, ...] = ()


def _only(row: Any) -> Sequence[Any]:
    return [] if row is None else [row]


_KINDS = {
    "hearing": _Kind(
        "court hearing", HearingForm, HearingCorrectionForm, commands.record_hearing,
        lambda view: view.hearings,
    ),
    "release": _Kind(
        "day of release", ReleaseForm, ReleaseCorrectionForm, commands.record_release,
        lambda view: _only(view.release),
    ),
    "transfer": _Kind(
        "move to another prison", TransferForm, TransferCorrectionForm, commands.record_transfer,
        lambda view: _only(view.transfer), ("prescriber_cover",),
    ),
    "unavailable": _Kind(
        "days away from groups", AwayForm, AwayCorrectionForm, commands.record_unavailable,
        lambda view: view.unavailable,
    ),
    "location": _Kind(
        "move to a wing", LocationForm, LocationCorrectionForm, commands.record_location,
        lambda view: [row for row in view.locations if row.wing.site_id == act().site_id],
    ),
    "exit": _Kind(
        "exit", ExitForm, ExitCorrectionForm, commands.record_exit,
        lambda view: _only(view.exit),
    ),
}  # fmt: skip
_KIND = "<any(hearing, release, transfer, unavailable, location, exit):kind>"


def _with_choices(form: Form, row: Any = None) -> Form:
    """The form with what only the database knows: wings, and the prisons to be moved to."""
    with_wings(form, also=row.wing if isinstance(row, Location) else None)
    if "receiving_site_id" in form:
        others = act().session.scalars(
            select(Site).where(Site.kind == "prison", Site.id != act().site_id).order_by(Site.name)
        )
        form["receiving_site_id"].choices = [
            *((site.id, site.name) for site in others), (0, "Not in this list")
        ]  # fmt: skip
    return form


def _values(form: Form, kind: _Kind) -> dict[str, Any]:
    values = {
        name: None if value == "" else value
        for name, value in form.answers().items()
        if name not in ("reason", "version")
    }
    if values.get("known_at", "") is None:
        del values["known_at"]
    for name in kind.unknowns:
        values[name] = yes_no(values[name])
    if "receiving_site_id" in values:
        values["receiving_site_id"] = values["receiving_site_id"] or None
    return values


_RECORDING = {"exit": "Record the exit", "location": "On which wing do they live?"}


def _planned_again(kind: str) -> str:
    return "" if kind == "location" else " The days are planned again."


def _as_typed(kind: _Kind, row: Any) -> dict[str, Any]:
    """A fact as its form shows it. When it became known is asked afresh, should a date move."""
    values = dict(vars(row), known_at=None)
    if "outcome" in values:
        values["outcome"] = values["outcome"] or ""
    for name in kind.unknowns:
        values[name] = as_text(values[name])
    return {name: value for name, value in values.items() if name not in ("version", "reason")}


@custody_pages.route(f"/stays/<int:reception_id>/{_KIND}/new", methods=["GET", "POST"])
@needs("release.plan")
def record(reception_id: int, kind: str) -> Page:
    """Record a hearing, a release, a move, days away or an exit; the days are planned again."""
    each = _KINDS[kind]
    form = _with_choices(each.form())

    def work() -> None:
        each.record(act(), reception_id, **_values(form, each))

    to_check = kind == "exit"
    if (form.confirmed or not to_check) and carried_out(form, work):
        return to_stay(reception_id, f"Recorded: {each.title}.{_planned_again(kind)}")
    view = queries.stay(act(), reception_id)
    if kind == "location" and len(form["wing_id"].choices) == 1:
        raise NotFound("No wing of this prison is listed yet. A manager lists them under Custody.")
    if to_check and _to_check(form):
        rows = [
            ("Left", ui.moment(form["at"].data)),
            ("How", WAYS_OUT[form["how"].data]),
        ]
        return _check(
            form, "Check the exit", rows, banner=banner(act(), view.patient),
            warning=form["how"].data == "died",
        )  # fmt: skip
    lead = None
    if to_check and (lacks := lacking_before_leaving(act(), reception_id)):
        lead = f"Not offered yet, and owed to everybody however short the stay: {'; '.join(lacks)}."
    return about(view, form, _RECORDING.get(kind, f"Record a {each.title}"), lead=lead)


@custody_pages.route(
    f"/stays/<int:reception_id>/{_KIND}/<int:fact_id>/correct", methods=["GET", "POST"]
)
@needs("release.plan")
def correct(reception_id: int, kind: str, fact_id: int) -> Page:
    """Put right a hearing, a release, a move, days away or an exit."""
    each = _KINDS[kind]
    row = _one(each.rows(queries.stay(act(), reception_id)), fact_id)
    form = _with_choices(each.correction(**_as_typed(each, row)), row)

    def work() -> None:
        commands.correct_fact(
            act(), reception_id, kind, fact_id, version=form["version"].data or 0,
            reason=form["reason"].data or "", **_values(form, each),
        )  # fmt: skip

    if carried_out(form, work):
        return to_stay(reception_id, f"Corrected: {each.title}.{_planned_again(kind)}")
    return about(queries.stay(act(), reception_id), form, f"Correct: {each.title}")


@custody_pages.route(
    "/stays/<int:reception_id>"
    "/<any(hearing, release, transfer, unavailable, location, exit, delivery):kind>"
    "/<int:fact_id>/strike-out",
    methods=["GET", "POST"],
)
@needs("custody.read")
def strike_out(reception_id: int, kind: str, fact_id: int) -> Page:
    """It was recorded in error. The command asks for the right the entry itself needs."""
    form = ReasonForm()

    def work() -> None:
        commands.strike_out(
            act(), reception_id, kind, fact_id, version=form.version.data or 0,
            reason=form.reason.data or "",
        )  # fmt: skip

    if carried_out(form, work):
        return to_stay(reception_id, "The entry is struck out. It stays in the history.")
    view = queries.stay(act(), reception_id)
    if kind == "delivery":
        row: Delivery = _one(view.deliveries, fact_id)
        said = f"{words.duty(row.item, row.for_on)}, {ui.moment(row.done_at)}"
    else:
        _one(_KINDS[kind].rows(view), fact_id)
        said = _KINDS[kind].title
    return about(
        view, form, "Strike out an entry", warning=True, button="Strike out",
        lead=f"{said[0].upper()}{said[1:]}. Use this when it was recorded in error.",
    )  # fmt: skip


# -- the settings of a prison ----------------------------------------------------------------


@custody_pages.route("/settings", methods=["GET", "POST"])
@needs("sites.manage")
def settings() -> Page:
    """How this prison numbers the 28 days."""
    form = DayCountForm()

    def work() -> None:
        commands.set_day_count(
            act(), form.day_count.data, from_on=form.from_on.data, reason=form.reason.data or ""
        )

    if carried_out(form, work):
        flash("The numbering of days is set.")
        return redirect(url_for("custody_pages.settings"))
    rows = queries.day_counts(act()) if act().may("custody.read") else []
    page = render_template("custody/settings.jinja", form=form, rows=rows, day_counts=DAY_COUNTS)
    return page, form.status
