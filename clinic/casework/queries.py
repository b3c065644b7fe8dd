"""One person's casework file: everything done, tried, planned and handed over, in the order it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, select

from clinic.act import Act
from clinic.careplans import queries as careplans
from clinic.careplans.models import (
    AGREEING,
    GOAL_STATES,
    MARKS,
    OUTCOMES,
    PAYERS,
    RESPONSES,
    CarePlanAnswer,
    CarePlanEvent,
    CarePlanReferral,
    CarePlanReview,
    ClinicalReviewInput,
)
from clinic.casework import commands
from clinic.casework.models import (
    ENTRIES,
    NEXT_STEP_WORDS,
    NOT_HELD_WORDS,
    Acceptance,
    CaseworkEntry,
    Certificate,
    Completion,
)
from clinic.custody import facts, presenters, words
from clinic.custody import queries as custody
from clinic.custody.models import (
    MODES,
    TOPIC_NAMES,
    WHO_SAID,
    Delivery,
    Reception,
    ReceptionDetail,
    ReportedElsewhere,
)
from clinic.custody.wings import in_custody_here
from clinic.errors import NotFound
from clinic.groups.models import MISSED_BECAUSE, GroupAttendance, GroupSeat, GroupSession
from clinic.keyworkers.models import CHANGE_WORDS, KeyworkerChange
from clinic.keyworkers.queries import day_number
from clinic.observations.models import (
    HELD_KINDS,
    MOODS,
    SEEN_WORDS,
    HeldAssessment,
    ObservationEnd,
    PhaseTask,
    StimulantUse,
    WingObservation,
)
from clinic.patients.access import open_record
from clinic.patients.models import Allocation, Patient
from clinic.patients.queries import same_person
from clinic.phases.models import (
    PARTY_WORDS,
    PeerSupporter,
    PhaseMove,
    Telling,
    TriageConsent,
)
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.days import ONE_DAY, london_day, start_of
from scheduling.careplans import EVENTS, REFERRALS
from scheduling.completion import Retention, next_step_lacking, outstanding, retention
from scheduling.custody_rules import LAST_DAY
from scheduling.observations import TASKS

KINDS = {
    "stay": "Stay",
    "delivered": "Delivered",
    "reported": "Reported from elsewhere",
    "declined": "Declined",
    "not_held": "Not held",
    "note": "Note",
    "keyworker": "Keyworker",
    "plan": "Care plan",
    "review": "Review",
    "referral": "Referral",
    "completion": "Completion",
    "transfer": "Transfer",
    "observed": "Observed",
    "told": "Told",
}
MOST_LISTED = 50


@dataclass(frozen=True)
class Line:
    """One entry of the file. `struck`: why it no longer counts. `by` None: not recorded.

    `on`: the day alone where nobody said the hour; `at` is then its beginning.
    """

    at: datetime
    kind: str
    what: str
    says: str | None
    by: str | None = None
    struck: str | None = None
    entry_id: int | None = None
    on: date | None = None

    @property
    def kind_says(self) -> str:
        return KINDS[self.kind]


@dataclass(frozen=True)
class File:
    """The whole file of a stay, oldest first, beside the stay itself."""

    stay: custody.Stay
    lines: Sequence[Line]
    plan: careplans.View | None
    completion: Completion | None
    certificate: Certificate | None
    retention: Retention
    asked: Sequence[tuple[str, str]]
    next_step: str | None


def took_part(act: Act, reception_id: int) -> list[str]:
    """The parties of the final review that stands; none while it was not held."""
    rows = facts.rows_of(act.session, Delivery, reception_id)
    return next((row.by for row in rows if row.item == "final_review"), [])


def casework_file(act: Act, reception_id: int, *, action: str = "casework.file_shown") -> File:
    """The file of one stay. What was struck out is in it, marked. The look is audited."""
    act.need("careplans.read")
    stay = custody.stay(act, reception_id)
    act.note(action, patient_id=stay.patient.id, reception=reception_id)
    plan_id = careplans.plan_of_stay(act, reception_id)
    plan = careplans.plan(act, plan_id) if plan_id else None
    found = [*_of_stay(stay), *_passed(stay), *_own(act, reception_id), *_groups(act, reception_id),
             *_keyworkers(act, stay), *_reports(act, reception_id), *_observed(act, reception_id),
             *_phases(act, reception_id),
             *(_of_plan(plan) if plan else ())]  # fmt: skip
    names = _names(act, {by for _, by in found if by is not None})
    lines = [replace(line, by=names.get(by or 0)) for line, by in found]
    lines.sort(key=lambda line: line.at)
    completion = commands.standing(act, Completion, reception_id)
    referrals = [(row.kind, row.response) for row in plan.referrals] if plan else []
    left_on = london_day(stay.exit.at) if stay.exit and stay.exit.how != "transfer" else None
    return File(
        stay, lines, plan, completion, commands.standing(act, Certificate, reception_id),
        retention(stay.counted_from, left_on or act.today), outstanding(referrals),
        stay.answer and next_step_lacking(
            date.fromisoformat(stay.answer["day_28"]), left_on or act.today,
            named=completion is not None,
        ),
    )  # fmt: skip


Found = Iterator[tuple[Line, int | None]]
"""A line, and the member of staff it names."""


def _of_stay(stay: custody.Stay) -> Found:
    """The facts of the stay, standing and struck out."""
    detail = stay.detail
    standing = [detail, *stay.hearings, stay.release, stay.transfer, stay.exit, *stay.locations,
                *stay.unavailable, *stay.deliveries, *stay.reported]  # fmt: skip
    for row in [*(each for each in standing if each is not None), *stay.earlier]:
        struck = row.struck_reason
        if isinstance(row, ReportedElsewhere):
            yield _reported(stay, row), row.recorded_by
            continue
        if not isinstance(row, Delivery):
            at = row.received_at if isinstance(row, ReceptionDetail) else row.recorded_at
            yield Line(at, "stay", presenters.said(row), None, struck=struck), row.recorded_by
            continue
        says = [
            *([TOPIC_NAMES[row.topic]] if row.topic else []),
            *([MODES[row.mode]] if row.mode else []),
            presenters.parties(row.by),
            *([row.note] if row.note else []),
        ]
        yield (
            Line(
                row.done_at, row.outcome, words.duty(row.item, row.for_on), ". ".join(says),
                struck=struck,
            ),
            row.done_by,
        )  # fmt: skip


def _passed(stay: custody.Stay) -> Found:
    """Moves that were followed by another."""
    for row in stay.passed:
        what = f"Moved from {row.from_prison} to {row.to_prison}"
        yield Line(row.moved_at, "transfer", what, None), row.recorded_by


def _reported(stay: custody.Stay, row: ReportedElsewhere) -> Line:
    """What was done at the prison outside they came from, as somebody says."""
    says = [
        f"At {stay.detail.came_from or 'another prison'}, says: {WHO_SAID[row.said_by].lower()}",
        *([MODES[row.mode]] if row.mode else []),
        *([presenters.parties(row.by)] if row.by else []),
        *([row.note] if row.note else []),
        *([] if row.on else ["Nobody says when: it counts for nothing yet"]),
    ]
    at = start_of(row.on) if row.on else row.recorded_at
    return Line(
        at, "reported", presenters.reported(row), ". ".join(says), struck=row.struck_reason,
        on=row.on,
    )  # fmt: skip


def _own(act: Act, reception_id: int) -> Found:
    """What the casework file itself holds."""
    for row in _rows(act, CaseworkEntry, reception_id):
        what = ENTRIES[row.kind]
        if row.item:
            what = f"{words.duty(row.item)}: {what.lower()}"
        says = [
            *([NOT_HELD_WORDS[row.reason]] if row.reason else []),
            *([row.says] if row.says else []),
        ]
        kind = "note" if row.kind == "note" else "not_held"
        yield (
            Line(row.at, kind, what, ". ".join(says) or None, struck=row.struck_reason,
                 entry_id=row.id),
            row.recorded_by,
        )  # fmt: skip
    for row in _rows(act, Completion, reception_id):
        says = f"{row.exit_strategy} Next: {NEXT_STEP_WORDS[row.next_step]}"
        if row.next_says:
            says += f", {row.next_says}"
        yield (
            Line(row.reviewed_at, "completion", "Exit strategy and next step", says,
                 struck=row.struck_reason),
            row.recorded_by,
        )  # fmt: skip
    for row in _rows(act, Certificate, reception_id):
        yield (
            Line(row.issued_at, "completion", f"Certificate {row.number}",
                 f"{len(row.sessions)} sessions listed", struck=row.struck_reason),
            row.recorded_by,
        )  # fmt: skip
    for row in _rows(act, Acceptance, reception_id):
        who = f"Accepted by {row.accepted_by}" if row.accepted_by else "Accepted"
        yield (
            Line(row.accepted_at, "transfer", "Taken over by the receiving prison",
                 f"{who}. {row.says or ''}".strip(), struck=row.struck_reason),
            row.recorded_by,
        )  # fmt: skip


def _rows(act: Act, model: Any, reception_id: int) -> list[Any]:
    return list(
        act.session.scalars(
            select(model).where(model.reception_id == reception_id).order_by(model.id)
        )
    )


def _groups(act: Act, reception_id: int) -> Found:
    """Group sessions offered and missed; those had or declined are deliveries."""
    rows = act.session.execute(
        select(GroupSeat, GroupSession, GroupAttendance)
        .join(GroupSession, GroupSession.id == GroupSeat.session_id)
        .outerjoin(GroupAttendance, GroupAttendance.seat_id == GroupSeat.id)
        .where(GroupSeat.reception_id == reception_id)
        .order_by(GroupSeat.id)
    )
    for seat, session, came in rows:
        topic = TOPIC_NAMES[session.topic]
        if came is not None and came.outcome == "missed":
            says = MISSED_BECAUSE[came.missed_because]
            yield (
                Line(session.starts_at, "not_held", f"Group missed: {topic}", says,
                     struck=came.ended_reason),
                came.recorded_by,
            )  # fmt: skip
        elif seat.state == "offered":
            what = f"Group offered: {topic}"
            yield Line(seat.recorded_at, "not_held", what, None), seat.recorded_by


def _phases(act: Act, reception_id: int) -> Found:
    """Phases moved, consent to share the triage, who was told, and peer supporters."""
    for row in _rows(act, PhaseMove, reception_id):
        what = f"Phase {row.phase} begins {row.from_on.day} {row.from_on:%b %Y}"
        yield (
            Line(row.recorded_at, "plan", what, row.reason, struck=row.struck_reason),
            row.recorded_by,
        )
    for row in _rows(act, TriageConsent, reception_id):
        what = f"Consent to share the triage assessment: {'yes' if row.consents else 'no'}"
        yield Line(row.asked_at, "note", what, None, struck=row.struck_reason), row.recorded_by
    for row in _rows(act, Telling, reception_id):
        what = f"Told: {PARTY_WORDS[row.party]}"
        says = f"{row.says} (with the triage assessment)" if row.with_triage else row.says
        yield Line(row.at, "told", what, says, struck=row.struck_reason), row.recorded_by
    for row in _rows(act, PeerSupporter, reception_id):
        what = f"Peer supporter: {row.name}"
        says = f"Until {row.to_on.day} {row.to_on:%b %Y}" if row.to_on else None
        yield (
            Line(row.recorded_at, "note", what, says, struck=row.struck_reason),
            row.recorded_by,
        )


def _observed(act: Act, reception_id: int) -> Found:
    """What was seen on the wing, what is held already, and which tasks of a phase were done."""
    for row in _rows(act, WingObservation, reception_id):
        says = [
            *([f"Mood {MOODS[row.mood].lower()}"] if row.mood else []),
            *([row.says] if row.says else []),
        ]
        yield (
            Line(row.at, "observed", f"Seen on the wing: {SEEN_WORDS[row.seen].lower()}",
                 ". ".join(says) or None, struck=row.struck_reason),
            row.recorded_by,
        )  # fmt: skip
    for row in _rows(act, ObservationEnd, reception_id):
        what = f"Observed twice a day to {row.last_on.day} {row.last_on:%b %Y}"
        yield (
            Line(row.recorded_at, "observed", what, row.reason, struck=row.struck_reason),
            row.recorded_by,
        )
    for row in _rows(act, StimulantUse, reception_id):
        what = f"Stimulant use: {'yes' if row.uses else 'no'}"
        yield Line(row.asked_at, "observed", what, None, struck=row.struck_reason), row.recorded_by
    for row in _rows(act, HeldAssessment, reception_id):
        what = f"{HELD_KINDS[row.kind]} of {row.done_on.day} {row.done_on:%b %Y} is here"
        shared = {True: "May be shared", False: "May not be shared"}.get(
            row.consent, "Consent to share not asked"
        )
        says = ". ".join([f"From {row.held_from}", *([row.covers] if row.covers else []), shared])
        yield (
            Line(row.recorded_at, "observed", what, says, struck=row.struck_reason),
            row.recorded_by,
        )
    for row in _rows(act, PhaseTask, reception_id):
        what = f"Phase {row.phase}: {TASKS[row.task].says}"
        yield (
            Line(row.done_at, "delivered", what, row.says, struck=row.struck_reason),
            row.recorded_by,
        )


def _keyworkers(act: Act, stay: custody.Stay) -> Found:
    rows = act.session.execute(
        select(Allocation, Staff.name, KeyworkerChange.code, Site.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .join(Site, Site.id == Allocation.site_id)
        .outerjoin(KeyworkerChange, KeyworkerChange.allocation_id == Allocation.id)
        .where(
            Allocation.patient_id.in_(same_person(act, stay.patient.id)),
            Allocation.kind == "keyworker",
            Allocation.site_id.in_(
                [each for each in facts.prisons_of(act.session, stay.reception) if each]
            ),
            Allocation.recorded_at >= stay.reception.recorded_at,
        )
        .order_by(Allocation.id)
    )
    for row, name, code, site in rows:
        why = CHANGE_WORDS[code] if code else None
        says = f"{why}. {row.reason}" if why and row.reason != why else row.reason
        what = f"Keyworker at {site}: {name}"
        yield Line(row.started_at, "keyworker", what, says), row.recorded_by


def _reports(act: Act, reception_id: int) -> Found:
    for row in _rows(act, ClinicalReviewInput, reception_id):
        if row.kind == "report":
            what = "CARAT report for the clinical review"
            yield Line(row.recorded_at, "review", what, row.says), row.recorded_by


def _struck_of_plan(view: careplans.View) -> Found:
    """What hung on the plan and counts no more."""
    for row in view.struck:
        if isinstance(row, CarePlanAnswer):
            at, kind = row.recorded_at, "referral"
            what = f"Answer of {row.referral.to_whom}: {RESPONSES[row.response]}"
        elif isinstance(row, CarePlanReferral):
            at, kind, what = row.made_at, "referral", f"{REFERRALS[row.kind]}: {row.to_whom}"
        elif isinstance(row, CarePlanReview):
            at, kind = row.reviewed_at, "review"
            what = f"Review of the care plan, version {row.number}"
        elif isinstance(row, CarePlanEvent):
            at, kind, what = row.recorded_at, "plan", EVENTS[row.code]
        else:
            at, kind, what = row.recorded_at, "plan", f"Progress on goal {row.goal}: {row.says}"
        yield Line(at, kind, what, None, struck=row.struck_reason), row.recorded_by


def _of_plan(view: careplans.View) -> Found:
    yield from _struck_of_plan(view)
    for rows in view.progress.values():
        for row in rows:
            what = f"Progress on goal {row.goal}: {GOAL_STATES[row.state].lower()}"
            yield Line(row.recorded_at, "plan", what, row.says), row.recorded_by
    for version in reversed(view.versions):
        what = f"Care plan, version {version.row.number}"
        says = ". ".join(
            [MARKS[version.row.mark], *(each.what.removesuffix("?") for each in version.changes)]
        )
        yield Line(version.row.recorded_at, "plan", what, says), version.row.recorded_by
        for given in version.agreements:
            if given.withdrawn_at is not None:
                what = (
                    f"Agreement to version {version.row.number} withdrawn: {AGREEING[given.party]}"
                )
                yield (
                    Line(given.withdrawn_at, "plan", what, given.withdrawn_reason),
                    given.withdrawn_by,
                )
    for event in view.events:
        yield Line(event.recorded_at, "plan", EVENTS[event.code], event.note), event.recorded_by
    for review in view.reviews:
        what = f"Review of the care plan, version {review.number}"
        says = ". ".join([OUTCOMES[review.outcome], *([review.note] if review.note else [])])
        yield Line(review.reviewed_at, "review", what, says), review.recorded_by
    for asked in view.referrals:
        given = [RESPONSES[each.response] for each in asked.answers if each.struck_at is None]
        says = "; then: ".join(given) or "No answer yet"
        if asked.approved_by and asked.paid_by:
            says += f". Approved: {asked.approved_by}. Paid by: {PAYERS[asked.paid_by].lower()}"
        what = f"{REFERRALS[asked.kind]}: {asked.to_whom}"
        yield Line(asked.made_at, "referral", what, says), asked.recorded_by


def _names(act: Act, ids: set[int]) -> dict[int, str]:
    return {row.id: row.name for row in act.session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def certificate(act: Act, certificate_id: int) -> tuple[Certificate, Patient, Reception]:
    """A certificate as it was given, to print. The look is audited."""
    act.need("custody.read")
    row = act.session.get(Certificate, certificate_id)
    if row is None:
        raise NotFound("There is no such certificate.")
    reception = act.session.get_one(Reception, row.reception_id)
    patient = open_record(
        act, reception.patient_id, "casework.certificate_printed", right="custody.read"
    )
    return row, patient, reception


@dataclass(frozen=True)
class Lacking:
    """Somebody whose day 28 has come without a next step."""

    reception_id: int
    patient_id: int
    person: str
    day: int
    day_28: date
    says: str
    ppo: bool | None
    heightened_risk: bool | None


def without_next_step(act: Act) -> list[Lacking]:
    """Who is still here at day 28 or past it and nobody said what follows, the earliest first."""
    act.need("custody.read")
    rows = act.session.execute(
        select(Reception, ReceptionDetail, Patient)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(
            ReceptionDetail,
            and_(
                ReceptionDetail.reception_id == Reception.id, ReceptionDetail.known_until.is_(None)
            ),
        )
        .where(
            Reception.undone_at.is_(None),
            ReceptionDetail.screening != "negative",
            in_custody_here(act),
            ~exists().where(
                Completion.reception_id == Reception.id, Completion.struck_at.is_(None)
            ),
        )
        .order_by(ReceptionDetail.received_at, Reception.id)
    )
    found = []
    for reception, detail, patient in rows:
        day = day_number(reception, detail, act.today)
        day_28 = act.today + (LAST_DAY - day) * ONE_DAY
        says = next_step_lacking(day_28, act.today, named=False)
        if says is not None:
            found.append(
                Lacking(reception.id, patient.id, patient.listed_name, day, day_28, says,
                        detail.ppo, detail.heightened_risk)
            )  # fmt: skip
    found = found[:MOST_LISTED]
    act.note_shown("casework.next_steps_shown", [each.patient_id for each in found])
    return found
