"""How the three phases of one person stand, what they were offered, and who knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.careplans.models import CarePlan, CarePlanReferral, CarePlanVersion
from clinic.careplans.reading import current_version
from clinic.custody import presenters, words
from clinic.custody import queries as custody
from clinic.custody.models import Delivery
from clinic.observations.models import PhaseTask
from clinic.phases import commands
from clinic.phases.models import PeerSupporter, PhaseMove, Telling, TriageConsent
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling.careplans import GROUPS_NEEDED, QUESTIONS
from scheduling.custody_rules import BLOCK_DAYS
from scheduling.observations import TASKS, Task, tasks_of
from scheduling.phases import (
    CPA_TASK,
    NEEDED,
    NUMBERS,
    Part,
    Phase,
    cpa_lacking,
    minimum_set,
    phases,
    silent_with_healthcare,
)

PARTS = {
    "assessment_and_plan": "Assessment or its review, and a care or release plan",
    "harm": "Harm reduction and overdose risk",
    "referral": "Referral to the community",
}


@dataclass(frozen=True)
class Checked:
    """One line of a checklist. `done` None: not required. `declined`: offered and not wanted.

    `late`: its day has passed, or the seventh has come, and it was not delivered (PS-15).
    """

    key: str
    says: str
    done: bool | None
    declined: bool = False
    due_on: date | None = None
    late: bool = False


@dataclass(frozen=True)
class Week:
    """One week of phase 2: its duties and on which days CARATs and healthcare talked."""

    number: int
    from_on: date
    to_on: date
    duties: Sequence[presenters.DutyRow]
    talked_on: Sequence[date]


@dataclass(frozen=True)
class Offered:
    """One part of what everybody is offered. `response`: to the referral, None while unanswered."""

    part: Part
    says: str
    lacks: Sequence[str]
    response: str | None = None


@dataclass(frozen=True)
class Pathway:
    """All of one person's phases. `triage`: the triage assessment (SMTA) as it was recorded.

    `explained`: did the first keywork session explain IDTS and the treatment there is? None while
    there was none, or it was not said. `needs`: the groups the care plan says they need, the first
    first. `struck`: what counts no more, newest first.
    """

    stay: custody.Stay
    phases: Sequence[Phase]
    moves: Mapping[int, PhaseMove]
    checklist: Sequence[Checked]
    explained: bool | None
    weeks: Sequence[Week]
    needs: Sequence[str]
    silent: str | None
    minimum: Sequence[Offered]
    cpa: Sequence[str]
    triage: Delivery | None
    consent: TriageConsent | None
    tellings: Sequence[Telling]
    peers: Sequence[PeerSupporter]
    struck: Sequence[Any]
    names: dict[int, str]

    @property
    def now(self) -> list[int]:
        """The phases somebody is in on the day this was looked at."""
        return [each.number for each in self.phases if each.holds(self.today)]

    today: date


def pathway(act: Act, reception_id: int) -> Pathway:
    """The phases of one stay and what belongs to them."""
    stay = custody.stay(act, reception_id)
    moves = commands.standing_moves(act, reception_id)
    tasks = {
        (row.task, row.phase): row for row in _rows(act, PhaseTask, reception_id)
        if row.struck_at is None
    }  # fmt: skip
    plan, version = _plan(act, reception_id)
    found = _phases(act, stay, moves, tasks)
    tellings = _rows(act, Telling, reception_id)
    peers = _rows(act, PeerSupporter, reception_id)
    every = [*tellings, *peers, *_rows(act, PhaseMove, reception_id),
             *_rows(act, TriageConsent, reception_id)]  # fmt: skip
    told = [row for row in tellings if row.struck_at is None]
    talked = [london_day(row.at) for row in told if row.party == "healthcare"]
    second = next((each for each in found if each.number == 2), None)
    begun = [each.number for each in found if each.from_on <= act.today]
    staff = {row.recorded_by for row in every} | {row.struck_by for row in every if row.struck_by}
    return Pathway(
        stay=stay,
        phases=found,
        moves=moves,
        checklist=_checklist(act, stay, tasks),
        explained=next(
            (row.explained for row in stay.deliveries if row.item == "initial_keywork"), None
        ),
        weeks=_weeks(stay, talked),
        needs=[
            said for key in GROUPS_NEEDED
            if version and (said := QUESTIONS[key].says(version.answers.get(key)))
        ],
        silent=silent_with_healthcare(second.from_on, max(talked, default=None), act.today)
        if second and second.holds(act.today) else None,
        minimum=_minimum(act, stay, plan, version),
        cpa=cpa_lacking(
            version.answers.get("cpa") if version else None,
            [phase for task, phase in tasks if task == CPA_TASK], begun,
        ),
        triage=next((row for row in stay.deliveries if row.item == "smta"), None),
        consent=commands.standing_consent(act, reception_id),
        tellings=told,
        peers=[row for row in peers if row.struck_at is None],
        struck=[row for row in every if row.struck_at is not None],
        names={row.id: row.name for row in act.session.scalars(
            select(Staff).where(Staff.id.in_(staff)))},
        today=act.today,
    )  # fmt: skip


def _rows(act: Act, model: Any, reception_id: int) -> list[Any]:
    return list(
        act.session.scalars(
            select(model).where(model.reception_id == reception_id).order_by(model.id.desc())
        )
    )


def _plan(act: Act, reception_id: int) -> tuple[CarePlan | None, CarePlanVersion | None]:
    plan = act.session.scalar(select(CarePlan).where(CarePlan.reception_id == reception_id))
    return plan, current_version(act, plan.id) if plan else None


def _phases(
    act: Act, stay: custody.Stay, moves: Mapping[int, PhaseMove], tasks: Mapping[Any, PhaseTask]
) -> list[Phase]:
    """The three phases; none while no 28 days are planned."""
    if stay.answer is None:
        return []
    done = {row["item"] for row in stay.answer["items"] if row["done_at"]}
    done |= {task for task, _ in tasks}
    left = stay.exit if stay.exit and stay.exit.how != "transfer" else None
    leaves_on = london_day(left.at) if left else stay.release.on if stay.release else None
    return phases(
        date.fromisoformat(stay.answer["day_1"]), today=act.today,
        moved={number: row.from_on for number, row in moves.items()}, leaves_on=leaves_on,
        missing=[_needed(each) for each in NEEDED if each not in done],
        completion_day=stay.reception.completion_day,
    )  # fmt: skip


def _needed(key: str) -> str:
    said = "Stabilisation" if key == "stabilise" else words.duty(key)
    return said[0].lower() + said[1:]


def _checklist(act: Act, stay: custody.Stay, tasks: Mapping[Any, PhaseTask]) -> list[Checked]:
    """Phase 1 (PS-13): its duties by day, then its tasks without one."""
    here = stay.exit is None or stay.exit.how == "transfer"
    over = here and (presenters.day_of_custody(stay, act.today) or 0) >= BLOCK_DAYS
    declined = {row.item for row in stay.deliveries if row.outcome == "declined"}
    found = [
        Checked(
            row.item, row.duty, None if row.state == "not_required" else row.done_at is not None,
            row.item in declined, row.due_on, row.state == "overdue" or (over and row.recordable),
        )
        for name, rows in presenters.phases(stay) if name == words.PHASES[0]
        for row in rows
    ]  # fmt: skip
    mine: list[Task] = [
        each for each in tasks_of(1) if each.team == "carat" and each.id != CPA_TASK
    ]
    done = {each.id for each in mine if (each.id, 1) in tasks}
    return [
        *found,
        *(
            Checked(each.id, each.says, each.id in done, late=over and each.id not in done)
            for each in mine
        ),
    ]


def _weeks(stay: custody.Stay, talked: Sequence[date]) -> list[Week]:
    """The weeks of phase 2 (PS-17): keywork, case review and groups of each."""
    if stay.answer is None:
        return []
    rows = [row for _, rows in presenters.phases(stay) for row in rows]
    found = []
    for each in stay.answer["weeks"][1:]:
        first, last = date.fromisoformat(each["from_on"]), date.fromisoformat(each["to_on"])
        stems = [f"{stem}_week_{each['week']}" for stem in ("keywork", "case_review", "groups")]
        found.append(
            Week(
                each["week"],
                first,
                last,
                [row for row in rows if row.item in stems],
                sorted(on for on in talked if first <= on <= last),
            )
        )
    return found


def _minimum(
    act: Act, stay: custody.Stay, plan: CarePlan | None, version: CarePlanVersion | None
) -> list[Offered]:
    outcomes: dict[str, str] = {}
    for row in stay.deliveries:
        if outcomes.get(row.item) != "delivered":
            outcomes[row.item] = row.outcome
    written = version is not None and bool(version.answers or version.goals_now)
    asked = plan and act.session.scalar(
        select(CarePlanReferral)
        .where(
            CarePlanReferral.plan_id == plan.id, CarePlanReferral.kind == "cjit",
            CarePlanReferral.struck_at.is_(None),
        )
        .order_by(CarePlanReferral.id.desc())
        .limit(1)
    )  # fmt: skip
    return [
        Offered(
            part,
            PARTS[part.key],
            [words.duty(each) for each in part.lacks],
            asked.response if asked and part.key == "referral" else None,
        )
        for part in minimum_set(outcomes, plan_written=written)
    ]


def lacking_before_leaving(act: Act, reception_id: int) -> list[str]:
    """What of the minimum set somebody was not offered, in words: asked before they leave (PS-16)."""
    plan, version = _plan(act, reception_id)
    stay = custody.stay(act, reception_id)
    if stay.answer is None:
        return []
    return [each.says for each in _minimum(act, stay, plan, version) if not each.part.offered]


assert CPA_TASK in TASKS and NUMBERS == (1, 2, 3)
