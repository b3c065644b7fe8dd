"""Record what becomes of a care plan: progress, events, reviews, and help asked for elsewhere.

None of it changes what was agreed. What the 28 days count of it is recorded by custody in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from clinic.act import Act, command
from clinic.careplans.events import raise_event
from clinic.careplans.models import (
    GOAL_STATES,
    OUTCOMES,
    PAYERS,
    RESPONSES,
    CarePlan,
    CarePlanAnswer,
    CarePlanEvent,
    CarePlanProgress,
    CarePlanReferral,
    CarePlanReview,
)
from clinic.careplans.plans import LONGEST, LONGEST_LINE, not_ahead, opened, stay_version, touch
from clinic.careplans.reading import current_version
from clinic.custody import deliveries, fact_commands
from clinic.custody.models import PARTIES, Delivery
from clinic.custody.stays import has_happened
from clinic.errors import Conflict, Invalid, NotFound, needed, one_of, says, written
from clinic.patients.queries import same_person
from dosing.days import london_day
from scheduling.careplans import APPROVED, EVENTS, FULFILS, REFERRALS, lacks_approval

_ANSWERED = "This referral was answered already."
# SQLite names the columns of a unique index, PostgreSQL the index.
for _name in ("uq_care_plan_answer_waiting", "uq_care_plan_answer_final",
              "care_plan_answer.referral_id"):  # fmt: skip
    says(_name, _ANSWERED)


@command
def record_progress(act: Act, plan_id: int, goal: int, *, on: date, state: str, says: str) -> int:
    """How a goal stood on a day. Returns the row's id. It changes nothing of what was agreed."""
    plan = opened(act, plan_id, "careplans.progress")
    if goal not in current_version(act, plan.id).goals_now:
        raise NotFound("There is no such goal in this plan.")
    one_of("state", state, GOAL_STATES)
    not_ahead(act, "on", on)
    row = CarePlanProgress(
        plan_id=plan.id, goal=goal, on=on, state=state, says=needed("says", says, LONGEST_LINE),
        struck_at=None, struck_by=None, struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row.id


@command
def record_event(act: Act, plan_id: int, *, code: str, on: date, note: str | None = None) -> None:
    """Something significant happened: a review is asked for until one is done (table T1)."""
    plan = opened(act, plan_id, "careplans.event_recorded")
    one_of("code", code, EVENTS)
    not_ahead(act, "on", on)
    note = written("note", note, LONGEST_LINE)
    if code == "other" and note is None:
        raise Invalid.field("note", "is required: say what happened")
    if plan.reception_id is not None:
        raise_event(act, code, on, reception_id=plan.reception_id, note=note)
    else:
        raise_event(act, code, on, patient_ids=same_person(act, plan.patient_id), note=note)


@command
def record_review(
    act: Act,
    plan_id: int,
    *,
    version: int,
    reviewed_at: datetime,
    outcome: str,
    by: Collection[str],
    note: str | None = None,
) -> int:
    """The plan was looked at, by these parties. Returns the review's id.

    It answers every event up to its day. "new_version" needs a version made since the review
    before: the plan is changed first, the review recorded then.
    """
    plan = opened(act, plan_id, "careplans.reviewed", version)
    has_happened(act, "reviewed_at", reviewed_at)
    one_of("outcome", outcome, OUTCOMES)
    parties = [party for party in PARTIES if party in by]
    if not parties or set(by) - set(PARTIES):
        raise Invalid.field("by", f"must be one or more of: {', '.join(PARTIES)}")
    on = london_day(reviewed_at)
    if on < london_day(plan.recorded_at):
        raise Invalid.field("reviewed_at", "must not be before the day the plan was begun")
    number = current_version(act, plan.id).number
    seen = act.session.scalar(
        select(func.max(CarePlanReview.number)).where(
            CarePlanReview.plan_id == plan.id, CarePlanReview.struck_at.is_(None)
        )
    )
    if outcome == "new_version" and number <= (seen or 1):
        raise Invalid.field(
            "outcome", "Change the plan first: it has no version newer than the last review"
        )
    row = CarePlanReview(
        plan_id=plan.id, number=number, reviewed_at=reviewed_at, outcome=outcome, by=parties,
        note=written("note", note, LONGEST), struck_at=None, struck_by=None, struck_reason=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    for event in act.session.scalars(
        select(CarePlanEvent).where(
            CarePlanEvent.plan_id == plan.id, CarePlanEvent.review_id.is_(None),
            CarePlanEvent.on <= on, CarePlanEvent.struck_at.is_(None),
        )
    ):  # fmt: skip
        event.review_id = row.id
    plan.reviewed_on = max(plan.reviewed_on, on)
    touch(act, plan, "recorded a review")
    return row.id


@command
def refer(
    act: Act,
    plan_id: int,
    *,
    kind: str,
    to_whom: str,
    made_at: datetime,
    starts_on: date | None = None,
    approved_by: str | None = None,
    paid_by: str | None = None,
) -> int:
    """Help is asked for elsewhere. Returns the referral's id.

    A referral the 28 days count is recorded there too. A start before day 29 is kept and warned of.
    `approved_by`, `paid_by`: for complementary therapy (PS-39), and for nothing else.
    """
    plan = opened(act, plan_id, "careplans.referred")
    one_of("kind", kind, REFERRALS)
    has_happened(act, "made_at", made_at)
    approved_by = written("approved_by", approved_by, LONGEST_LINE)
    if lack := lacks_approval(kind, approved_by, paid_by):
        raise Invalid("Complementary therapy needs approval.", faults=lack)
    for field, value in (("approved_by", approved_by), ("paid_by", paid_by)):
        if value is not None and kind not in APPROVED:
            raise Invalid.field(field, "belongs to complementary therapy only")
    if paid_by is not None:
        one_of("paid_by", paid_by, PAYERS)
    delivery_id = None
    if kind in FULFILS and plan.reception_id is not None:
        delivery_id = deliveries.record_delivery(
            act, plan.reception_id, item=FULFILS[kind], done_at=made_at, by=["carat"],
            note=f"Referred to {needed('to_whom', to_whom, LONGEST_LINE)}",
        )  # fmt: skip
    row = CarePlanReferral(
        plan_id=plan.id, kind=kind, to_whom=needed("to_whom", to_whom, LONGEST_LINE), made_at=made_at,
        starts_on=starts_on, approved_by=approved_by, paid_by=paid_by, delivery_id=delivery_id,
        struck_at=None, struck_by=None,
        struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    touch(act, plan, "recorded a referral")
    return row.id


@command
def record_response(
    act: Act, plan_id: int, referral_id: int, *, response: str, responded_on: date
) -> int:
    """What came back on a referral. Returns the answer's id.

    A place on a waiting list may be answered once more; both answers stay.
    """
    plan = opened(act, plan_id, "careplans.response")
    row = act.session.get(CarePlanReferral, referral_id)
    if row is None or row.plan_id != plan.id or row.struck_at is not None:
        raise NotFound("There is no such referral in this plan.")
    one_of("response", response, RESPONSES)
    if row.response not in (None, "waiting"):
        raise Conflict(_ANSWERED)
    if row.response == response:
        raise Invalid.field("response", "is what is recorded already")
    not_ahead(act, "responded_on", responded_on)
    earliest = max(london_day(row.made_at), row.responded_on or date.min)
    if responded_on < earliest:
        raise Invalid.field(
            "responded_on", "must not be before the referral was made, or the answer before"
        )
    made = CarePlanAnswer(
        referral_id=row.id, response=response, responded_on=responded_on, struck_at=None,
        struck_by=None, struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    act.session.expire(row, ["answers"])
    touch(act, plan, "recorded the response to a referral")
    return made.id


HANGING: dict[str, type[Any]] = {
    "progress": CarePlanProgress, "event": CarePlanEvent, "review": CarePlanReview,
    "referral": CarePlanReferral, "answer": CarePlanAnswer,
}  # fmt: skip


@command
def strike_out(act: Act, plan_id: int, what: str, row_id: int, *, reason: str) -> None:
    """What was recorded about a plan in error counts no more, and stays.

    The events a review had answered ask again; what a referral fulfilled in the 28 days is open;
    the answer before, if there was one, stands again.
    """
    plan = opened(act, plan_id, "careplans.struck_out")
    row = act.session.get(HANGING[what], row_id, with_for_update=True)
    if row is None or row.plan_id != plan.id:
        raise NotFound("There is no such entry in this plan.")
    if row.struck_at is not None:
        raise Conflict("That entry was struck out already.")
    row.struck_reason, row.struck_at, row.struck_by = (
        needed("reason", reason, LONGEST_LINE),
        act.at,
        act.staff_id,
    )
    act.session.flush()
    if what == "review":
        _ask_again(act, plan, row)
    if what == "referral" and plan.reception_id is not None and row.delivery_id is not None:
        done = act.session.get_one(Delivery, row.delivery_id)
        if done.known_until is None:
            fact_commands.strike_out(
                act, plan.reception_id, "delivery", done.id,
                version=stay_version(act, plan.reception_id),
                reason=f"Referral struck out: {row.struck_reason}",
            )  # fmt: skip
    touch(act, plan, "struck out an entry")
    act.note(f"careplans.{what}_struck_out", patient_id=plan.patient_id, plan=plan.id, entry=row.id)


def _ask_again(act: Act, plan: CarePlan, review: CarePlanReview) -> None:
    """The plan as it stood before a review that was not: its events open, its day the one before."""
    for event in act.session.scalars(
        select(CarePlanEvent).where(CarePlanEvent.review_id == review.id)
    ):
        event.review_id = None
    last = act.session.scalar(
        select(func.max(CarePlanReview.reviewed_at)).where(
            CarePlanReview.plan_id == plan.id, CarePlanReview.struck_at.is_(None)
        )
    )
    plan.reviewed_on = london_day(last or plan.recorded_at)
