"""The pages of appointments: who waits, offers, booking, visits, the clinic's list, the rota."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.appointments import commands, queries, referral_commands, rota_commands
from clinic.appointments.forms import (
    WEEKDAYS,
    ArrivedForm,
    CancelForm,
    CloseForm,
    CorrectForm,
    DayOffForm,
    EndForm,
    FindForm,
    MissedForm,
    MoveForm,
    NewPersonForm,
    OutsideReferralForm,
    PlaceForm,
    ReferralForm,
    SeenForm,
    SendOnForm,
    SessionForm,
    SupportForm,
    SureForm,
    UndoForm,
)
from clinic.appointments.models import (
    CLOSED_BECAUSE,
    DRUGS,
    REFERRAL_STATUSES,
    RISKS,
    SENT_TO,
    SOURCES,
    VISIT_STATUSES,
    Referral,
    RotaPattern,
    Visit,
)
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.patients import access
from clinic.patients.models import Patient
from clinic.patients.queries import banner, search
from dosing.days import london_day

appointments_pages = Blueprint("appointments_pages", __name__, url_prefix="/appointments")
ui.nav("Wait list", "appointments_pages.waiting", "appointments.read")
ui.nav("Clinic", "appointments_pages.clinic", "appointments.read")
ui.nav("Rota", "appointments_pages.rota", "appointments.read")

Page = str | Response | tuple[str, int]
RISK_COLOURS = {"high": "red", "medium": "orange", "low": "green"}
MOST_ON_HOME = 20


# -- the first page ------------------------------------------------------------------------


@home.worklist("appointments.refer")
def waiting_list(work: Act) -> home.Worklist | None:
    """People without a place, or whose wait is or will be too long."""
    if not queries.is_community(work):
        return None
    rows = [
        home.Row(
            due=row.wait.breaches_at,
            person=row.listed_name,
            href=(
                url_for("appointments_pages.offers", referral_id=row.referral_id)
                if row.visit_at is None and not row.crack_pathway
                else url_for("appointments_pages.referral", referral_id=row.referral_id)
            ),
            what=" ".join([row.wait.says, *(f.message for f in row.flags if f.rule == "RP-03")]),
            who=None,
            risk=RISKS.get(row.risk or ""),
            risk_colour=RISK_COLOURS.get(row.risk or "", "grey"),
        )
        for row in queries.wait_list(work).rows
        if row.visit_at is None or row.flags
    ]
    return home.Worklist(
        title="Waiting for a clinician",
        rows=rows[:MOST_ON_HOME],
        empty="Everybody referred has a place within the limit.",
        more_text="The whole wait list",
        more_href=url_for("appointments_pages.waiting"),
    )


@home.worklist("appointments.book")
def visits_to_settle(work: Act) -> home.Worklist | None:
    """Visits nobody recorded the end of, and visits the rota no longer carries."""
    if not queries.is_community(work):
        return None
    return home.Worklist(
        title="Visits to settle",
        rows=[
            home.Row(
                due=line.visit.starts_at,
                person=line.listed_name,
                href=url_for("appointments_pages.visit", visit_id=line.visit.id),
                what=(
                    f"Move the visit. {line.off_rota}"
                    if line.off_rota
                    else "Record whether the patient came."
                ),
                who=line.worker,
            )
            for line in queries.visits_to_settle(work)
        ],
        empty="Every visit is recorded and on the rota.",
    )


# -- shared --------------------------------------------------------------------------------


def _carried_out(form: Form, work: Callable[[], object]) -> bool:
    """As `Form.carried_out`; a change by somebody else meanwhile is told on the form as well.

    The version on the form is then the new one, so that sending it again is a decision.
    """
    try:
        return form.carried_out(work)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. See below how it stands now.")
        version = form["version"]
        version.data, version.raw_data = stale.more["version"], None
        return False


def _about_visit(work: Act, visit_id: int, form: Form, title: str, **more: Any) -> Page:
    view = queries.visit_page(work, visit_id)
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.visit.version
    lead = (
        f"{VISIT_STATUSES[view.visit.status]}: {ui.moment(view.visit.starts_at)}"
        f" to {ui.clock_time(view.visit.ends_at)}, {view.doctor} with {view.worker}."
    )
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=banner(work, view.patient), lead=lead,
        cancel=url_for("appointments_pages.visit", visit_id=visit_id), **more,
    )  # fmt: skip
    return page, form.status


def _about_referral(work: Act, referral_id: int, form: Form, title: str, **more: Any) -> Page:
    view = queries.referral_page(work, referral_id)
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.referral.version
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=banner(work, view.patient),
        lead=f"{REFERRAL_STATUSES[view.referral.status]}. {view.wait.says}",
        cancel=url_for("appointments_pages.referral", referral_id=referral_id), **more,
    )  # fmt: skip
    return page, form.status


def _to_visit(visit_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("appointments_pages.visit", visit_id=visit_id))


def _to_referral(referral_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("appointments_pages.referral", referral_id=referral_id))


def _day_asked(name: str, otherwise: date) -> date:
    """A London date from the address; another one when it is none."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return otherwise


# -- referrals -----------------------------------------------------------------------------


@appointments_pages.get("/waiting")
@needs("appointments.read")
def waiting() -> Page:
    """Everybody who waits, the most urgent first."""
    found = queries.wait_list(act())
    return render_template(
        "appointments/waiting.jinja", list=found, drugs=DRUGS, risks=RISKS, colours=RISK_COLOURS
    )


@appointments_pages.route("/refer", methods=["GET", "POST"])
@needs("appointments.refer")
def find() -> Page:
    """Who is referred? Looked for first, so that nobody is registered twice."""
    form, found = FindForm(), None
    if form.validate_on_submit():
        try:
            found = search(act(), form.words.data or "")
        except Invalid as refusal:
            form.refuse(refusal.detail, [("words", says) for _, says in refusal.faults])
    return render_template("appointments/find.jinja", form=form, found=found), form.status


@appointments_pages.route("/refer/new", methods=["GET", "POST"])
@needs("patients.register")
def refer_new_person() -> Page:
    """Register somebody and their referral together."""
    form, made = NewPersonForm(), []
    demo = current_app.config["SETTINGS"].demo

    def work() -> None:
        made.append(
            referral_commands.refer_new_person(act(), form.person(demo=demo), form.referral())
        )

    if form.carried_out(work):
        return _referred(made[0])
    return render_template("appointments/refer_new.jinja", form=form), form.status


@appointments_pages.route("/refer/<int:patient_id>", methods=["GET", "POST"])
@needs("appointments.refer")
def refer(patient_id: int) -> Page:
    """Refer somebody who has a record. One of another site opens with a reason only."""
    patient = act().session.get(Patient, patient_id)
    if patient is None:
        raise NotFound("There is no such patient.")
    ours = access.in_caseload(act(), patient_id) or access.glass_broken(act(), patient_id)
    form, made = ReferralForm() if ours else OutsideReferralForm(), []

    def work() -> None:
        if isinstance(form, OutsideReferralForm):
            access.break_glass(act(), patient_id, form.reason_code.data, form.reason.data or "")
        made.append(
            referral_commands.register_referral(act(), patient_id=patient_id, **form.referral())
        )

    if form.carried_out(work):
        return _referred(made[0])
    shown = banner(act(), patient) if ours else None
    return (
        render_template("appointments/refer.jinja", form=form, banner=shown, patient=patient),
        form.status,
    )


def _referred(referral_id: int) -> Response:
    flash("The referral is registered. Now choose a place.")
    return redirect(url_for("appointments_pages.offers", referral_id=referral_id))


@appointments_pages.get("/referrals/<int:referral_id>")
@needs("appointments.read")
def referral(referral_id: int) -> Page:
    """One referral: how it stands, what happened, and what can be done."""
    view = queries.referral_page(act(), referral_id)
    return render_template(
        "appointments/referral.jinja", view=view, banner=banner(act(), view.patient), drugs=DRUGS,
        risks=RISKS, sources=SOURCES, sent_to=SENT_TO, statuses=REFERRAL_STATUSES,
        closed_because=CLOSED_BECAUSE, visit_statuses=VISIT_STATUSES,
        steps=queries.REFERRAL_STEPS,
    )  # fmt: skip


@appointments_pages.route("/referrals/<int:referral_id>/correct", methods=["GET", "POST"])
@needs("appointments.refer")
def correct_referral(referral_id: int) -> Page:
    """Put right what was recorded."""
    known = act().session.get(Referral, referral_id)
    if known is None or known.site_id != act().site_id:
        raise NotFound("There is no such referral at this site.")
    form = CorrectForm(
        referred_at=known.referred_at, source=known.source, drugs=known.drugs, risk=known.risk or ""
    )

    def work() -> None:
        referral_commands.correct_referral(
            act(), referral_id, version=form.version.data or 0, reason=form.reason.data or "",
            referred_at=form.referred_at.data, source=form.source.data,
            drugs=form.drugs.data, risk=form.risk.data or None,
        )  # fmt: skip

    if _carried_out(form, work):
        return _to_referral(referral_id, "The referral is corrected.")
    return _about_referral(act(), referral_id, form, "Correct the referral")


@appointments_pages.route("/referrals/<int:referral_id>/support", methods=["GET", "POST"])
@needs("appointments.refer")
def support(referral_id: int) -> Page:
    """Psychosocial support during the wait."""
    form = SupportForm()
    if _carried_out(
        form, lambda: referral_commands.record_support(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The support is recorded.")
    return _about_referral(act(), referral_id, form, "Record psychosocial support")


@appointments_pages.route("/referrals/<int:referral_id>/send-on", methods=["GET", "POST"])
@needs("appointments.refer")
def send_on(referral_id: int) -> Page:
    """Send the referral to an outside prescriber."""
    form = SendOnForm()
    if _carried_out(form, lambda: referral_commands.send_on(act(), referral_id, **form.answers())):
        return _to_referral(referral_id, "The referral is sent on.")
    return _about_referral(act(), referral_id, form, "Send on to a prescriber")


@appointments_pages.route("/referrals/<int:referral_id>/seen", methods=["GET", "POST"])
@needs("appointments.refer")
def seen(referral_id: int) -> Page:
    """A clinician elsewhere has seen the person."""
    form = SeenForm()
    if _carried_out(
        form, lambda: referral_commands.record_seen(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The wait has ended.")
    return _about_referral(act(), referral_id, form, "Record when they were seen elsewhere")


@appointments_pages.route("/referrals/<int:referral_id>/close", methods=["GET", "POST"])
@needs("appointments.refer")
def close_referral(referral_id: int) -> Page:
    """The person no longer waits here."""
    form = CloseForm()
    if _carried_out(
        form, lambda: referral_commands.close_referral(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The referral is closed.")
    return _about_referral(
        act(), referral_id, form, "Close the referral", button="Close the referral", warning=True
    )


@appointments_pages.route("/referrals/<int:referral_id>/undo", methods=["GET", "POST"])
@needs("appointments.refer")
def undo_referral(referral_id: int) -> Page:
    """Take the last step back."""
    form = UndoForm()
    if _carried_out(
        form, lambda: referral_commands.undo_referral(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The step is taken back. The history keeps both.")
    return _about_referral(
        act(), referral_id, form, "Take the last step back", button="Take it back", warning=True
    )


# -- offers and booking --------------------------------------------------------------------


def _with_choices(form: PlaceForm, found: queries.Offers) -> None:
    form.place.choices = [
        (
            offer.key,
            f"{ui.moment(offer.place.starts_at)} to {ui.clock_time(offer.place.ends_at)}",
            {"hint": f"{offer.doctor} with {offer.worker}. {_wait_short(offer)}"},
        )
        for offer in found.offers
    ]


def _wait_short(offer: queries.Offer) -> str:
    days = offer.wait.days
    said = f"Wait {days} day{'' if days == 1 else 's'}"
    if offer.wait.over is None:
        return f"{said}; no limit is set"
    return f"{said}, over the limit of {offer.wait.limit}" if offer.wait.over else (
        f"{said}, within the limit of {offer.wait.limit}"
    )  # fmt: skip


@appointments_pages.route("/referrals/<int:referral_id>/offers", methods=["GET", "POST"])
@needs("appointments.book")
def offers(referral_id: int) -> Page:
    """The first free places for somebody, each with its wait; choose, check, book."""
    form = PlaceForm()
    if form.validate_on_submit():
        wanted = form.wanted()
        if wanted is None:
            form.refuse("", [("place", "Choose one of the places listed")])
        elif form.confirmed:
            try:
                booked = commands.book_visit(act(), referral_id=referral_id, **wanted)
            except (Conflict, Invalid) as refusal:
                form.refuse(f"{refusal.detail} What is free now is listed below.")
                form.place.data = None
            else:
                return _to_visit(booked.id, "The visit is booked.")
        elif not form.changing:
            return _check_place(
                form, queries.offers(act(), referral_id), wanted, "Book this visit?"
            )
    found = queries.offers(
        act(), referral_id, from_on=_day_asked("from", act().today), how_many=queries.OFFERS
    )
    _with_choices(form, found)
    return (
        render_template(
            "appointments/offers.jinja", form=form, found=found, banner=banner(act(), found.patient),
            later=found.looked_to + timedelta(days=1), moving=None,
        ),
        form.status,
    )  # fmt: skip


def _check_place(
    form: PlaceForm, found: queries.Offers, wanted: dict[str, Any], title: str
) -> Page:
    names = queries.staff_names(act(), [wanted["doctor_id"], wanted["worker_id"]])
    place = next((each for each in found.offers if each.key == form.place.data), None)
    judged = queries.wait_until(act(), found, wanted["starts_at"])
    rows = [
        ("Time", ui.moment(wanted["starts_at"])),
        ("Until", ui.clock_time(place.place.ends_at) if place else ui.NOT_KNOWN),
        ("Doctor", names.get(wanted["doctor_id"], ui.NOT_KNOWN)),
        ("Drugs worker or nurse", names.get(wanted["worker_id"], ui.NOT_KNOWN)),
        ("Wait", judged.says),
    ]
    return render_template(
        "appointments/check.jinja", form=form, rows=rows, title=title, wait=judged,
        banner=banner(act(), found.patient),
    )  # fmt: skip


# -- visits --------------------------------------------------------------------------------


@appointments_pages.get("/visits/<int:visit_id>")
@needs("appointments.read")
def visit(visit_id: int) -> Page:
    """One visit: how it stands, what happened, and what can be done."""
    view = queries.visit_page(act(), visit_id)
    return render_template(
        "appointments/visit.jinja", view=view, banner=banner(act(), view.patient),
        statuses=VISIT_STATUSES, steps=queries.VISIT_STEPS, begun=view.visit.starts_at <= act().at,
        today=london_day(view.visit.starts_at) == act().today,
    )  # fmt: skip


@appointments_pages.route("/visits/<int:visit_id>/move", methods=["GET", "POST"])
@needs("appointments.book")
def move_visit(visit_id: int) -> Page:
    """Another place for a visit; the old one is freed only once the new one is held."""
    known: Visit = queries.visit_here(act(), visit_id)
    if known.referral_id is None:
        raise NotFound("This visit has no referral to offer places for.")
    form = MoveForm()
    if not form.is_submitted():
        form.version.data = known.version
    if form.validate_on_submit():
        wanted = form.wanted()
        if wanted is None:
            form.refuse("", [("place", "Choose one of the places listed")])
        elif form.confirmed:
            if _carried_out(
                form,
                lambda: commands.move_visit(
                    act(), visit_id, version=form.version.data or 0, **wanted
                ),
            ):
                return _to_visit(visit_id, "The visit is moved. Its old place is free again.")
            form.place.data = None
        elif not form.changing:
            found = queries.offers(act(), known.referral_id)
            return _check_place(form, found, wanted, "Move the visit here?")
    found = queries.offers(act(), known.referral_id, from_on=_day_asked("from", act().today))
    _with_choices(form, found)
    return (
        render_template(
            "appointments/offers.jinja", form=form, found=found, banner=banner(act(), found.patient),
            later=found.looked_to + timedelta(days=1), moving=known,
        ),
        form.status,
    )  # fmt: skip


@appointments_pages.route("/visits/<int:visit_id>/cancel", methods=["GET", "POST"])
@needs("appointments.book")
def cancel_visit(visit_id: int) -> Page:
    """Cancel a visit and free its place."""
    form = CancelForm()
    if _carried_out(form, lambda: commands.cancel_visit(act(), visit_id, **form.answers())):
        return _to_visit(visit_id, "The visit is cancelled and its place is free.")
    return _about_visit(
        act(), visit_id, form, "Cancel the visit", button="Cancel the visit", warning=True
    )


@appointments_pages.route("/visits/<int:visit_id>/arrived", methods=["GET", "POST"])
@needs("appointments.book")
def arrived(visit_id: int) -> Page:
    """The patient came."""
    form = ArrivedForm(arrived_at=act().at)
    if _carried_out(form, lambda: commands.record_arrived(act(), visit_id, **form.answers())):
        return _to_visit(visit_id, "The arrival is recorded.")
    return _about_visit(act(), visit_id, form, "Record the arrival")


@appointments_pages.route("/visits/<int:visit_id>/did-not-attend", methods=["GET", "POST"])
@needs("appointments.book")
def did_not_attend(visit_id: int) -> Page:
    """The patient did not come."""
    form = MissedForm()
    if _carried_out(
        form, lambda: commands.record_did_not_attend(act(), visit_id, **form.answers())
    ):
        return _to_visit(visit_id, "Recorded: did not attend. The person waits on.")
    return _about_visit(act(), visit_id, form, "Record that the patient did not attend")


@appointments_pages.route("/visits/<int:visit_id>/undo", methods=["GET", "POST"])
@needs("appointments.book")
def undo_visit(visit_id: int) -> Page:
    """Take the last step back."""
    form = UndoForm()
    if _carried_out(form, lambda: commands.undo_visit(act(), visit_id, **form.answers())):
        return _to_visit(visit_id, "The step is taken back. The history keeps both.")
    return _about_visit(
        act(), visit_id, form, "Take the last step back", button="Take it back", warning=True
    )


# -- the clinic ----------------------------------------------------------------------------


@appointments_pages.get("/clinic")
@needs("appointments.read")
def clinic() -> Page:
    """Who comes on a day, or in the week of it."""
    on = _day_asked("on", act().today)
    week = request.args.get("by") == "week"
    first = on - timedelta(days=on.weekday()) if week else on
    last = first + timedelta(days=6) if week else on
    lines = queries.clinic_list(act(), first, last)
    step = timedelta(days=7 if week else 1)
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    return render_template(
        "appointments/clinic.jinja", on=on, week=week, first=first, last=last,
        days=[
            (day, [line for line in lines if london_day(line.visit.starts_at) == day])
            for day in days
        ],
        before=on - step, after=on + step, statuses=VISIT_STATUSES,
    )  # fmt: skip


# -- the rota ------------------------------------------------------------------------------


@appointments_pages.get("/rota")
@needs("appointments.read")
def rota() -> Page:
    """The weekly sessions, and whether they keep the prescribing model."""
    return render_template(
        "appointments/rota.jinja", view=queries.rota_page(act()), weekdays=WEEKDAYS,
        may_set=act().may("appointments.rota"), sure=SureForm(),
    )  # fmt: skip


@appointments_pages.route("/rota/add", methods=["GET", "POST"])
@needs("appointments.rota")
def add_session() -> Page:
    """A new session."""
    form = SessionForm(from_on=act().today, slot_minutes=90)
    doctors, workers = queries.possible_staff(act())
    form.doctor_id.choices, form.worker_id.choices = doctors, workers  # type: ignore[assignment]
    if form.carried_out(lambda: rota_commands.add_session(act(), **form.answers())):
        return _to_rota("The session is on the rota.")
    return (
        render_template("appointments/session.jinja", form=form, doctors=doctors, workers=workers),
        form.status,
    )


def _to_rota(says: str) -> Response:
    flash(says)
    return redirect(url_for("appointments_pages.rota"))


def _session(session_id: int) -> RotaPattern:
    row = act().session.get(RotaPattern, session_id)
    if row is None or row.site_id != act().site_id:
        raise NotFound("There is no such session on this site's rota.")
    return row


def _about_session(row: RotaPattern, form: Form, title: str, **more: Any) -> Page:
    lead = f"{WEEKDAYS[row.weekday]} {row.starts:%H:%M} to {row.ends:%H:%M}."
    page = render_template(
        "one_form.jinja", form=form, title=title, lead=f"{lead} {more.pop('tells', '')}",
        cancel=url_for("appointments_pages.rota"), **more,
    )  # fmt: skip
    return page, form.status


@appointments_pages.route("/rota/<int:session_id>/end", methods=["GET", "POST"])
@needs("appointments.rota")
def end_session(session_id: int) -> Page:
    """The session's last day, or that it goes on."""
    row = _session(session_id)
    form = EndForm(to_on=row.to_on, version=row.version)
    if _carried_out(form, lambda: rota_commands.end_session(act(), session_id, **form.answers())):
        return _to_rota("The session's last day is set. Visits booked after it are to be moved.")
    return _about_session(
        _session(session_id), form, "End the session",
        tells="Visits booked after its last day stay booked and are listed to be moved.",
    )  # fmt: skip


@appointments_pages.route("/rota/<int:session_id>/day-off", methods=["GET", "POST"])
@needs("appointments.rota")
def take_day_off(session_id: int) -> Page:
    """A day on which the session is not held."""
    form = DayOffForm()
    if form.carried_out(lambda: rota_commands.take_day_off(act(), session_id, **form.answers())):
        return _to_rota("The day is off the rota. Visits booked on it are to be moved.")
    return _about_session(
        _session(session_id), form, "Take a day off the rota",
        tells="Visits booked on that day stay booked and are listed to be moved.",
    )  # fmt: skip


@appointments_pages.post("/rota/days-off/<int:day_off_id>/withdraw")
@needs("appointments.rota")
def withdraw_day_off(day_off_id: int) -> Page:
    """The session is held after all."""
    if SureForm().validate_on_submit():
        rota_commands.withdraw_day_off(act(), day_off_id)
        flash("The session is held on that day after all.")
    return redirect(url_for("appointments_pages.rota"))
