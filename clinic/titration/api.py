"""Titration over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from flask import Response

from clinic.answers import patient_of
from clinic.auth import act, needs
from clinic.openapi import Blueprint
from clinic.shapes import MadeSchema, StrikeSchema, made
from clinic.titration import chart_words, commands, queries, sheet
from clinic.titration.charts import ATTENDANCE_CODES, ChartDay, chart
from clinic.titration.models import Contact, TitrationReview
from clinic.titration.schemas import (
    BoardSchema,
    ChartSchema,
    ChartSpanSchema,
    ContactRequestSchema,
    ContactSchema,
    PlannedContactRequestSchema,
    RateSchema,
    ReviewRequestSchema,
    ReviewSchema,
    StandingSchema,
)
from dosing.carry_over import FAST_HOURS, SLOW_HOURS, Carried
from scheduling.targets import Rate

titration_api = Blueprint(
    "titration_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="Titration: reviews of the dose, and contact in build-up",
)  # fmt: skip
_absent = titration_api.alt_response(404, description="No such patient, or not theirs")


@titration_api.get("/titration-reviews")
@needs("prescribing.read")
@titration_api.response(200, ReviewSchema(many=True))
@_absent
def reviews(patient_id: int) -> list[TitrationReview]:
    """Every review of the dose, newest first, struck ones included."""
    return queries.reviews_of(act(), patient_id)[1]


@titration_api.post("/titration-reviews")
@needs("prescribing.assess")
@titration_api.arguments(ReviewRequestSchema)
@titration_api.response(201, MadeSchema)
@_absent
def record_review(given: dict[str, Any], patient_id: int) -> Response:
    """Record a review of the dose."""
    review_id = commands.record_review(act(), patient_id, **given)
    return made(f"{patient_id}/titration-reviews", review_id)


@titration_api.post("/titration-reviews/<int:review_id>/strike")
@needs("prescribing.assess")
@titration_api.arguments(StrikeSchema)
@titration_api.response(204)
@_absent
def strike_review(given: dict[str, Any], patient_id: int, review_id: int) -> None:
    """Strike a review out as wrong. It stays on the record."""
    commands.strike_review(act(), patient_id, review_id, **given)


# -- contact -------------------------------------------------------------------------------


@titration_api.get("/contacts")
@needs("prescribing.read")
@titration_api.response(200, ContactSchema(many=True))
@_absent
def contacts(patient_id: int) -> list[Contact]:
    """Contact made and planned, newest entry first, struck ones included."""
    return queries.contacts_of(act(), patient_id)[1]


@titration_api.post("/contacts")
@needs("contacts.record")
@titration_api.arguments(ContactRequestSchema)
@titration_api.response(201, MadeSchema)
@_absent
def record_contact(given: dict[str, Any], patient_id: int) -> Response:
    """Record contact made, or tried."""
    return made(f"{patient_id}/contacts", commands.record_contact(act(), patient_id, **given))


@titration_api.post("/contacts/planned")
@needs("contacts.record")
@titration_api.arguments(PlannedContactRequestSchema)
@titration_api.response(201, MadeSchema)
@_absent
def plan_contact(given: dict[str, Any], patient_id: int) -> Response:
    """Plan contact for a day."""
    return made(f"{patient_id}/contacts", commands.plan_contact(act(), patient_id, **given))


@titration_api.post("/contacts/<int:contact_id>/strike")
@needs("contacts.record")
@titration_api.arguments(StrikeSchema)
@titration_api.response(204)
@_absent
def strike_contact(given: dict[str, Any], patient_id: int, contact_id: int) -> None:
    """Strike out contact recorded or planned in error. It stays on the record."""
    commands.strike_contact(act(), patient_id, contact_id, **given)


# -- how it stands ---------------------------------------------------------------------------


@titration_api.get("/titration")
@needs("prescribing.read")
@titration_api.response(200, StandingSchema)
@_absent
def standing(patient_id: int) -> dict[str, Any]:
    """How this person's build-up stands now: contact, flags, targets. It proposes no dose."""
    found = queries.person(act(), patient_id)
    course, contact = found.standing.course, found.standing.contact
    return {
        "patient_id": found.patient.id,
        "day": course and course.day,
        "missed_days": course and course.known.missed_days,
        "build_up_ends_on": course and course.build_up_ends_on,
        "last_contact_on": contact and contact.last_on,
        "contact_due_by": contact and contact.due_by,
        "counting_review_id": found.counting and found.counting.id,
        "flags": found.flags,
        "first_days": found.first_days,
        "targets": found.targets,
    }


@titration_api.get("/titration/chart")
@needs("prescribing.read")
@titration_api.arguments(ChartSpanSchema, location="query")
@titration_api.response(200, ChartSchema)
@_absent
def chart_of(asked: dict[str, Any], patient_id: int) -> dict[str, Any]:
    """Dose, withdrawal, attendance and carry-over of the last days: the facts of the chart page."""
    found = chart(act(), patient_of(patient_id, "prescribing.read"), asked["days"])
    return {
        "patient_id": found.patient.id, "at": found.at,
        "days": [_chart_day(day) for day in found.days],
        "carry_over": {
            "hidden": found.hidden, "fast_hours": FAST_HOURS, "slow_hours": SLOW_HOURS,
            "source": chart_words.carry_source(), "band": [_carried(each) for each in found.carry],
        },
        "words": chart_words.summary(found),
    }  # fmt: skip


def _chart_day(day: ChartDay) -> dict[str, Any]:
    return {
        **{name: getattr(day, name) for name in
           ("on", "day", "prescribed_mg", "consumed_mg", "limit", "reviews")},
        "attendance": day.attendance and ATTENDANCE_CODES[day.attendance],
        "scores": [
            {"scale": scale, "at": at, "score": score}
            for scale, found in day.scores.items()
            for at, score in found
        ],
        "decision_ids": [row.id for row in day.decided],
        "carried": day.before and _carried(day.before),
    }  # fmt: skip


def _carried(each: Carried) -> dict[str, Any]:
    return {
        "at": each.at, "fast_mg": chart_words.to_a_tenth(each.fast_mg),
        "slow_mg": chart_words.to_a_tenth(each.slow_mg),
    }  # fmt: skip


board_api = Blueprint(
    "board_api", __name__, url_prefix="/api/v1/titration", description="Titration at this site"
)


@board_api.get("/targets")
@needs("prescribing.read")
@board_api.response(200, RateSchema(many=True))
def rates() -> list[Rate]:
    """How many people of this service reached each target in time. Advice."""
    return queries.rates_here(act())


@board_api.get("/board")
@needs("prescribing.read")
@board_api.response(200, BoardSchema)
def board() -> dict[str, Any]:
    """Everyone being titrated here now, due and overdue observations first."""
    found = sheet.board(act())
    return {
        "at": found.at,
        "watched": found.watched,
        "people": [_board_row(each) for each in found.sheets],
    }


def _board_row(each: sheet.Sheet) -> dict[str, Any]:
    look, last = each.next_look, each.last_dose
    return {
        "patient_id": each.patient.id, "day": each.day,
        "last_dose_at": last and last.consumed_at, "total_mg": each.total_mg,
        "next_look": look and look.says, "next_look_due_at": look and look.due_at,
        "next_look_state": look and look.state(each.at),
        "stopped_until": each.next.stopped_until, "reason_until": each.next.alert_until,
        "watched_by": each.watcher,
    }  # fmt: skip
