"""The pages of freed places: whom to ask, what was offered, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.appointments import queries, rota_queries, waiting_commands, waiting_queries
from clinic.appointments.arrange_pages import arranging
from clinic.appointments.chain import Arranged
from clinic.appointments.forms import AnswerForm, OfferForm, OfferLaterForm, TakeBackForm
from clinic.appointments.models import RISKS
from clinic.appointments.pages import RISK_COLOURS, to_visit
from clinic.appointments.waiting_models import FREED_BECAUSE, FreedPlace, PlaceOffer
from clinic.auth import act, needs
from clinic.errors import Conflict, Invalid, NotFound
from clinic.forms import Form
from clinic.patients.access import open_record
from clinic.patients.queries import banner
from scheduling.prescribing_models import wait
from scheduling.waiting import LAPSED, RULES, too_late

waiting_pages = Blueprint("waiting_pages", __name__, url_prefix="/appointments")

Page = str | Response | tuple[str, int]
OFFER_WORDS = {
    "offered": "Offered, waiting for an answer",
    "accepted": "Said yes: booked",
    "declined": "Said no",
    "lapsed": "No answer in time",
    "taken_back": "Recorded in error",
}


@home.worklist("appointments.book", first=True)
def places_to_offer(work: Act) -> home.Worklist | None:
    """Freed places, each with whoever is to be asked next or is asked now."""
    if not rota_queries.is_community(work):
        return None
    rows = []
    for task in waiting_queries.freed_places(work):
        place = f"{ui.moment(task.row.starts_at)} with {task.doctor} and {task.worker}"
        href = url_for("waiting_pages.freed_place", place_id=task.row.id)
        if task.standing is not None:
            until = task.standing.row.until_at
            rows.append(
                home.Row(
                    due=until, person=task.standing.listed_name, href=href, who=None,
                    what=f"Offered until {ui.clock_time(until)}: record the answer. {place}.",
                )
            )  # fmt: skip
        elif task.candidates and task.until is not None:
            first = task.candidates[0]
            rows.append(
                home.Row(
                    due=first.wait.last_on, person=first.listed_name, href=href, who=None,
                    what=f"Offer a freed place: {place}.", risk=RISKS.get(first.risk or ""),
                    risk_colour=RISK_COLOURS.get(first.risk or "", "grey"),
                )
            )  # fmt: skip
    return home.Worklist(
        title="Freed places to offer",
        rows=rows,
        empty="No freed place waits to be offered.",
        more_text="The whole wait list",
        more_href=url_for("appointments_pages.waiting"),
    )


@waiting_pages.get("/freed/<int:place_id>")
@needs("appointments.read")
def freed_place(place_id: int) -> Page:
    """A freed place: how it stands, who is asked, who comes next, and what was offered."""
    task = waiting_queries.freed_place(act(), place_id)
    act().note_shown("appointments.offers_listed", [each.patient_id for each in task.candidates])
    names = queries.staff_names(act(), [each.row.recorded_by for each in task.offers])
    return render_template(
        "appointments/freed.jinja", task=task, states=waiting_queries.STATES, risks=RISKS,
        colours=RISK_COLOURS, because=FREED_BECAUSE, words=OFFER_WORDS, too_late=too_late(),
        order=RULES["RP-45"]["says"], named=RULES["WQ-03"]["says"], lapsed=LAPSED, names=names,
    )  # fmt: skip


def _to_place(place_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("waiting_pages.freed_place", place_id=place_id))


@waiting_pages.route("/freed/<int:place_id>/offer/<int:referral_id>", methods=["GET", "POST"])
@needs("appointments.book")
def offer_place(place_id: int, referral_id: int) -> Page:
    """Offer the place to one of the people named for it."""
    task = waiting_queries.freed_place(act(), place_id)
    order = [each.referral_id for each in task.candidates]
    if referral_id not in order:
        raise NotFound("This person is not, or no longer, named for this place.")
    chosen = task.candidates[order.index(referral_id)]
    form: Form = OfferForm() if referral_id == order[0] else OfferLaterForm()
    reason = form["reason"].data if "reason" in form else None
    if form.carried_out(
        lambda: waiting_commands.offer_place(
            act(), place_id, referral_id=referral_id, reason=reason
        )
    ):
        standing = waiting_queries.freed_place(act(), place_id).standing
        until = ui.clock_time(standing.row.until_at) if standing else ui.NOT_KNOWN
        return _to_place(
            place_id, f"Offered to {chosen.listed_name} until {until}. It holds nothing yet."
        )
    patient = open_record(
        act(), chosen.patient_id, "appointments.offered", right="appointments.read"
    )
    return (
        render_template(
            "appointments/offer.jinja", form=form, title="Offer the place", task=task,
            chosen=chosen, banner=banner(act(), patient), rank=order.index(referral_id) + 1,
            button="Record the offer", until=task.until,
            given=wait(
                chosen.wait.model, chosen.referred_at, act().today, offered_at=task.row.starts_at
            ),
            cancel=url_for("waiting_pages.freed_place", place_id=place_id),
        ),
        form.status,
    )  # fmt: skip


@waiting_pages.route("/offers/<int:offer_id>", methods=["GET", "POST"])
@needs("appointments.book")
def answer_offer(offer_id: int) -> Page:
    """What the person said."""
    _, place, referral = waiting_commands.offer_here(act(), offer_id)
    form = AnswerForm()

    def work(arrangements: Sequence[Arranged]) -> object:
        return waiting_commands.answer_offer(
            act(), offer_id, answer=form.answer.data, note=form.note.data,
            arrangements=arrangements,
        )  # fmt: skip

    if form.validate_on_submit():
        try:
            asked = arranging(
                form, work, patient_id=referral.patient_id, day_1=place.starts_at,
                back=url_for("waiting_pages.freed_place", place_id=place.id),
            )  # fmt: skip
        except (Conflict, Invalid) as refusal:
            form.refuse(refusal.detail, refusal.faults)
        else:
            if asked:
                return asked
            offer = act().session.get_one(PlaceOffer, offer_id)
            if offer.visit_id is not None:
                return to_visit(offer.visit_id, "They said yes: the place is booked.")
            return _to_place(place.id, "They said no. The next in order is named below.")
    return _about_offer(offer_id, form, "What did they say?", "Save the answer", apart=form.apart())


@waiting_pages.route("/offers/<int:offer_id>/take-back", methods=["GET", "POST"])
@needs("appointments.book")
def take_back_offer(offer_id: int) -> Page:
    """An offer or its answer was recorded in error."""
    _, place, _ = waiting_commands.offer_here(act(), offer_id)
    form = TakeBackForm()
    if form.carried_out(
        lambda: waiting_commands.take_back_offer(act(), offer_id, reason=form.reason.data or "")
    ):
        return _to_place(place.id, "The offer is taken back. It stays on record.")
    return _about_offer(offer_id, form, "Take the offer back", "Take it back", warning=True)


def _about_offer(
    offer_id: int, form: Form, title: str, button: str, *, warning: bool = False, **more: Any
) -> Page:
    offer, place, referral = waiting_commands.offer_here(act(), offer_id)
    patient = open_record(
        act(), referral.patient_id, "appointments.offered", right="appointments.read"
    )
    stands = OFFER_WORDS[offer.standing(act().at)]
    page = render_template(
        "appointments/step.jinja", form=form, title=title, banner=banner(act(), patient),
        lead=f"{_place_words(place)}. {stands}; it stands until {ui.moment(offer.until_at)}.",
        back=url_for("waiting_pages.freed_place", place_id=place.id), back_to="freed place",
        button=button, warning=warning, **more,
    )  # fmt: skip
    return page, form.status


def _place_words(place: FreedPlace) -> str:
    names = queries.staff_names(act(), [place.doctor_id, place.worker_id])
    return (
        f"{ui.moment(place.starts_at)} to {ui.clock_time(place.ends_at)}, "
        f"{names[place.doctor_id]} with {names[place.worker_id]}"
    )
