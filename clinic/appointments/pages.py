"""The pages of appointments: who waits, offers, booking, visits, the clinic's list, the rota."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from clinic import home, ui
from clinic.act import Act
from clinic.appointments import (
    arrange_pages,
    commands,
    hold_commands,
    place_queries,
    queries,
    referral_commands,
    rota_queries,
    visit_queries,
    waiting_queries,
)
from clinic.appointments.chain import Arranged
from clinic.appointments.chain_models import ARRANGED
from clinic.appointments.forms import (
    CloseForm,
    CorrectForm,
    NewPersonForm,
    OutsideReferralForm,
    PlaceForm,
    ReferralForm,
    SeenForm,
    SendOnForm,
    SupportForm,
    UndoForm,
)
from clinic.appointments.hours_queries import things
from clinic.appointments.models import (
    CLOSED_BECAUSE,
    DRUGS,
    REFERRAL_STATUSES,
    RISKS,
    SENT_TO,
    SOURCES,
    Referral,
    Visit,
)
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid, NotFound, Stale
from clinic.forms import Form
from clinic.patients import access
from clinic.patients.forms import FindForm
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.web import row_number
from dosing.days import london_day
from dosing.shape import FIRST_YEAR, LAST_YEAR
from scheduling import booking, chains
from scheduling.chains import Plan
from scheduling.prescribing_models import day_in_words

appointments_pages = Blueprint("appointments_pages", __name__, url_prefix="/appointments")
ui.nav("Wait list", "appointments_pages.waiting", "appointments.read", "community")

Page = str | Response | tuple[str, int]
RISK_COLOURS = {"high": "red", "medium": "orange", "low": "green"}
MOST_ON_HOME = 20


# -- the first page ------------------------------------------------------------------------


@home.worklist("appointments.refer")
def waiting_list(work: Act) -> home.Worklist | None:
    """People without a place, or whose wait is or will be too long."""
    if not rota_queries.is_community(work):
        return None
    rows = [
        home.Row(
            due=row.wait.last_on,
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
    if not rota_queries.is_community(work):
        return None
    return home.Worklist(
        title="Visits to settle",
        rows=[
            home.Row(
                due=line.visit.starts_at,
                person=line.listed_name,
                href=url_for("visits_pages.visit", visit_id=line.visit.id),
                what=(
                    f"Move the visit. {line.off_rota}"
                    if line.off_rota
                    else "Record whether the patient came."
                ),
                who=line.worker or line.nurse,
            )
            for line in queries.visits_to_settle(work)
        ],
        empty="Every visit is recorded and on the rota.",
    )


# -- shared --------------------------------------------------------------------------------


def carried_out(form: Form, work: Callable[[], object]) -> bool:
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


def _about_referral(work: Act, referral_id: int, form: Form, title: str, **more: Any) -> Page:
    view = visit_queries.referral_page(work, referral_id)
    if not form.is_submitted() and "version" in form:
        form["version"].data = view.referral.version
    page = render_template(
        "appointments/step.jinja", form=form, title=title, banner=banner(work, view.patient),
        lead=f"{REFERRAL_STATUSES[view.referral.status]}. {view.wait.says}",
        back=url_for("appointments_pages.referral", referral_id=referral_id), back_to="referral", **more,
    )  # fmt: skip
    return page, form.status


def to_visit(visit_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("visits_pages.visit", visit_id=visit_id))


def _to_referral(referral_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("appointments_pages.referral", referral_id=referral_id))


def day_asked(name: str, otherwise: date) -> date:
    """A London date from the address; another one when it is none, or one nobody was ever booked on."""
    try:
        asked = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return otherwise
    return asked if FIRST_YEAR < asked.year < LAST_YEAR else otherwise


# -- referrals -----------------------------------------------------------------------------


@appointments_pages.get("/waiting")
@needs("appointments.read")
def waiting() -> Page:
    """Everybody who waits, the most urgent first."""
    found = queries.wait_list(act())
    return render_template(
        "appointments/waiting.jinja", list=found, drugs=DRUGS, risks=RISKS, colours=RISK_COLOURS,
        freed=waiting_queries.freed_places(act()),
    )  # fmt: skip


@appointments_pages.route("/refer", methods=["GET", "POST"])
@needs("appointments.refer")
def find() -> Page:
    """Who is referred? Looked for first, so that nobody is registered twice."""
    form = FindForm()
    found = form.found(act())
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
    view = visit_queries.referral_page(act(), referral_id)
    return render_template(
        "appointments/referral.jinja", view=view, banner=banner(act(), view.patient), drugs=DRUGS,
        risks=RISKS, sources=SOURCES, sent_to=SENT_TO, statuses=REFERRAL_STATUSES,
        closed_because=CLOSED_BECAUSE, stands=in_words,
        steps=visit_queries.REFERRAL_STEPS,
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

    if carried_out(form, work):
        return _to_referral(referral_id, "The referral is corrected.")
    return _about_referral(act(), referral_id, form, "Correct the referral")


@appointments_pages.route("/referrals/<int:referral_id>/support", methods=["GET", "POST"])
@needs("appointments.refer")
def support(referral_id: int) -> Page:
    """Psychosocial support during the wait."""
    form = SupportForm()
    if carried_out(
        form, lambda: referral_commands.record_support(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The support is recorded.")
    return _about_referral(act(), referral_id, form, "Record psychosocial support")


@appointments_pages.route("/referrals/<int:referral_id>/send-on", methods=["GET", "POST"])
@needs("appointments.refer")
def send_on(referral_id: int) -> Page:
    """Send the referral to an outside prescriber."""
    form = SendOnForm()
    if carried_out(form, lambda: referral_commands.send_on(act(), referral_id, **form.answers())):
        return _to_referral(referral_id, "The referral is sent on.")
    return _about_referral(act(), referral_id, form, "Send on to a prescriber")


@appointments_pages.route("/referrals/<int:referral_id>/seen", methods=["GET", "POST"])
@needs("appointments.refer")
def seen(referral_id: int) -> Page:
    """A clinician elsewhere has seen the person."""
    form = SeenForm()
    if carried_out(
        form, lambda: referral_commands.record_seen(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The wait has ended.")
    return _about_referral(act(), referral_id, form, "Record when they were seen elsewhere")


@appointments_pages.route("/referrals/<int:referral_id>/close", methods=["GET", "POST"])
@needs("appointments.refer")
def close_referral(referral_id: int) -> Page:
    """The person no longer waits here."""
    form = CloseForm()
    if carried_out(
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
    if carried_out(
        form, lambda: referral_commands.undo_referral(act(), referral_id, **form.answers())
    ):
        return _to_referral(referral_id, "The step is taken back. The history keeps both.")
    return _about_referral(
        act(), referral_id, form, "Take the last step back", button="Take it back", warning=True
    )


# -- offers and booking --------------------------------------------------------------------


def with_choices(form: PlaceForm, found: place_queries.Offers) -> None:
    form.place.choices = [
        SelectChoice(
            offer.key,
            f"{ui.moment(offer.place.starts_at)} to {ui.clock_time(offer.place.ends_at)}",
            {"hint": f"{_with_whom(offer)}. {_wait_short(offer)}.{_then(offer)}"},
        )
        for offer in found.offers
    ]


def _with_whom(offer: place_queries.Offer) -> str:
    said = f"{offer.doctor} with {offer.worker}"
    if offer.place.observed_until is None:
        return said
    until = ui.clock_time(offer.place.observed_until)
    return f"{said}, then {offer.nurse} until {until}"


def _then(offer: place_queries.Offer) -> str:
    """The days that follow, and whether something must be arranged."""
    if offer.rest is None:
        return ""
    days = " and ".join(ui.moment(each.starts_at) for _, each in sorted(offer.rest.reviews.items()))
    said = f" Then {days}."
    if offer.rest.to_arrange:
        shut = " and ".join(day_in_words(day) for day in offer.rest.to_arrange)
        said += f" To be arranged for: {shut}."
    return said


def _wait_short(offer: place_queries.Offer) -> str:
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
                booked = commands.book_visit(
                    act(), referral_id=referral_id, **wanted,
                    arrangements=arranged_for(form, offers_like(referral_id, wanted)),
                )  # fmt: skip
            except (Conflict, Invalid) as refusal:
                form.refuse(f"{refusal.detail} What is free now is listed below.")
                form.place.data = None
            else:
                return to_visit(booked.id, "The visit is booked.")
        elif form.holding:
            try:
                held = hold_commands.hold_place(act(), referral_id=referral_id, **wanted)
            except (Conflict, Invalid) as refusal:
                form.refuse(f"{refusal.detail} What is free now is listed below.")
                form.place.data = None
            else:
                return to_visit(held.id, "The place is held. Ask the person, then confirm it.")
        elif not form.changing:
            found = offers_like(referral_id, wanted)
            if still_free(form, found):
                return asked_about(form, found) or check_place(
                    form, found, wanted, "Book this visit?"
                )  # fmt: skip
    return offers_page(form, referral_id)


def offers_like(referral_id: int, wanted: dict[str, Any]) -> place_queries.Offers:
    """What is free from the day of a place on: the place chosen is among it, or gone."""
    day = london_day(wanted["starts_at"])
    return place_queries.offers(act(), referral_id, from_on=day, whole_days=True)


def still_free(form: PlaceForm, found: place_queries.Offers, *, here: bool = False) -> bool:
    """Is the place chosen among them? What stands in the way is said on the form. `here`: they are."""
    wanted = form.wanted()
    if wanted is None or _chosen(form, found) is not None:
        return wanted is not None
    why = place_queries.why_not(act(), found, **wanted, here=here)
    form.refuse(f"{why} What is free now is listed below.")
    form.place.data = None
    return False


def offers_page(form: PlaceForm, referral_id: int, moving: Visit | None = None) -> Page:
    """What is free for somebody, to choose from; and what is held for them."""
    only = place_queries.Only(
        with_staff=row_number(request.args.get("with")),
        room_id=row_number(request.args.get("room")),
        within_limit=request.args.get("within") == "yes",
    )
    found = place_queries.offers(
        act(), referral_id, from_on=day_asked("from", act().today), only=only, whole_days=True
    )
    where = {"visit_id": moving.id} if moving else {"referral_id": referral_id}
    here = url_for(
        "visits_pages.move_visit" if moving else "appointments_pages.offers", **where
    )  # fmt: skip
    seen_to = london_day(found.offers[-1].place.starts_at) if found.offers else found.looked_to
    with_choices(form, found)
    page = render_template(
        "appointments/offers.jinja", form=form, found=found, here=here,
        again=request.full_path.rstrip("?") if request.path == here else here,
        banner=banner(act(), found.patient),
        later=seen_to + timedelta(days=1), further="from" in request.args, moving=moving,
        stands=in_words,
        held=None if moving else visit_queries.held_for(act(), referral_id),
        only=only, clinicians=rota_queries.clinicians(act()), rooms=things(act(), "room"),
        hold_minutes=booking.RULES["BK-01"]["minutes"],
    )  # fmt: skip
    return page, form.status


def in_words(visit: Visit) -> str:
    """How a visit stands now."""
    return visit_queries.stands(visit, act().at)


@appointments_pages.route("/referrals/<int:referral_id>/walk-in", methods=["GET", "POST"])
@needs("appointments.book")
def walk_in(referral_id: int) -> Page:
    """They are here: a place of today, begun ones included; choose, check, book as arrived."""
    form = PlaceForm()
    if form.validate_on_submit():
        wanted = form.wanted()
        if wanted is None:
            form.refuse("", [("place", "Choose one of the places listed")])
        elif form.confirmed:
            try:
                visit_id = commands.walk_in(
                    act(), referral_id=referral_id, **wanted,
                    arrangements=arranged_for(
                        form, _today(referral_id)
                    ),
                )  # fmt: skip
            except (Conflict, Invalid) as refusal:
                form.refuse(f"{refusal.detail} What is free now is listed below.")
                form.place.data = None
            else:
                return to_visit(visit_id, "The visit is booked for now and the arrival recorded.")
        elif not form.changing:
            found = _today(referral_id)
            title = "Book this place and record the arrival?"
            if still_free(form, found, here=True):
                return asked_about(form, found) or check_place(form, found, wanted, title)
    found = _today(referral_id)
    with_choices(form, found)
    page = render_template(
        "appointments/walk_in.jinja", form=form, found=found, banner=banner(act(), found.patient)
    )
    return page, form.status


def _today(referral_id: int) -> place_queries.Offers:
    return place_queries.offers(act(), referral_id, walk_in=True, whole_days=True)


def _chosen(form: PlaceForm, found: place_queries.Offers) -> place_queries.Offer | None:
    return next((each for each in found.offers if each.key == form.place.data), None)


def arranged_for(form: PlaceForm, found: place_queries.Offers) -> list[Arranged]:
    """What was answered for the shut days of the place chosen."""
    offer = _chosen(form, found)
    return [] if offer is None or offer.rest is None else form.arranged(offer.rest.to_arrange)


def asked_about(form: PlaceForm, found: place_queries.Offers) -> Page | None:
    """The questions about shut days of the place chosen, until they are answered."""
    offer = _chosen(form, found)
    if offer is None or offer.rest is None or not offer.rest.to_arrange:
        return None
    if form.arranged(offer.rest.to_arrange):
        return None
    rest = offer.rest
    late = rest.warning
    return arrange_pages.ask(
        form, patient_id=found.patient.id, shut=rest.to_arrange,
        days=[
            offer.place.starts_at, *(each.starts_at for _, each in sorted(rest.reviews.items()))
        ],
        says=late.message if late else chains.must_be_arranged(rest),
        source=f"Rule {late.rule}. Source: {late.source}" if late else "Rules RP-10 and RP-34",
        simpler=next(
            (
                each.place.starts_at
                for each in found.offers
                if each.rest is not None and not each.rest.to_arrange
            ),
            None,
        ),
    )  # fmt: skip


def check_place(
    form: PlaceForm, found: place_queries.Offers, wanted: dict[str, Any], title: str,
    button: str = "Confirm and book",
) -> Page:  # fmt: skip
    names = queries.staff_names(act(), [wanted["doctor_id"], wanted["worker_id"]])
    place = _chosen(form, found)
    judged = place_queries.wait_until(act(), found, wanted["starts_at"])
    rest = None if place is None else place.rest
    rows = [
        ("Time", ui.moment(wanted["starts_at"])),
        ("Until", ui.clock_time(place.place.until) if place else ui.NOT_KNOWN),
        ("Doctor", names.get(wanted["doctor_id"], ui.NOT_KNOWN)),
        ("Drugs worker or nurse", names.get(wanted["worker_id"], ui.NOT_KNOWN)),
        *([("Nurse", place.nurse)] if place and place.nurse else []),
        *_rest_rows(rest),
        *_arranged_rows(form, rest),
        ("Wait", judged.says),
    ]
    return render_template(
        "appointments/check.jinja", form=form, rows=rows, title=title, button=button, wait=judged,
        late=rest and rest.warning,
        missing=place.missing if place else (),
        banner=banner(act(), found.patient),
    )  # fmt: skip


def _rest_rows(rest: Plan | None) -> list[tuple[str, str]]:
    reviews = {} if rest is None else rest.reviews
    return [
        (f"Day {number}", f"{ui.moment(each.starts_at)} to {ui.clock_time(each.ends_at)}")
        for number, each in sorted(reviews.items())
    ]


def _arranged_rows(form: PlaceForm, rest: Plan | None) -> list[tuple[str, str]]:
    given = [] if rest is None else form.arranged(rest.to_arrange)
    return [
        (
            day_in_words(each.on),
            f"{ARRANGED[each.kind]}: {each.who}, by {each.by_time:%H:%M}, {each.contact}",
        )
        for each in given
    ]
