"""Referrals, free places, visits and the rota over HTTP."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from flask import Response, current_app
from flask.typing import ResponseReturnValue

from clinic.appointments import (
    commands,
    hold_commands,
    outcome_commands,
    place_queries,
    queries,
    referral_commands,
    rota_commands,
    rota_queries,
    visit_queries,
)
from clinic.appointments.models import Referral, RotaPattern, Visit
from clinic.appointments.schemas import (
    ArrivedSchema,
    BookingSchema,
    CancelSchema,
    CloseSchema,
    ConfirmSchema,
    CorrectionSchema,
    DayOffRequestSchema,
    DayOffSchema,
    FindingSchema,
    FreePlacesSchema,
    HoldingSchema,
    LookSchema,
    MissedDaySchema,
    MoveSchema,
    OfferSchema,
    OverridableBookingSchema,
    PlaceSchema,
    ReferralRequestSchema,
    ReferralSchema,
    RotaSchema,
    SeenSchema,
    SendOnSchema,
    SessionChangeSchema,
    SessionEndSchema,
    SessionRequestSchema,
    SessionSchema,
    SpanSchema,
    SupportSchema,
    VisitSchema,
    WaitListSchema,
    WhySchema,
)
from clinic.appointments.taking import place_as_json
from clinic.appointments.visit_answers import (
    TAKEN,
    just_booked,
    new_visit,
    tagged,
    visit_answer,
)
from clinic.auth import act, needs
from clinic.openapi import VERSIONED, Blueprint, if_match
from scheduling.prescribing_models import Finding
from scheduling.slots import Place

appointments_api = Blueprint(
    "appointments_api", __name__, url_prefix="/api/v1",
    description="Referrals, free places, visits and the rota",
)  # fmt: skip

_taken = appointments_api.alt_response(409, **TAKEN)
_stale = appointments_api.alt_response(412, description="Changed meanwhile; says by whom")
_versioned = appointments_api.doc(**VERSIONED)


def _referral(referral: Referral, status: int = 200) -> Response:
    return tagged(ReferralSchema(), referral, status)


def _session(session: RotaPattern, status: int = 200) -> Response:
    return tagged(SessionSchema(), session, status)


# -- places and visits ---------------------------------------------------------------------


@appointments_api.get("/sites/<int:site_id>/free-places")
@needs("appointments.read")
@appointments_api.arguments(SpanSchema, location="query")
@appointments_api.response(200, FreePlacesSchema)
@appointments_api.alt_response(404, description="Not a site of yours")
def free_places(given: dict[str, Any], site_id: int) -> ResponseReturnValue:
    """Which places are free at this site, from one London date to another?"""
    first, last = given["first"], given["last"]
    places = map(_place_text, place_queries.free_places(act(), site_id, first, last))
    return current_app.response_class(
        f'{{"site_id":{site_id},"from":"{first}","to":"{last}","places":[{",".join(places)}]}}\n',
        mimetype="application/json",
    )


@lru_cache(maxsize=10_000)
def _place_text(place: Place) -> str:
    """The same few thousand places are given over and over."""
    return json.dumps(place_as_json(place), separators=(",", ":"))


@appointments_api.post("/visits")
@needs("appointments.book")
@appointments_api.arguments(OverridableBookingSchema)
@appointments_api.response(201, VisitSchema)
@_taken
def book_visit(given: dict[str, Any]) -> ResponseReturnValue:
    """Book a place for somebody referred: doctor and drugs worker together, or neither."""
    return just_booked(commands.book_visit(act(), **given))


@appointments_api.post("/visits/hold")
@needs("appointments.book")
@appointments_api.arguments(HoldingSchema)
@appointments_api.response(201, VisitSchema)
@_taken
def hold_place(given: dict[str, Any]) -> ResponseReturnValue:
    """Hold a place for somebody until `lapses_at`, while they are asked."""
    return just_booked(hold_commands.hold_place(act(), **given))


@appointments_api.post("/visits/<int:visit_id>/confirm")
@needs("appointments.book")
@appointments_api.arguments(ConfirmSchema, required=False)
@appointments_api.response(200, VisitSchema)
@_versioned
@_taken
@_stale
def confirm_hold(given: dict[str, Any], visit_id: int) -> ResponseReturnValue:
    """Book the place held; one that lapsed, if it is still free. Model 3: with the days after it."""
    return visit_answer(hold_commands.confirm_hold(act(), visit_id, version=if_match(), **given))


@appointments_api.post("/visits/<int:visit_id>/let-go")
@needs("appointments.book")
@appointments_api.response(200, VisitSchema)
@_versioned
@_stale
def let_go(visit_id: int) -> ResponseReturnValue:
    """Give up the place held."""
    return visit_answer(hold_commands.let_go(act(), visit_id, version=if_match()))


@appointments_api.get("/visits")
@needs("appointments.read")
@appointments_api.arguments(SpanSchema, location="query")
@appointments_api.response(200, VisitSchema(many=True))
def visits(given: dict[str, Any]) -> list[Visit]:
    """Who comes, from one London date to another, cancelled visits included."""
    lines = queries.clinic_list(act(), given["first"], given["last"], cancelled=True)
    return [line.visit for line in lines]


@appointments_api.get("/visits/<int:visit_id>")
@needs("appointments.read")
@appointments_api.response(200, VisitSchema)
@appointments_api.alt_response(404, description="No such visit at this site")
def visit(visit_id: int) -> ResponseReturnValue:
    """One visit as it stands."""
    return visit_answer(visit_queries.visit_page(act(), visit_id).visit)


@appointments_api.get("/referrals/<int:referral_id>/offers")
@needs("appointments.book")
@appointments_api.arguments(LookSchema, location="query")
@appointments_api.response(200, OfferSchema(many=True))
@appointments_api.alt_response(404, description="No such referral at this site")
def offers(given: dict[str, Any], referral_id: int) -> list[place_queries.Offer]:
    """The first free places for somebody, each with the wait; none that cross their own visits."""
    from_on = given.pop("from_on")
    found = place_queries.offers(
        act(), referral_id, from_on=from_on, only=place_queries.Only(**given)
    )
    return list(found.offers)


@appointments_api.get("/referrals/<int:referral_id>/walk-in-places")
@needs("appointments.book")
@appointments_api.response(200, PlaceSchema(many=True))
@appointments_api.alt_response(404, description="No such referral at this site")
def walk_in_places(referral_id: int) -> list[Place]:
    """Today's free places for somebody who is here, begun ones included while enough is left."""
    return [each.place for each in place_queries.offers(act(), referral_id, walk_in=True).offers]


@appointments_api.post("/visits/walk-in")
@needs("appointments.book")
@appointments_api.arguments(BookingSchema)
@appointments_api.response(201, VisitSchema)
@_taken
def walk_in(given: dict[str, Any]) -> ResponseReturnValue:
    """They are here: the place is theirs, they have arrived, and a later place is given up."""
    return new_visit(commands.walk_in(act(), **given))


@appointments_api.get("/visits/<int:visit_id>/checklist")
@needs("appointments.read")
@appointments_api.response(200, FindingSchema(many=True))
@appointments_api.alt_response(404, description="No such visit at this site")
def checklist(visit_id: int) -> list[Finding]:
    """What is not at hand for a visit still ahead. Nothing is refused for it."""
    return list(visit_queries.visit_page(act(), visit_id).missing)


@appointments_api.post("/visits/<int:visit_id>/move")
@needs("appointments.book")
@appointments_api.arguments(MoveSchema)
@appointments_api.response(200, VisitSchema)
@_versioned
@_taken
@_stale
def move_visit(given: dict[str, Any], visit_id: int) -> ResponseReturnValue:
    """Give up the visit's place and take another, both or neither."""
    return visit_answer(commands.move_visit(act(), visit_id, version=if_match(), **given))


@appointments_api.post("/visits/<int:visit_id>/cancel")
@needs("appointments.book")
@appointments_api.arguments(CancelSchema)
@appointments_api.response(200, VisitSchema)
@_versioned
@_stale
def cancel_visit(given: dict[str, Any], visit_id: int) -> ResponseReturnValue:
    """Cancel a visit and free its place."""
    return visit_answer(commands.cancel_visit(act(), visit_id, version=if_match(), **given))


@appointments_api.post("/visits/<int:visit_id>/arrived")
@needs("appointments.book")
@appointments_api.arguments(ArrivedSchema)
@appointments_api.response(200, VisitSchema)
@_versioned
@_stale
def arrived(given: dict[str, Any], visit_id: int) -> ResponseReturnValue:
    """The patient came: the wait ends."""
    return visit_answer(
        outcome_commands.record_arrived(act(), visit_id, version=if_match(), **given)
    )


@appointments_api.post("/visits/<int:visit_id>/did-not-attend")
@needs("appointments.book")
@appointments_api.arguments(MissedDaySchema)
@appointments_api.response(200, VisitSchema)
@_versioned
@_taken
@_stale
def did_not_attend(given: dict[str, Any], visit_id: int) -> ResponseReturnValue:
    """The patient did not come: the wait goes on, and the other days of an induction change."""
    return visit_answer(
        outcome_commands.record_did_not_attend(act(), visit_id, version=if_match(), **given)
    )


@appointments_api.post("/visits/<int:visit_id>/undo")
@needs("appointments.book")
@appointments_api.arguments(WhySchema)
@appointments_api.response(200, VisitSchema)
@_versioned
@_stale
def undo_visit(given: dict[str, Any], visit_id: int) -> ResponseReturnValue:
    """Take back the last step of a visit."""
    return visit_answer(outcome_commands.undo_visit(act(), visit_id, version=if_match(), **given))


# -- referrals -----------------------------------------------------------------------------


@appointments_api.post("/referrals")
@needs("appointments.refer")
@appointments_api.arguments(ReferralRequestSchema)
@appointments_api.response(201, ReferralSchema)
@appointments_api.alt_response(409, description="Already waiting at this site")
def register_referral(given: dict[str, Any]) -> ResponseReturnValue:
    """Register a referral; every wait counts from its time."""
    referral_id = referral_commands.register_referral(act(), **given)
    response = _referral(act().session.get_one(Referral, referral_id), 201)
    response.headers["Location"] = f"/api/v1/referrals/{referral_id}"
    return response


@appointments_api.get("/referrals")
@needs("appointments.read")
@appointments_api.response(200, WaitListSchema)
def wait_list() -> queries.WaitList:
    """Who waits, the most urgent first."""
    return queries.wait_list(act())


@appointments_api.get("/referrals/<int:referral_id>")
@needs("appointments.read")
@appointments_api.response(200, ReferralSchema)
@appointments_api.alt_response(404, description="No such referral at this site")
def referral(referral_id: int) -> ResponseReturnValue:
    """One referral as it stands."""
    return _referral(visit_queries.referral_page(act(), referral_id).referral)


@appointments_api.put("/referrals/<int:referral_id>")
@needs("appointments.refer")
@appointments_api.arguments(CorrectionSchema)
@appointments_api.response(200, ReferralSchema)
@_versioned
@_stale
def correct_referral(given: dict[str, Any], referral_id: int) -> ResponseReturnValue:
    """Put right what was recorded; what was, stays in the history."""
    return _referral(
        referral_commands.correct_referral(act(), referral_id, version=if_match(), **given)
    )


@appointments_api.post("/referrals/<int:referral_id>/support")
@needs("appointments.refer")
@appointments_api.arguments(SupportSchema)
@appointments_api.response(200, ReferralSchema)
@_versioned
@_stale
def support(given: dict[str, Any], referral_id: int) -> ResponseReturnValue:
    """The team gave psychosocial support during the wait."""
    return _referral(
        referral_commands.record_support(act(), referral_id, version=if_match(), **given)
    )


@appointments_api.post("/referrals/<int:referral_id>/send-on")
@needs("appointments.refer")
@appointments_api.arguments(SendOnSchema)
@appointments_api.response(200, ReferralSchema)
@_versioned
@_stale
def send_on(given: dict[str, Any], referral_id: int) -> ResponseReturnValue:
    """The referral goes to an outside prescriber."""
    return _referral(referral_commands.send_on(act(), referral_id, version=if_match(), **given))


@appointments_api.post("/referrals/<int:referral_id>/seen")
@needs("appointments.refer")
@appointments_api.arguments(SeenSchema)
@appointments_api.response(200, ReferralSchema)
@_versioned
@_stale
def seen(given: dict[str, Any], referral_id: int) -> ResponseReturnValue:
    """A clinician elsewhere has seen the person."""
    return _referral(referral_commands.record_seen(act(), referral_id, version=if_match(), **given))


@appointments_api.post("/referrals/<int:referral_id>/close")
@needs("appointments.refer")
@appointments_api.arguments(CloseSchema)
@appointments_api.response(200, ReferralSchema)
@_versioned
@_stale
def close_referral(given: dict[str, Any], referral_id: int) -> ResponseReturnValue:
    """The person no longer waits here."""
    return _referral(
        referral_commands.close_referral(act(), referral_id, version=if_match(), **given)
    )


@appointments_api.post("/referrals/<int:referral_id>/undo")
@needs("appointments.refer")
@appointments_api.arguments(WhySchema)
@appointments_api.response(200, ReferralSchema)
@_versioned
@_stale
def undo_referral(given: dict[str, Any], referral_id: int) -> ResponseReturnValue:
    """Take back the last step of a referral."""
    return _referral(
        referral_commands.undo_referral(act(), referral_id, version=if_match(), **given)
    )


# -- the rota ------------------------------------------------------------------------------


@appointments_api.get("/rota")
@needs("appointments.read")
@appointments_api.response(200, RotaSchema)
def rota() -> rota_queries.RotaPage:
    """The rota of this site, and where it breaks the prescribing model."""
    return rota_queries.rota_page(act())


@appointments_api.post("/rota")
@needs("appointments.rota")
@appointments_api.arguments(SessionRequestSchema)
@appointments_api.response(201, SessionSchema)
@appointments_api.alt_response(409, description="The doctor or the worker is on another session")
def add_session(given: dict[str, Any]) -> ResponseReturnValue:
    """Add a session to the rota."""
    return _session(rota_commands.add_session(act(), **given), 201)


@appointments_api.put("/rota/<int:session_id>")
@needs("appointments.rota")
@appointments_api.arguments(SessionEndSchema)
@appointments_api.response(200, SessionSchema)
@_versioned
@_stale
def end_session(given: dict[str, Any], session_id: int) -> ResponseReturnValue:
    """Say which day is the session's last, or that it goes on."""
    return _session(rota_commands.end_session(act(), session_id, version=if_match(), **given))


@appointments_api.post("/rota/<int:session_id>/change")
@needs("appointments.rota")
@appointments_api.arguments(SessionChangeSchema)
@appointments_api.response(201, SessionSchema)
@_versioned
@_stale
def change_session(given: dict[str, Any], session_id: int) -> ResponseReturnValue:
    """From a date on another nurse, room or use: the session ends and a new one begins."""
    row = rota_commands.change_session(act(), session_id, version=if_match(), **given)
    return _session(row, 201)


@appointments_api.post("/rota/<int:session_id>/days-off")
@needs("appointments.rota")
@appointments_api.arguments(DayOffRequestSchema)
@appointments_api.response(201, DayOffSchema)
@appointments_api.alt_response(409, description="Off on that day already")
def take_day_off(given: dict[str, Any], session_id: int) -> dict[str, Any]:
    """The session is not held on that day."""
    return {"id": rota_commands.take_day_off(act(), session_id, **given), **given}


@appointments_api.delete("/rota/days-off/<int:day_off_id>")
@needs("appointments.rota")
@appointments_api.response(204)
@appointments_api.alt_response(404, description="No such day off")
def withdraw_day_off(day_off_id: int) -> None:
    """The session is held on that day after all."""
    rota_commands.withdraw_day_off(act(), day_off_id)
