"""Write a care plan, agree it, review it, and record what it asks of others.

Whatever changes the plan goes through `_plan` (may this person, is it the version they read?).
What the 28 days count (agreements, referrals, the day-5 review) is recorded by the commands of
custody in the same transaction: there is no second record of it here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from clinic.act import Act, command
from clinic.careplans.events import raise_event
from clinic.careplans.models import (
    AGREEING,
    GOAL_STATES,
    MARKS,
    OUTCOMES,
    PAYERS,
    RESPONSES,
    CarePlan,
    CarePlanAgreement,
    CarePlanDraft,
    CarePlanEvent,
    CarePlanProgress,
    CarePlanReferral,
    CarePlanReview,
    CarePlanVersion,
    ClinicalReviewInput,
)
from clinic.careplans.reading import current_version, draft_of, report_of
from clinic.custody import commands as custody
from clinic.custody import deliveries, facts
from clinic.custody.models import PARTIES, Delivery, Reception
from clinic.custody.queries import at_a_prison
from clinic.custody.stays import has_happened
from clinic.errors import Conflict, Invalid, NotFound, Stale, needed, one_of, says, written
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling.careplans import (
    APPROVED,
    DOMAINS,
    EVENTS,
    FULFILS,
    QUESTIONS,
    REFERRALS,
    RULES,
    lacks_approval,
    missing,
    unsaid,
)

_HAS_PLAN = "There is a care plan already. Open that one."
_HAS_DRAFT = "Changes are being collected in a draft. Put them forward or discard them first."
_HAS_AGREED = "This party has agreed to this version already."
_MOMENT_AGO = "Somebody changed this plan a moment ago. Look again and repeat."
# SQLite names the columns of a unique index, PostgreSQL the index.
for _name, _sentence in {
    "uq_care_plan_reception_id": _HAS_PLAN,
    "care_plan.reception_id": _HAS_PLAN,
    "uq_care_plan_community": _HAS_PLAN,
    "care_plan.patient_id": _HAS_PLAN,
    "uq_care_plan_agreement_standing": _HAS_AGREED,
    "care_plan_agreement.version_id": _HAS_AGREED,
    "uq_care_plan_version_plan_id_number": _MOMENT_AGO,
    "care_plan_version.plan_id": _MOMENT_AGO,
    "uq_care_plan_draft_plan_id": _MOMENT_AGO,
    "care_plan_draft.plan_id": _MOMENT_AGO,
    "care_plan_kept": "A version of a care plan is never changed.",
}.items():
    says(_name, _sentence)

LONGEST = 4000
LONGEST_LINE = 500
CSMA_FIRST = (
    "The comprehensive assessment (CSMA) comes before the joint care plan (PS-09, TT-07). "
    "Record it first, then the agreement."
)
AGREED = "joint_care_plan"


# -- the plan and its versions ---------------------------------------------------------------


@command
def start_plan(act: Act, patient_id: int, *, reception_id: int | None = None) -> int:
    """Begin the plan of a stay, or of somebody in the community. Returns its id.

    Version 1 is an initial plan in which nothing has been asked yet. Conflict when there is one.
    """
    patient = open_record(act, patient_id, "careplans.started", right="careplans.write")
    if reception_id is not None:
        reception = act.session.get(Reception, reception_id)
        if (
            reception is None
            or reception.patient_id not in same_person(act, patient.id)
            or reception.undone_at is not None
            or act.site_id not in facts.prisons_of(act.session, reception)
        ):
            raise Invalid.field("reception_id", "must be a stay of this person at this prison")
    elif at_a_prison(act):
        raise Invalid.field("reception_id", "is required: at a prison a plan belongs to a stay")
    plan = CarePlan(
        patient_id=patient.id, reception_id=reception_id, site_id=act.site_id,
        reviewed_on=act.today, version=1, changed_at=act.at, changed_by=act.staff_id,
        changed_what="began the plan", recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(plan)
    act.session.flush()
    first = CarePlanVersion(
        plan_id=plan.id, number=1, mark="initial", answers={}, goals={},
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(first)
    act.session.flush()
    _reopen(act, plan, first, 1)
    return plan.id


@command
def change_plan(
    act: Act,
    plan_id: int,
    *,
    version: int,
    answers: Mapping[str, str | None] | None = None,
    mark: str | None = None,
    goal: Mapping[str, Any] | None = None,
) -> int:
    """Make the next version of the plan at once, to which nobody has agreed yet. Returns its number.

    `answers`: by question, None or blank for not asked; those left out stay. `goal`: one goal to
    add (no number), to reword, or to drop (with the reason in `dropped`). Where the version before
    had not been agreed by all three, the agreements it had no longer count in the 28 days.
    Conflict while a draft stands: its changes come first, or are discarded.
    """
    plan = _plan(act, plan_id, "careplans.changed", version)
    if draft_of(act, plan.id) is not None:
        raise Conflict(_HAS_DRAFT)
    was = current_version(act, plan.id)
    return _next_version(act, plan, was, _changed(was, answers, mark, goal))


@command
def draft_change(
    act: Act,
    plan_id: int,
    *,
    version: int,
    answers: Mapping[str, str | None] | None = None,
    mark: str | None = None,
    goal: Mapping[str, Any] | None = None,
) -> None:
    """Collect a change in the draft of the plan; it is no version until it is put forward."""
    plan = _plan(act, plan_id, "careplans.drafted", version)
    draft = draft_of(act, plan.id)
    said, goals, kind = _changed(draft or current_version(act, plan.id), answers, mark, goal)
    if draft is None:
        draft = CarePlanDraft(plan_id=plan.id)
        act.session.add(draft)
    draft.answers, draft.goals, draft.mark = said, goals, kind
    draft.recorded_at, draft.recorded_by = act.at, act.staff_id
    _touch(act, plan, "changed the draft of the plan")


@command
def put_forward(act: Act, plan_id: int, *, version: int) -> int:
    """Make what the draft says the next version, for all three to agree to. Returns its number."""
    plan = _plan(act, plan_id, "careplans.put_forward", version)
    draft = _draft(act, plan)
    was = current_version(act, plan.id)
    number = _next_version(act, plan, was, (draft.answers, draft.goals, draft.mark))
    act.session.delete(draft)
    return number


@command
def discard_draft(act: Act, plan_id: int, *, version: int) -> None:
    """The changes collected are given up; the plan stays as it is."""
    plan = _plan(act, plan_id, "careplans.draft_discarded", version)
    act.session.delete(_draft(act, plan))
    _touch(act, plan, "discarded the draft of the plan")


def _draft(act: Act, plan: CarePlan) -> CarePlanDraft:
    found = draft_of(act, plan.id)
    if found is None:
        raise Conflict("No changes are collected: there is no draft of this plan.")
    return found


Content = tuple[dict[str, Any], dict[str, Any], str]
"""What a version says: answers, goals, mark."""


def _changed(
    was: CarePlanVersion | CarePlanDraft,
    answers: Mapping[str, str | None] | None,
    mark: str | None,
    goal: Mapping[str, Any] | None,
) -> Content:
    """What the plan says with these changes. Invalid when there are none."""
    said = dict(was.answers)
    for key, answer in (answers or {}).items():
        said[key] = _answer_checked(key, answer)
    said = {key: answer for key, answer in said.items() if answer is not None}
    if (lack := unsaid(said)) and {lack[0], *RULES["PS-36"]["when"]} & set(answers or {}):
        raise Invalid.field(*lack)
    goals = {**was.goals, **_goal_checked(was, goal)} if goal is not None else was.goals
    mark = mark or was.mark
    one_of("mark", mark, MARKS)
    if (said, goals, mark) == (was.answers, was.goals, was.mark):
        raise Invalid("Nothing was changed.")
    return said, goals, mark


def _next_version(act: Act, plan: CarePlan, was: CarePlanVersion, content: Content) -> int:
    said, goals, mark = content
    if content == (was.answers, was.goals, was.mark):
        raise Invalid("Nothing was changed: the draft says what the plan says.")
    fresh = CarePlanVersion(
        plan_id=plan.id, number=was.number + 1, mark=mark, answers=said, goals=goals,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    if mark == "complete" and (lacking := missing(said, fresh.goals_now)):
        field = "mark" if was.mark != "complete" else None
        raise Invalid(
            "A complete plan needs these answered.",
            faults=[
                (field or key, f"A complete plan still needs: {_asks(key)}") for key in lacking
            ],
        )
    act.session.add(fresh)
    act.session.flush()
    _reopen(act, plan, was, fresh.number)
    _touch(act, plan, f"changed the plan to version {fresh.number}")
    return fresh.number


def _asks(key: str) -> str:
    return QUESTIONS[key].asks if key in QUESTIONS else "a goal"


def _answer_checked(key: str, answer: str | None) -> str | None:
    if key not in QUESTIONS:
        raise Invalid.field(key, "is not a question of a care plan")
    question, text = QUESTIONS[key], (answer or "").strip() or None
    if text is None:
        return None
    if question.choices is not None:
        one_of(key, text, question.choices)
    if question.kind == "day":
        try:
            date.fromisoformat(text)
        except ValueError:
            raise Invalid.field(key, "must be a day, such as 2026-12-01") from None
    if len(text) > LONGEST:
        raise Invalid.field(key, f"must be {LONGEST} characters or fewer")
    return text


def _goal_checked(was: CarePlanVersion | CarePlanDraft, goal: Mapping[str, Any]) -> dict[str, Any]:
    """The goal under its number; a new one gets the next that was never used."""
    number = goal.get("number")
    if number is None:
        number, before = len(was.goals) + 1, {}
    elif int(number) in was.goals_now:
        before = was.goals[str(number)]
    else:
        raise NotFound("There is no such goal in this plan.")
    by_on = goal.get("by_on", before.get("by_on"))
    row = {
        "domain": goal.get("domain", before.get("domain")),
        "what": needed("what", goal.get("what", before.get("what")), LONGEST_LINE),
        "who": needed("who", goal.get("who", before.get("who")), LONGEST_LINE),
        "by_on": by_on.isoformat() if isinstance(by_on, date) else by_on,
        "dropped": None,
    }
    one_of("domain", row["domain"], DOMAINS)
    if row["by_on"] is None:
        raise Invalid.field("by_on", "is required")
    if "dropped" in goal:
        row["dropped"] = needed("dropped", goal["dropped"], LONGEST_LINE)
    return {str(number): row}


def _reopen(act: Act, plan: CarePlan, was: CarePlanVersion, number: int) -> None:
    """Agreements to what the plan no longer says do not add up with later ones to a joint plan.

    A version all three had agreed to was a joint plan in its time, and stays one.
    """
    if plan.reception_id is None:
        return
    rows = [
        row
        for row in facts.rows_of(act.session, Delivery, plan.reception_id)
        if row.item == AGREED and row.outcome == "delivered"
    ]
    if set(facts.agreed_by(rows)) >= set(AGREEING):
        given = {each.delivery_id for each in _standing(act, was)}
        if len(given) in (0, len(AGREEING)):
            return
        rows = [row for row in rows if row.id in given]
    for row in rows:
        custody.strike_out(
            act, plan.reception_id, "delivery", row.id,
            version=_stay_version(act, plan.reception_id),
            reason=f"The care plan changed: version {number} is not agreed yet",
        )  # fmt: skip


# -- agreements ------------------------------------------------------------------------------


@command
def agree(
    act: Act,
    plan_id: int,
    *,
    number: int,
    party: str,
    agreed_at: datetime,
    agreed_by: int | None = None,
) -> int:
    """A party agrees to version `number`, which must be the newest. Returns the agreement's id.

    `agreed_by`: who agreed for healthcare or CARATs (oneself when not said). In custody the CSMA
    must come first (PS-09). Conflict when the plan has changed or the party has agreed.
    """
    plan = _plan(act, plan_id, "careplans.agreed")
    row = current_version(act, plan.id)
    if row.number != number:
        raise Conflict(
            f"The plan has changed: version {row.number} stands now. Read it before agreeing.",
            more={"number": row.number},
        )
    one_of("party", party, AGREEING)
    has_happened(act, "agreed_at", agreed_at)
    if not row.answers and not row.goals_now:
        raise Conflict("Nothing is written in this plan yet. There is nothing to agree to.")
    if party in {each.party for each in _standing(act, row)}:
        raise Conflict(_HAS_AGREED)
    by = None if party == "patient" else agreed_by or act.staff_id
    if by is not None and act.session.get(Staff, by) is None:
        raise Invalid.field("agreed_by", "must be a member of staff")
    delivery_id = None
    if plan.reception_id is not None:
        if not csma_before(act, plan.reception_id, agreed_at):
            raise Conflict(
                CSMA_FIRST,
                more={
                    "needs": "csma",
                    "record_at": f"/api/v1/receptions/{plan.reception_id}/deliveries",
                },
            )
        delivery_id = deliveries.record_delivery(
            act, plan.reception_id, whole=True, item=AGREED, done_at=agreed_at, by=[party],
            done_by=by, note=f"Care plan, version {number}",
        )  # fmt: skip
    made = CarePlanAgreement(
        version_id=row.id, party=party, agreed_at=agreed_at, agreed_by=by, delivery_id=delivery_id,
        withdrawn_at=None, withdrawn_by=None, withdrawn_reason=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    _touch(act, plan, f"recorded an agreement to version {number}")
    return made.id


def csma_before(act: Act, reception_id: int, at: datetime) -> bool:
    """Had the CSMA been done, or offered and declined, by then? Either closes TT-07."""
    rows = facts.rows_of(act.session, Delivery, reception_id)
    return any(row.item == "csma" and row.done_at <= at for row in rows)


@command
def withdraw(act: Act, plan_id: int, agreement_id: int, *, version: int, reason: str) -> None:
    """A party takes its agreement to the newest version back. The row stays, with the reason."""
    plan = _plan(act, plan_id, "careplans.withdrawn", version)
    row = act.session.get(CarePlanAgreement, agreement_id)
    if row is None or row.version_id != current_version(act, plan.id).id:
        raise NotFound("There is no such agreement to the plan as it stands.")
    if row.withdrawn_at is not None:
        raise Conflict("That agreement was withdrawn already.")
    row.withdrawn_reason = needed("reason", reason, LONGEST_LINE)
    row.withdrawn_at, row.withdrawn_by = act.at, act.staff_id
    act.session.flush()
    if plan.reception_id is not None and row.delivery_id is not None:
        custody.strike_out(
            act, plan.reception_id, "delivery", row.delivery_id,
            version=_stay_version(act, plan.reception_id),
            reason=f"Agreement withdrawn: {row.withdrawn_reason}",
        )  # fmt: skip
    _touch(act, plan, "withdrew an agreement")


# -- progress, events, reviews ---------------------------------------------------------------


@command
def record_progress(act: Act, plan_id: int, goal: int, *, on: date, state: str, says: str) -> int:
    """How a goal stood on a day. Returns the row's id. It changes nothing of what was agreed."""
    plan = _plan(act, plan_id, "careplans.progress")
    if goal not in current_version(act, plan.id).goals_now:
        raise NotFound("There is no such goal in this plan.")
    one_of("state", state, GOAL_STATES)
    _not_ahead(act, "on", on)
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
    plan = _plan(act, plan_id, "careplans.event_recorded")
    one_of("code", code, EVENTS)
    _not_ahead(act, "on", on)
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
    plan = _plan(act, plan_id, "careplans.reviewed", version)
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
    _touch(act, plan, "recorded a review")
    return row.id


# -- referrals -------------------------------------------------------------------------------


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
    plan = _plan(act, plan_id, "careplans.referred")
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
        response=None, responded_on=None, responded_by=None, struck_at=None, struck_by=None,
        struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    _touch(act, plan, "recorded a referral")
    return row.id


@command
def record_response(
    act: Act, plan_id: int, referral_id: int, *, response: str, responded_on: date
) -> None:
    """What came back on a referral. A place on a waiting list may be answered again."""
    plan = _plan(act, plan_id, "careplans.response")
    row = act.session.get(CarePlanReferral, referral_id)
    if row is None or row.plan_id != plan.id or row.struck_at is not None:
        raise NotFound("There is no such referral in this plan.")
    if row.response not in (None, "waiting"):
        raise Conflict("This referral was answered already.")
    one_of("response", response, RESPONSES)
    _not_ahead(act, "responded_on", responded_on)
    if responded_on < london_day(row.made_at):
        raise Invalid.field("responded_on", "must not be before the referral was made")
    row.response, row.responded_on, row.responded_by = response, responded_on, act.staff_id
    _touch(act, plan, "recorded the response to a referral")


# -- striking out ----------------------------------------------------------------------------

HANGING: dict[str, type[Any]] = {
    "progress": CarePlanProgress, "event": CarePlanEvent, "review": CarePlanReview,
    "referral": CarePlanReferral,
}  # fmt: skip


@command
def strike_out(act: Act, plan_id: int, what: str, row_id: int, *, reason: str) -> None:
    """Progress, an event, a review or a referral was recorded in error: it counts no more and stays.

    The events a review had answered ask again; what a referral fulfilled in the 28 days is open.
    """
    plan = _plan(act, plan_id, "careplans.struck_out")
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
            custody.strike_out(
                act, plan.reception_id, "delivery", done.id,
                version=_stay_version(act, plan.reception_id),
                reason=f"Referral struck out: {row.struck_reason}",
            )  # fmt: skip
    _touch(act, plan, "struck out an entry")
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


# -- the day-5 clinical review -----------------------------------------------------------------


@command
def write_report(
    act: Act, reception_id: int, *, says: str, complex_needs: bool | None = None
) -> int:
    """The CARATs' written report for the clinical review (PS-11). Returns its id.

    It records the report of the 28 days. `complex_needs` None: not asked.
    """
    reception = _stay(act, reception_id, "careplans.report_written")
    if _has(act, reception.id, "clinical_review"):
        raise Conflict("The clinical review is recorded already.")
    text = needed("says", says, LONGEST)
    delivery_id = deliveries.record_delivery(
        act, reception.id, item="carat_report", done_at=act.at, by=["carat"]
    )
    return _input(act, reception.id, "report", text, complex_needs, delivery_id)


@command
def hold_review(
    act: Act,
    reception_id: int,
    *,
    held_at: datetime,
    carat: str,
    by: Collection[str] = (),
    note: str | None = None,
) -> int:
    """The clinical review was held by healthcare, with CARATs there or by their report.

    `carat`: attended, or report, which must be written first. `by`: who else was there. Returns
    the id of the delivery. A review before day 5 leaves the day-5 check open (A5).
    """
    reception = _stay(act, reception_id, "careplans.clinical_review")
    if carat not in ("attended", "report"):
        raise Invalid.field("carat", "must be one of: attended, report")
    if carat == "report" and report_of(act, reception.id) is None:
        raise Invalid.field("carat", "Write the report first: none stands")
    parties = {*by, "healthcare"} | ({"carat"} if carat == "attended" else set())
    delivery_id = deliveries.record_delivery(
        act, reception.id, item="clinical_review", done_at=held_at, by=sorted(parties), note=note
    )
    if carat == "attended":
        _input(act, reception.id, "attended", None, None, delivery_id)
    return delivery_id


def _input(
    act: Act, reception_id: int, kind: str, text: str | None, complex_needs: bool | None, did: int
) -> int:
    row = ClinicalReviewInput(
        reception_id=reception_id, kind=kind, says=text, complex_needs=complex_needs,
        delivery_id=did, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row.id


def _has(act: Act, reception_id: int, item: str) -> bool:
    rows = facts.rows_of(act.session, Delivery, reception_id)
    return any(row.item == item for row in rows)


def _stay(act: Act, reception_id: int, action: str) -> Reception:
    act.need("careplans.write")
    reception = act.session.get(Reception, reception_id)
    if reception is None or reception.undone_at is not None:
        raise NotFound("There is no such reception, or it was undone.")
    open_record(act, reception.patient_id, action, right="careplans.write")
    _at_its_prison(act, reception)
    return reception


def _at_its_prison(act: Act, reception: Reception) -> None:
    """A community team that looks after the same person reads the plan of a stay, no more."""
    if act.site_id not in facts.prisons_of(act.session, reception):
        raise NotFound("That plan belongs to a stay at a prison, and is written there.")


# -- a plan, and who may touch it --------------------------------------------------------------


def _plan(act: Act, plan_id: int, action: str, version: int | None = None) -> CarePlan:
    """The plan, held until this transaction ends. Stale when it moved on since `version`."""
    act.need("careplans.write")
    # Rows that point at the plan may still be added meanwhile: an event of the stay does not wait.
    plan = act.session.scalar(
        select(CarePlan)
        .where(CarePlan.id == plan_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if plan is None:
        raise NotFound("There is no such care plan.")
    open_record(act, plan.patient_id, action, right="careplans.write")
    if plan.reception_id is not None:
        _at_its_prison(act, act.session.get_one(Reception, plan.reception_id))
    if version is not None and version != plan.version:
        by = act.session.get_one(Staff, plan.changed_by).name
        raise Stale(
            f"{by} {plan.changed_what} since you read it.",
            more={
                "version": plan.version,
                "changed_by": by,
                "changed_at": plan.changed_at.isoformat(),
            },
        )
    return plan


def _standing(act: Act, version: CarePlanVersion) -> list[CarePlanAgreement]:
    return list(
        act.session.scalars(
            select(CarePlanAgreement).where(
                CarePlanAgreement.version_id == version.id,
                CarePlanAgreement.withdrawn_at.is_(None),
            )
        )
    )


def _stay_version(act: Act, reception_id: int) -> int:
    """The stay's version, once nobody else can move it."""
    found = act.session.scalar(
        select(Reception)
        .where(Reception.id == reception_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert found is not None
    return found.version


def _touch(act: Act, plan: CarePlan, what: str) -> None:
    plan.version += 1
    plan.changed_at, plan.changed_by, plan.changed_what = act.at, act.staff_id or 0, what
    act.session.flush()


def _not_ahead(act: Act, field: str, on: date) -> None:
    if on > act.today:
        raise Invalid.field(field, "must not be in the future")
