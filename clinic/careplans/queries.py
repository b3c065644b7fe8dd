"""What does a plan say, who agreed, what changed, and when is it looked at again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.careplans.models import (
    AGREEING,
    MARKS,
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
from clinic.custody import facts, timetables
from clinic.custody import queries as custody
from clinic.custody.models import Delivery, Exit, Reception
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Allocation, Patient, Registration
from clinic.patients.queries import same_person
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling.careplans import (
    DOMAINS,
    QUESTIONS,
    REFERRALS,
    RULES,
    ReviewDue,
    agree_again,
    missing,
    review_due,
    starts_early,
)
from scheduling.prescribing_models import day_in_words

MOST_LISTED = 200


@dataclass(frozen=True)
class Change:
    """One thing a version says otherwise than the one before. None: not said."""

    what: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class Version:
    """A version, what it changed, and who ever agreed to it."""

    row: CarePlanVersion
    changes: Sequence[Change]
    agreements: Sequence[CarePlanAgreement]


@dataclass(frozen=True)
class Discarded:
    """A draft that was given up, and what it would have changed. `open`: it can be taken up again."""

    row: CarePlanDraft
    changes: Sequence[Change]
    open: bool


@dataclass(frozen=True)
class View:
    """All that is shown of one plan. `standing`: agreements to the newest version, by party.

    `draft`: changes not put forward, `drafted` what they change; `editing`: what an editor reads.
    `discarded`: drafts that were given up, newest first.
    `struck`: progress, events, reviews and referrals that count no more; the others hold none.

    `lacking`: what a complete plan still needs, by the draft where there is one.
    `csma_missing`: nothing can be agreed yet. `day_1`: of the 28 days, None in the community.
    """

    plan: CarePlan
    patient: Patient
    now: CarePlanVersion
    draft: CarePlanDraft | None
    drafted: Sequence[Change]
    discarded: Sequence[Discarded]
    versions: Sequence[Version]
    standing: dict[str, CarePlanAgreement]
    progress: dict[int, list[CarePlanProgress]]
    events: Sequence[CarePlanEvent]
    reviews: Sequence[CarePlanReview]
    referrals: Sequence[CarePlanReferral]
    struck: Sequence[Any]
    due: ReviewDue
    warnings: Sequence[str]
    lacking: Sequence[str]
    csma_missing: bool
    agreed_before: int | None
    names: dict[int, str]
    keyworker: str | None

    @property
    def editing(self) -> CarePlanVersion | CarePlanDraft:
        """What whoever edits goes on from: the draft, or the plan as it stands."""
        return self.draft or self.now

    @property
    def asking(self) -> list[CarePlanEvent]:
        """The events no review has looked at."""
        return [each for each in self.events if each.review_id is None]

    @property
    def not_agreed(self) -> list[str]:
        """Whose agreement to the newest version is missing."""
        return [name for party, name in AGREEING.items() if party not in self.standing]


def plan(act: Act, plan_id: int) -> View:
    """One plan as it stands, with all it has been."""
    act.need("careplans.read")
    row = act.session.get(CarePlan, plan_id)
    if row is None:
        raise NotFound("There is no such care plan.")
    patient = open_record(act, row.patient_id, "careplans.shown", right="careplans.read")
    now = current_version(act, row.id)
    draft = draft_of(act, row.id)
    versions = _versions(act, row.id)
    standing = {each.party: each for each in versions[0].agreements if each.withdrawn_at is None}
    progress: dict[int, list[CarePlanProgress]] = {}
    for each in _rows(act, CarePlanProgress, row.id, CarePlanProgress.on):
        progress.setdefault(each.goal, []).append(each)
    events = _rows(act, CarePlanEvent, row.id, CarePlanEvent.on)
    reviews = _rows(act, CarePlanReview, row.id, CarePlanReview.reviewed_at)
    referrals = _rows(act, CarePlanReferral, row.id, CarePlanReferral.made_at)
    struck = [
        each
        for model, order in (
            (CarePlanProgress, CarePlanProgress.on), (CarePlanEvent, CarePlanEvent.on),
            (CarePlanReview, CarePlanReview.reviewed_at),
            (CarePlanReferral, CarePlanReferral.made_at),
        )
        for each in _rows(act, model, row.id, order, struck=True)
    ]  # fmt: skip
    struck += [
        answer for each in referrals for answer in each.answers if answer.struck_at is not None
    ]
    discarded = _discarded(act, versions, draft)
    everything = [
        row, *(each.row for each in versions),
        *(given for each in versions for given in each.agreements),
        *(each for rows in progress.values() for each in rows), *events, *reviews, *referrals,
        *struck, *([draft] if draft else []), *(each.row for each in discarded),
        *(answer for each in referrals for answer in each.answers),
    ]  # fmt: skip
    return View(
        plan=row, patient=patient, now=now, draft=draft, drafted=changes(now, draft) if draft else [],
        discarded=discarded,
        versions=versions, standing=standing,
        progress=progress, events=events, reviews=reviews, referrals=referrals, struck=struck,
        due=review_due(
            row.reviewed_on, in_custody=row.reception_id is not None,
            events=[(each.on, each.code) for each in events if each.review_id is None],
        ),
        warnings=_warnings(act, row, now, referrals),
        lacking=[
            QUESTIONS[key].asks if key in QUESTIONS else "At least one goal"
            for key in missing((draft or now).answers, (draft or now).goals_now)
        ],
        csma_missing=row.reception_id is not None and not _done(act, row.reception_id, "csma"),
        agreed_before=next((each.row.number for each in versions[1:] if _whole(each)), None),
        names=_names(act, everything),
        keyworker=act.session.scalar(
            select(Staff.name).join(Allocation, Allocation.staff_id == Staff.id)
            .where(_keyworker_here(act, patient.id))
        ),
    )  # fmt: skip


def _rows(
    act: Act, model: Any, plan_id: int, order: Any, *, struck: bool | None = False
) -> list[Any]:
    """The rows of a plan that stand, those struck out, or (None) of a kind that cannot be."""
    wanted = select(model).where(model.plan_id == plan_id).order_by(order, model.id)
    if struck is not None:
        wanted = wanted.where((model.struck_at.is_not if struck else model.struck_at.is_)(None))
    return list(act.session.scalars(wanted))


def _whole(version: Version) -> bool:
    return {each.party for each in version.agreements if each.withdrawn_at is None} == set(AGREEING)


def _done(act: Act, reception_id: int, item: str) -> bool:
    return any(row.item == item for row in facts.rows_of(act.session, Delivery, reception_id))


def _keyworker_here(act: Act, patient_id: Any) -> Any:
    return and_(
        Allocation.patient_id == patient_id, Allocation.site_id == act.site_id,
        Allocation.kind == "keyworker", Allocation.ended_at.is_(None),
    )  # fmt: skip


def _names(act: Act, rows: Sequence[Any]) -> dict[int, str]:
    ids = {
        staff_id
        for row in rows
        for name in ("recorded_by", "agreed_by", "withdrawn_by", "discarded_by", "struck_by")
        if (staff_id := getattr(row, name, None)) is not None
    }
    return {row.id: row.name for row in act.session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def _warnings(
    act: Act, row: CarePlan, now: CarePlanVersion, referrals: Sequence[CarePlanReferral]
) -> list[str]:
    day_1 = None
    if row.reception_id is not None:
        saved = timetables.current_timetable(act, act.session.get_one(Reception, row.reception_id))
        day_1 = date.fromisoformat(saved.answer["day_1"]) if saved else None
    planned = now.answers.get("post_28_starts_on")
    starts = [("The programme of the plan", date.fromisoformat(planned) if planned else None)]
    starts += [
        (f"{REFERRALS[each.kind]} ({each.to_whom})", each.starts_on)
        for each in referrals
        if each.kind == "post_28_programme" and each.response != "refused"
    ]
    return [text for what, on in starts if (text := starts_early(what, on, day_1))]


def _versions(act: Act, plan_id: int) -> list[Version]:
    """Every version, newest first."""
    rows = _rows(act, CarePlanVersion, plan_id, CarePlanVersion.number, struck=None)
    given = act.session.scalars(
        select(CarePlanAgreement)
        .where(CarePlanAgreement.version_id.in_([row.id for row in rows]))
        .order_by(CarePlanAgreement.id)
    ).all()
    made = []
    for before, row in zip([None, *rows], rows, strict=False):
        made.append(
            Version(
                row, changes(before, row) if before else [],
                [each for each in given if each.version_id == row.id],
            )
        )  # fmt: skip
    return made[::-1]


def changes(before: CarePlanVersion, after: CarePlanVersion | CarePlanDraft) -> list[Change]:
    """What the later version says otherwise, in the order a plan asks."""
    found = []
    if before.mark != after.mark:
        found.append(Change("Kind of plan", MARKS[before.mark], MARKS[after.mark]))
    for key, question in QUESTIONS.items():
        was, now = question.says(before.answers.get(key)), question.says(after.answers.get(key))
        if was != now:
            found.append(Change(question.asks, was, now))
    for number in after.goals:
        was, now = _goal_says(before.goals.get(number)), _goal_says(after.goals[number])
        if was != now:
            found.append(Change(f"Goal {number}", was, now))
    return found


def _discarded(
    act: Act, versions: Sequence[Version], draft: CarePlanDraft | None
) -> list[Discarded]:
    """The drafts given up, each against the version it was to change."""
    by_number = {each.row.number: each.row for each in versions}
    now = versions[0].row
    rows = act.session.scalars(
        select(CarePlanDraft)
        .where(CarePlanDraft.plan_id == now.plan_id, CarePlanDraft.discarded_at.is_not(None))
        .order_by(CarePlanDraft.id.desc())
    )
    return [
        Discarded(
            row, changes(by_number[row.number], row), draft is None and row.number == now.number
        )
        for row in rows
    ]


def _goal_says(goal: dict[str, Any] | None) -> str | None:
    if goal is None:
        return None
    said = f"{DOMAINS[goal['domain']]}: {goal['what']}. Who: {goal['who']}. By "
    said += day_in_words(date.fromisoformat(goal["by_on"]))
    return f"{said}. Dropped: {goal['dropped']}" if goal["dropped"] else said


# -- whose plan ------------------------------------------------------------------------------


def plan_of_stay(act: Act, reception_id: int) -> int | None:
    """The plan of a stay, for a link to it."""
    return act.session.scalar(select(CarePlan.id).where(CarePlan.reception_id == reception_id))


def place_for(act: Act, patient_id: int) -> tuple[int | None, int | None]:
    """The plan that is worked to here and, at a prison, the stay a plan belongs to: their ids."""
    act.need("careplans.read")
    patient = open_record(act, patient_id, "careplans.looked_up", right="careplans.read")
    people = same_person(act, patient.id)
    if custody.at_a_prison(act):
        stay = act.session.scalar(
            select(Reception.id)
            .where(Reception.patient_id.in_(people), Reception.undone_at.is_(None))
            .order_by(Reception.id.desc())
            .limit(1)
        )
        return (plan_of_stay(act, stay) if stay else None), stay
    found = select(CarePlan.id).where(
        CarePlan.patient_id.in_(people), CarePlan.reception_id.is_(None)
    )
    return act.session.scalar(found), None


# -- the day-5 clinical review -----------------------------------------------------------------


@dataclass(frozen=True)
class ClinicalReview:
    """How the day-5 review of a stay stands. `items`: the duties of the 28 days it answers."""

    stay: custody.Stay
    items: Sequence[Any]
    report: ClinicalReviewInput | None
    report_by: str | None
    plan_id: int | None


def clinical_review(act: Act, reception_id: int) -> ClinicalReview:
    """The review, the report for it, and what the 28 days say of both."""
    act.need("careplans.read")
    stay = custody.stay(act, reception_id)
    report = report_of(act, reception_id)
    wanted = ("carat_report", "clinical_review", "joint_care_plan")
    return ClinicalReview(
        stay,
        [row for row in (stay.answer or {"items": []})["items"] if row["item"] in wanted],
        report,
        act.session.get_one(Staff, report.recorded_by).name if report else None,
        plan_of_stay(act, reception_id),
    )


# -- the worklist ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """One plan to be reviewed, or agreed again. `on`: by when."""

    plan_id: int
    person: str
    on: date
    what: str
    keyworker_id: int | None
    keyworker: str | None
    ppo: bool | None


def due_work(act: Act, *, limit: int = MOST_LISTED) -> list[Work]:
    """Plans of people looked after here to be reviewed within a week, or to be agreed again.

    By day, PPOs first among equals (PS-31), never by name. A stay that ended asks for nothing but
    what an event asked; the dead for nothing.
    """
    act.need("careplans.read")
    soon = act.today + timedelta(days=RULES["CP-03"]["most"])
    first_event = (
        select(func.min(CarePlanEvent.on))
        .where(
            CarePlanEvent.plan_id == CarePlan.id,
            CarePlanEvent.review_id.is_(None),
            CarePlanEvent.struck_at.is_(None),
        )
        .scalar_subquery()
    )
    stands = or_(CarePlan.reception_id.is_(None), Reception.left_at.is_(None), _only_moved())
    regular = CarePlan.reviewed_on <= case(
        (CarePlan.reception_id.is_(None), soon - timedelta(days=RULES["CP-01"]["most"])),
        else_=soon - timedelta(days=RULES["CP-02"]["most"]),
    )
    older = aliased(CarePlanVersion)
    to_agree = and_(
        _given(CarePlanVersion) < len(AGREEING),
        exists().where(older.plan_id == CarePlan.id, _given(older) == len(AGREEING)),
    )
    kept = func.coalesce(Patient.merged_into_id, Patient.id)
    found = act.session.execute(
        select(CarePlan, Patient, Staff, CarePlanVersion.recorded_at, _given(CarePlanVersion),
               and_(to_agree, stands))
        .join(Patient, Patient.id == CarePlan.patient_id)
        .join(CarePlanVersion, and_(CarePlanVersion.plan_id == CarePlan.id, _is_newest()))
        .outerjoin(Reception, Reception.id == CarePlan.reception_id)
        .outerjoin(Allocation, _keyworker_here(act, kept))
        .outerjoin(Staff, Staff.id == Allocation.staff_id)
        .where(
            exists().where(
                Registration.patient_id.in_([CarePlan.patient_id, kept]),
                Registration.site_id == act.site_id, Registration.ended_at.is_(None),
            ),
            Patient.died_on.is_(None), Reception.undone_at.is_(None),
            or_(first_event.is_not(None), and_(stands, or_(regular, to_agree))),
        )
        .order_by(func.coalesce(first_event, CarePlan.reviewed_on), CarePlan.id)
        .limit(MOST_LISTED * 5)
    ).all()  # fmt: skip
    events = _open_events(act, [row.id for row, *_ in found])
    work = []
    for row, patient, named, changed_at, given, again in found:
        due = review_due(
            row.reviewed_on, in_custody=row.reception_id is not None, events=events.get(row.id, [])
        )
        on, what = due.on, due.says
        if again:
            on, what = min((on, what), agree_again(london_day(changed_at), len(AGREEING) - given))
        work.append(
            Work(
                row.id, patient.listed_name, on, what, named.id if named else None,
                named.name if named else None, patient.ppo,
            )
        )  # fmt: skip
    work.sort(key=lambda each: (each.on, each.ppo is not True, each.plan_id))
    work = work[:limit]
    shown = {each.plan_id for each in work}
    act.note_shown(
        "careplans.worklist_shown", [patient.id for row, patient, *_ in found if row.id in shown]
    )
    return work


def drafts_here(act: Act) -> list[tuple[int, Patient, CarePlanDraft, str]]:
    """Changes collected and not put forward, of plans of people here: plan, whose, draft, by whom."""
    act.need("careplans.read")
    rows = act.session.execute(
        select(CarePlan.id, Patient, CarePlanDraft, Staff.name)
        .join(CarePlanDraft, CarePlanDraft.plan_id == CarePlan.id)
        .join(Patient, Patient.id == CarePlan.patient_id)
        .join(Staff, Staff.id == CarePlanDraft.recorded_by)
        .where(
            CarePlanDraft.discarded_at.is_(None),
            exists().where(
                Registration.patient_id.in_(
                    [CarePlan.patient_id, func.coalesce(Patient.merged_into_id, Patient.id)]
                ),
                Registration.site_id == act.site_id, Registration.ended_at.is_(None),
            )
        )
        .order_by(CarePlanDraft.recorded_at, CarePlan.id)
        .limit(MOST_LISTED)
    ).all()  # fmt: skip
    act.note_shown("careplans.drafts_shown", [patient.id for _, patient, _, _ in rows])
    return [tuple(row) for row in rows]


def _given(version: Any) -> Any:
    """How many parties' agreements to a version stand."""
    return (
        select(func.count(CarePlanAgreement.id))
        .where(CarePlanAgreement.version_id == version.id, CarePlanAgreement.withdrawn_at.is_(None))
        .correlate(version)
        .scalar_subquery()
    )


def _is_newest() -> Any:
    later = aliased(CarePlanVersion)
    return ~exists().where(
        later.plan_id == CarePlanVersion.plan_id, later.number > CarePlanVersion.number
    )


def _only_moved() -> Any:
    return exists().where(
        Exit.reception_id == Reception.id, Exit.known_until.is_(None), Exit.how == "transfer"
    )


def _open_events(act: Act, plan_ids: Sequence[int]) -> dict[int, list[tuple[date, str]]]:
    rows = act.session.scalars(
        select(CarePlanEvent).where(
            CarePlanEvent.plan_id.in_(plan_ids),
            CarePlanEvent.review_id.is_(None),
            CarePlanEvent.struck_at.is_(None),
        )
    )
    found: dict[int, list[tuple[date, str]]] = {}
    for row in rows:
        found.setdefault(row.plan_id, []).append((row.on, row.code))
    return found


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
